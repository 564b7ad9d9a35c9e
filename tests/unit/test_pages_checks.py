"""What is wrong with a page: each kind is found on a page that has it, and on no page that has not.

Each row changes a page that is right; what comes of it is written beside.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.pages.checks import check, unknown_package
from runner.pages.fields import page_of
from runner.pages.finding import SEVERITIES, Finding, Kind, Severity
from runner.pages.page import Page
from runner.pages.reading import read
from runner.pages.reproduction import Shape, shape_of
from runner.releases import History
from tests.builders import a_history, a_release

PUBLISHED = Path(__file__).parent.parent / "published"
SHARED = Path(__file__).parents[3] / "shared" / "pages"
CORRECT = ("correct.txt", "correct-bullets.txt", "correct.md", "correct.html")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


HISTORY = a_history(
    a_release("2.3.9", uploaded=day("2025-11-01")),
    a_release("2.4.0", uploaded=day("2025-12-01")),
    a_release("2.4.1", uploaded=day("2025-12-20")),
    a_release("2.4.2", uploaded=day("2026-02-20")),
    a_release("2.4.3", uploaded=day("2026-03-20")),
    a_release("2.5.0", uploaded=day("2026-04-20"), yanked=True),
)


def page(name: str, *changes: tuple[str, str]) -> Page:
    """A page that is right, with some of its words exchanged wherever they stand."""
    text = (PUBLISHED / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return page_of(read(text.encode(), name), name)


def found(name: str, *changes: tuple[str, str], history: History | None = HISTORY) -> list[Finding]:
    return list(check(page(name, *changes), history, NOW))


def kinds(name: str, *changes: tuple[str, str]) -> set[Kind]:
    return {each.kind for each in found(name, *changes)}


@pytest.mark.parametrize("name", CORRECT)
def test_a_page_that_is_right_comes_out_clean(name: str) -> None:
    assert found(name) == []


WRONG = [
    # releases
    ("2.4.0–2.4.1", "2.4.0–84.87", {Kind.NO_SUCH_RELEASE, Kind.RANGE_CONTAINS_FIX}),
    ("| 2.4.0 | Broken |", "| 2.4.0.7 | Broken |", {Kind.NO_SUCH_RELEASE}),
    ("2.4.2", "2.4.9", {Kind.NO_SUCH_RELEASE}),
    ("2.4.2", "2.5.0", {Kind.YANKED_RELEASE, Kind.VERIFIED_BEFORE_RELEASE}),
    ("First fixed release: 2.4.2", "First fixed release: the next one", {Kind.NOT_A_RELEASE}),
    ("2.4.0–2.4.1", "some", {Kind.NOT_A_RELEASE}),
    ("2.4.0–2.4.1", "2.4.1–2.4.0", {Kind.EMPTY_RANGE, Kind.ROW_OUTSIDE_RANGE}),
    ("Fixed: 2.4.2", "Fixed: 2.3.9", {Kind.FIRST_FIXED_DIFFERS}),
    (
        "| 2.4.1 | Broken |",
        "| 2.4.2 | Broken |",
        {Kind.TABLE_CONTRADICTS_ITSELF, Kind.TABLE_CONTRADICTS_TEXT, Kind.ROW_OUTSIDE_RANGE},
    ),
    (
        "| 2.4.1 | Broken |",
        "| 2.4.3 | Broken |",
        {Kind.TABLE_CONTRADICTS_TEXT, Kind.ROW_OUTSIDE_RANGE},
    ),
    (
        "| 2.4.1 | Broken |",
        "| 2.4.1 | Fixed |",
        {Kind.TABLE_CONTRADICTS_TEXT, Kind.ROW_OUTSIDE_RANGE},
    ),
    ("| 2.4.2 | Fixed |", "| 2.4.3 | Fixed |", {Kind.TABLE_NAMES_OTHER_FIX}),
    ("2.4.0–2.4.1", "2.4.0–2.4.2", {Kind.RANGE_CONTAINS_FIX}),
    ("2.4.0–2.4.1", "2.4.1–2.4.1", {Kind.ROW_OUTSIDE_RANGE}),
    # which came first
    ("pull/219", "pull/109", {Kind.FIX_BEFORE_REPORT}),
    (
        "“Thanks, 2.4.2 works for me.”",
        "“It hangs.”\n@eel · 2026-02-27 · source",
        {Kind.RELEASE_BEFORE_REPORT},
    ),
    ("“Thanks, 2.4.2 works for me.”", "“This is still a problem in 2.4.2.”", {Kind.FIX_SHOWS_BUG}),
    (
        "“Thanks, 2.4.2 works for me.”",
        "“Probably introduced by https://github.com/tidewater/lanternfish/pull/219.”",
        {Kind.FIX_SHOWS_BUG},
    ),
    (
        "Traceback (most recent call last):\n",
        "INFO: lanternfish 2.4.2\nlanternfish/2.4.2 starts\nTraceback (most recent call last):\n",
        {Kind.FIX_SHOWS_BUG},
    ),
    (
        "“Thanks, 2.4.2 works for me.”",
        "“Closed by #200, available in 2.4.1.”",
        {Kind.QUOTE_NAMES_OTHER_FIX},
    ),
    (
        "Negative depths count as the surface.",
        "Added a `--surface` option for negative depths.",
        {Kind.FIX_IS_AN_OPTION},
    ),
    # dates
    (
        "Last verified: 2026-03-02",
        "Last verified: 2026-02-09",
        {Kind.VERIFIED_BEFORE_RELEASE, Kind.VERIFIED_BEFORE_RUN},
    ),
    ("Ran: 2026-03-02T10:20:30Z", "Ran: 2026-03-05T10:20:30Z", {Kind.VERIFIED_BEFORE_RUN}),
    ("Ran: 2026-03-02T10:20:30Z", "Ran: 2026-02-02T10:20:30Z", {Kind.VERIFIED_BEFORE_RELEASE}),
    ("Last verified: 2026-03-02", "Last verified: 2026-06-04", {Kind.DATE_IN_FUTURE}),
    ("Last verified: 2026-03-02", "Last verified: recently", {Kind.NOT_A_DATE}),
    # what was run
    (
        "Yes (3 of 3 attempts on 2.4.1, 0 of 5 on 2.4.2)",
        "No (not executed)",
        {Kind.PASS_NOT_EXECUTED, Kind.VERIFIED_NOT_EXECUTED, Kind.CONFIDENCE_WITHOUT_ATTEMPTS},
    ),
    ("Mode: both", "Mode: fixed_only", {Kind.PASS_PROVES_NOTHING}),
    ("Mode: both", "Mode: none", {Kind.PASS_PROVES_NOTHING}),
    ("- Mode: both\n", "", {Kind.PASS_WITHOUT_MODE}),
    ("Yes (3 of 3 attempts on 2.4.1, 0 of 5 on 2.4.2)", "Yes", {Kind.CONFIDENCE_WITHOUT_ATTEMPTS}),
    # what is shown
    (
        "Minimal Reproduction\nimport lanternfish\nreply = lanternfish.lure(-1)",
        "Minimal Reproduction\nINFO: 1 lamp lit\nDEBUG: depth known\nERROR: wrong depth",
        {Kind.REPRODUCTION_NOT_CODE},
    ),
    (
        'Minimal Reproduction\nimport lanternfish\nreply = lanternfish.lure(-1)\nprint("glow:", reply.glow)',
        "Minimal Reproduction\nTraceback (most recent call last):\nDepthError",
        {Kind.REPRODUCTION_NOT_CODE},
    ),
    (
        "Minimal Reproduction\nimport lanternfish\nreply",
        "Minimal Reproduction\nimport lanternfish\nfor each in (1, 2):\nreply",
        {Kind.REPRODUCTION_CANNOT_RUN},
    ),
    (
        "Minimal Reproduction\nimport lanternfish\nreply =",
        "Minimal Reproduction\nOpen the lamp at\n1. depth 2\nreply =",
        {Kind.REPRODUCTION_NOT_PYTHON},
    ),
    ("edge-cases).\n", "edge-cases).\n“Have a look.”\n", set()),
    (
        "- lanternfish.DepthError: depth -1 is below the surface",
        "- 2. Run `lanternfish --depth -1`",
        {Kind.SIGNATURE_NEVER_PRINTED},
    ),
    (
        "- lanternfish.DepthError: depth -1 is below the surface",
        "- I found that a negative depth ends in an error",
        {Kind.SIGNATURE_NEVER_PRINTED},
    ),
    (
        "- lanternfish.DepthError: depth -1 is below the surface",
        "- see [the log](https://example.org)",
        {Kind.SIGNATURE_NEVER_PRINTED},
    ),
    # the whole
    ("- GitHub issue: #212\n", "- GitHub issue: #213\n", {Kind.SEVERAL_FIXES}),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), WRONG, ids=[f"{a[:30]}→{b[:40]}" for a, b, _ in WRONG]
)
def test_what_is_wrong_is_found_and_nothing_else(old: str, new: str, expected: set[Kind]) -> None:
    assert kinds("correct.txt", (old, new)) == expected


CAPTURED = "Error Message\nStack trace\n"
TRACE = """Traceback (most recent call last):
File "repro.py", line 2, in <module>
reply = lanternfish.lure(-1)
lanternfish.DepthError: depth -1 is below the surface
Minimal"""
NOT_CAPTURED = (CAPTURED, "Error Message\nSignature-only (no traceback captured)\n")
SIGNATURE = "- lanternfish.DepthError: depth -1 is below the surface"


def test_a_title_is_no_signature_where_no_error_was_captured() -> None:
    title = (SIGNATURE, "- Negative depths end in an error")
    no_trace = (TRACE, "Negative depths end in an error\nMinimal")
    assert kinds("correct.txt", title, NOT_CAPTURED, no_trace) == {Kind.SIGNATURE_IS_PROSE}
    assert kinds("correct.txt", title) == set(), "a log on the page may have it"


def test_a_line_of_source_is_no_signature_where_there_is_no_traceback() -> None:
    source = (SIGNATURE, '- assert reply["type"] == "lure"')
    called = (SIGNATURE, "- reply = lanternfish.lure(-1)")
    no_trace = (TRACE, "Minimal")
    for signature in (source, called):
        assert kinds("correct.txt", signature, no_trace) == {Kind.SIGNATURE_IS_SOURCE}
    assert kinds("correct.txt", called) == set(), "the traceback repeats it"


def test_a_line_of_a_healthy_start_is_no_signature() -> None:
    log = (TRACE, "INFO: lamp is lit DEBUG: depth is known ERROR: depth is wrong\nMinimal")
    for signature, expected in (
        ("- lamp is lit", {Kind.SIGNATURE_OF_HEALTHY_LOG}),
        ("- depth is known", {Kind.SIGNATURE_OF_HEALTHY_LOG}),
        ("- depth is wrong", set()),
    ):
        assert kinds("correct.txt", (SIGNATURE, signature), log) == expected, signature
    access = (TRACE, 'INFO: "GET / HTTP/1.1" 500 Internal Server Error\nMinimal')
    failed = (SIGNATURE, '- "GET / HTTP/1.1" 500 Internal Server Error')
    assert kinds("correct.txt", failed, access) == set(), "what failed may be told at any level"


RIGHT = [
    ("“Thanks, 2.4.2 works for me.”", "“The issue is gone in 2.4.2.”"),
    ("“Thanks, 2.4.2 works for me.”", "“I cannot reproduce this problem with 2.4.2.”"),
    ("“Thanks, 2.4.2 works for me.”", "“Is this bug fixed in 2.4.2?”"),
    ("“Thanks, 2.4.2 works for me.”", "“This bug was fixed in 2.4.2.”"),
    ("“Thanks, 2.4.2 works for me.”", "“It happens before 2.4.2.”"),
    ("“Thanks, 2.4.2 works for me.”", "“It happens in 2.4.1 on Python 3.11.2.”"),
    ("“Thanks, 2.4.2 works for me.”", "“It was not fixed in 2.4.1.”"),
    ("“Thanks, 2.4.2 works for me.”", "“Thank you, that works!”\n@eel · 2026-03-27 · source"),
    ("“Thanks, 2.4.2 works for me.”", "“It fails.”\n@eel · 2026-01-27 · source"),
    ("Last verified: 2026-03-02", "Last verified: 2026-03-03"),
    ("Last verified: 2026-03-02", "Last verified: never"),
    ("Mode: both", "Mode: both: the broken and the fixed side were run"),
    ("Affected versions: 2.4.0–2.4.1", "Affected versions: <2.4.2"),
    ("Affected versions: 2.4.0–2.4.1", "Affected versions: 2.4.0, 2.4.1"),
    ("| 2.4.2 | Fixed |", "| 2.4.2 | Fixed |\n| 2.4.3 | Fixed |\n| 2.3.9 | Not affected |"),
    (
        "https://github.com/tidewater/lanternfish/pull/219",
        "https://github.com/else/vendored/pull/7",
    ),
    ("Negative depths count as the surface.", "Adds a check of negative depths."),
    (SIGNATURE, "- [12/345] lamp failed: depth -1"),
    (SIGNATURE, "- I/O error at depth -1"),
    (SIGNATURE, "- ValueError: 2 is too deep"),
    (SIGNATURE, "- KeyError"),
    ("Minimal Reproduction\nimport", "Minimal Reproduction\n$ pip install lanternfish\nimport"),
    (
        "Minimal Reproduction\nimport lanternfish\n",
        "Minimal Reproduction\n>>> import lanternfish\n>>> lanternfish.lure(-1)\n",
    ),
]


@pytest.mark.parametrize(("old", "new"), RIGHT, ids=[b[:50] for _, b in RIGHT])
def test_what_is_unusual_and_right_alarms_nobody(old: str, new: str) -> None:
    assert found("correct.txt", (old, new)) == []


def test_every_kind_is_found_on_some_page() -> None:
    shown = {kind for _, _, expected in WRONG for kind in expected}
    elsewhere = {
        Kind.NO_SUCH_PACKAGE,
        Kind.INCOMPLETE,
        Kind.SIGNATURE_IS_PROSE,
        Kind.SIGNATURE_IS_SOURCE,
        Kind.SIGNATURE_OF_HEALTHY_LOG,
        Kind.SIGNATURE_WITHOUT_BUG,  # of the next two: test_pages_audit.py
        Kind.SIGNATURE_NOT_IN_LOGS,
    }
    assert shown | elsewhere == {*Kind}


def test_a_finding_names_its_places_and_has_the_severity_of_its_kind() -> None:
    (told,) = found("correct.txt", ("Fixed: 2.4.2", "Fixed: 2.3.9"))
    assert told.severity is SEVERITIES[Kind.FIRST_FIXED_DIFFERS] is Severity.FALSE
    assert [each.line for each in told.places] == [2, 12, 16, 23, 34, 68, 70]
    assert "2.3.9 (line 34)" in told.said


def test_one_place_may_name_more_releases_than_the_others() -> None:
    backports = ("First fixed release: 2.4.2", "First fixed release: 2.3.9 and 2.4.2")
    assert Kind.FIRST_FIXED_DIFFERS not in kinds("correct.txt", backports)


def test_without_an_index_what_the_page_says_of_itself_is_still_checked() -> None:
    told = found("correct.txt", ("2.4.0–2.4.1", "2.4.0–84.87"), history=None)
    assert {each.kind for each in told} == {Kind.RANGE_CONTAINS_FIX}


def test_a_package_that_nobody_knows_is_false_where_the_page_names_it() -> None:
    assert unknown_package(page("correct.txt")).kind is Kind.NO_SUCH_PACKAGE
    assert unknown_package(page("correct-bullets.txt")).kind is Kind.INCOMPLETE


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("GitHub issue: a/b#1", ["first fixed release"]),
        ("First fixed release: 1.0", ["issue", "package"]),
        ("GitHub issue: #1\nFirst fixed release: 1.0", ["package"]),
        ("GitHub issue: a/b#1\nFirst fixed release: soon", ["claims nothing"]),
    ],
)
def test_a_page_without_its_main_parts_is_incomplete(text: str, missing: list[str]) -> None:
    told = check(page_of(read(text.encode(), "a.txt"), "a.txt"), None, NOW)
    said = [each.said for each in told if each.kind is Kind.INCOMPLETE]
    assert len(said) == len(missing)
    assert all(word in sentence for word, sentence in zip(missing, said, strict=True))


ON_ALL = {Kind.VERIFIED_NOT_EXECUTED, Kind.CONFIDENCE_WITHOUT_ATTEMPTS}
ON_SHARED = {
    "uvicorn-824": {Kind.REPRODUCTION_CANNOT_RUN, Kind.SIGNATURE_NEVER_PRINTED},
    "uvicorn-1344": {
        Kind.QUOTE_NAMES_OTHER_FIX,
        Kind.VERIFIED_BEFORE_RUN,
        Kind.PASS_NOT_EXECUTED,
        Kind.PASS_PROVES_NOTHING,
        Kind.REPRODUCTION_CANNOT_RUN,
        Kind.SIGNATURE_IS_PROSE,
        Kind.SIGNATURE_NEVER_PRINTED,
    },
    "uvicorn-1778": {
        Kind.FIX_BEFORE_REPORT,
        Kind.RELEASE_BEFORE_REPORT,
        Kind.FIX_SHOWS_BUG,
        Kind.REPRODUCTION_NOT_CODE,
        Kind.SIGNATURE_OF_HEALTHY_LOG,
    },
    "uvicorn-451": {
        Kind.FIX_IS_AN_OPTION,
        Kind.REPRODUCTION_CANNOT_RUN,
        Kind.SIGNATURE_IS_SOURCE,
    },
    "uvicorn-868": {
        Kind.NO_SUCH_RELEASE,
        Kind.TABLE_CONTRADICTS_TEXT,
        Kind.RANGE_CONTAINS_FIX,
        Kind.REPRODUCTION_NOT_CODE,
    },
}
UVICORN = a_history(
    *(
        a_release(version, uploaded=day(uploaded))
        for version, uploaded in (
            ("0.3.8", "2018-10-04"),
            ("0.12.2", "2020-10-19"),
            ("0.12.3", "2020-11-22"),
            ("0.14.0", "2021-06-01"),
            ("0.20.0", "2022-11-20"),
            ("0.21.0", "2023-03-09"),
            ("0.22.0", "2023-04-28"),
        )
    )
)


def test_what_is_wrong_with_the_published_pages_is_found_where_they_are_at_hand() -> None:
    for file in sorted(SHARED.glob("*.txt")):
        read_as = page_of(read(file.read_bytes(), file.name), file.name)
        told = {each.kind for each in check(read_as, UVICORN, NOW)}
        assert told == ON_SHARED[file.stem] | ON_ALL, file


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("", Shape.EMPTY),
        ("\n  \n", Shape.EMPTY),
        ("import a\na.b()\n", Shape.PYTHON),
        ("await a()", Shape.PYTHON),
        ("1 / 0", Shape.OTHER),
        ("N/A", Shape.OTHER),
        ("curl -v http://localhost", Shape.SHELL),
        ("$ lanternfish --help", Shape.SHELL),
        ("#!/bin/sh\nlanternfish", Shape.SHELL),
        ("[ 48s] x\n[ 48s] y\n[ 49s] z", Shape.LOG),
        ("Traceback (most recent call last):\nx", Shape.TRACEBACK),
        ("import a async def f(): return a", Shape.NO_LINE_ENDS),
        ("def f():\nreturn 1\nf()", Shape.NO_INDENTATION),
        ("print 'two'", Shape.OTHER),
        ("x = '\\d'\nprint(x)", Shape.PYTHON),
        ("(" * 5000, Shape.OTHER),
        ("\0", Shape.OTHER),
        ("import a\n" * 50_000, Shape.OTHER),
        ("INFO: one\nERROR: two\nINFO: three", Shape.LOG),
        ("x: int = 1", Shape.PYTHON),
    ],
)
def test_what_is_published_under_the_name_of_a_reproduction(text: str, shape: Shape) -> None:
    assert shape_of(text) is shape
