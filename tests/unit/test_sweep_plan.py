"""The plan of a sweep in simulated histories: every release, and both sides of each change well."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from runner.findings import Conclusion, ConfirmationResult, Need, SeriesFindings
from runner.matrix import Role, series_of
from runner.plans.bisection import BisectionPlan
from runner.plans.kinds import AnyPlan, parse, planned, progress_of, so_far, step
from runner.plans.sweep import SweepPlan
from runner.plans.verify import VerifyPlan
from runner.releases import History
from runner.report import Report
from runner.verdict import Counts, Verdict
from tests.builders import (
    BUG,
    ERROR,
    GOOD,
    Said,
    Simulation,
    Trial,
    World,
    a_case,
    a_history,
    a_plan,
    a_release,
    a_report,
    a_universe,
    broken_in,
)
from tests.histories import KINDS, Past, a_past

TWELVE = tuple(f"1.{minor}" for minor in range(12))


class Swept(NamedTuple):
    """All that came of a simulated sweep."""

    simulation: Simulation
    only: SeriesFindings
    report: Report

    @property
    def change(self) -> tuple[str | None, str | None]:
        return self.only.boundaries.first_broken, self.only.boundaries.first_fixed

    def counts(self, version: str) -> Counts:
        (cell,) = [each for each in self.only.released() if each.cell.version == version]
        return cell.judgement.counts


def sweep(plan: SweepPlan, world: World) -> Swept:
    simulation = Simulation(plan, world)
    conclusion = simulation.run()
    (only,) = conclusion.series
    return Swept(simulation, only, a_report(plan, conclusion))


def plan_of(history: History, *pythons: str, **words: Any) -> SweepPlan:
    case = a_case(**words)
    universe = a_universe(history, *pythons)
    return SweepPlan(case=case, universe=universe, series=series_of(case, universe))


def found_in(history: Past) -> Swept:
    return sweep(history.sweep(), history.world())


PAST = Past(TWELVE, frozenset(TWELVE[3:8]), fixed=("1.8",))


def test_every_release_runs_and_the_claims_are_judged() -> None:
    found = found_in(PAST)
    assert found.report.status == "PASS"
    assert found.change == ("1.3", "1.8")
    assert found.only.boundaries.tested == TWELVE
    assert found.only.affected == ({"introduced": "1.3", "fixed": "1.8"},)
    assert found.report.series[0].measured.assumes is None
    assert found.report.summary == "1.8 is the first fixed release; introduced in 1.3."


def test_both_sides_of_a_change_get_more_than_a_glance() -> None:
    found = found_in(PAST)
    assert found.counts("1.2").absent == 5
    assert found.counts("1.3").present == 3
    assert found.counts("1.7").present == 3
    assert found.counts("1.8").absent == 5
    assert {found.counts(each).judged for each in ("1.0", "1.5", "1.11")} == {1}


def test_a_sweep_does_not_wait_for_the_claims() -> None:
    asked = step(PAST.sweep(), {})
    assert isinstance(asked, Need)
    versions = [want.cell.version for want in asked.wants]
    assert versions[:2] == ["1.7", "1.8"]
    assert {*versions} == {*TWELVE}


def test_a_bug_that_does_not_always_show_takes_more_of_each_silent_release() -> None:
    found = found_in(replace(PAST, rate=0.6))
    assert PAST.wrong(found.only) == []
    assert found.counts("1.11").absent > 5
    assert found.counts("1.5").present == 1


def test_a_bug_that_shows_too_seldom_leaves_its_absence_open() -> None:
    found = found_in(replace(PAST, rate=0.03, seed=4))
    assert found.change == (None, None) or PAST.wrong(found.only) == []
    assert all(each.judgement.counts.judged <= 200 for each in found.only.released())


@pytest.mark.parametrize(
    ("words", "seed"),
    [({"fixed": ("1.28",), "rate": 0.2}, 5), ({"said_broken": ("1.5",), "rate": 0.15}, 16)],
)
def test_a_release_that_kept_silent_by_chance_among_many_is_no_upgrade(
    words: dict[str, Any], seed: int
) -> None:
    """Of 26 that have the bug, one was silent as often as its absence takes."""
    thirty = tuple(f"1.{minor}" for minor in range(30))
    past = Past(thirty, frozenset(thirty[2:28]), seed=seed, **words)
    assert past.wrong(found_in(past).only) == []


@pytest.mark.parametrize("plan", [Past.sweep, Past.bisection])
def test_where_nothing_shows_the_bug_silence_is_no_fix(
    plan: Callable[[Past], AnyPlan],
) -> None:
    past = Past(
        ("1.0", "1.1", "1.2", "1.3", "1.4"),
        frozenset({"1.1"}),
        rate=1e-9,
        lost=frozenset({"1.0"}),
        fixed=("1.3",),
    )
    (only,) = Simulation(plan(past), past.world()).run().series
    stated = only.boundaries
    assert stated.tested == ("1.1", "1.2", "1.3", "1.4")
    assert stated.fixed_in is None


def test_yanked_releases_run_and_are_never_offered_as_a_fix() -> None:
    history = a_history(*(a_release(each, yanked=each in ("1.4", "1.6")) for each in TWELVE[:10]))
    found = sweep(plan_of(history, broken="1.3"), World(broken_in(*TWELVE[2:6])))
    assert found.only.boundaries.first_fixed == "1.7"
    assert found.only.affected == ({"introduced": "1.2", "fixed": "1.7"},)
    assert {each.version for each in found.report.cells if each.yanked} == {"1.4", "1.6"}
    assert {each.to for each in found.only.upgrades} == {"1.7"}
    confirmed = {(each.older, each.newer) for each in found.only.confirmations}
    assert confirmed == {("1.1", "1.2"), ("1.5", "1.7")}


def test_a_yanked_release_that_shows_the_bug_again_is_in_the_ranges() -> None:
    history = a_history(*(a_release(each, yanked=each == "1.6") for each in TWELVE[:8]))
    found = sweep(plan_of(history, broken="1.3"), World(broken_in("1.3", "1.6")))
    assert found.only.affected == (
        {"introduced": "1.3", "fixed": "1.4"},
        {"introduced": "1.6", "fixed": "1.7"},
    )


WITH_RC = (*TWELVE[:8], "1.8rc1", *TWELVE[8:])
EITHER = pytest.mark.parametrize("kind", [SweepPlan, BisectionPlan])
"""Claims are judged wherever they are, and a sweep and a bisection say the same of them."""


def said_by(
    kind: type[SweepPlan | BisectionPlan], history: History, world: World, **words: Any
) -> tuple[SeriesFindings, Report]:
    case = a_case(**words)
    universe = a_universe(history)
    plan = kind(case=case, universe=universe, series=series_of(case, universe))
    conclusion = Simulation(plan, world).run()
    (only,) = conclusion.series
    return only, a_report(plan, conclusion)


@EITHER
@pytest.mark.parametrize("claims", [{"fixed": "1.8rc1"}, {"fixed": "1.8", "broken": "1.8rc1"}])
def test_a_claimed_pre_release_is_judged_and_blurs_no_boundary(
    kind: type[SweepPlan | BisectionPlan], claims: dict[str, str]
) -> None:
    world = World(broken_in(*TWELVE[3:8]))
    only, report = said_by(kind, a_history(*WITH_RC), world, **claims)
    assert (only.boundaries.first_broken, only.boundaries.first_fixed) == ("1.3", "1.8")
    assert "1.8rc1" in only.boundaries.tested
    assert only.affected in (None, ({"introduced": "1.3", "fixed": "1.8"},))
    assert ("1.7", "1.8") in {(each.older, each.newer) for each in only.confirmations}
    assert {each.version: str(each.result) for each in report.claims} == (
        {"1.8": "confirmed", "1.8rc1": "contradicted"}
        if "broken" in claims
        else {"1.8rc1": "confirmed"}
    )


@EITHER
def test_a_claimed_pre_release_that_shows_the_bug_is_where_it_ends(
    kind: type[SweepPlan | BisectionPlan],
) -> None:
    world = World(broken_in(*TWELVE[3:8], "1.8rc1"))
    only, report = said_by(kind, a_history(*WITH_RC), world, fixed="1.8rc1")
    assert report.outcome == "still_broken"
    assert (only.boundaries.last_broken, only.boundaries.first_fixed) == ("1.8rc1", "1.8")


@EITHER
@pytest.mark.parametrize("claimed", ["1.8rc1", "1.8"])
@pytest.mark.parametrize("follows", [True, False])
def test_a_claimed_fix_that_is_never_offered_is_confirmed_as_in_a_verify(
    kind: type[SweepPlan | BisectionPlan],
    claimed: str,
    follows: bool,  # noqa: FBT001 - a table
) -> None:
    """1.8 was withdrawn, and so was a good one below it, of which nothing is claimed.

    Whether 1.8 has the fix, or only the dependency's, is told all the same.
    """
    withdrawn = ("1.7.post1", "1.8")
    versions = (*TWELVE[:8], "1.7.post1", *WITH_RC[8:])
    history = a_history(*(a_release(each, yanked=each in withdrawn) for each in versions))
    old = {*TWELVE[:8]}

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        late = trial.dependencies["dep"] == "2" if follows else trial.version not in old
        return GOOD if late else BUG

    world = World(behave, lambda version: {"dep": "1" if version in old else "2"})
    only, report = said_by(kind, history, world, fixed=claimed)
    by_older = {each.newer: each for each in only.confirmations}
    assert by_older.keys() == {claimed, "1.9"}
    assert {str(each.result) for each in by_older.values()} == {"differs" if follows else "same"}
    as_found = "ok" if claimed == "1.8rc1" else "yanked_fix"
    assert report.outcome == ("follows_dependency" if follows else as_found)
    assert only.boundaries.first_fixed == (None if follows else "1.9")


def test_each_release_left_out_is_named_with_why() -> None:
    history = a_history("1.0", "1.1rc1", a_release("1.1", requires_python=">=3.9"), "1.2")
    found = sweep(plan_of(history, "3.8", broken="1.0", python=["3.8"]), World(broken_in("1.0")))
    assert [(each.version, each.why) for each in found.report.skipped] == [
        ("1.1rc1", "pre-release"),
        ("1.1", "does not allow Python 3.8.4"),
    ]
    assert found.change == (None, "1.2")  # what is left out blurs nothing


def test_a_release_that_cannot_be_judged_leaves_a_range() -> None:
    found = found_in(replace(PAST, lost=frozenset({"1.8"}), fixed=("1.9",)))
    assert found.only.boundaries.first_fixed is None
    assert found.report.summary.startswith(
        "Fixed between 1.7 and 1.9 (1.8 could not be judged); introduced in 1.3."
    )


def test_a_change_that_follows_a_dependency_is_in_no_range() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return BUG if trial.dependencies["dep"] == "1" else GOOD

    world = World(behave, lambda v: {"dep": "1" if v in TWELVE[:8] else "2"})
    found = sweep(replace(PAST, broken=frozenset(TWELVE[:8])).sweep(), world)
    assert found.only.affected is None
    assert found.change == (None, None)
    assert found.report.outcome == "follows_dependency"
    assert "the verdict follows dep 1 → 2, not the package" in found.report.summary
    (confirmation,) = found.only.confirmations
    assert confirmation.result is ConfirmationResult.DIFFERS


def test_what_a_dependency_made_good_is_no_upgrade() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        own = trial.version in TWELVE[2:8]
        return BUG if own or trial.dependencies["dep"] == "1" else GOOD

    world = World(behave, lambda v: {"dep": "1" if v == "1.0" else "2"})
    found = sweep(PAST.sweep(), world)
    assert found.only.boundaries.first_fixed == "1.8"
    assert [each.to for each in found.only.upgrades] == ["1.8"]


def test_a_script_that_says_the_same_without_the_package_proves_nothing() -> None:
    found = sweep(PAST.sweep(), World(lambda _: BUG))
    assert found.report.outcome == "vacuous"
    assert found.only.affected is None
    assert found.only.boundaries.first_fixed is None
    assert found.only.boundaries.tested


def test_a_regression_far_above_a_fix_fails_its_claim() -> None:
    found = found_in(replace(PAST, broken=PAST.broken | {"1.10"}))
    assert found.report.outcome == "regressed"
    assert found.only.affected == (
        {"introduced": "1.3", "fixed": "1.8"},
        {"introduced": "1.10", "fixed": "1.11"},
    )
    assert found.report.summary.startswith("1.11 is the first fixed release; introduced in 1.3.")


def test_a_line_that_came_before_a_backport_is_not_said_to_have_lost_the_fix() -> None:
    versions = ("1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "2.2")
    broken = frozenset({"1.0", "1.1", "2.0", "2.1"})
    found = found_in(Past(versions, broken, fixed=("1.2",), days=(0, 1, 5, 6, 2, 3, 4)))
    assert (found.report.status, found.report.outcome) == ("FAIL", "regressed")
    assert found.change == (None, "2.2")
    assert found.report.summary.startswith(
        "2.2 is the first fixed release; the lowest release of the window, 1.0, shows it. "
        "In older lines, 1.2 to 1.3 do not show it. "
        "2.0 and 2.1, above 1.2 but released before it, show the bug, too: "
    )


def test_an_empty_window_runs_the_claims_and_says_so() -> None:
    found = sweep(plan_of(a_history(*TWELVE), broken="1.5", versions=">9"), World(broken_in("1.5")))
    assert found.only.window == ()
    assert found.report.status == "PASS"
    assert found.change == (None, None)


def test_a_package_without_releases_is_untested() -> None:
    found = sweep(plan_of(a_history(), broken="1.5"), World(broken_in()))
    assert found.report.outcome == "no_such_release"


def test_a_series_without_an_interpreter_is_untested() -> None:
    found = sweep(plan_of(a_history(*TWELVE), "3.8", broken="1.5", python=["3.12"]), PAST.world())
    assert found.report.series[0].status == "untested"


@pytest.mark.parametrize("rate", [1.0, 0.8, 0.4])
@pytest.mark.parametrize("kind", KINDS)
def test_at_any_rate_what_is_stated_is_so(kind: str, rate: float) -> None:
    rng = random.Random(f"{kind} {rate}")
    history = a_past(rng, kind, rate=rate, most=40)
    assert history.wrong(found_in(history).only) == []


def test_progress_counts_releases() -> None:
    plan = PAST.sweep()
    (before,) = progress_of(plan, {})
    assert (before.steps, before.left) == (0, 12)
    simulation = Simulation(plan, PAST.world())
    simulation.run()
    (after,) = progress_of(plan, simulation.facts)
    assert (after.steps, after.left) == (12, 0)


def test_all_cells_are_known_beforehand() -> None:
    plan = PAST.sweep()
    told = planned(plan, plan.series[0])
    assert [cell.version for cell in told] == [*TWELVE, "1.8"]
    assert told[plan.cell(plan.series[0], "1.5")] == (Role.PROBE,)


# Any kind of plan.


def test_a_stored_plan_without_a_kind_is_a_verify() -> None:
    plan = a_plan(a_case(), a_universe(a_history("1.1", "1.2")))
    old = plan.model_dump_json(exclude={"kind"})
    assert parse(old) == plan
    assert isinstance(parse(old), VerifyPlan)
    assert parse(PAST.sweep().model_dump_json()) == PAST.sweep()


def test_a_verify_has_no_progress_to_tell() -> None:
    plan = a_plan(a_case(), a_universe(a_history("1.1", "1.2")))
    assert progress_of(plan, {}) == ()
    assert so_far(plan, {}) is None
    assert [cell.version for cell in planned(plan, plan.series[0])] == ["1.1", "1.2", "1.2"]


def test_a_verdict_of_a_sweep_is_that_of_its_cells() -> None:
    found = found_in(PAST)
    said = {each.cell.version: each.judgement.verdict for each in found.only.released()}
    assert said == {
        each: Verdict.PRESENT if each in PAST.broken else Verdict.ABSENT for each in TWELVE
    }
    assert isinstance(found.simulation.step(), Conclusion)
