"""Sections, rows, strips, feed and badge: measured, escaped, and the same for everybody."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from runner.attempt import Attempt
from runner.nightly.keeping import Look
from runner.publish import statements
from runner.publish.badge import badge
from runner.publish.feed import feed
from runner.publish.markers import SectionName
from runner.publish.published import Published
from runner.publish.rows import (
    MARKS,
    MOST_CHANGES,
    MOST_RECORDS,
    NOT_MEASURED,
    STALE,
    WITHDRAWN,
    changes,
    paged,
    row_of,
    state_of,
)
from runner.publish.sections import TITLES, section
from runner.publish.standing import Lack, Standing, standing
from runner.publish.strip import History, history, strip
from runner.publish.written import Form, form_of, written
from runner.records import Record
from runner.render import words
from runner.render.marks import Mark
from runner.render.privacy import Privacy
from runner.render.site import CASE, INDEX, SitePages, design, sheet
from runner.report import Report
from runner.verdict import Counts, Verdict
from tests.builders import (
    BUG,
    ERROR,
    GOOD,
    LATER,
    Said,
    Simulation,
    Trial,
    World,
    a_case,
    a_ground,
    a_history,
    a_plan,
    a_report,
    a_universe,
    broken_in,
    flaky,
    verify,
)
from tests.histories import Past
from tests.pages import read_page
from tests.unit.test_osv import TEN, a_sweep
from tests.unit.test_publish import WRONG, a_record

MARKUP = "</pre><script>alert(1)</script> | ``` <!-- fixproof:end --> \u202e"
HISTORY = a_history("1.0", "1.1", "1.2", "1.3")


def no_logs(_name: str) -> Attempt | None:
    return None


def published(
    behave: Any = None, survey: Report | None = None, **words: Any
) -> tuple[Published, dict[str, Attempt]]:
    """A case with a simulated verify, and the logs of that."""
    case = a_case(**{"title": MARKUP, "issue": "https://example.org/1", **words})
    found = verify(a_plan(case, a_universe(HISTORY)), World(behave or broken_in("1.0", "1.1")))
    logs = {each.id: each for facts in found.simulation.facts.values() for each in facts.attempts}
    record = a_record("run-1", case_sha256=case.sha256)
    standing_ = standing([record], case.sha256)
    made = Published(
        case=case, script=f"print('''{MARKUP}''')\n", standing=standing_,
        verification=found.report, survey=survey,
    )  # fmt: skip
    return made, logs


def said(found: Published, name: SectionName, form: Form = Form.TEXT) -> str:
    return written(section(found, name, no_logs), form, Privacy())


@pytest.mark.parametrize(("name", "form"), [*product(SectionName, Form)])
def test_every_section_can_be_written_in_every_form_and_nothing_in_it_acts(
    name: SectionName, form: Form
) -> None:
    found, logs = published(survey=a_sweep(("1.0", "1.1")))
    text = written(section(found, name, logs.get), form, Privacy(user_home="/home/me"))
    assert TITLES[name] in text
    assert "<!-- fixproof:" not in text
    assert "\u202e" not in text
    if form is Form.HTML:
        assert not list(read_page(f"<div>{text}</div>").all("script"))


@pytest.mark.parametrize("form", Form)
def test_links_and_warnings_are_written_too(form: Form) -> None:
    found, _ = published(fix="https://example.org/2")
    old = a_record("old", case_sha256=found.case.sha256, withdrawn=WRONG)
    doubtful = a_record("new", case_sha256=found.case.sha256, summary="It hung.")
    warned = found.model_copy(
        update={
            "shared": ("old",),
            "standing": found.standing.model_copy(update={"withdrawn": (old,), "newer": doubtful}),
        }
    )
    text = said(warned, SectionName.EVIDENCE, form)
    for each in (
        "old, was withdrawn: a wrong clock",
        "fixproof verify demo --fresh",
        "could not tell",
    ):
        assert each in text
    about = said(warned, SectionName.FIX, form)
    assert "https://example.org/1" in about
    assert "https://example.org/2" in about


@pytest.mark.parametrize("form", Form)
def test_the_fix_is_a_claim_until_it_was_measured(form: Form) -> None:
    case = a_case(fixed="1.2")
    found = Published(case=case, script="", standing=standing([], case.sha256))
    text = said(found, SectionName.FIX, form)
    assert "Claimed to be fixed" in text
    assert "nothing that can be relied on" in text
    assert "1.2, measured over 2 releases" in said(published()[0], SectionName.FIX, form)


def test_pages_are_written_by_the_name_of_their_file() -> None:
    names = {"a.md": Form.MARKDOWN, "a.HTM": Form.HTML, "a.txt": Form.TEXT, "README": Form.TEXT}
    assert {name: form_of(name) for name in names} == names


def test_evidence_says_what_was_measured_and_what_not() -> None:
    found, _ = published()
    facts = dict(statements.evidence(found))
    assert facts["Reproduced"] == "yes, 3 of 3 attempts on 1.1"
    assert facts["First fixed release"] == "1.2, measured over 2 releases"
    assert facts["Claimed to be fixed"] == "1.2 (confirmed)"
    assert facts["Confidence"].startswith("0.992 that 1.2 does not have it (0.99 was asked for)")
    assert "no later release was run" in facts["Not tested"]
    assert "other Pythons" in facts["Not tested"]


def test_a_survey_says_over_how_many_releases_it_measured() -> None:
    found, _ = published(survey=a_sweep(("1.0", "1.1")))
    assert statements.first_fixed(found) == "1.2, measured over 10 releases"
    assert "releases beside those" not in "; ".join(statements.not_tested(found))
    assert "1.0 up to 1.2, which is fixed" in said(found, SectionName.AFFECTED)
    assert "1.0 to 1.1: 1.2 is the nearest" in said(found, SectionName.UPGRADE)


def test_a_survey_without_the_bug_has_no_range_and_names_what_was_left_out() -> None:
    past = Past((*TEN, "2.0a1"), broken=frozenset(), fixed=("1.6",))
    simulation = Simulation(past.sweep(), past.world())
    sweep = a_report(past.sweep(), simulation.run(), a_ground(kind="sweep"))
    found, _ = published(survey=sweep)
    assert "Left out, pre-release: 2.0a1" in said(found, SectionName.COMPATIBILITY)
    assert "Ranges were not measured" in said(found, SectionName.AFFECTED)
    assert "1.2, measured without the bug" in said(found, SectionName.UPGRADE)


def test_runs_that_differ_are_not_told_as_one() -> None:
    found, _ = published(survey=a_sweep(("1.0", "1.1", "1.2", "1.3")))
    assert statements.first_fixed(found) == "the runs differ (verify: 1.2, sweep: 1.4)"


@pytest.mark.parametrize(
    ("behave", "reproduced", "sure", "fixed"),
    [
        (lambda _: ERROR, "not tested", "no absence was measured", "not measured"),
        (
            lambda trial: ERROR if trial.version is None else GOOD,
            "no: 0 of",
            "nothing shows the bug",
            "not",
        ),
        (
            lambda trial: ERROR if trial.version is None else BUG,
            "yes, 5 of 5 attempts on 1.2",
            "no absence",
            "not pinned",
        ),
        (flaky(0.6, "1.0", "1.1"), "yes, 3 of", "that 1.2 does not have it", "1.2, measured"),
    ],
)
def test_nothing_is_stated_that_was_not_measured(
    behave: object, reproduced: str, sure: str, fixed: str
) -> None:
    found, _ = published(behave)
    assert found.main is not None
    assert statements.reproduced(found.main).startswith(reproduced)
    assert sure in statements.confidence(found.main)
    assert statements.first_fixed(found).startswith(fixed)
    for name in SectionName:
        said(found, name)


@pytest.mark.parametrize(("last_old", "fixed"), [("1.1", "1.2"), ("1.0", "1.3")])
def test_no_release_and_no_confidence_is_stated_where_the_verdict_follows_a_dependency(
    last_old: str, fixed: str
) -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return BUG if trial.dependencies.get("dep") == ("2" if fixed == "1.3" else "1") else GOOD

    world = World(behave, lambda version: {"dep": "1" if version <= last_old else "2"})
    case = a_case(fixed=fixed)
    report = verify(a_plan(case, a_universe(HISTORY)), world).report
    record = a_record("run-1", case_sha256=case.sha256)
    found = Published(
        case=case, script="", standing=standing([record], case.sha256), verification=report
    )
    stated = "none stated: the verdict follows dep 1 → 2, not the package"
    assert statements.first_fixed(found) == statements.confidence(report) == stated
    shown = [
        each.version
        for each in words.shown_cells(words.cells_of(report, report.series[0]), report.series[0])
    ]
    assert {last_old, HISTORY.releases[int(last_old[-1]) + 1].version} <= {*shown}


def test_nothing_is_told_as_certain() -> None:
    found, _ = published()
    assert found.main is not None
    cells = tuple(
        each.model_copy(update={"counts": Counts(present=30)})
        if each.verdict is Verdict.PRESENT
        else each
        for each in found.main.cells
    )
    said_ = statements.confidence(found.main.model_copy(update={"cells": cells}))
    assert said_.startswith("more than 0.999 that 1.2 does not have it")


def test_series_that_differ_are_named() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return BUG if trial.variant == "a" else GOOD

    found, _ = published(behave, variants={"a": {}, "b": {"affected": False}})
    assert found.main is not None
    told = statements.reproduced(found.main)
    assert "a, Python 3.8: yes" in told
    assert "b, Python 3.8: no" in told


def test_a_variant_that_was_left_out_is_not_tested() -> None:
    found, _ = published(variants={"a": {}})
    case = a_case(variants={"a": {}, "b": {}})
    assert "the variant b" in statements.not_tested(found.model_copy(update={"case": case}))


def test_evidence_that_expired_says_so() -> None:
    found, _ = published()
    old = found.model_copy(update={"expired": True})
    assert "due to be measured again" in statements.last_verified(old)
    for name in SectionName:
        assert "more than 30 days ago" in said(old, name)
        assert "more than 30 days ago" not in said(found, name)


def test_where_nothing_is_relied_on_only_the_script_speaks() -> None:
    case = a_case()
    found = Published(case=case, script="x = 1\n", standing=standing([], case.sha256))
    assert statements.evidence(found) == ()
    assert statements.not_tested(found) == ()
    assert statements.first_fixed(found) == "not measured"
    assert statements.last_verified(found) == "nothing ran"
    for name in SectionName:
        assert "Not measured" in said(found, name)
    assert "x = 1" in said(found, SectionName.REPRODUCTION)
    assert "fixproof verify demo" in said(found, SectionName.AGAIN)
    assert state_of(found) == NOT_MEASURED
    for lack, mark in ((Lack.STALE, STALE), (Lack.WITHDRAWN, WITHDRAWN)):
        lacking = found.model_copy(update={"standing": Standing(lack=lack)})
        assert state_of(lacking) == mark


# Strips


def days(letters: str) -> list[Record]:
    """Records of consecutive days, the newest first."""
    status = {"P": "PASS", "F": "FAIL", "I": "INCONCLUSIVE"}
    return [
        a_record(f"run-{at}", hours=24 * at, status=status[each])
        for at, each in enumerate(letters)
        if each != "-"
    ][::-1]


def looks(letters: str) -> list[Look]:
    """Nights of consecutive days that looked, the newest first."""
    return [
        Look(began=each.ended, status=each.status, run=each.run, rounds=("first", each.run))
        for each in days(letters)
    ]


def nights(*back: int) -> set[date]:
    """Days on which a night was kept, whatever it looked at."""
    return {(LATER + timedelta(days=each)).date() for each in back}


@pytest.mark.parametrize("letters", ["P", "PPF-IP", "F" * 365])
def test_a_history_has_a_letter_for_each_night(letters: str) -> None:
    found = history(looks(letters), [])
    assert found.nights.letters == letters
    assert found.last == (LATER + timedelta(days=len(letters) - 1)).date()


def test_a_night_that_does_not_look_keeps_the_status() -> None:
    kept = history(looks("-P--F-I-P"), [], nights(0, 2, 3, 5, 7))
    assert kept.nights.letters == "PppFfIiP"
    assert history(looks("P---P"), [], nights(2)).nights.letters == "P-p-P"


def test_a_year_begins_with_the_status_before() -> None:
    told = looks("F" + "-" * 399 + "P")
    assert history(told, [], nights(*range(401))).nights.letters == "f" * 364 + "P"


def test_a_night_whose_run_was_withdrawn_keeps_no_status() -> None:
    records = days("PPP")
    records[1] = records[1].model_copy(update={"withdrawn": WRONG})
    found = history(looks("PP--P"), records, nights(*range(5)))
    assert found.nights.letters == "PW--P"
    assert "1 night withdrawn" in strip(found, found.last, 5).said


def test_a_case_that_was_gone_has_no_status() -> None:
    gone = looks("--P")[0].model_copy(update={"removed": True})
    found = history([gone, *looks("P")], [], nights(1, 2, 3))
    assert found.nights.letters == "Pp-"
    assert strip(found, found.last, 3, nights(4)).paths == strip(found, found.last, 3).paths


def test_runs_that_no_night_made_stand_apart() -> None:
    records = [
        a_record("d", hours=3, status="FAIL", withdrawn=WRONG),
        a_record("c", hours=2),
        a_record("b", hours=1, status="FAIL"),
        a_record("run-0", status="FAIL"),
        a_record("first", status="FAIL"),
    ]
    found = history(looks("P"), records)
    assert (found.nights.letters, found.apart.letters) == ("P", "P")
    assert history([], records[2:]).apart.letters == "F"
    assert history([], []) == History()


def test_a_strip_is_drawn_in_runs_and_said_in_words() -> None:
    found = history(looks("PPF-IP"), [a_record("by-hand", hours=24, status="INCONCLUSIVE")])
    assert found.last is not None
    drawn = strip(found, found.last + timedelta(days=1), 10, nights(3, 6))
    assert (drawn.width, drawn.height) == (30, 18)
    assert dict(drawn.paths) == {
        "good": "M9 7h6v5h-6zM24 7h3v5h-3zM27 7h3v2h-3z",
        "bad": "M15 0h3v12h-3z",
        "doubt": "M21 4h3v8h-3zM12 15h3v3h-3z",
    }
    assert drawn.said == (
        "10 days: 5 nights looked at it (3 PASS, 1 FAIL, 1 INCONCLUSIVE); "
        "1 night kept its status; runs that no night made on 1 day (1 INCONCLUSIVE)"
    )
    assert strip(History(), None, 10).said == "10 days: no nights looked at it"


# Changes


def test_a_change_is_a_status_that_is_another_or_a_withdrawal() -> None:
    records = days("PPFFP")
    records[1] = records[1].model_copy(update={"withdrawn": WRONG})
    told = [each.title for each in changes(records)]
    assert sorted(told) == [
        "demo: FAIL, was PASS",
        "demo: PASS, was FAIL",
        "demo: PASS: measured for the first time",
        "demo: run run-3 was withdrawn",
    ]


def test_what_came_before_the_oldest_of_many_is_not_called_the_first() -> None:
    assert changes(days("P" * MOST_RECORDS)) == ()
    assert len(changes(days("PF" * 30))) == MOST_CHANGES


def test_records_that_tell_something_have_a_page() -> None:
    records = days("PPFFPP")
    relied_on = [records[0]]
    assert [each.run for each in paged(records, relied_on)] == ["run-5", "run-4", "run-2", "run-0"]


def test_a_feed_names_what_changed_and_escapes_it() -> None:
    records = [a_record("x", summary=f"{MARKUP} \x00")]
    text = feed(changes(records), MARKUP, "https://example.org/")
    entry = fromstring(text).find("{http://www.w3.org/2005/Atom}entry")
    assert entry is not None
    assert (entry.findtext("{http://www.w3.org/2005/Atom}id")) == "urn:fixproof:status:x"
    assert "<script>" not in text
    assert "1970-01-01T00:00:00Z" in feed((), "x", "")


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: mark.word)
def test_a_badge_says_how_a_case_stands(mark: Mark) -> None:
    text = badge("fix & proof", mark)
    assert fromstring(text).attrib["aria-label"] == f"fix & proof: {mark.word}"


# Pages


def test_a_site_never_runs_what_a_case_says() -> None:
    found, logs = published(survey=a_sweep(("1.0",)))
    assert found.main is not None
    pages = SitePages(Privacy(), title=MARKUP, program="0")
    row = row_of(found, days("PF"), MARKUP, history(looks("PF"), []))
    shown = strip(row.history, row.history.last, 45)
    index = pages.page(
        INDEX, "", totals=[(row.mark, 1)], rows=[(row, row.mark, shown)], days=45, until=""
    )
    run = pages.run(found.main, logs.get, MARKUP)
    context = pages.of_report(found.main, found.survey, logs.get)
    case = pages.page(
        CASE, "../", **context, case=found.case, script=found.script, mark=row.mark,
        summary=MARKUP, notices=(), evidence=statements.evidence(found), claimed_fixed=MARKUP,
        first_fixed="", affected=section(found, SectionName.AFFECTED, no_logs).blocks,
        upgrade=section(found, SectionName.UPGRADE, no_logs).blocks, commands=["x"], shown=shown,
        runs=[], osv="", main_page="",
    )  # fmt: skip
    for each in (index, run, case):
        read = read_page(each)
        (only,) = read.all("script")
        assert "alert" not in only.text
        assert [e.attributes["href"] for e in read.all("link")][1].endswith("style.css")
    assert "alert(1)" in read_page(case).text
    assert ".strip" in sheet()
    assert len(design()) == 64
