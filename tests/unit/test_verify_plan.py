"""The plan of a verify in simulated worlds: what it runs, how often, and what it concludes."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempt import Facts
from runner.boundaries import FixedIn
from runner.environment import FailureKind
from runner.evidence import absence_needed
from runner.findings import Conclusion, ConfirmationResult, Need
from runner.matrix import AsOf, Role
from runner.outcome import Status
from runner.plans.verify import VerifyPlan, planned, step
from runner.releases import History
from runner.report import Report
from runner.verdict import Verdict
from tests.builders import (
    BUG,
    CONTRADICTION,
    ERROR,
    GOOD,
    HANG,
    KILLED,
    NO_HANG,
    ODD,
    Behaviour,
    Dependencies,
    Said,
    Simulation,
    Trial,
    World,
    a_case,
    a_failure,
    a_history,
    a_plan,
    a_release,
    a_report,
    a_universe,
    broken_in,
    flaky,
    sha_of,
    verify,
)

TWELVE = a_history(*(f"1.{minor}" for minor in range(12)))


def plan_of(
    history: History = TWELVE, *pythons: str, latest: bool = False, **words: Any
) -> VerifyPlan:
    return a_plan(a_case(**words), a_universe(history, *pythons), latest=latest)


def broken_below(minor: int) -> Behaviour:
    return broken_in(*(f"1.{each}" for each in range(minor)))


# A claim that holds.


def test_a_deterministic_bug_takes_three_and_five_attempts_and_two_of_the_control() -> None:
    plan = plan_of(a_history("1.1", "1.2"))
    found = verify(plan, World(broken_in("1.1")))
    assert found.ends == ("PASS", "ok")
    assert found.simulation.attempts("1.1/py3.8".removesuffix("/py3.8")) == 3
    assert attempts_by_role(found.report) == {"before": 3, "fixed": 5, "control": 2}
    assert found.simulation.made == 10


def attempts_by_role(report: Report) -> dict[str, int]:
    return {" ".join(cell.roles): len(cell.attempts) for cell in report.cells if cell.attempts}


def test_two_broken_releases_make_no_absence_cheaper() -> None:
    found = verify(
        plan_of(a_history("1.0", "1.1", "1.2"), broken="1.0", fixed="1.2"),
        World(broken_in("1.0", "1.1")),
    )
    assert attempts_by_role(found.report) == {"broken": 3, "before": 3, "fixed": 5, "control": 2}
    assert found.ends == ("PASS", "ok")


def test_both_sides_are_stated_with_their_boundary() -> None:
    found = verify(plan_of(a_history("1.0", "1.1", "1.2", "1.3")), World(broken_in("1.0", "1.1")))
    stated = found.only.boundaries
    assert stated.first_fixed == "1.2"
    assert stated.fixed_in == FixedIn(after="1.1", by="1.2", unknown=())
    assert stated.last_broken == "1.1"
    assert stated.first_broken is None
    assert stated.tested == ("1.1", "1.2")


def test_a_pre_release_and_a_yanked_one_are_no_predecessors() -> None:
    history = a_history("1.0", a_release("1.1", yanked=True), "1.2rc1", "1.2")
    found = verify(plan_of(history), World(broken_in("1.0", "1.1")))
    assert found.ends == ("PASS", "ok")
    assert [each.cell.version for each in found.only.released()] == ["1.0", "1.2"]
    assert {(each.version, each.why) for each in found.report.skipped} == {
        ("1.1", "yanked"),
        ("1.2rc1", "pre-release"),
    }


@pytest.mark.parametrize("spelt", ["1.2", "1.2.0", "v1.2"])
@pytest.mark.parametrize("listed", ["1.2", "1.2.0"])
def test_a_claim_holds_however_the_release_is_spelt(spelt: str, listed: str) -> None:
    found = verify(plan_of(a_history("1.1", listed), fixed=spelt), World(broken_in("1.1")))
    assert found.ends == ("PASS", "ok")
    assert [each.result for each in found.report.claims] == ["confirmed"]


def test_a_broken_claim_above_the_fix_is_no_regression_however_it_is_spelt() -> None:
    plan = plan_of(a_history("1.1", "1.2", "2.0.0"), fixed="1.2", broken="2.0")
    found = verify(plan, World(broken_in("1.1", "2.0.0")))
    assert found.ends == ("PASS", "ok")
    assert {each.result for each in found.report.claims} == {"confirmed"}


def test_dependencies_of_another_day_are_part_of_every_id() -> None:
    plan = a_plan(a_case(), a_universe(TWELVE, as_of=AsOf.TODAY))
    found = verify(plan, World(broken_below(2)))
    assert {each.id.partition("@")[2] for each in found.report.cells} == {"today", "control"}


# A claim that does not.


def test_a_fix_that_shows_the_bug_is_still_broken() -> None:
    found = verify(plan_of(), World(broken_below(12)))
    assert found.ends == ("FAIL", "still_broken")
    assert found.only.boundaries.first_fixed is None
    assert [each.result for each in found.report.claims] == ["contradicted"]


def test_still_broken_contradicts_the_claim_though_the_predecessor_cannot_be_installed() -> None:
    def dependencies(version: str) -> Dependencies:
        return a_failure() if version == "1.1" else {"dep": "1"}

    found = verify(plan_of(), World(broken_below(12), dependencies))
    assert found.ends == ("FAIL", "still_broken")
    assert [each.result for each in found.report.claims] == ["contradicted"]


def test_a_release_claimed_broken_that_is_silent_sixteen_times_is_not_reproduced() -> None:
    found = verify(plan_of(broken="1.0"), World(broken_in()))
    assert found.ends == ("FAIL", "not_reproduced")
    assert found.counts("1.0").absent == 16


def test_the_report_says_which_rate_silence_excludes() -> None:
    found = verify(plan_of(broken="1.5"), World(broken_in()))
    assert "0.25" in found.report.model_dump_json(exclude={"cells", "host", "sandbox"})


def test_fixed_earlier_states_the_boundary_that_was_measured() -> None:
    found = verify(plan_of(fixed="1.9"), World(broken_below(5)))
    assert found.ends == ("FAIL", "fixed_earlier")
    assert found.only.boundaries.first_fixed == "1.5"
    assert found.only.boundaries.last_broken == "1.4"
    assert "1.5 is the first fixed release" in found.report.summary
    assert {each.version: each.result for each in found.report.claims} == {"1.9": "contradicted"}


def test_both_neighbours_of_a_measured_boundary_get_as_many_attempts_as_a_claim() -> None:
    found = verify(plan_of(fixed="1.9"), World(broken_below(5)))
    assert found.counts("1.4").present == 3
    assert found.counts("1.5").absent == 5
    assert found.counts("1.6").absent == 1


def test_a_measured_boundary_is_confirmed_like_a_claimed_one() -> None:
    def dependencies(version: str) -> Dependencies:
        return {"dep": "1" if version in ("1.3", "1.4") else "2"}

    found = verify(plan_of(fixed="1.9"), World(broken_below(5), dependencies))
    assert found.confirmation.result is ConfirmationResult.SAME
    assert (found.confirmation.older, found.confirmation.newer) == ("1.4", "1.5")


@pytest.mark.parametrize(("gone", "oldest"), [(0, 0), (1, 2), (2, 2), (3, 2), (8, 7), (9, 8)])
def test_at_most_eight_older_releases_are_looked_at(gone: int, oldest: int) -> None:
    history = a_history(*(f"1.{minor}" for minor in range(13)))
    found = verify(plan_of(history, fixed="1.11"), World(broken_below(gone)))
    versions = [each.cell.version for each in found.only.of_role(Role.PROBE)]
    assert len(versions) <= 8
    expected = max(2, oldest)
    assert min(map(minor_of, versions)) == expected
    assert found.ends == ("FAIL", "fixed_earlier")
    measured = f"1.{gone}" if gone > 2 else None
    assert found.only.boundaries.first_fixed == measured


def minor_of(version: str) -> int:
    return int(version.partition(".")[2])


def test_nothing_older_is_looked_at_where_the_sides_disagree() -> None:
    found = verify(plan_of(), World(broken_below(2)))
    assert found.only.of_role(Role.PROBE) == ()


def test_a_claimed_release_that_does_not_exist_is_named() -> None:
    found = verify(plan_of(fixed="1.2.1"), World(broken_below(3)))
    assert found.ends == ("FAIL", "no_such_release")
    assert found.only.missing == ("1.2.1",)
    assert "1.2.1" in found.report.summary
    assert [each.result for each in found.report.claims] == ["contradicted"]


def test_a_script_that_says_the_same_without_the_package_is_vacuous_and_stops_early() -> None:
    def behave(trial: Trial) -> Said:
        return BUG if trial.version in (None, "1.1") else GOOD

    simulation = Simulation(plan_of(), World(behave))
    conclusion = simulation.run(one_by_one=True)
    report = a_report(simulation.plan, conclusion)
    assert (report.status, report.outcome) == ("INCONCLUSIVE", "vacuous")
    assert report.measured.first_fixed is None
    assert {each.result for each in report.claims} == {"untested"}
    assert simulation.made <= 10


@pytest.mark.parametrize("said", [BUG, GOOD])
def test_one_verdict_of_the_control_is_enough_to_stop(said: Said) -> None:
    def behave(trial: Trial) -> Said:
        return said if trial.version is None else broken_below(2)(trial)

    found = verify(plan_of(), World(behave))
    assert found.ends == ("INCONCLUSIVE", "vacuous")


def test_a_yanked_fix_is_inconclusive() -> None:
    history = a_history("1.1", a_release("1.2", yanked=True), "1.3")
    found = verify(plan_of(history), World(broken_in("1.1")))
    assert found.ends == ("INCONCLUSIVE", "yanked_fix")
    assert found.only.boundaries.first_fixed is None


def test_a_yanked_fix_that_shows_the_bug_is_still_broken() -> None:
    history = a_history("1.1", a_release("1.2", yanked=True))
    found = verify(plan_of(history), World(broken_in("1.1", "1.2")))
    assert found.ends == ("FAIL", "still_broken")


def test_a_first_release_has_no_broken_side_and_proves_no_fix() -> None:
    found = verify(plan_of(a_history("1.2", "1.3")), World(broken_in()))
    assert found.ends == ("INCONCLUSIVE", "unresolved")
    assert found.report.mode == "fixed_only"
    assert [each.result for each in found.report.claims] == ["untested"]


# Trouble.

TROUBLES = {
    "an import error": ERROR,
    "code 125": ODD,
    "a contradiction": CONTRADICTION,
    "memory": KILLED,
}


@pytest.mark.parametrize("said", TROUBLES.values(), ids=TROUBLES)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_side_that_says_nothing_twice_for_one_reason_is_given_up(
    version: str, said: Said
) -> None:
    def behave(trial: Trial) -> Said:
        return said if trial.version == version else broken_below(2)(trial)

    simulation = Simulation(plan_of(), World(behave))
    conclusion = simulation.run(one_by_one=True)
    report = a_report(simulation.plan, conclusion)
    assert (report.status, report.outcome) == ("INCONCLUSIVE", "unresolved")
    (cell,) = [each for each in report.cells if each.version == version and "@" not in each.id]
    assert cell.verdict is Verdict.UNRESOLVED
    assert len(cell.attempts) == 2
    assert report.measured.first_fixed is None


def test_unresolved_attempts_are_replaced_at_most_as_often_as_attempts_were_asked_for() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version == "1.2":
            return (ODD, ERROR)[trial.number % 2]
        return broken_below(2)(trial)

    found = verify(plan_of(), World(behave))
    assert found.ends == ("INCONCLUSIVE", "unresolved")
    counts = found.counts("1.2")
    assert counts.judged == 0
    assert 5 < counts.unresolved <= 10


def test_a_side_with_some_trouble_is_judged_by_the_rest() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version and trial.number % 2:
            return (ODD, ERROR)[trial.number // 2 % 2]
        return broken_below(2)(trial)

    found = verify(plan_of(), World(behave))
    assert found.ends == ("PASS", "ok")
    assert found.counts("1.1").present == 3
    assert found.counts("1.2").absent == 5
    assert found.counts("1.2").unresolved > 0


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("kind", FailureKind)
def test_a_side_that_cannot_be_installed_is_not_run_and_the_run_inconclusive(
    version: str, kind: FailureKind
) -> None:
    def dependencies(each: str) -> Dependencies:
        return a_failure(kind) if each == version else {}

    found = verify(plan_of(), World(broken_below(2), dependencies))
    assert found.ends == ("INCONCLUSIVE", "unresolved")
    assert found.simulation.attempts(version) == 0
    assert version in found.report.summary
    assert kind.value in found.report.summary
    assert found.report.mode == ("fixed_only" if version == "1.1" else "broken_only")


def test_where_another_version_is_loaded_nothing_is_believed() -> None:
    world = World(broken_below(2), loads=lambda version: "1.1" if version == "1.2" else version)
    found = verify(plan_of(), world)
    assert found.ends == ("INCONCLUSIVE", "unresolved")
    assert "wrong_version" in found.report.summary


# Flaky bugs.


def test_a_flaky_bug_asks_for_as_many_attempts_as_its_least_telling_release() -> None:
    found = verify(plan_of(broken="1.0", fixed="1.2"), World(flaky(0.3, "1.0", "1.1")))
    shown, before = found.counts("1.0"), found.counts("1.1")
    assert shown.present == before.present == 3
    assert shown.absent + before.absent > 6
    asked = [absence_needed(each.judged, each.absent, 0.99) for each in (shown, before)]
    assert found.counts("1.2").absent == max(asked) > 8
    assert found.ends == ("PASS", "ok")


def test_a_rare_bug_does_not_hide_behind_releases_that_always_show_it() -> None:
    """Eight always show it, the predecessor and the "fix" one time in ten: nothing was fixed."""
    old = [f"0.{minor}" for minor in range(8)]
    plan = plan_of(a_history(*old, "1.1", "1.2"), broken=old, fixed="1.2")

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        shows = trial.version in old or trial.number % 10 == 9
        return BUG if shows else GOOD

    assert verify(plan, World(behave)).ends == ("FAIL", "still_broken")


def test_a_rare_bug_is_run_at_most_sixty_times() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version == "1.1":
            return BUG if trial.number == 3 else GOOD
        return ERROR if trial.version is None else GOOD

    found = verify(plan_of(), World(behave))
    assert found.counts("1.1").judged == 60
    assert found.counts("1.1").present == 1
    fixed = found.counts("1.2").absent
    assert fixed == 0 or fixed > 100


def test_a_bug_too_rare_to_be_judged_is_never_called_fixed() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version == "1.1":
            return BUG if trial.number == 3 else GOOD
        return ERROR if trial.version is None else GOOD

    plan = a_plan(a_case(), a_universe(TWELVE), confidence=0.9999)
    found = verify(plan, World(behave))
    assert found.ends == ("INCONCLUSIVE", "unresolved")
    assert "too_rare" in found.report.summary


def test_a_fix_that_fails_rarely_is_still_broken() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version == "1.2":
            return BUG if trial.number == 4 else GOOD
        return broken_below(2)(trial)

    found = verify(plan_of(), World(behave))
    assert found.ends == ("FAIL", "still_broken")
    assert found.counts("1.2").present >= 1


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_a_flaky_bug_is_never_contradicted_on_the_side_that_has_it(seed: int) -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        drawn = int(sha_of(f"{seed}/{trial.cell}/{trial.number}")[:8], 16) / 0x100000000
        return BUG if trial.version in ("1.0", "1.1") and drawn < 0.5 else GOOD

    found = verify(plan_of(), World(behave))
    assert found.ends == ("PASS", "ok")


def test_a_flaky_bug_found_by_widening_is_not_placed_by_one_silent_attempt() -> None:
    """The claim says 1.9, the fix came in 1.6, and 1.5 happens to be silent at first."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        if minor_of(trial.version) >= 6:
            return GOOD
        return GOOD if trial.version == "1.5" and trial.number < 2 else BUG

    found = verify(plan_of(fixed="1.9"), World(behave))
    assert found.ends == ("FAIL", "fixed_earlier")
    assert found.only.boundaries.first_fixed == "1.6"


def test_a_claimed_broken_release_that_cannot_be_judged_does_not_keep_it_from_widening() -> None:
    """It stands far below: what is looked at is right below the fix."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return ODD if trial.version == "1.0" else broken_in("1.6", "1.7", "1.8", "1.9")(trial)

    def dependencies(version: str) -> dict[str, str]:
        return {"dep": "1" if minor_of(version) < 6 else "2"}

    found = verify(plan_of(fixed="1.9", broken=["1.0"]), World(behave, dependencies))
    assert [each.version for each in found.report.cells if "probe" in each.roles] == [
        *("1.7", "1.6", "1.5"),
    ]
    assert found.report.measured.tested == ("1.5", "1.6", "1.7", "1.8", "1.9")


# Hangs.

HANGING: dict[str, Any] = {"ends": "timeout"}


def hangs_in(*versions: str, slow: tuple[str, ...] = ()) -> Behaviour:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        hangs = trial.version in versions or (trial.version in slow and not trial.doubled)
        return HANG if hangs else NO_HANG

    return behave


def test_a_hang_is_believed_after_one_attempt_with_twice_the_limit() -> None:
    simulation = Simulation(plan_of(**HANGING), World(hangs_in("1.1")))
    conclusion = simulation.run()
    report = a_report(simulation.plan, conclusion)
    assert (report.status, report.outcome) == ("PASS", "ok")
    (before,) = [each for each in report.cells if "before" in each.roles]
    doubled = [each.doubled for each in simulation.facts[before.id].attempts]
    assert doubled.count(True) == 1
    assert before.counts.present >= 3


@pytest.mark.parametrize("hanging", [("1.1",), ("1.1", "1.2"), ("1.2",), ()])
def test_hangs_run_one_by_one_come_to_the_same_as_hangs_run_at_once(
    hanging: tuple[str, ...],
) -> None:
    plan, world = plan_of(**HANGING), World(hangs_in(*hanging))
    one_by_one = a_report(plan, Simulation(plan, world).run(one_by_one=True))
    assert verify(plan, world).ends == (one_by_one.status, one_by_one.outcome)


def test_slowness_is_no_hang() -> None:
    found = verify(plan_of(**HANGING), World(hangs_in(slow=("1.1",))))
    assert found.report.status is not Status.PASS
    (cell,) = [each for each in found.report.cells if "before" in each.roles]
    assert cell.counts.present == 0


def test_a_fix_that_hangs_is_still_broken() -> None:
    found = verify(plan_of(**HANGING), World(hangs_in("1.1", "1.2")))
    assert found.ends == ("FAIL", "still_broken")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_release_that_hangs_now_and_then_is_never_called_good(version: str) -> None:
    """Every other attempt hangs for good; the one with twice the limit happens not to."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        if trial.version != version:
            return HANG if trial.version == "1.1" else NO_HANG
        return NO_HANG if trial.number % 2 else HANG

    simulation = Simulation(plan_of(**HANGING), World(behave))
    conclusion = simulation.run(one_by_one=True)
    (cell,) = [each for each in conclusion.series[0].released() if each.cell.version == version]
    assert cell.judgement.verdict is not Verdict.ABSENT


# Claims of other shapes.


def test_a_bug_that_nobody_fixed_yet_passes_its_broken_claim() -> None:
    found = verify(plan_of(broken="1.1"), World(broken_below(12)))
    assert found.ends == ("PASS", "ok")
    assert found.report.mode == "broken_only"
    assert attempts_by_role(found.report) == {"broken": 3, "control": 2}
    assert [each.result for each in found.report.claims] == ["confirmed"]


def test_without_a_fix_the_control_has_the_lock_of_the_highest_broken_release() -> None:
    found = verify(plan_of(broken=["1.0", "1.4"]), World(broken_below(12)))
    (control,) = found.only.of_role(Role.CONTROL)
    assert control.cell.version == "1.4"


def test_a_bug_that_nobody_fixed_yet_and_that_is_not_there_is_not_reproduced() -> None:
    found = verify(plan_of(broken="1.1"), World(broken_in()))
    assert found.ends == ("FAIL", "not_reproduced")


def variants(**own: dict[str, Any]) -> dict[str, Any]:
    return {"variants": own}


def in_variant(variant: str, behave: Behaviour) -> Behaviour:
    return lambda trial: (
        behave(trial) if trial.variant == variant or trial.version is None else GOOD
    )


def test_a_variant_without_the_bug_passes_where_it_is_claimed_to_have_none() -> None:
    words = variants(bad={}, good={"affected": False})
    plan = plan_of(a_history("1.0", "1.1", "1.2"), broken="1.0", fixed="1.2", **words)
    found = verify(plan, World(in_variant("bad", broken_in("1.0", "1.1"))))
    assert found.ends == ("PASS", "ok")
    claims = {(each.variant, each.kind, each.version): each.result for each in found.report.claims}
    assert claims == {
        ("bad", "fixed", "1.2"): "confirmed",
        ("bad", "broken", "1.0"): "confirmed",
        ("good", "unaffected", "1.0"): "confirmed",
        ("good", "unaffected", "1.2"): "confirmed",
    }


def test_top_level_boundaries_are_those_of_the_affected_series() -> None:
    words = variants(bad={}, good={"affected": False})
    plan = plan_of(a_history("1.1", "1.2"), **words)
    found = verify(plan, World(in_variant("bad", broken_in("1.1"))))
    assert found.ends == ("PASS", "ok")
    assert found.report.measured.first_fixed == "1.2"


def test_a_variant_that_has_the_bug_against_its_claim_is_affected() -> None:
    plan = plan_of(**variants(bad={}, good={"affected": False, "broken": "1.1"}))
    found = verify(plan, World(broken_below(2)))
    assert found.ends == ("FAIL", "affected")
    against = [each for each in found.report.claims if each.result == "contradicted"]
    assert [(each.variant, each.version) for each in against] == [("good", "1.1"), ("good", "1.2")]


def test_an_unaffected_variant_runs_the_predecessor_too_where_it_would_show_the_bug() -> None:
    plan = plan_of(**variants(good={"affected": False, "broken": "1.0"}))
    found = verify(plan, World(broken_in()))
    assert found.ends == ("PASS", "ok")
    assert [each.cell.version for each in found.only.released()] == ["1.0", "1.1", "1.2"]
    shows = verify(plan, World(broken_in("1.1")))
    assert shows.ends == ("FAIL", "affected")


LINES = a_history("1.0.4", "1.0.5", "1.1.0", "1.1.1", "2.0", "2.1", "2.2")
LINES_BROKEN = ("1.0.4", "1.1.0", "1.1.1", "2.0")


@pytest.mark.parametrize("latest", [False, True])
def test_several_fixed_lines_with_broken_releases_between_are_no_regression(
    latest: bool,  # noqa: FBT001 - a row
) -> None:
    plan = plan_of(LINES, latest=latest, fixed=["1.0.5", "2.1"], broken=["1.1.0"])
    found = verify(plan, World(broken_in(*LINES_BROKEN)))
    assert found.ends == ("PASS", "ok")
    assert {each.result for each in found.report.claims} == {"confirmed"}


def test_a_fix_of_an_older_line_is_no_first_fixed_release_of_all() -> None:
    plan = plan_of(LINES, fixed=["1.0.5", "2.1"])
    found = verify(plan, World(broken_in(*LINES_BROKEN)))
    assert found.only.boundaries.first_fixed == "2.1"
    assert found.only.boundaries.last_broken == "2.0"


def test_a_latest_release_that_shows_the_bug_again_regressed() -> None:
    found = verify(plan_of(latest=True), World(broken_in("1.1", "1.11")))
    assert found.ends == ("FAIL", "regressed")
    assert found.only.boundaries.first_fixed is None
    assert found.only.boundaries.last_broken == "1.11"


@pytest.mark.parametrize(("allows", "ends"), [(">=3.8", "FAIL"), (">=3.12", "PASS")])
def test_a_night_asks_of_the_latest_release_where_it_allows_the_interpreter(
    allows: str, ends: str
) -> None:
    older = plan_of().universe.history.releases
    latest = a_release("2.0", requires_python=allows, uploaded=older[-1].uploaded)
    universe = a_universe(a_history(*older, latest))
    plan = plan_of().model_copy(update={"universe": universe, "still": True})
    found = verify(plan, World(broken_in("1.0", "1.1", "2.0")))
    assert found.ends[0] == ends


def test_releases_that_nothing_is_claimed_of_are_judged_where_they_are_asked_for() -> None:
    plan = plan_of(latest=True).model_copy(update={"also": ("1.10", "9.9")})
    found = verify(plan, World(broken_in("1.0", "1.1", "1.10")))
    assert found.ends == ("FAIL", "regressed")
    assert found.counts("1.10").present == 1
    assert verify(plan_of(latest=True), World(broken_in("1.0", "1.1", "1.10"))).ends[0] == "PASS"


def test_a_latest_release_that_is_good_gets_as_many_attempts_as_a_claim() -> None:
    found = verify(plan_of(latest=True), World(broken_below(2)))
    assert found.ends == ("PASS", "ok")
    assert found.counts("1.11").absent == 5


def test_without_asking_the_latest_release_is_not_run() -> None:
    found = verify(plan_of(), World(broken_in("1.1", "1.11")))
    assert found.ends == ("PASS", "ok")
    assert found.simulation.attempts("1.11") == 0


# Series.


def test_a_series_without_its_interpreter_is_untested_beside_one_that_passes() -> None:
    found = verify(plan_of(TWELVE, "3.8", python=["3.8", "3.11"]), World(broken_below(2)))
    assert found.ends == ("PASS", "ok")
    assert [each.status for each in found.report.series] == ["PASS", "untested"]
    assert found.report.mode == "both"
    assert {(each.python, each.result) for each in found.report.claims} == {
        ("3.8", "confirmed"),
        ("3.11", "untested"),
    }
    assert found.report.measured.first_fixed == "1.2"


def test_where_no_series_can_be_tested_the_run_is_inconclusive() -> None:
    found = verify(plan_of(TWELVE, "3.8", python=["3.11"]), World(broken_below(2)))
    assert found.ends == ("INCONCLUSIVE", "unresolved")
    assert found.simulation.made == 0
    assert found.report.ran is None
    assert "3.11" in found.report.claims[0].why


def test_a_series_of_which_nothing_can_be_installed_is_untested() -> None:
    def dependencies(_version: str) -> Dependencies:
        return a_failure(FailureKind.PYTHON_NOT_ALLOWED)

    found = verify(plan_of(), World(broken_below(2), dependencies))
    assert [each.status for each in found.report.series] == ["untested"]
    assert found.ends == ("INCONCLUSIVE", "unresolved")


def test_the_worst_series_decides_and_boundaries_stand_where_all_agree() -> None:
    words = variants(a={}, b={})
    found = verify(plan_of(**words), World(in_variant("a", broken_below(2))))
    assert found.report.status is Status.FAIL
    statuses = {each.variant: each.status for each in found.report.series}
    assert statuses == {"a": "PASS", "b": "FAIL"}
    assert found.report.measured.first_fixed is None
    measured = {each.variant: each.measured.first_fixed for each in found.report.series}
    assert measured == {"a": "1.2", "b": None}
    agreed = verify(plan_of(**words), World(broken_below(2)))
    assert agreed.report.measured.first_fixed == "1.2"


# One variable at a time.


def deps(older: dict[str, str], newer: dict[str, str], since: int = 2) -> Any:
    return lambda version: newer if minor_of(version) >= since else older


def test_equal_dependencies_confirm_a_boundary_without_a_run() -> None:
    found = verify(plan_of(), World(broken_below(2)))
    assert found.confirmation.result is ConfirmationResult.SAME
    assert found.confirmation.cells == ()
    assert found.confirmation.differs == ()
    assert found.only.of_role(Role.CONFIRM) == ()


def test_a_boundary_of_the_package_holds_with_the_newer_dependencies() -> None:
    found = verify(plan_of(), World(broken_below(2), deps({"dep": "1"}, {"dep": "2"})))
    assert found.ends == ("PASS", "ok")
    assert found.confirmation.result is ConfirmationResult.SAME
    assert found.confirmation.cells == ("demo/pkg-1.1/py3.8@deps=1.2",)
    assert [str(each) for each in found.confirmation.differs] == ["dep 1 → 2"]
    assert found.counts("1.1").present == 3


def test_where_the_newer_dependencies_are_impossible_the_older_ones_confirm() -> None:
    world = World(
        broken_below(2),
        deps({"dep": "1"}, {"dep": "2"}),
        allows=lambda version, others: version != "1.1" or others["dep"] == "1",
    )
    found = verify(plan_of(), world)
    assert found.ends == ("PASS", "ok")
    assert found.confirmation.result is ConfirmationResult.SAME
    assert found.confirmation.cells == ("demo/pkg-1.2/py3.8@deps=1.1",)


def test_where_no_set_fits_both_sides_the_confirmation_is_impossible() -> None:
    world = World(
        broken_below(2), deps({"dep": "1"}, {"dep": "2"}), allows=lambda _version, _others: False
    )
    found = verify(plan_of(), world)
    assert found.confirmation.result is ConfirmationResult.IMPOSSIBLE
    assert found.report.series[0].confirmation is not None
    assert found.report.series[0].confirmation.result == "impossible"
    assert found.ends == ("PASS", "ok")


def follows(name: str, since: str) -> Behaviour:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return GOOD if trial.dependencies.get(name, "0") >= since else BUG

    return behave


def test_a_verdict_that_follows_the_one_dependency_that_differs_is_no_fix() -> None:
    found = verify(plan_of(), World(follows("dep", "2"), deps({"dep": "1"}, {"dep": "2"})))
    assert found.ends == ("FAIL", "follows_dependency")
    assert str(found.confirmation.follows) == "dep 1 → 2"
    assert found.report.measured.first_fixed is None
    assert found.report.measured.fixed_in is None
    assert found.report.measured.last_broken is None
    for told in ("dep", "1", "2"):
        assert told in found.report.summary
    assert [each.result for each in found.report.claims] == ["contradicted"]


@pytest.mark.parametrize("guilty", ["a", "b", "c"])
def test_of_several_dependencies_that_differ_the_one_that_is_followed_is_named(guilty: str) -> None:
    older, newer = dict.fromkeys("abcs", "1"), {**dict.fromkeys("abc", "2"), "s": "1"}
    found = verify(plan_of(), World(follows(guilty, "2"), deps(older, newer)))
    assert found.ends == ("FAIL", "follows_dependency")
    assert str(found.confirmation.follows) == f"{guilty} 1 → 2"
    assert f"follows {guilty} " in found.report.summary


def test_a_dependency_that_came_newly_can_be_the_one() -> None:
    world = World(follows("b", "2"), deps({"a": "1"}, {"a": "2", "b": "2"}))
    found = verify(plan_of(), world)
    assert found.ends == ("FAIL", "follows_dependency")
    assert str(found.confirmation.follows) == "b absent → 2"


def test_a_dependency_that_went_away_can_be_the_one() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return BUG if "b" in trial.dependencies else GOOD

    found = verify(plan_of(), World(behave, deps({"a": "1", "b": "1"}, {"a": "2"})))
    assert found.ends == ("FAIL", "follows_dependency")
    assert str(found.confirmation.follows) == "b 1 → absent"


def test_where_two_dependencies_must_move_together_all_that_differ_are_named() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return GOOD if {trial.dependencies[each] for each in "ab"} == {"2"} else BUG

    found = verify(
        plan_of(), World(behave, deps(dict.fromkeys("ab", "1"), dict.fromkeys("ab", "2")))
    )
    assert found.ends == ("FAIL", "follows_dependency")
    assert found.confirmation.follows is None
    assert "a 1 → 2, b 1 → 2" in found.report.summary


def test_a_measured_boundary_that_follows_a_dependency_names_it_whatever_the_outcome() -> None:
    world = World(follows("dep", "2"), deps({"dep": "1"}, {"dep": "2"}, since=5))
    found = verify(plan_of(fixed="1.9"), world)
    assert found.report.outcome == "follows_dependency"
    assert found.report.measured.first_fixed is None
    assert "follows dep (1 to 2)" in found.report.summary


def test_a_flaky_bug_of_the_package_is_not_blamed_on_a_dependency() -> None:
    world = World(flaky(0.5, "1.0", "1.1"), deps({"dep": "1"}, {"dep": "2"}))
    found = verify(plan_of(), world)
    assert found.ends == ("PASS", "ok")
    assert found.confirmation.result is ConfirmationResult.SAME


# What holds in any world.

ENDINGS = [BUG, GOOD, ERROR, ODD, CONTRADICTION, KILLED, HANG, NO_HANG]
CLAIMS: list[dict[str, Any]] = [
    {"fixed": "1.5"},
    {"fixed": "1.5", "broken": "1.2"},
    {"fixed": ["1.3", "1.7"], "broken": ["1.5"]},
    {"broken": ["1.4"]},
    {"fixed": "1.5.1"},
    {"fixed": "1.0"},
    {"fixed": "1.5", "variants": {"a": {}, "b": {"affected": False}}},
    {"fixed": "1.5", "ends": "timeout"},
    {"fixed": "1.5", "python": ["3.8", "3.11"]},
]
PLANS = [plan_of(latest=latest, **words) for words in CLAIMS for latest in (False, True)]
NOT_OF_HANGS = [each for each in PLANS if each.case.metadata.ends != "timeout"]


def any_world(seed: int, kinds: int, moving: int) -> World:
    """A world in which everything follows from a seed; more `kinds` make it wilder."""

    def drawn(*parts: object) -> int:
        return int(sha_of(f"{seed}/{parts}")[:8], 16)

    def behave(trial: Trial) -> Said:
        attempt = trial.number if drawn(trial.version, "flaky") % 3 == 0 else 0
        what = (trial.version, trial.variant, sorted(trial.dependencies.items()), attempt)
        if trial.version is None:
            return BUG if drawn(*what) % 10 == 0 else ERROR
        return ENDINGS[drawn(*what) % kinds]

    def dependencies(version: str) -> Dependencies:
        if drawn(version, "fails") % 10 == 0:
            return a_failure()
        return {name: str(1 + drawn(version, name) % moving) for name in "abc"}

    return World(
        behave, dependencies, allows=lambda *what: drawn(what[0], sorted(what[1].items())) % 4 > 0
    )


WORLDS = st.builds(
    any_world, st.integers(0, 10**9), st.sampled_from([2, 2, 3, len(ENDINGS)]), st.integers(1, 3)
)


@settings(max_examples=60)
@given(st.sampled_from(PLANS), WORLDS)
def test_a_verify_ends_in_any_world_and_asks_for_a_bounded_number_of_attempts(
    plan: VerifyPlan, world: World
) -> None:
    found = verify(plan, world)
    per_cell = Counter({name: len(each.attempts) for name, each in found.simulation.facts.items()})
    assert all(number <= 2 * 200 + 1 for number in per_cell.values())
    for need in found.simulation.needs:
        ids = [want.cell.id for want in need.wants]
        assert len(ids) == len(set(ids)) > 0
        assert len(ids) <= 20 * len(plan.series)
        assert all(1 <= want.attempts <= 200 for want in need.wants)


@settings(max_examples=40)
@given(st.sampled_from(PLANS), WORLDS)
def test_the_same_facts_have_the_same_answer_and_are_left_as_they_are(
    plan: VerifyPlan, world: World
) -> None:
    simulation = Simulation(plan, world)
    for _ in range(12):
        before = dict(simulation.facts)
        asked = step(plan, simulation.facts)
        assert simulation.facts == before
        assert step(plan, dict(reversed(before.items()))) == asked
        copied = {
            name: Facts.model_validate_json(f.model_dump_json()) for name, f in before.items()
        }
        assert step(VerifyPlan.model_validate_json(plan.model_dump_json()), copied) == asked
        if isinstance(asked, Conclusion):
            return
        for want in asked.wants:
            simulation.make(want, want.attempts)


@settings(max_examples=60)
@given(
    st.sampled_from(NOT_OF_HANGS), st.integers(0, 10**9), st.integers(1, 3), st.integers(0, 10**9)
)
def test_the_order_in_which_facts_arrive_does_not_change_what_they_come_to(
    plan: VerifyPlan, seed: int, moving: int, shuffle: int
) -> None:
    """In a world where a cell always says the same; else a rate is measured, and may differ."""
    wild = any_world(seed, len(ENDINGS), moving)
    world = World(
        lambda trial: wild.behave(trial._replace(number=0)), wild.dependencies, wild.allows
    )
    chooser = random.Random(shuffle)
    at_once = verify(plan, world)
    shuffled = Simulation(plan, world)
    conclusion = shuffled.run(lambda wants: [chooser.choice(wants)], one_by_one=True)
    report = a_report(plan, conclusion)
    assert (report.status, report.outcome) == at_once.ends
    assert [each.result for each in report.claims] == [
        each.result for each in at_once.report.claims
    ]
    assert report.measured.first_fixed == at_once.report.measured.first_fixed
    assert report.measured.last_broken == at_once.report.measured.last_broken


@settings(max_examples=40)
@given(st.sampled_from(PLANS), WORLDS, st.integers(0, 12))
def test_a_run_that_was_interrupted_goes_on_to_the_same_conclusion(
    plan: VerifyPlan, world: World, rounds: int
) -> None:
    whole = Simulation(plan, world)
    expected = whole.run()
    first = Simulation(plan, world)
    for _ in range(rounds):
        asked = first.step()
        if isinstance(asked, Conclusion):
            break
        for want in asked.wants:
            first.make(want, want.attempts)
    kept = {name: Facts.model_validate_json(f.model_dump_json()) for name, f in first.facts.items()}
    second = Simulation(plan, world, kept)
    found = second.run()
    assert first.made + second.made == whole.made
    assert decided(a_report(plan, found)) == decided(a_report(plan, expected))


def decided(report: Report) -> object:
    return report.status, report.outcome, report.claims, report.measured, report.summary


@settings(max_examples=40)
@given(st.sampled_from(PLANS), WORLDS)
def test_a_pass_of_a_fix_rests_on_both_sides_a_control_and_enough_attempts(
    plan: VerifyPlan, world: World
) -> None:
    found = verify(plan, world)
    history = plan.universe.history
    for series, shown in zip(found.conclusion.series, found.report.series, strict=True):
        claims = series.series.claims
        if shown.status is not Status.PASS or not claims.affected or not claims.fixed:
            continue
        assert shown.mode == "both"
        (control,) = series.of_role(Role.CONTROL)
        assert control.judgement.verdict is Verdict.UNRESOLVED
        assert control.judgement.counts.unresolved >= 2
        for version in claims.fixed:
            before = history.predecessor(version)
            said = {each.cell.version: each.judgement for each in series.released()}
            assert said[version].verdict is Verdict.ABSENT
            assert said[version].counts.absent >= 2
            assert before is not None
            assert said[before.version].verdict is Verdict.PRESENT


def test_the_plan_can_be_told_before_anything_ran() -> None:
    plan = plan_of(broken="1.0", fixed="1.4", latest=True)
    (series,) = plan.series
    assert [(cell.id, roles) for cell, roles in planned(plan, series).items()] == [
        ("demo/pkg-1.0/py3.8", (Role.BROKEN,)),
        ("demo/pkg-1.3/py3.8", (Role.BEFORE,)),
        ("demo/pkg-1.4/py3.8", (Role.FIXED,)),
        ("demo/pkg-1.11/py3.8", (Role.LATEST,)),
        ("demo/pkg-1.4/py3.8@control", (Role.CONTROL,)),
    ]


def test_of_a_release_that_does_not_exist_nothing_is_planned() -> None:
    plan = plan_of(a_history(), fixed="7")
    assert planned(plan, plan.series[0]) == {}


@settings(max_examples=30)
@given(st.sampled_from(PLANS), WORLDS)
def test_what_was_planned_is_in_the_report_with_the_same_roles(
    plan: VerifyPlan, world: World
) -> None:
    found = verify(plan, world)
    for series in found.conclusion.series:
        if series.series.interpreter is None:
            continue
        told = {cell.id: roles for cell, roles in planned(plan, series.series).items()}
        ran = {each.cell.id: each.roles for each in series.cells}
        released = {name: roles for name, roles in told.items() if "@control" not in name}
        assert released.items() <= ran.items()


def test_the_broken_side_is_asked_for_first() -> None:
    simulation = Simulation(plan_of(broken="1.4", fixed="1.9"), World(broken_below(9)))
    first = simulation.step()
    assert isinstance(first, Need)
    assert [want.cell.version for want in first.wants] == ["1.4", "1.8", "1.9"]
    simulation.run()
    for need in simulation.needs:
        versions = [want.cell.version for want in need.wants if not want.cell.control]
        fixed = versions.index("1.9") if "1.9" in versions else len(versions)
        assert not {"1.4", "1.8"} & set(versions[fixed:])


def test_the_first_look_knows_every_cell_that_is_claimed_and_asks_for_both_sides_at_once() -> None:
    first = step(plan_of(), {})
    assert isinstance(first, Need)
    assert {want.cell.id: want.attempts for want in first.wants} == {
        "demo/pkg-1.1/py3.8": 3,
        "demo/pkg-1.2/py3.8": 5,
    }


def test_a_newest_release_that_shows_the_bug_does_not_ask_more_of_the_others() -> None:
    history = a_history("1.0", "1.1", "1.2", "1.3")
    plan = a_plan(a_case(), a_universe(history)).model_copy(update={"latest": True})
    found = verify(plan, World(broken_in("1.1", "1.3")))
    counts = {each.version: each.counts for each in found.report.cells if "fixed" in each.roles}
    assert counts["1.2"].judged == 5
