"""The plan of a bisection in simulated histories: what it runs, and what it dares to state."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempt import Facts
from runner.environment import FailureKind
from runner.findings import Conclusion, ConfirmationResult, Need, SeriesFindings, Want
from runner.matrix import Role, series_of
from runner.plans.bisection import BisectionPlan, planned, progress_of, step
from runner.plans.kinds import AnyPlan, parse, so_far
from runner.report import Report
from runner.verdict import Verdict
from tests.builders import (
    BUG,
    CONTRADICTION,
    ERROR,
    GOOD,
    HANG,
    NO_HANG,
    ODD,
    Said,
    Simulation,
    Trial,
    World,
    a_case,
    a_failure,
    a_history,
    a_release,
    a_report,
    a_universe,
    broken_in,
)
from tests.histories import KINDS, Past, a_past

THIRTY = tuple(f"1.{minor}" for minor in range(30))


def past(first: int, last: int, size: int = 30, **words: Any) -> Past:
    """A bug on releases 1.first to 1.(last − 1) of so many, with a true claim unless others are."""
    versions = THIRTY[:size]
    if not {"fixed", "said_broken"} & words.keys():
        words["said_broken"] = (versions[first],)
    return Past(versions, frozenset(versions[first:last]), **words)


class Bisected(NamedTuple):
    """All that came of a simulated bisection."""

    simulation: Simulation
    only: SeriesFindings
    report: Report

    @property
    def change(self) -> tuple[str | None, str | None]:
        return self.only.boundaries.first_broken, self.only.boundaries.first_fixed

    @property
    def probes(self) -> list[str]:
        return [each.cell.version for each in self.only.released() if each.roles == (Role.PROBE,)]


def bisect(
    plan: BisectionPlan,
    world: World,
    choose: Callable[[tuple[Want, ...]], Iterable[Want]] = lambda wants: wants,
    *,
    one_by_one: bool = False,
) -> Bisected:
    simulation = Simulation(plan, world)
    conclusion = simulation.run(choose, at_most=50_000, one_by_one=one_by_one)
    (only,) = conclusion.series
    return Bisected(simulation, only, a_report(plan, conclusion))


def found_in(history: Past, **words: Any) -> Bisected:
    return bisect(history.bisection(**words), history.world())


# The answer.


def test_both_changes_are_found_and_told_in_a_sentence() -> None:
    found = found_in(past(7, 20, fixed=("1.20",)))
    assert found.change == ("1.7", "1.20")
    assert found.report.status == "PASS"
    assert found.report.summary == "1.20 is the first fixed release; introduced in 1.7."
    assert found.report.series[0].measured.assumes == "one change between tested neighbours"


def test_series_that_differ_in_how_low_the_bug_goes_do_not_say_the_same() -> None:
    """Of neither it is known where it came, but that is not all that their answers say."""
    lost = {"a": THIRTY[:3], "b": THIRTY[:5]}

    def behave(trial: Trial) -> Said:
        if trial.version is None or trial.version in lost[trial.variant or ""]:
            return ERROR
        return BUG if trial.version in THIRTY[:20] else GOOD

    case = a_case(fixed="1.20", variants={"a": {}, "b": {}})
    universe = a_universe(a_history(*THIRTY))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    conclusion = Simulation(plan, World(behave)).run(at_most=50_000)
    summary = a_report(plan, conclusion).summary
    assert "series say so" not in summary
    assert "1.3 shows it" in summary
    assert "1.5 shows it" in summary


def test_a_claim_that_holds_leaves_nothing_to_search_above_it() -> None:
    found = found_in(past(0, 20, fixed=("1.20",)))
    assert found.probes == ["1.0", "1.29"]
    assert found.change == (None, "1.20")
    assert found.only.broken_in is not None
    assert found.only.broken_in.unknown == ()


def test_a_claim_that_does_not_hold_misleads_nobody() -> None:
    found = found_in(past(7, 20, fixed=("1.25",)))
    assert found.change == ("1.7", "1.20")
    assert (found.report.status, found.report.outcome) == ("FAIL", "fixed_earlier")
    assert "1.20 is the first fixed release" in found.report.summary


def test_both_neighbours_get_as_many_attempts_as_a_claim_and_the_others_one() -> None:
    found = found_in(past(7, 20))
    counts = {each.cell.version: each.judgement.counts for each in found.only.released()}
    assert counts["1.19"].present == 3
    assert counts["1.20"].absent == 5
    others = {*found.probes} - {"1.6", "1.7", "1.19", "1.20"}
    assert {counts[each].judged for each in others} == {1}


def test_a_boundary_is_confirmed_with_one_set_of_dependencies() -> None:
    history = past(7, 20)
    world = replace(history.world(), dependencies=lambda version: {"dep": version})
    found = bisect(history.bisection(), world)
    pairs = {(each.older, each.newer): each.result for each in found.only.confirmations}
    assert pairs == {("1.6", "1.7"): "same", ("1.19", "1.20"): "same"}
    assert found.change == ("1.7", "1.20")


def test_a_change_that_follows_a_dependency_is_stated_as_that_dependencys() -> None:
    """The dependency brought the bug with its release 2, and the package went around it."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        old = int(trial.version.partition(".")[2]) < 20
        return BUG if old and trial.dependencies["dep"] == "2" else GOOD

    world = World(behave, lambda v: {"dep": "1" if int(v.partition(".")[2]) < 7 else "2"})
    history = past(7, 20, fixed=("1.20",))
    found = bisect(history.bisection(), world)
    assert found.change == (None, "1.20")
    assert found.only.broken_in is None
    (differing,) = [
        each for each in found.only.confirmations if each.result is ConfirmationResult.DIFFERS
    ]
    assert str(differing.follows) == "dep 1 → 2"
    assert found.report.summary == (
        "Between 1.6 and 1.7 the verdict follows dep 1 → 2, not the package. "
        "1.20 is the first fixed release."
    )
    assert found.report.status == "PASS"  # of the fix nothing is contradicted


def test_a_fix_that_follows_a_dependency_is_no_fix() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return BUG if trial.dependencies["dep"] == "1" else GOOD

    world = World(behave, lambda v: {"dep": "1" if int(v.partition(".")[2]) < 20 else "2"})
    found = bisect(past(0, 20, fixed=("1.20",)).bisection(), world)
    assert found.change == (None, None)
    assert found.only.boundaries.fixed_in is None
    assert found.only.upgrades == ()
    assert (found.report.status, found.report.outcome) == ("FAIL", "follows_dependency")


def test_two_sides_that_cannot_run_alike_are_told() -> None:
    world = replace(
        past(7, 20).world(),
        dependencies=lambda version: {"dep": version},
        allows=lambda version, others: others["dep"] == version,
    )
    found = bisect(past(7, 20).bisection(), world)
    assert found.change == ("1.7", "1.20")
    assert "cannot run with identical dependencies" in found.report.summary


# How it searches.


@settings(max_examples=25)
@given(st.integers(2, 60) | st.sampled_from([127, 128, 129, 257, 500]), st.data())
def test_one_change_takes_few_cells_and_is_never_wrong(size: int, data: st.DataObject) -> None:
    versions = tuple(f"1.{minor}" for minor in range(size))
    at = data.draw(st.integers(1, size - 1))
    goes = data.draw(st.booleans())
    any_of_them = st.sampled_from(versions)
    fixed = data.draw(st.none() | any_of_them)
    said_broken = data.draw(any_of_them)
    history = Past(
        versions,
        frozenset(versions[:at] if goes else versions[at:]),
        fixed=(fixed,) if fixed else (),
        said_broken=() if fixed == said_broken else (said_broken,),
    )
    found = found_in(history)
    assert found.change == ((None, versions[at]) if goes else (versions[at], None))
    assert len(found.probes) <= math.ceil(math.log2(size)) + 2
    assert len(found.only.search.probes if found.only.search else ()) == len(found.probes)


def test_probes_are_numbered_in_the_order_in_which_they_were_made() -> None:
    found = found_in(past(7, 30, said_broken=("1.29",)))
    search = found.only.search
    assert search is not None
    named = [each.split("-")[1].split("/")[0] for each in search.probes]
    order: list[str] = []
    for need in found.simulation.needs:
        order += [w.cell.version for w in need.wants if w.cell.version not in order]
    assert named == [each for each in order if each in found.probes]


@pytest.mark.parametrize("seed", range(8))
def test_however_answers_arrive_each_probe_has_one_number(seed: int) -> None:
    rng = random.Random(seed)
    history = past(rng.randint(0, 10), rng.randint(11, 30), rate=rng.choice((1.0, 0.7)))

    def some(wants: tuple[Want, ...]) -> list[Want]:
        return rng.sample(wants, rng.randint(1, len(wants)))

    found = bisect(history.bisection(width=3), history.world(), some, one_by_one=True)
    assert history.wrong(found.only) == []
    search = found.only.search
    assert search is not None
    ran = [
        each.cell.id
        for each in found.only.released()
        if each.roles == (Role.PROBE,) and each.facts.attempts
    ]
    assert sorted(search.probes) == sorted(ran)


def test_several_probes_at_a_time_part_what_remains() -> None:
    history = past(0, 20, said_broken=("1.0",))
    one, three = found_in(history), found_in(history, width=3)
    assert one.change == three.change == (None, "1.20")
    widest = max(len(need.wants) for need in three.simulation.needs)
    assert widest == 3
    assert len(three.simulation.needs) < len(one.simulation.needs)


def test_with_several_slots_both_changes_are_searched_at_once() -> None:
    plan = past(7, 20, said_broken=("1.15",)).bisection(width=2)
    simulation = Simulation(plan, past(7, 20).world())
    simulation.run()
    searching = [
        {want.cell.version for want in need.wants}
        for need in simulation.needs
        if {want.attempts for want in need.wants} == {1} and len(need.wants) == 2
    ]
    assert any(min(map(minor, both)) < 15 < max(map(minor, both)) for both in searching)


def minor(version: str) -> int:
    return int(version.partition(".")[2])


def test_what_may_come_next_is_named_ahead_both_halves_of_it() -> None:
    plan = past(0, 20, said_broken=("1.0",)).bisection()
    simulation = Simulation(plan, past(0, 20).world())
    simulation.run()
    asked = {want.cell.version for need in simulation.needs for want in need.wants}
    first = next(n for n in simulation.needs if [w.cell.version for w in n.wants] == ["1.14"])
    assert sorted(minor(cell.version) for cell in first.ahead) == [7, 21]
    foreseen = {cell.version for need in simulation.needs for cell in need.ahead}
    assert asked - foreseen == {"1.0"}  # the claim, of which the plan knew before


def test_what_several_slots_may_ask_for_next_is_named_ahead() -> None:
    simulation = found_in(past(0, 20, said_broken=("1.0",)), width=2).simulation
    asked = {want.cell.version for need in simulation.needs for want in need.wants}
    foreseen = {cell.version for need in simulation.needs for cell in need.ahead}
    assert asked - foreseen == {"1.0"}


@pytest.mark.parametrize("history", [past(0, 20), past(7, 20), past(7, 20, fixed=("1.20",))])
def test_what_repeats_a_claim_waits_for_slots_that_the_search_leaves_free(history: Past) -> None:
    def urgent(wants: tuple[Want, ...]) -> list[Want]:
        return [each for each in wants if not each.patient]

    at_once = found_in(history, width=2)
    patiently = bisect(history.bisection(width=2), history.world(), urgent)
    assert patiently.change == at_once.change
    assert patiently.simulation.made == at_once.simulation.made
    waiting = [n for n in at_once.simulation.needs if any(each.patient for each in n.wants)]
    assert waiting
    assert all(urgent(each.wants) for each in waiting)
    assert all(
        not each.patient for need in found_in(history).simulation.needs for each in need.wants
    )


def test_a_claim_that_does_not_always_show_is_measured_before_the_search() -> None:
    def every_other_time(trial: Trial) -> Said:
        if trial.version == "1.3":
            return GOOD if trial.number % 2 else BUG
        return GOOD if trial.version else ERROR

    plan = past(0, 20, said_broken=("1.3",)).bisection(width=2)
    simulation = Simulation(plan, World(every_other_time))
    simulation.run()
    asked = [{want.cell.version for want in need.wants} for need in simulation.needs]
    measured = asked.index({"1.0", "1.29"})
    assert simulation.attempts("1.3") == 5
    assert all(each == {"1.3"} for each in asked[:measured])


@pytest.mark.parametrize("width", [1, 2])
def test_what_confirms_a_change_is_named_while_its_sides_run(width: int) -> None:
    history = past(0, 20)
    world = replace(history.world(), dependencies=lambda version: {"dep": version})
    needs = bisect(history.bisection(width=width), world).simulation.needs
    (at, confirming), *_ = (
        (at, want.cell.id)
        for at, need in enumerate(needs)
        for want in need.wants
        if want.cell.borrowed and not want.cell.control
    )
    assert any(cell.id == confirming for need in needs[:at] for cell in need.ahead)


def test_environments_made_ahead_are_no_probes() -> None:
    history = past(0, 20)
    plan = history.bisection()
    simulation = Simulation(plan, history.world())
    for cell in plan.cells(plan.series[0]).values():
        simulation.make(Want(cell=cell, attempts=1), 1)
    assert simulation.made == 0
    (only,) = simulation.run().series
    assert only.boundaries.first_fixed == "1.20"
    assert len(only.cells) < 15


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("seed", range(6))
def test_wherever_it_was_stopped_it_goes_on_to_the_same_answer(seed: int, width: int) -> None:
    rng = random.Random(seed)
    history = a_past(rng, rng.choice(KINDS), rate=rng.choice((1.0, 0.6)), most=60)
    plan = history.bisection(width=width)
    whole = bisect(plan, history.world())
    first = Simulation(plan, history.world())
    for _ in range(rng.randint(0, 30)):
        asked = first.step()
        if isinstance(asked, Conclusion):
            break
        for want in asked.wants:
            first.make(want, 1)
    kept = {n: Facts.model_validate_json(f.model_dump_json()) for n, f in first.facts.items()}
    again = Simulation(plan, history.world(), kept)
    (only,) = again.run(at_most=50_000).series
    assert not history.wrong(only)
    if history.rate == 1 and width == 1:
        assert only.boundaries == whole.only.boundaries


def test_a_plan_is_stored_and_read_again() -> None:
    plan: AnyPlan = past(7, 20).bisection(budget=9, width=2)
    assert parse(plan.model_dump_json()) == plan


def test_what_is_known_beforehand_are_the_claims_and_the_ends() -> None:
    plan = past(7, 20, fixed=("1.20",)).bisection()
    told = [(cell.id, roles) for cell, roles in planned(plan, plan.series[0]).items()]
    assert told == [
        ("demo/pkg-1.0/py3.8", (Role.PROBE,)),
        ("demo/pkg-1.19/py3.8", (Role.BEFORE,)),
        ("demo/pkg-1.20/py3.8", (Role.FIXED,)),
        ("demo/pkg-1.29/py3.8", (Role.PROBE,)),
        ("demo/pkg-1.20/py3.8@control", (Role.CONTROL,)),
    ]


# What it cannot know.


@pytest.mark.parametrize(
    ("lost", "after", "by"),
    [
        ((20,), "1.19", "1.21"),
        ((19,), "1.18", "1.20"),
        ((18, 19, 20, 21), "1.17", "1.22"),
        ((15, 25), "1.19", "1.20"),
    ],
)
def test_an_unresolved_release_moves_no_bound(lost: tuple[int, ...], after: str, by: str) -> None:
    holes = frozenset(THIRTY[each] for each in lost)
    found = found_in(past(0, 20, said_broken=("1.0",), lost=holes))
    stated = found.only.boundaries
    assert stated.fixed_in is not None
    assert (stated.fixed_in.after, stated.fixed_in.by) == (after, by)
    unknown = [each for each in THIRTY if each in holes and minor(after) < minor(each) < minor(by)]
    assert list(stated.fixed_in.unknown) == unknown
    assert stated.first_fixed == (None if unknown else "1.20")
    if unknown:
        assert f"fixed between {after} and {by}" in found.report.summary.lower()
        assert f"{unknown[0]} " in found.report.summary


def test_a_script_that_cannot_tell_leaves_a_range() -> None:
    history = past(0, 20, said_broken=("1.0",))

    def behave(trial: Trial) -> Said:
        return ODD if trial.version == "1.20" else history.world().behave(trial)

    found = bisect(history.bisection(), World(behave))
    assert found.only.boundaries.fixed_in is not None
    assert found.only.boundaries.fixed_in.unknown == ("1.20",)


def test_a_release_that_contradicts_itself_is_not_called_good() -> None:
    history = past(0, 20, said_broken=("1.0",))

    def behave(trial: Trial) -> Said:
        if trial.version == "1.20" and trial.number:
            return CONTRADICTION
        return history.world().behave(trial)

    found = bisect(history.bisection(), World(behave))
    assert found.only.boundaries.first_fixed is None
    assert found.only.boundaries.fixed_in is not None
    assert found.only.boundaries.fixed_in.unknown == ("1.20",)


def test_a_hang_counts_once_it_was_repeated_with_twice_the_limit() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return HANG if minor(trial.version) < 5 else NO_HANG

    case = a_case(fixed="1.8", ends="timeout")
    universe = a_universe(a_history(*THIRTY[:10]))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(behave))
    assert found.change == (None, "1.5")
    hung = [each for each in found.only.released() if each.judgement.verdict is Verdict.PRESENT]
    assert all(any(a.doubled for a in each.facts.attempts) for each in hung)


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (
            past(0, 30),
            "No change seen in the window: each of the 30 judged releases shows the bug.",
        ),
        (past(0, 0), "No change seen in the window: none of the 30 judged releases shows the bug."),
        (
            past(0, 1, 1),
            "No change seen in the window: the one judged release shows the bug.",
        ),
    ],
)
def test_where_all_agrees_no_change_is_told_after_a_search(history: Past, said: str) -> None:
    found = found_in(history)
    assert said in found.report.summary
    assert found.change == (None, None)
    assert len(found.only.boundaries.tested) == len(history.versions)
    assert found.report.series[0].measured.assumes is None


def test_where_ends_agree_and_claims_gave_nothing_a_differing_release_is_looked_for() -> None:
    found = found_in(Past(THIRTY, frozenset(THIRTY[9:12]), said_broken=("1.25",)))
    assert found.change == ("1.9", "1.12")
    assert found.report.outcome == "not_reproduced"
    good = frozenset(THIRTY) - frozenset(THIRTY[9:12])
    found = found_in(Past(THIRTY, good, said_broken=("1.25",)))
    assert found.only.boundaries.last_broken == "1.29"
    assert [each.to for each in found.only.upgrades] == ["1.9", None]


def test_a_variant_without_the_bug_is_not_searched_for_it() -> None:
    history = a_history(*THIRTY)
    case = a_case(fixed="1.20", variants={"plain": {"affected": False}})
    universe = a_universe(history)
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in()))
    assert found.report.status == "PASS"
    assert len(found.probes) == 2


def test_nothing_that_installs_ends_in_cannot_tell_and_not_in_trying_all() -> None:
    many = tuple(f"1.{each}" for each in range(300))
    found = found_in(Past(many, frozenset(), lost=frozenset(many), said_broken=("1.5",)))
    assert found.report.status == "INCONCLUSIVE"
    assert found.simulation.made == 0
    assert len(found.simulation.facts) < 30
    assert "cannot be installed" in found.report.summary


def test_old_releases_that_cannot_be_installed_are_not_all_tried() -> None:
    many = tuple(f"1.{each}" for each in range(300))
    history = Past(many, frozenset(many[:250]), lost=frozenset(many[:200]), said_broken=("1.240",))
    found = found_in(history)
    assert found.change == (None, "1.250")
    assert found.only.broken_in is not None
    assert found.only.broken_in.by == "1.200"
    assert found.only.broken_in.after is None
    assert len(found.probes) < 50
    assert "nothing is known of those below" in found.report.summary


def test_an_empty_window_is_told() -> None:
    case = a_case(broken="1.5", versions=">9")
    universe = a_universe(a_history(*THIRTY))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in("1.5")))
    assert found.change == (None, None)
    assert found.only.window == ()
    assert found.probes == []


def test_a_claim_beyond_the_window_leaves_what_is_between_unknown() -> None:
    case = a_case(fixed="1.20", versions="<1.10")
    universe = a_universe(a_history(*THIRTY))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in(*THIRTY[:5], *THIRTY[15:20])))
    assert found.report.status == "PASS"
    assert max(map(minor, found.probes)) < 10
    assert found.change == (None, "1.20")
    assert [each.to for each in found.only.upgrades] == ["1.5", "1.20"]
    assert not {*THIRTY[10:19]} & {each.cell.version for each in found.only.cells}


def test_a_script_that_says_the_same_without_the_package_proves_nothing() -> None:
    found = bisect(past(7, 20).bisection(), World(lambda _: BUG))
    assert (found.report.status, found.report.outcome) == ("INCONCLUSIVE", "vacuous")
    assert found.probes == []
    assert found.only.boundaries.fixed_in is None


def test_a_series_without_an_interpreter_is_untested() -> None:
    case = a_case(fixed="1.20", python=["3.12"])
    universe = a_universe(a_history(*THIRTY), "3.8")
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in()))
    assert found.report.series[0].status == "untested"


def test_a_release_that_the_index_forgets_is_unresolved() -> None:
    """The universe is fixed when a run begins; what is gone later cannot be resolved."""
    world = past(0, 20).world()
    gone = replace(
        world,
        dependencies=lambda v: a_failure(FailureKind.NO_SOLUTION) if v == "1.20" else {"dep": "1"},
    )
    found = bisect(past(0, 20, said_broken=("1.0",)).bisection(), gone)
    assert found.only.boundaries.fixed_in is not None
    assert found.only.boundaries.fixed_in.unknown == ("1.20",)


def test_without_upload_times_it_says_what_it_takes_for_granted() -> None:
    case = a_case(broken="1.5")
    universe = a_universe(a_history(*(a_release(each, uploaded=None) for each in THIRTY)))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in(*THIRTY[:20])))
    assert found.change == (None, "1.20")
    assert "no upload times" in str(found.report.series[0].measured.assumes)


def test_without_upload_times_a_fix_is_not_taken_for_that_of_the_line_above() -> None:
    versions = ("1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.1", "2.0.0", "2.0.1", "2.0.2")
    case = a_case(fixed="1.0.2")
    universe = a_universe(a_history(*(a_release(each, uploaded=None) for each in versions)))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    broken = broken_in("1.0.1", "1.1.0", "2.0.0", "2.0.1")
    assert bisect(plan, World(broken)).change == ("1.0.1", "2.0.2")
    broken = broken_in("1.0.2", "2.0.0")
    case = a_case(broken="2.0.0")
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    assert bisect(plan, World(broken)).change == ("1.0.2", "2.0.1")


TWO_LINES = ("1.0", "1.1", "1.2", "1.3", *(f"2.{minor}" for minor in range(12)))
LATE = (0, 1, 20, 21, *range(2, 14))
"""Days: 1.2 and 1.3 came after all of 2.x."""


@pytest.mark.parametrize("broken", [("1.2", "1.3", "2.5", "2.6"), ("1.2", "1.3")])
def test_what_does_not_follow_upon_the_bug_is_looked_through(broken: tuple[str, ...]) -> None:
    past = Past(TWO_LINES, frozenset(broken), fixed=("2.0",), days=LATE, once=True)
    found = found_in(past)
    assert past.wrong(found.only) == []
    assert found.only.boundaries.first_fixed == ("2.7" if "2.5" in broken else "2.0")


def test_what_a_budget_leaves_unseen_beside_the_bug_blurs_its_fix() -> None:
    past = Past(TWO_LINES, frozenset({"1.2", "1.3", "2.5", "2.6"}), fixed=("2.0",), days=LATE)
    for budget in range(10, 30):
        stated = bisect(past.bisection(budget=budget), past.world()).only.boundaries
        assert stated.first_fixed in (None, "2.7"), budget


def test_above_a_pre_release_with_the_fix_the_next_final_one_is_looked_at() -> None:
    versions = (*THIRTY[:10], "1.10rc1", *THIRTY[10:])
    case = a_case(broken="1.5", prereleases=True)
    universe = a_universe(a_history(*versions))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in(*THIRTY[:10])))
    assert found.only.boundaries.first_fixed == "1.10rc1"
    assert {each.to for each in found.only.upgrades} == {"1.10"}


def test_yanked_releases_are_no_candidates_and_named() -> None:
    history = a_history(*(a_release(each, yanked=each in ("1.5", "1.6")) for each in THIRTY[:10]))
    case = a_case(broken="1.3")
    universe = a_universe(history)
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    found = bisect(plan, World(broken_in(*THIRTY[:6])))
    assert not {"1.5", "1.6"} & {*found.probes}
    assert found.change == (None, "1.7")
    assert {each.version for each in found.report.skipped} == {"1.5", "1.6"}


@pytest.mark.parametrize("to", ["1.19", "1.21", "1.22rc1", "1.23", "1.0"])
def test_the_simulation_knows_what_is_no_upgrade(to: str) -> None:
    """It shows the bug, was withdrawn, is a pre-release, does not allow the Python, is below."""
    versions = tuple(f"{each}rc1" if each == "1.22" else each for each in THIRTY)
    past = Past(
        versions,
        frozenset(versions[7:20]),
        yanked=frozenset({"1.21"}),
        barred=frozenset({"1.23"}),
        fixed=("1.20",),
    )
    found = found_in(past).only
    assert past.wrong(found) == []
    wrongly = tuple(each.model_copy(update={"to": to}) for each in found.upgrades)
    assert past.wrong(found.model_copy(update={"upgrades": wrongly})) != []


# More than one range.

BACKPORTED = ("1.0.0", "1.1.0", "1.1.1", "1.1.2", "1.1.3", "1.1.4", "1.2.0", "1.2.1", "1.3.0")
DAYS = (0, 1, 2, 3, 7, 8, 4, 5, 6)


def test_a_backport_is_found_with_the_change_of_its_line() -> None:
    """1.1.4 has the fix of 1.3.0; without 1.1.2, where 1.2 branched off, 1.2.0 would seem first."""
    broken = frozenset(BACKPORTED[2:5] + BACKPORTED[6:8])
    found = found_in(Past(BACKPORTED, broken, fixed=("1.3.0",), days=DAYS))
    assert found.change == ("1.1.1", "1.3.0")
    assert {(each.broken[-1], each.to, each.same_line) for each in found.only.upgrades} == {
        ("1.1.3", "1.1.4", True),
        ("1.2.1", "1.3.0", False),
    }


def test_of_a_line_the_newest_release_that_can_be_judged_is_looked_at() -> None:
    broken = frozenset(BACKPORTED[2:4] + BACKPORTED[6:8])
    history = Past(BACKPORTED, broken, fixed=("1.3.0",), days=DAYS, lost=frozenset({"1.1.4"}))
    found = found_in(history)
    assert "1.1.3" in found.probes
    assert [each.to for each in found.only.upgrades] == ["1.1.3", "1.3.0"]
    none = replace(history, lost=frozenset({"1.1.3", "1.1.4"}))
    assert none.wrong(found_in(none).only) == []


BESIDE = ("1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "2.2", "2.3")
BESIDE_DAYS = (0, 1, 2, 6, 7, 3, 4, 5, 8)
"""1.3 and 1.4 came after 2.2."""


def beside(*broken: str, **words: Any) -> Past:
    return Past(BESIDE, frozenset(broken), days=BESIDE_DAYS, **words)


@pytest.mark.parametrize("fixed", [("1.3",), ("2.2",), ("1.3", "2.2")])
def test_a_fix_of_an_older_line_is_not_taken_for_that_of_the_newer_one(
    fixed: tuple[str, ...],
) -> None:
    """The newer line came before 1.3, from what was broken: it has a boundary of its own."""
    found = found_in(beside("1.0", "1.1", "1.2", "2.0", "2.1", fixed=fixed))
    assert found.change == (None, "2.2")
    assert found.only.boundaries.last_broken == "2.1"
    assert {(each.broken[-1], each.to, each.same_line) for each in found.only.upgrades} == {
        ("1.2", "1.3", True),
        ("2.1", "2.2", True),
    }
    pairs = {(each.older, each.newer) for each in found.only.confirmations}
    assert pairs == {("1.2", "1.3"), ("2.1", "2.2")}
    assert found.report.status == ("PASS" if "2.2" in fixed else "FAIL")
    assert "again" not in found.report.summary


def test_a_newer_line_that_began_with_the_fix_is_told_from_one_that_did_not() -> None:
    found = found_in(beside("1.0", "1.1", "1.2", fixed=("1.3",)))
    assert found.change == (None, "1.3")
    assert (found.report.status, found.report.outcome) == ("PASS", "ok")
    assert {"2.0"} <= {*found.probes} <= {"1.0", "1.4", "2.3", "2.0", "2.1", "2.2"}
    assert len(found.probes) <= 5


@pytest.mark.parametrize("fixed", ["1.3", "2.2"])
def test_a_budget_that_leaves_a_line_open_lets_no_other_line_answer_for_it(fixed: str) -> None:
    history = beside("1.1", "1.2", "2.0", "2.1", fixed=(fixed,), once=True)
    whole = found_in(history)
    assert whole.change == ("1.1", "2.2")
    ranges = set()
    for budget in range(8, whole.simulation.made, 5):
        found = found_in(history, budget=budget).only
        assert history.wrong(found) == []
        ranges |= {found.boundaries.fixed_in, found.broken_in}
    told = {(each.after, each.by) for each in ranges if each}
    assert told >= ({("1.2", None)} if fixed == "1.3" else {(None, "2.1")})
    assert not told & {("1.2", "1.3"), ("1.4", "2.1"), ("1.4", "2.0")}


def test_a_bug_that_came_where_two_lines_parted_is_looked_for_in_both() -> None:
    """1.0.1 and 1.1.0 both went on from 1.0.0; the newer line got its fix, the older a backport."""
    versions = ("1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.1", "1.1.2")
    broken = frozenset({"1.0.1", "1.1.0", "1.1.1"})
    history = Past(versions, broken, fixed=("1.0.2",), days=(0, 4, 5, 1, 2, 3))
    found = found_in(history)
    assert found.change == ("1.0.1", "1.1.2")
    assert found_in(replace(history, rate=0.6)).change == ("1.0.1", "1.1.2")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_bisection_states_a_sweep_of_the_same_history_states_too(
    kind: str, seed: int
) -> None:
    rng = random.Random(f"{kind} {seed}")
    for _ in range(3):
        history = a_past(rng, kind, rate=1.0, most=60)
        found = found_in(history).only.boundaries
        (swept,) = Simulation(history.sweep(), history.world()).run().series
        assert history.wrong(swept) == []
        if history.once:
            assert found.first_fixed in (None, swept.boundaries.first_fixed)
            assert found.first_broken in (None, swept.boundaries.first_broken)


def test_without_lines_a_second_range_may_stay_unseen_and_that_is_said() -> None:
    versions = THIRTY
    broken = frozenset(versions[5:8] + versions[20:25])
    found = found_in(Past(versions, broken, fixed=("1.25",)))
    assert found.only.boundaries.first_fixed == "1.25"
    assert found.report.series[0].measured.assumes == "one change between tested neighbours"


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from("bbggu"), min_size=1, max_size=40),
    st.sampled_from([1, 2, 4]),
    st.data(),
)
def test_of_any_history_only_real_changes_are_stated(
    said: list[str], width: int, data: st.DataObject
) -> None:
    versions = tuple(f"1.{each}" for each in range(len(said)))
    of = {
        word: frozenset(v for v, s in zip(versions, said, strict=True) if s == word)
        for word in "bgu"
    }
    history = Past(versions, of["b"], lost=of["u"], fixed=(data.draw(st.sampled_from(versions)),))
    found = found_in(history, width=width)
    assert history.wrong(found.only) == []


# A budget.


@pytest.mark.parametrize("budget", range(1, 40, 3))
@pytest.mark.parametrize("fixed", ["1.20", "1.27"])
def test_a_budget_is_kept_and_what_it_leaves_open_is_not_stated(budget: int, fixed: str) -> None:
    history = past(7, 20, fixed=(fixed,))
    found = found_in(history, budget=budget)
    assert found.simulation.made <= budget
    assert history.wrong(found.only) == []
    search = found.only.search
    assert search is not None
    assert search.spent == found.simulation.made
    if search.exhausted:
        assert "budget" in found.report.summary
    else:
        assert found.change == ("1.7", "1.20")


def test_the_last_attempts_of_a_budget_settle_what_is_known() -> None:
    history = past(0, 20, said_broken=("1.0",))
    found = found_in(history, budget=14)
    stated = found.only.boundaries
    assert stated.fixed_in is not None
    assert stated.fixed_in.after is not None
    assert stated.fixed_in.by is not None


def test_at_any_time_there_is_a_best_answer_so_far_and_nothing_in_it_is_wrong() -> None:
    history = past(7, 20, fixed=("1.27",))
    plan = history.bisection()
    simulation = Simulation(plan, history.world())
    said = []
    while not isinstance(asked := simulation.step(), Conclusion):
        for want in asked.wants[:1]:
            simulation.make(want, 1)
        best = so_far(plan, simulation.facts)
        assert best is not None
        assert history.wrong(best.series[0]) == []
        said.append(a_report(plan, best).summary)
    assert any("The search did not come to its end." in each for each in said)
    assert so_far(plan, simulation.facts) == asked


def test_attempts_of_earlier_runs_cost_nothing() -> None:
    history = past(7, 20)
    first = found_in(history, budget=20)
    reused = {
        name: each.model_copy(
            update={"attempts": tuple(a.model_copy(update={"reused": True}) for a in each.attempts)}
        )
        for name, each in first.simulation.facts.items()
    }
    second = Simulation(history.bisection(budget=20), history.world(), reused)
    (only,) = second.run().series
    assert (only.boundaries.first_broken, only.boundaries.first_fixed) == ("1.7", "1.20")


def test_what_may_still_be_made_is_told_to_the_driver() -> None:
    asked = step(past(7, 20).bisection(budget=2), {})
    assert isinstance(asked, Need)
    assert asked.left == 2
    assert sum(want.attempts for want in asked.wants) <= 2


def test_an_unconfirmed_change_is_a_range() -> None:
    history = past(0, 20, fixed=("1.20",))
    world = replace(history.world(), dependencies=lambda version: {"dep": version})
    whole = bisect(history.bisection(), world)
    confirmed = next(each for each in whole.only.cells if each.roles == (Role.CONFIRM,))
    enough = whole.simulation.made - len(confirmed.facts.attempts)
    short = bisect(history.bisection(budget=enough + 2), world)
    assert short.only.boundaries.first_fixed is None
    assert short.only.boundaries.fixed_in is not None
    assert (short.only.boundaries.fixed_in.after, short.only.boundaries.fixed_in.by) == (
        "1.19",
        "1.20",
    )


# A bug that does not always show.


def test_a_silent_neighbour_that_shows_the_bug_later_reopens_the_search() -> None:
    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        late = trial.version in ("1.14", "1.15") and trial.number < 1
        return BUG if minor(trial.version) < 20 and not late else GOOD

    found = bisect(past(0, 20, said_broken=("1.0",)).bisection(), World(behave))
    assert found.change == (None, "1.20")


def test_the_confidence_that_was_reached_is_told() -> None:
    history = past(7, 20, fixed=("1.20",), rate=0.6)
    found = found_in(history)
    assert found.change == ("1.7", "1.20")
    search = found.only.search
    assert search is not None
    assert {each.change for each in search.reached} == {"fixed", "broken"}
    assert all(each.confidence >= 0.99 for each in search.reached)


def test_a_budget_that_ends_early_leaves_a_guess_with_its_odds() -> None:
    found = found_in(past(7, 20, fixed=("1.20",), rate=0.6), budget=14)
    assert found.only.boundaries.first_fixed is None
    search = found.only.search
    assert search is not None
    assert search.exhausted
    assert "with a confidence of 0." in found.report.summary


def test_what_shows_too_seldom_is_not_searched_for_ever() -> None:
    found = found_in(past(0, 20, fixed=("1.20",), rate=0.02))
    assert found.change[1] is None
    assert found.simulation.made < 2000


@pytest.mark.parametrize("rate", [0.15, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_at_any_rate_what_is_stated_is_so(kind: str, rate: float) -> None:
    rng = random.Random(f"{kind} {rate}")
    for _ in range(2):
        history = a_past(rng, kind, rate=rate, most=80)
        assert history.wrong(found_in(history, width=rng.choice((1, 2))).only) == []


# For whoever watches.


def test_progress_tells_steps_and_what_remains() -> None:
    history = past(0, 20, said_broken=("1.0",))
    plan = history.bisection()
    simulation = Simulation(plan, history.world())
    (before,) = progress_of(plan, {})
    assert (before.steps, before.left, before.ranges) == (0, None, ())
    lefts: list[int | None] = []
    while not isinstance(asked := simulation.step(), Conclusion):
        for want in asked.wants:
            simulation.make(want, want.attempts)
        (now,) = progress_of(plan, simulation.facts)
        lefts.append(now.left)
        for each in now.ranges:
            assert each.after is not None
            assert minor(each.after) < 20
            assert each.by is None or minor(each.by) >= 20
    known = [each for each in lefts if each is not None]
    assert known[-1] == 0
    assert known == sorted(known, reverse=True)
