"""What people are shown of a sweep or a bisection: every release, what was left out, what it means."""

from __future__ import annotations

import pytest

from runner.affected import Upgrade
from runner.findings import Skipped
from runner.plans.bisection import BisectionPlan
from runner.plans.sweep import SweepPlan
from runner.render.axis import CLAIMED_BROKEN, CLAIMED_FIX
from runner.render.html import page
from runner.render.section import markdown
from runner.render.survey import axis_of, is_survey, left_out, not_shown, table, upgrades
from runner.report import Report
from runner.verdict import Verdict
from tests.builders import (
    Simulation,
    World,
    a_case,
    a_ground,
    a_history,
    a_plan,
    a_report,
    a_universe,
    broken_in,
    verify,
)
from tests.histories import Past

TEN = tuple(f"1.{at}" for at in range(10))


def surveyed(plan: SweepPlan | BisectionPlan, past: Past) -> Report:
    """The report of a plan that was carried out."""
    simulation = Simulation(plan, past.world())
    return a_report(plan, simulation.run(), a_ground(kind=plan.kind))


def a_sweep(lost: frozenset[str] = frozenset()) -> Report:
    found = Past(TEN, broken=frozenset(TEN[:6]), fixed=("1.6",), lost=lost)
    return surveyed(found.sweep(), found)


def a_bisection() -> Report:
    many = tuple(f"1.{at}" for at in range(40))
    found = Past(many, broken=frozenset(many[10:26]), said_broken=("1.20",))
    return surveyed(found.bisection(), found)


def rows(report: Report) -> list[tuple[str, str, str, str]]:
    found = table(axis_of(report, report.series[0]))
    return [(each.releases, each.mark.word, each.told, each.more) for each in found]


def test_neighbours_that_showed_the_same_stand_in_one_row() -> None:
    assert rows(a_sweep(lost=frozenset({"1.2"}))) == [
        ("1.0 to 1.1 (2 releases)", "bug present", "1 of 1 each", ""),
        ("1.2", "unresolved", "no set of dependencies satisfies it as of that day", ""),
        ("1.3 to 1.4 (2 releases)", "bug present", "1 of 1 each", ""),
        ("1.5", "bug present", "3 of 3", ""),
        ("1.6", "bug absent", "0 of 5", "claimed fix"),
        ("1.7 to 1.9 (3 releases)", "bug absent", "0 of 1 each", ""),
    ]


def test_neighbours_that_a_search_could_not_judge_stand_in_one_row_too() -> None:
    many = tuple(f"1.{at}" for at in range(40))
    past = Past(
        many, broken=frozenset(many[20:30]), said_broken=("1.25",), lost=frozenset(many[:20])
    )
    found = rows(surveyed(past.bisection(), past))
    lost = [row for row in found if row[1] == "unresolved"]
    assert sum("releases)" in row[0] for row in lost) >= 1
    assert all(row[3] == "" for row in lost if "releases)" in row[0])


def test_claims_are_marked_and_the_steps_of_a_search_are_numbered_as_they_were_run() -> None:
    report = a_bisection()
    places = {each.version: each for each in axis_of(report, report.series[0]).places}
    assert len(places) == 40
    assert places["1.20"].claims == (CLAIMED_BROKEN,)
    assert places["1.20"].probe is None
    numbered = sorted((each.probe, each.version) for each in places.values() if each.probe)
    search = report.series[0].search
    assert search is not None
    by_id = {each.id: each.version for each in report.cells}
    assert numbered == [(at, by_id[each]) for at, each in enumerate(search.probes, 1)]
    assert len(numbered) > 5
    silent = [each for each in places.values() if each.verdict is None]
    assert len(silent) > 20
    assert not any(each.probe for each in silent)


def test_a_claimed_release_beyond_the_window_is_on_the_axis_too() -> None:
    report = a_sweep()
    series = report.series[0].model_copy(update={"window": TEN[3:]})
    places = axis_of(report, series).places
    assert [each.version for each in places] == list(TEN)
    narrower = report.model_copy(
        update={"cells": tuple(each for each in report.cells if each.version in ("1.0", "1.6"))}
    )
    assert [each.version for each in axis_of(narrower, series).places] == ["1.0", *TEN[3:]]
    assert axis_of(narrower, series).places[4].claims == (CLAIMED_FIX,)


def test_a_bisection_says_how_many_releases_it_did_not_run_and_what_it_assumes() -> None:
    said = not_shown(a_bisection())
    assert "releases were not run, and this is taken for granted: one change between" in said
    assert "no later release" not in said
    assert not_shown(a_sweep()) == ""


def test_that_the_newest_release_could_not_be_judged_is_said() -> None:
    said = not_shown(a_sweep(lost=frozenset({"1.9"})))
    assert said == "the newest release of the window, 1.9, could not be judged"


def test_releases_that_were_left_out_are_told_by_their_reason() -> None:
    skipped = [("1.0a1", "pre-release"), ("1.0", "yanked"), ("1.1a1", "pre-release")]
    skipped += [(f"0.{at}", "no file") for at in range(20)]
    report = a_sweep().model_copy(
        update={"skipped": tuple(Skipped(version=each, why=why) for each, why in skipped)}
    )
    assert left_out(report) == (
        ("pre-release", "1.0a1, 1.1a1"),
        ("yanked", "1.0"),
        ("no file", "20 releases from 0.0 to 0.19"),
    )
    assert "### Left out" in markdown(report, lambda _: None)
    assert "20 releases from 0.0 to 0.19" in page(report, lambda _: None)


ADVICE = [
    (
        [(("1.0", "1.1"), "1.2", True)],
        ["1.0 to 1.1: 1.2 is the nearest release known to be good, of the same line"],
    ),
    (
        [(("1.0",), "2.1", False), (("2.0",), "2.1", True)],
        ["1.0 to 2.0: 2.1 is the nearest release known to be good"],
    ),
    ([(("1.0",), None, False)], ["1.0: no release above is known to be good"]),
    (
        [(("1.0",), "1.1", True), (("2.0",), "2.1", True)],
        [
            "1.0: 1.1 is the nearest release known to be good, of the same line",
            "2.0: 2.1 is the nearest release known to be good, of the same line",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), ADVICE)
def test_users_are_told_what_to_upgrade_to(
    found: list[tuple[tuple[str, ...], str | None, bool]], expected: list[str]
) -> None:
    lines = tuple(Upgrade(broken=broken, to=to, same_line=own) for broken, to, own in found)
    series = a_sweep().series[0].model_copy(update={"upgrade_to": lines})
    assert list(upgrades(series)) == expected


def test_the_section_has_each_release_once_and_no_list_of_all_evidence() -> None:
    shown = markdown(a_sweep(), lambda _: None)
    assert "| 1.0 to 1.4 (5 releases) | ✗ bug present | 1 of 1 each |  |" in shown
    assert "| Affected | measured: 1.0 up to 1.6, which is fixed |" in shown
    assert "| Upgrade | 1.0 to 1.5: 1.6 is the nearest release known to be good" in shown
    assert shown.count("attempts show the bug") == 2


def test_the_page_shows_the_axis_and_the_table() -> None:
    shown = page(a_bisection(), lambda _: None)
    assert shown.count('role="img"') == 2
    assert "Neighbours that showed the same stand in one row." in shown
    assert "the steps of the search, in their order" in shown
    assert "taken for granted" in shown


def test_a_verify_has_no_axis() -> None:
    verified = verify(
        a_plan(a_case("demo", fixed="1.6"), a_universe(a_history(*TEN))),
        World(broken_in(*TEN[:6])),
    )
    assert not is_survey(verified.report)
    assert left_out(verified.report) == ()
    assert "<svg" not in page(verified.report, lambda _: None)
    assert {Verdict.PRESENT, Verdict.ABSENT} == {
        each.verdict for each in verified.report.cells if each.roles[0] != "control"
    }
