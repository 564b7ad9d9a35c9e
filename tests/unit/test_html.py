"""The page to look at: foreign text stays text, nothing is asked for, everybody can read it."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.attempt import Attempt
from runner.candidate import Candidate, CandidateKind
from runner.render.html import measured, page
from runner.render.logs import Piece
from runner.render.templating import style
from runner.render.text import visible
from runner.report import Measured, Report
from runner.sandbox import SandboxDescription, SandboxKind
from tests.builders import (
    BUG,
    ERROR,
    GOOD,
    Said,
    Trial,
    Verified,
    World,
    a_case,
    a_failure,
    a_ground,
    a_history,
    a_plan,
    a_release,
    a_report,
    a_universe,
    broken_in,
    verify,
)
from tests.pages import Element, read_page

HISTORY = a_history("1.0", "1.1", "1.2", "1.3")
ALLOWED = {
    "html", "head", "meta", "link", "title", "style", "body", "header", "nav", "main", "footer",
    "section", "h1", "h2", "h3", "p", "ul", "li", "dl", "div", "dt", "dd", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "pre", "code", "span", "mark",
    "strong", "bdi", "br", "a", "details", "summary",
}  # fmt: skip
HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("<>&\"'`/=!-[]{}%# \n\t\x00\x07\x1b\x7f\u202e\u2028\u200b\ufeffaonscript"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title></style></pre></code><iframe src=//x>",
    '"\' onmouseover=alert(1) x="',
    "<!-- <![CDATA[ ]]> --><?x ?><!DOCTYPE x>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "&lt;b&gt; &amp; &#60;",
    "\u202eright to left\u2066 \u200b \x07",
]


def verified(behave: Any = None, *, latest: bool = False, **words: Any) -> Verified:
    plan = a_plan(a_case(**words), a_universe(HISTORY), latest=latest)
    return verify(plan, World(behave or broken_in("1.0", "1.1")))


def shown(found: Verified, report: Report | None = None, **words: Any) -> Element:
    """The page of a report, read; each page must be such that all may read it."""
    logs: dict[str, Attempt] = {
        attempt.id: attempt
        for facts in found.simulation.facts.values()
        for attempt in facts.attempts
    }
    read = read_page(page(report or found.report, logs.get, **words))
    nothing_acts(read)
    everybody_can_read(read)
    return read


def saying(stdout: bytes) -> Any:
    def behave(trial: Trial) -> Said:
        said = broken_in("1.0", "1.1")(trial)
        if said == BUG:
            return BUG._replace(stdout=b"BUG\n" + stdout)
        return GOOD._replace(stdout=stdout) if said == GOOD else said

    return behave


def nothing_acts(read: Element) -> None:
    """Only elements that show something, nothing that listens, nothing that is fetched."""
    for each in read.all():
        assert each.name in ALLOWED | {""}, each.name
        assert not {"src", "srcset", "style", "action", "srcdoc"} & {*each.attributes}
        assert not [name for name in each.attributes if name.startswith("on")]
        target = each.attributes.get("href", "#")
        assert target.startswith(("#", "https://", "http://")) or target == "data:,", target
    assert len(list(read.all("style"))) == 1


def everybody_can_read(read: Element) -> None:
    """What a screen reader needs: a language, landmarks, headings in order, tables with headers."""
    assert read.one("html").attributes["lang"] == "en"
    for landmark in ("header", "main", "footer", "nav", "h1"):
        assert len(list(read.all(landmark))) == 1
    levels = [int(each.name[1]) for each in read.all("h1", "h2", "h3")]
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels)), levels
    named = [each.attributes["id"] for each in read.all() if "id" in each.attributes]
    assert len({*named}) == len(named)
    for each in read.all():
        assert each.attributes.get("aria-labelledby", *named[:1]) in named
        if each.attributes.get("href", "").startswith("#"):
            assert each.attributes["href"][1:] in named
        if each.attributes.get("role") == "region":
            assert {"aria-label", "aria-labelledby"} & {*each.attributes}
    for table in read.all("table"):
        assert table.one("caption").text.strip()
        assert all(each.attributes["scope"] for each in table.all("th"))
        assert all(row.one("th") for body in table.all("tbody") for row in body.all("tr"))
    for badge in read.of_class("badge"):
        symbol, word = badge.children
        assert isinstance(symbol, Element)
        assert symbol.attributes == {"aria-hidden": "true"}
        assert str(word).strip()


def elements(read: Element) -> list[str]:
    """What a page is made of, but for what looks of logs are made of."""
    return [each.name for each in read.all() if each.name not in ("span", "mark")]


def squares(read: Element, row: str) -> list[str]:
    """What the matrix says in a row, by column."""
    (table,) = read.of_class("matrix")
    (found,) = [
        each for body in table.all("tbody") for each in body.all("tr") if each.one("th").text == row
    ]
    return [" ".join(each.text.split()) for each in found.all("td")]


def facts(read: Element) -> dict[str, str]:
    """What is said by name; the first time that it is."""
    found: dict[str, str] = {}
    for each in read.all("dl"):
        for name, said in zip(each.all("dt"), each.all("dd"), strict=True):
            found.setdefault(name.text, said.text)
    return found


# What it says.


def test_the_answer_comes_first() -> None:
    read = shown(verified())
    (answer,) = read.of_class("answer")
    assert "good" in answer.attributes["class"]
    assert answer.text.split() == [
        "✓", "PASS", "all", "claims", "hold", *verified().report.summary.split(),
    ]  # fmt: skip
    assert read.one("title").text == "PASS: demo, A bug"
    assert read.one("h1").text == "A bug"


def test_the_matrix_has_a_row_for_each_release_and_a_column_for_each_series() -> None:
    claims = {"broken": ["1.1"], "fixed": "1.2"}
    words: dict[str, Any] = {"variants": {"a": {}, "b": {"affected": False}}, **claims}

    def behave(trial: Trial) -> Said:
        return broken_in("1.1")(trial) if trial.variant == "a" or not trial.version else GOOD

    read = shown(verified(behave, **words))
    (table,) = read.of_class("matrix")
    assert [" ".join(each.text.split()) for each in table.one("thead").all("th")] == [
        "Release",
        "a Python 3.8 ✓ PASS",
        "b Python 3.8 ✓ PASS",
    ]
    assert squares(read, "1.1")[0] == "✗ bug present 3 of 3 claimed broken, the one before"
    assert squares(read, "1.2")[0] == "✓ bug absent 0 of 5 claimed fix"
    assert squares(read, "without pkg") == ["✓ holds control"] * 2


def test_the_matrix_names_what_was_skipped_where_it_would_stand() -> None:
    history = a_history("1.0", "1.1", "1.2a1", a_release("1.1.1", yanked=True), "1.2")
    found = verify(a_plan(a_case(), a_universe(history)), World(broken_in("1.0", "1.1")))
    read = shown(found)
    (table,) = read.of_class("matrix")
    assert [each.text for each in table.all("th")][2:6] == ["1.1", "1.1.1", "1.2a1", "1.2"]
    assert squares(read, "1.1.1") == ["skipped: yanked"]
    assert squares(read, "1.2a1") == ["skipped: pre-release"]


def test_the_matrix_says_that_a_release_was_withdrawn() -> None:
    history = a_history("1.1", a_release("1.2", yanked=True), "1.3")
    found = verify(a_plan(a_case(), a_universe(history)), World(broken_in("1.1")))
    assert squares(shown(found), "1.2") == ["✓ bug absent 0 of 5 claimed fix, yanked"]


def test_what_was_not_run_in_a_series_is_said() -> None:
    words: dict[str, Any] = {"variants": {"a": {}, "b": {"fixed": "1.3"}}}
    read = shown(verified(**words))
    assert squares(read, "1.1") == ["✗ bug present 3 of 3 the one before", "✗ bug present 3 of 3 looked at"]  # fmt: skip
    assert squares(read, "1.3")[0] == "not run"


def moved(version: str) -> dict[str, str]:
    return {"dep": "2" if version == "1.2" else "1", "same": "7"}


def test_dependencies_that_differ_are_beside_each_other_and_the_rest_is_in_one_line() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return GOOD if trial.dependencies["dep"] == "2" else BUG

    read = shown(verify(a_plan(a_case(), a_universe(HISTORY)), World(behave, moved)))
    (table,) = read.of_class("sides")
    rows = {
        row.one("th").text: [each.text for each in row.all("td")]
        for body in table.all("tbody")
        for row in body.all("tr")
    }
    assert rows["dep"] == ["1", "2"]
    assert rows["The same in all"] == ["same 7"]
    assert rows["Loaded version"] == ["1.1", "1.2"]
    assert rows["Dependencies as of"] == ["2020-01-02 12:00:01 UTC", "2020-01-03 12:00:01 UTC"]
    assert "Dependencies that differ" in rows
    assert facts(read)["Confirmation"].startswith("the boundary does not hold with identical")
    assert "dep 1 → 2" in facts(read)["Confirmation"]
    assert squares(read, "1.1 with the dependencies of 1.2") == ["✓ bug absent 0 of 5 confirmation"]


def test_a_dependency_that_was_moved_alone_is_named() -> None:
    def two(version: str) -> dict[str, str]:
        return {"one": version, "two": "2" if version == "1.2" else "1"}

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return GOOD if trial.dependencies["two"] == "2" else BUG

    read = shown(verify(a_plan(a_case(), a_universe(HISTORY)), World(behave, two)))
    assert squares(read, "1.1 with two 2")[0].startswith("✓ bug absent")


def test_a_side_that_cannot_be_installed_is_said_with_why() -> None:
    world = World(
        broken_in("1.1"), lambda version: a_failure() if version == "1.2" else {"dep": "1"}
    )
    read = shown(verify(a_plan(a_case(), a_universe(HISTORY)), world))
    (table,) = read.of_class("sides")
    assert "not installed" in table.text
    assert "only one side could be installed" in table.text
    assert squares(read, "1.2")[0].startswith("? unresolved no set of dependencies")
    assert "the resolver said no" in read.one("main").text
    assert facts(read)["First fixed"] == "above 1.1, none is known; not judged: 1.2, 1.3"


def test_a_report_of_what_cannot_be_installed_at_all_can_be_read() -> None:
    plan = a_plan(a_case(), a_universe(HISTORY))
    read = shown(verify(plan, World(broken_in(), lambda _version: a_failure())))
    assert "Nothing installed" in read.text


def test_a_report_without_any_interpreter_can_be_read() -> None:
    read = shown(verified(python=["3.14"]))
    assert facts(read)["Ran"] == "nothing ran"
    assert "○ untested" in " ".join(read.text.split())


def test_each_claim_has_its_result_and_why() -> None:
    read = shown(verified(broken_in("1.0"), broken="1.1"))
    said = [" ".join(each.text.split()) for each in read.of_class("claims")[0].all("li")]
    assert said[0].startswith("✗ contradicted 1.1 has the bug Python 3.8")
    assert "0 of 16 attempts show the bug on 1.1" in said[0]


def test_control_confirmation_sandbox_and_the_command_are_in_words() -> None:
    read = shown(verified())
    told = facts(read)
    assert told["Control"].startswith("without the package the script is unresolved")
    assert told["Confirmation"].startswith("the boundary holds with ")
    assert told["Sandbox"] == "bubblewrap, isolated, no network, base sha256:ba5e"
    assert told["Limits of an attempt"].startswith("60 s, 512 MiB")
    assert read.of_class("command")[0].text == "fixproof verify demo --fresh"
    assert "no later release was run" in read.of_class("not-shown")[0].text


def test_a_vacuous_script_is_said_to_fail_its_control() -> None:
    read = shown(verified(lambda _trial: BUG))
    assert squares(read, "without pkg")[0].startswith("! fails 2 of 2")
    assert "the script proves nothing" in read.of_class("answer")[0].text


def test_what_does_not_isolate_has_a_warning() -> None:
    found = verified()
    described = SandboxDescription(kind=SandboxKind.PROCESS, network="host", isolated=False)
    report = a_report(found.simulation.plan, found.conclusion, a_ground(sandbox=described))
    assert "Not isolated." in shown(found, report).text
    assert "Not isolated." not in shown(found).text


def test_every_attempt_is_listed() -> None:
    found = verified()
    tables = shown(found).of_class("attempts")
    rows = [row for each in tables for row in each.one("tbody").all("tr")]
    assert len(rows) == found.report.measured.attempts
    assert "taken over" not in tables[0].text
    assert "not measured" in tables[0].text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, {}),
        ({"last_broken": "1.1", "first_fixed": "1.2"}, {"Last broken": "1.1", "First fixed": "1.2"}),
        ({"first_broken": "1.0"}, {"First broken": "1.0"}),
        ({"fixed_in": ("1.1", "1.3", ("1.2",))}, {"First fixed": "above 1.1, 1.3 at the latest; not judged: 1.2"}),
        ({"fixed_in": ("1.0", None, tuple(f"1.{each}" for each in range(1, 20)))}, {"First fixed": "above 1.0, none is known; not judged: 19 releases from 1.1 to 1.19"}),
        ({"fixed_in": (None, "1.3", ("1.2",))}, {}),
        ({"affected": ({"introduced": "1.0", "fixed": "1.2"}, {"introduced": "1.4"})}, {"Affected": "1.0 up to 1.2, which is fixed, 1.4 and later"}),
        ({"assumes": "one change"}, {"Assumed": "one change"}),
    ],
)  # fmt: skip
def test_what_was_measured_is_said_as_far_as_it_is_known(
    words: dict[str, Any], said: dict[str, str]
) -> None:
    if "fixed_in" in words:
        after, by, unknown = words["fixed_in"]
        words = {"fixed_in": {"after": after, "by": by, "unknown": unknown}}
    found = Measured.model_validate({"confidence": 0.99, "attempts": 1, **words})
    assert dict(measured(found)) == said


# Logs.


def test_logs_of_both_sides_are_there_with_the_signature_marked() -> None:
    read = shown(verified(saying(b"what it said\n")))
    broken, fixed = read.of_class("log")
    assert [each.text for each in broken.all("mark")] == ["BUG"]
    assert list(fixed.all("mark")) == []
    assert "signature found" in broken.one("figcaption").text
    assert "signature not found" in fixed.one("figcaption").text
    assert "exit 1 after 0.2 s" in broken.one("figcaption").text
    assert broken.one("pre").text == "BUG\nwhat it said\n"


def test_colours_of_a_terminal_are_classes_that_the_style_sheet_knows() -> None:
    read = shown(verified(saying(b"\x1b[1;31;44mred\x1b[0m plain\n")))
    (piece,) = [
        each for each in read.of_class("log")[1].one("pre").all("span") if each.text == "red"
    ]
    assert piece.attributes["class"] == "bold red on-blue"


def test_a_candidate_stands_apart_from_the_release_of_its_version() -> None:
    candidate = Candidate(
        package="pkg",
        kind=CandidateKind.WHEEL,
        file="pkg-1.2-py3-none-any.whl",
        sha256="5" * 64,
        version="1.2",
    )
    universe = a_universe(HISTORY).model_copy(update={"candidate": candidate})
    plan = a_plan(a_case(broken=["1.1", "1.2"], fixed="1.3"), universe)

    def behave(trial: Trial) -> Said:
        return (
            GOOD if "@candidate" in trial.cell and trial.version else broken_in("1.1", "1.2")(trial)
        )

    read = shown(verify(plan, World(behave)))
    assert squares(read, "1.2 (candidate)") == ["✓ bug absent 0 of 5 candidate"]
    assert squares(read, "1.2")[0].startswith("✗ bug present 3 of 3 claimed broken")
    assert "the candidate 1.2 fixes the bug" in read.of_class("claims")[0].text
    assert facts(read)["Candidate"].startswith("1.2, the wheel pkg-1.2")


def test_a_release_without_upload_time_has_the_dependencies_of_today() -> None:
    history = a_history(a_release("1.1", uploaded=None), a_release("1.2", uploaded=None))
    found = verify(a_plan(a_case(), a_universe(history)), World(broken_in("1.1")))
    (table,) = shown(found).of_class("sides")
    assert table.text.count("today: the index has no upload time") == 2


def test_a_log_that_is_no_longer_stored_is_left_out() -> None:
    read = read_page(page(verified().report, lambda _name: None))
    assert read.of_class("log") == []


def test_paths_of_the_machine_are_not_told() -> None:
    output = (
        b"File /home/somebody/x.py\n/s/envs/" + b"0a" * 16 + b"/lib/python3.8/site-packages/p.py"
    )
    found = verified(saying(output))
    again = a_ground(again="fixproof verify /home/somebody/case.py")
    report = a_report(found.simulation.plan, found.conclusion, again)
    text = shown(found, report, user_home="/home/somebody").text
    assert "somebody" not in text
    assert "File ~/x.py" in text
    assert "…/site-packages/p.py" in text
    assert "fixproof verify ~/case.py" in text


# Nothing acts.


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_a_title_is_a_title(markup: str) -> None:
    read = shown(verified(title=markup))
    assert read.one("h1").text == visible(markup.strip())
    assert read.one("title").text == f"PASS: demo, {visible(markup.strip())}"


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_a_log_is_text(markup: str) -> None:
    read = shown(verified(saying(markup.encode())))
    assert read.of_class("log")[1].one("pre").text == f"{visible(markup)}\n"


@settings(max_examples=40)
@given(HOSTILE, HOSTILE)
@example("<", "\x1b[31m<script>\x1b[0m")
def test_whatever_titles_and_logs_hold_they_stay_text(title: str, output: str) -> None:
    words: dict[str, Any] = (
        {"title": title} if title.strip() and len(title.splitlines()) == 1 else {}
    )
    found = verified(saying(b"!" + output.encode()), **words)
    read = shown(found)
    if words:
        assert read.one("h1").text == visible(title.strip())
    assert elements(read) == elements(shown(verified(saying(b"!"))))


@pytest.mark.parametrize("key", ["issue", "fix"])
def test_an_address_is_a_link_that_tells_the_other_side_nothing(key: str) -> None:
    words: dict[str, Any] = {key: "https://example.org/a?b=1&c=[d]"}
    (link,) = [each for each in shown(verified(**words)).all("a") if words[key] in each.text]
    assert link.attributes == {"href": words[key], "rel": "noopener noreferrer"}


def test_an_address_of_another_kind_is_no_link() -> None:
    report = verified().report
    case = report.case.model_copy(update={"issue": "javascript:alert(1)"})
    read = read_page(page(report.model_copy(update={"case": case}), lambda _name: None))
    assert "Issue: javascript:alert(1)" in read.text
    nothing_acts(read)


def test_the_policy_allows_the_style_and_nothing_else() -> None:
    read = shown(verified())
    (policy,) = [
        each.attributes["content"]
        for each in read.all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    sheet = base64.b64encode(hashlib.sha256(read.one("style").text.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{sheet}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


# The style sheet.


def test_the_style_sheet_asks_for_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face|https?:|</", style())


def palette(*, dark: bool) -> dict[str, str]:
    light, _, rest = style().partition("prefers-color-scheme: dark")
    found = re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light)
    if dark:
        found += re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", rest.partition("@media")[0])
    return dict(found)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


TONES = ("good", "bad", "doubt", "quiet")
TERMINAL = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
PAIRS = [
    *product(("ink", "muted", "link", *TONES), ("paper", "card", "log")),
    *((tone, f"{tone}-tint") for tone in TONES),
    *(("ink", f"{tone}-tint") for tone in TONES),
    ("ink", "code"),
    ("mark-ink", "mark"),
    ("paper", "ink"),
    *((f"t-{each}", "log") for each in TERMINAL),
    *((f"t-{text}", f"b-{behind}") for text, behind in product(TERMINAL, TERMINAL)),
    *((text, f"b-{behind}") for text, behind in product(("ink", "muted"), TERMINAL)),
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_pair_of_colours_that_can_meet_can_be_read(dark: bool) -> None:  # noqa: FBT001 - a parameter of the table
    colours = palette(dark=dark)
    poor = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in PAIRS
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    }
    assert poor == {}


def test_every_class_of_a_log_has_a_rule() -> None:
    known = {*re.findall(r"\.([a-z-]+)", style())}
    assert {f"on-{each}" for each in TERMINAL} | {*TERMINAL, "gap", "escape", "bold"} <= known
    assert Piece(text="").classes == ""
