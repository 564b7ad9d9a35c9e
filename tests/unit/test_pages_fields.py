"""What is found on pages: every field that is there, with its place, and nothing of code or logs."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.pages.claimed import ClaimKind, claims, fixes
from runner.pages.days import moment, moments
from runner.pages.fields import page_of
from runner.pages.page import Field, Page
from runner.pages.ranges import affected, listed, released
from runner.pages.reading import read
from runner.pages.references import reference

PUBLISHED = Path(__file__).parent.parent / "published"
SHARED = Path(__file__).parents[3] / "shared" / "pages"
CORRECT = ("correct.txt", "correct-bullets.txt", "correct.md", "correct.html")


def page(name: str, text: str | None = None) -> Page:
    data = (PUBLISHED / name).read_bytes() if text is None else text.encode()
    return page_of(read(data, name), name)


def said(found: Page, field: Field) -> list[str]:
    return [each.value for each in found.all(field)]


@pytest.mark.parametrize("name", CORRECT)
def test_every_field_of_a_page_is_found_in_every_layout(name: str) -> None:
    found = page(name)
    assert (found.package, found.repository) == ("lanternfish", "tidewater/lanternfish")
    assert found.issues == (212,)
    assert fixes(found) == ("2.4.2",)
    assert {*said(found, Field.AFFECTED)} == {"2.4.0–2.4.1"}
    assert said(found, Field.BROKEN_ROW) == ["2.4.0", "2.4.1"]
    assert said(found, Field.FIXED_ROW) == ["2.4.2"]
    assert {*said(found, Field.LAST_VERIFIED)} == {"2026-03-02"}
    assert said(found, Field.SHOWS_ON_PYTHON) == ["3.11"]
    assert said(found, Field.PYTHON) == ["3.11"]
    assert said(found, Field.CONFIDENCE) == ["0.99"]
    assert said(found, Field.SIGNATURE) == ["lanternfish.DepthError: depth -1 is below the surface"]
    assert {*said(found, Field.FIX)} == {"https://github.com/tidewater/lanternfish/pull/219"}
    assert said(found, Field.BROKE) == ["A negative depth ends in an error."]
    assert said(found, Field.REPRODUCED)[0].startswith("Yes (3 of 3")
    (error,) = said(found, Field.ERROR)
    assert error.startswith("Traceback (most recent call last):")
    (reproduction,) = said(found, Field.REPRODUCTION)
    assert reproduction.startswith(("import lanternfish", "from lanternfish"))
    for field in (Field.TRIGGER, Field.MECHANISM, Field.WHY, Field.QUOTE):
        assert found.all(field), field


@pytest.mark.parametrize("name", [each for each in CORRECT if each != "correct-bullets.txt"])
def test_a_published_execution_is_read(name: str) -> None:
    found = page(name)
    assert said(found, Field.STATUS) == ["PASS"]
    assert said(found, Field.RAN) == ["2026-03-02T10:20:30Z"]
    assert said(found, Field.MODE) == ["both"]


@pytest.mark.parametrize("name", CORRECT)
def test_each_statement_stands_where_it_says(name: str) -> None:
    lines = (PUBLISHED / name).read_text(encoding="utf-8").split("\n")
    for each in page(name).statements:
        word = each.value.split("\n")[0].split("–")[0].split(".")[0].split(" ")[0]
        word = word.split("/")[-1].split("#")[-1]
        near = html.unescape("\n".join(lines[each.place.line - 1 : each.place.line + 2]))
        assert word in near.replace("\\.", "."), each


@pytest.mark.parametrize("name", CORRECT)
def test_what_a_page_claims_is_put_together_from_all_its_places(name: str) -> None:
    found = {(each.kind, each.subject): each for each in claims(page(name))}
    assert [*found] == [
        (ClaimKind.FIRST_FIXED, "2.4.2"),
        (ClaimKind.BROKEN, "2.4.0"),
        (ClaimKind.BROKEN, "2.4.1"),
        (ClaimKind.FIXED, "2.4.2"),
        (ClaimKind.RANGE, "2.4.0–2.4.1"),
        (ClaimKind.PYTHON, "3.11"),
        (ClaimKind.REPRODUCED, "the bug"),
    ]
    assert len(found[ClaimKind.FIRST_FIXED, "2.4.2"].places) >= 3


FACTS = {
    "uvicorn-824": ("0.12.3", (), None, None),
    "uvicorn-1344": ("0.21.0", (), "3.10", "PASS"),
    "uvicorn-1778": ("0.20.0", (), "3.10", None),
    "uvicorn-451": ("0.22.0", (), None, None),
    "uvicorn-868": ("0.14.0", ("0.3.8", "10.2.1", "84.87"), "3.8", None),
}
EVERYWHERE = (
    *(Field.ISSUE, Field.REPOSITORY, Field.FIX, Field.FIRST_FIXED, Field.LAST_VERIFIED),
    *(Field.CONFIDENCE, Field.REPRODUCED, Field.UPSTREAM, Field.TRIGGER, Field.MECHANISM),
    *(Field.WHY, Field.QUOTE, Field.SIGNATURE, Field.ERROR, Field.REPRODUCTION, Field.BROKE),
    *(Field.FIXED_ROW, Field.OWN_CONTENT, Field.SYMPTOM),
)


def test_every_field_of_the_published_pages_is_found_where_they_are_at_hand() -> None:
    for file in sorted(SHARED.glob("*.txt")):
        found = page(file.name, file.read_text(encoding="utf-8"))
        fixed, broken, python, status = FACTS[file.stem]
        assert found.package == "uvicorn", file
        assert found.issues == (int(file.stem.partition("-")[2]),), file
        assert [each for each in EVERYWHERE if not found.all(each)] == [], file
        assert {*said(found, Field.FIRST_FIXED), *said(found, Field.FIXED_ROW)} == {fixed}, file
        assert len(found.all(Field.FIRST_FIXED)) >= 6, file
        assert tuple(said(found, Field.BROKEN_ROW)) == broken, file
        assert [each.subject for each in claims(found) if each.kind == "python"] == (
            [python] if python else []
        ), file
        assert found.value(Field.STATUS) == status, file


LOG = '2026-01-01 00:00:01 INFO: "GET /1" 200\nFirst fixed release: 9.9\nStatus: PASS\n'


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("correct.txt", "Minimal Reproduction\n"),
        ("correct.txt", "Error Message\nStack trace\n"),
        ("correct.txt", "Logs\n"),
        (
            "correct.txt",
            "High-signal excerpts from the issue thread (symptoms, repros, edge-cases).\n",
        ),
        ("correct.txt", "@@ -10,7 +10,7 @@ def lure(depth):\n"),
        ("correct.md", "```python\n"),
        ("correct.md", "```text\n"),
        ("correct.md", "```diff\n"),
        ("correct.html", "<pre><code>"),
        ("correct.html", '<script>document.write("'),
    ],
)
def test_nothing_in_code_or_logs_is_taken_for_a_statement(name: str, place: str) -> None:
    text = (PUBLISHED / name).read_text(encoding="utf-8")
    assert place in text
    assert fixes(page(name, text.replace(place, place + LOG, 1))) == ("2.4.2",)


@pytest.mark.parametrize("name", CORRECT)
def test_ten_megabytes_of_log_change_nothing_of_what_a_page_says(name: str) -> None:
    text = (PUBLISHED / name).read_text(encoding="utf-8")
    line = '2026-01-01 00:00:01 INFO: "GET /1" 200 Upgrade to version 9.9 or later. <b>x</b>\n'
    log = line * (10_000_000 // len(line))
    log = html.escape(log) if name.endswith("html") else log
    log = log.replace("\n", " ") if "bullets" in name else log
    before = next(each for each in ("print(", "import lanternfish; reply") if each in text)
    start = text.rindex(before)
    found = page(name, text[:start] + log + text[start:])
    assert fixes(found) == ("2.4.2",)
    assert said(found, Field.FIXED_ROW) == ["2.4.2"]
    assert len(found.statements) < 60


def test_half_a_page_says_what_is_on_it() -> None:
    text = (PUBLISHED / "correct.txt").read_text(encoding="utf-8")
    found = page("correct.txt", text[: text.index("- Affected versions")])
    assert fixes(found) == ("2.4.2",)
    assert not found.all(Field.AFFECTED, Field.REPRODUCTION)
    end = page("correct.txt", text[text.index("- Affected versions") :])
    assert said(end, Field.FIXED_ROW) == ["2.4.2"]
    assert end.issues == ()


@pytest.mark.parametrize("text", ["", "Hello.\n", "# Notes\n\n- Python: 3.11\n- Status: fine\n"])
def test_what_says_nothing_of_a_fix_is_no_fix_page(text: str) -> None:
    assert not page("a.md", text).is_fix_page
    assert page("correct.md").is_fix_page


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (
            "Issue: https://example.org/a/b/-/issues/5",
            Field.ISSUE,
            "https://example.org/a/b/-/issues/5",
        ),
        ("Issue: a/b#5", Field.ISSUE, "a/b#5"),
        (
            "Fix: https://github.com/a/b/commit/0ff1ce",
            Field.FIX,
            "https://github.com/a/b/commit/0ff1ce",
        ),
        ("Fixed in: 1.2.3", Field.FIRST_FIXED, "1.2.3"),
        ("**First fixed release**: 1.2.3", Field.FIRST_FIXED, "1.2.3"),
        ("1.2.3 is the first fixed version", Field.FIRST_FIXED, "1.2.3"),
        ("Upgrade to release 1.2.3 or newer.", Field.FIRST_FIXED, "1.2.3"),
        ("First fixed release: 1.2.3 and 1.3.1.", Field.FIRST_FIXED, "1.2.3 and 1.3.1"),
        ("| Last verified | 2026-01-02 |", Field.LAST_VERIFIED, "2026-01-02"),
        ("Last verified: 2026-01-02. Validate it.", Field.LAST_VERIFIED, "2026-01-02"),
        ("| Package | `pkg` |", Field.PACKAGE, "pkg"),
        ("* Mode: both", Field.MODE, "both"),
        ("5 of 7 attempts", Field.COUNTS, "5 of 7"),
        ("• Surfaces as: it hangs", Field.SYMPTOM, "it hangs"),
    ],
)
def test_words_and_labels_of_other_pages_are_known_too(line: str, field: Field, value: str) -> None:
    assert value in said(page("a.txt", line), field)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("| 1.0 | Broken |", Field.BROKEN_ROW),
        ("1.0 Broken", Field.BROKEN_ROW),
        ("| v1.0 | ❌ affected |", Field.BROKEN_ROW),
        ("| `1.0` | **Fixed** ✓ |", Field.FIXED_ROW),
        ("1.0 Not fixed", Field.BROKEN_ROW),
        ("| 1.0 | Not affected |", Field.UNAFFECTED_ROW),
        ("| 1.0 | Perhaps |", Field.OTHER_ROW),
        ("| 1.0–1.2 | Broken |", Field.AFFECTED),
    ],
)
def test_rows_of_the_version_table(row: str, field: Field) -> None:
    found = page("a.txt", f"Version Compatibility Table\n| Version | Status |\n|---|---|\n{row}")
    assert [each.field for each in found.statements] == [field]


def test_a_part_about_affected_releases_says_them_line_by_line() -> None:
    found = page("a.md", "## Affected versions\n\n- 1.0–1.2\n- 2.0\n\nall of them tested\n")
    assert said(found, Field.AFFECTED) == ["1.0–1.2", "2.0"]


@pytest.mark.parametrize(
    ("text", "named", "inside", "outside"),
    [
        ("1.0–1.2", ("1.0", "1.2"), ("1.0", "1.1", "1.2"), ("0.9", "1.2.1")),
        ("v1.0 — v1.2", ("1.0", "1.2"), ("1.1",), ("1.3",)),
        ("1.0-1.2", ("1.0", "1.2"), ("1.1",), ("1.3",)),
        ("1.0 to 1.2", ("1.0", "1.2"), ("1.1",), ("1.3",)),
        ("<1.2", ("1.2",), ("1.1", "0.1"), ("1.2",)),
        (">=1.0,<1.2", ("1.0", "1.2"), ("1.0", "1.1"), ("1.2", "0.9")),
        ("up to 1.2", ("1.2",), ("1.2",), ("1.3",)),
        ("before 1.2", ("1.2",), ("1.1",), ("1.2",)),
        ("1.0 and later", ("1.0",), ("1.0", "9.0"), ("0.9",)),
        ("1.0+", ("1.0",), ("9.0",), ("0.9",)),
        ("since 1.0+", ("1.0",), ("9.0",), ("0.9",)),
        ("1.0, 1.1 and 1.3", ("1.0", "1.1", "1.3"), ("1.1",), ("1.2",)),
        ("1.0–1.1, 2.0–2.1", ("1.0", "1.1", "2.0", "2.1"), ("2.0",), ("1.5",)),
        ("all versions", (), ("0.1", "99"), ()),
        ("1.0-1", ("1.0.post1",), ("1.0.post1",), ("1.0",)),
    ],
)
def test_ranges_in_every_spelling(
    text: str, named: tuple[str, ...], inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    told = affected(text)
    assert told is not None
    assert {*told.named} == {*named}
    assert [each for each in inside if not told.contains(each)] == []
    assert [each for each in outside if told.contains(each)] == []


@pytest.mark.parametrize("text", ["", "some", "1.x–?", ">=one", "main branch", "1.0–", "1.0, soon"])
def test_what_nobody_can_read_is_no_range(text: str) -> None:
    assert affected(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_range_or_none(text: str) -> None:
    told = affected(text)
    if told is not None:
        assert isinstance(told.contains("1.0"), bool)


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.0", "1.0"), ("`1.0.0`", "1.0.0"), ("main", None), ("1.0" * 40, None), ("", None)],
)
def test_releases_as_they_are_written(text: str, version: str | None) -> None:
    assert released(text) == version


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("1.2.3", ("1.2.3",)),
        ("v1.2.3 and 1.3.1", ("1.2.3", "1.3.1")),
        ("1.2.3, measured over 41 releases", ("1.2.3",)),
        ("the next one", ()),
    ],
)
def test_lists_of_releases(text: str, versions: tuple[str, ...]) -> None:
    assert listed(text) == versions


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-02-09", "2026-02-09"),
        ("2026-02-09T10:11:12Z", "2026-02-09 10:11:12 UTC"),
        ("2026-02-09 12:11:12+02:00", "2026-02-09 10:11:12 UTC"),
        ("2026-02-09 10:11:12 UTC", "2026-02-09 10:11:12 UTC"),
        ("Feb 9, 2026", "2026-02-09"),
        ("9 February 2026.", "2026-02-09"),
        ("2026-13-09", None),
        ("2026-02-30", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("yesterday", None),
    ],
)
def test_dates_as_they_are_written(text: str, told: str | None) -> None:
    found = moment(text)
    assert (str(found) if found else None) == told


def test_times_in_a_log_are_of_two_forms() -> None:
    log = "2026-02-09 10:11:12,345 x\ndate: Sat, 26 Nov 2022 11:19:17 GMT\n2026-02-10 is no time"
    assert [str(each) for _, each in moments(log)] == [
        "2026-02-09 10:11:12 UTC",
        "2022-11-26 11:19:17 UTC",
    ]
    assert [*moments("99 Nov 2022 11:19:17 GMT 2026-99-09 10:11:12")] == []


@pytest.mark.parametrize(
    ("text", "repository", "number", "issue"),
    [
        ("https://github.com/a/b/issues/5", "a/b", 5, True),
        ("see https://github.com/a/b.c/pull/5/files", "a/b.c", 5, False),
        ("https://gitlab.org/a/b/-/merge_requests/5", "a/b", 5, False),
        ("https://github.com/a/b/commit/12345", "a/b", None, False),
        ("a/b#5", "a/b", 5, False),
        ("#5", None, 5, False),
    ],
)
def test_references_as_they_are_written(
    text: str, repository: str | None, number: int | None, *, issue: bool
) -> None:
    found = reference(text)
    assert found is not None
    assert (found.repository, found.number, found.issue) == (repository, number, issue)


@pytest.mark.parametrize("text", ["", "5", "PR five", "#12345678901", "https://x.org/a/b"])
def test_what_points_nowhere_is_no_reference(text: str) -> None:
    assert reference(text) is None
