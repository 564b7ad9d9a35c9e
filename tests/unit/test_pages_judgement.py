"""Claims of pages against what was measured: nothing false is passed, nothing true refused."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from runner.claims import Result
from runner.pages.claimed import ClaimKind, claims
from runner.pages.judgement import JudgedClaim, judge
from runner.pages.witness import Evidence, Lack, Witness
from runner.plans.bisection import BisectionPlan
from runner.plans.sweep import SweepPlan
from runner.releases import History
from tests.builders import (
    GOOD,
    Trial,
    World,
    a_case,
    a_failure,
    a_history,
    a_plan,
    a_release,
    a_universe,
    broken_in,
)
from tests.builders import Said as Ends
from tests.page_builders import Layout, Said, evidence, witnesses

HISTORY = a_history("1.0", "1.1", "1.2", "1.3", "1.4")
YES, NO, OPEN = Result.CONFIRMED, Result.CONTRADICTED, Result.UNTESTED


def verified(*broken: str, history: History = HISTORY, **words: Any) -> tuple[Witness, ...]:
    case = a_case(**words)
    return witnesses(a_plan(case, a_universe(history)), World(broken_in(*broken)))


def swept(*broken: str, history: History = HISTORY, **words: Any) -> tuple[Witness, ...]:
    plan = _plan(SweepPlan, history, **words)
    return witnesses(plan, World(broken_in(*broken)))


def bisected(*broken: str, history: History = HISTORY, **words: Any) -> tuple[Witness, ...]:
    plan = _plan(BisectionPlan, history, **words)
    return witnesses(plan, World(broken_in(*broken)))


def _plan(
    kind: type[SweepPlan | BisectionPlan], history: History, **words: Any
) -> SweepPlan | BisectionPlan:
    of_verify = a_plan(a_case(**words), a_universe(history))
    return kind(case=of_verify.case, universe=of_verify.universe, series=of_verify.series)


def judged(
    said: Said, known: Evidence, *, history: History | None = HISTORY
) -> dict[tuple[ClaimKind, str], JudgedClaim]:
    page = said.page()
    found = judge(claims(page), known, history, page.name)
    return {(each.kind, each.subject): each for each in found}


def first_fixed(said: Said, *listed: Witness, history: History = HISTORY) -> JudgedClaim:
    found = judged(said, evidence(*listed), history=history)
    (one,) = [each for each in found.values() if each.kind is ClaimKind.FIRST_FIXED]
    return one


@pytest.mark.parametrize(
    ("fixed", "result", "words"),
    [
        ("1.2", YES, "3 of 3 attempts show the bug on 1.1, 0 of 5 on 1.2"),
        ("v1.2", YES, "3 of 3"),
        ("1.2.0", YES, "3 of 3"),
        ("1.1", NO, "3 of 3 attempts show the bug on 1.1"),
        ("1.0", NO, "show the bug on 1.1"),
        ("1.3", NO, "1.2, right before it, does not show the bug either"),
        ("1.4", NO, "measured, 1.2 is the first fixed release"),
        ("9.9", NO, "the package index has no release 9.9"),
        ("1.1.5", NO, "no release 1.1.5"),
    ],
)
def test_a_first_fixed_release_is_held_against_a_verify(
    fixed: str, result: Result, words: str
) -> None:
    told = first_fixed(Said(fixed=(fixed,)), *verified("1.0", "1.1", fixed="1.2"))
    assert (told.result, words in told.why) == (result, True), told.why


def test_a_release_that_brought_the_bug_is_named_as_such() -> None:
    told = first_fixed(Said(fixed=("1.2",)), *verified("1.2", "1.3", "1.4", fixed="1.2"))
    assert told.result is NO
    assert told.why.startswith("measured, the bug came with 1.2: 0 of 16 attempts")
    assert [each.id for each in told.cells] == ["demo/pkg-1.1/py3.8", "demo/pkg-1.2/py3.8"]


@pytest.mark.parametrize("run", [swept, bisected])
def test_a_search_of_another_claim_tells_as_much(run: type) -> None:
    listed = run("1.0", "1.1", broken="1.0")
    assert first_fixed(Said(fixed=("1.2",)), *listed).result is YES
    for fixed in ("1.1", "1.3", "1.4"):
        assert first_fixed(Said(fixed=(fixed,)), *listed).result is NO, fixed


def test_a_fix_that_a_later_release_lost_is_contradicted() -> None:
    listed = swept("1.0", "1.1", "1.4")
    told = first_fixed(Said(fixed=("1.2",)), *listed)
    assert (told.result, "on 1.4" in told.why) == (NO, True)
    admitted = first_fixed(Said(fixed=("1.2",), rows=(("1.4", "Broken"),)), *listed)
    assert admitted.result is YES, "the page itself says that 1.4 is broken again"


def test_each_line_has_its_own_first_fixed_release() -> None:
    history = a_history("1.0.0", "1.0.1", "1.1.0", "1.1.1")
    listed = swept("1.0.0", "1.1.0", history=history, fixed=["1.0.1", "1.1.1"])
    both = judged(Said(fixed=("1.0.1 and 1.1.1",)), evidence(*listed), history=history)
    assert {each.result for each in both.values()} == {YES}
    alone = first_fixed(Said(fixed=("1.0.1",)), *listed, history=history)
    assert (alone.result, "on 1.1.0" in alone.why) == (NO, True)
    newer = first_fixed(Said(fixed=("1.1.1",)), *listed, history=history)
    assert newer.result is YES


def test_a_verdict_that_follows_a_dependency_is_no_fix_of_the_package() -> None:
    def behave(trial: Trial) -> Ends:
        if trial.version is None:
            return Ends(code=1)
        old = trial.dependencies.get("dep") == "1.0"
        return Ends(code=1, stdout=b"BUG: it broke\n") if old else GOOD

    world = World(
        behave, lambda version: {"dep": "1.0" if Version(version) < Version("1.2") else "2.0"}
    )
    listed = witnesses(a_plan(a_case(fixed="1.2"), a_universe(HISTORY)), world)
    found = judged(
        Said(fixed=("1.2",), rows=(("1.2", "Fixed"), ("1.1", "Broken"))), evidence(*listed)
    )
    assert found[ClaimKind.FIRST_FIXED, "1.2"].result is NO
    assert "The verdict follows dep (1.0 to 2.0)" in found[ClaimKind.FIRST_FIXED, "1.2"].why
    assert found[ClaimKind.FIXED, "1.2"].result is NO
    assert found[ClaimKind.BROKEN, "1.1"].result is YES, "as it was released, it does show the bug"
    assert found[ClaimKind.FIRST_FIXED, "1.2"].cells


def test_a_fix_above_a_change_of_a_dependency_is_told_with_that_dependency() -> None:
    def behave(trial: Trial) -> Ends:
        if trial.version is None:
            return Ends(code=1)
        new = trial.dependencies.get("dep") == "2.0"
        return Ends(code=1, stdout=b"BUG: it broke\n") if new else GOOD

    world = World(
        behave, lambda version: {"dep": "1.0" if Version(version) < Version("1.1") else "2.0"}
    )
    listed = witnesses(a_plan(a_case(fixed="1.2"), a_universe(HISTORY)), world)
    told = first_fixed(Said(fixed=("1.2",)), *listed)
    assert told.result is NO
    assert "attempts show the bug on 1.2" in told.why
    assert told.why.endswith(". The verdict follows dep (1.0 to 2.0), not the package.")


def test_a_fix_that_holds_in_some_series_only_names_these_too() -> None:
    def behave(trial: Trial) -> Ends:
        if trial.version is None:
            return Ends(code=1)
        broken = ("1.0", "1.1") if trial.variant == "option" else ("1.0", "1.1", "1.2", "1.3")
        return Ends(code=1, stdout=b"BUG: it broke\n") if trial.version in broken else GOOD

    case = a_case(fixed="1.2", variants={"default": {}, "option": {}})
    listed = witnesses(a_plan(case, a_universe(HISTORY)), World(behave))
    told = first_fixed(Said(fixed=("1.2",)), *listed)
    assert told.result is NO
    assert told.why.startswith("default, Python 3.8: ")
    assert "; but option, Python 3.8: 3 of 3 attempts show the bug on 1.1, 0 of 5" in told.why


def test_that_the_fix_is_said_to_work_is_a_claim_of_its_release() -> None:
    for answer, kinds in (("Yes (upstream)", {"first_fixed", "fixed"}), ("No", {"first_fixed"})):
        said = Said(fixed=("1.3",), more=(f"Did this fix it?: {answer}",))
        found = judged(said, evidence(*verified("1.0", "1.1", fixed="1.2")))
        assert {each.kind for each in found.values()} == kinds


@pytest.mark.parametrize(
    ("version", "word", "result"),
    [
        ("1.1", "Broken", YES),
        ("1.0", "Affected", YES),
        ("1.2", "Broken", NO),
        ("1.3", "Broken", NO),
        ("7.0", "Broken", NO),
        ("1.2", "Fixed", YES),
        ("1.3", "Fixed", YES),
        ("1.1", "Fixed", NO),
        ("1.3", "Not affected", YES),
        ("1.1", "Not affected", NO),
        ("7.0", "Fixed", NO),
    ],
)
def test_each_row_is_held_against_the_cell_of_its_own_release(
    version: str, word: str, result: Result
) -> None:
    found = judged(Said(rows=((version, word),)), evidence(*swept("1.0", "1.1")))
    (told,) = [each for each in found.values() if each.kind is not ClaimKind.FIRST_FIXED]
    assert told.result is result, told.why


def test_a_good_release_below_every_broken_one_is_not_affected_and_not_fixed() -> None:
    listed = evidence(*swept("1.1"))
    rows = (("1.0", "Fixed"), ("1.0.0", "Unaffected"))
    found = judged(Said(rows=rows), listed)
    assert found[ClaimKind.FIXED, "1.0"].result is OPEN
    assert "no release below 1.0 shows the bug" in found[ClaimKind.FIXED, "1.0"].why
    assert found[ClaimKind.UNAFFECTED, "1.0.0"].result is YES


@pytest.mark.parametrize(
    ("affected", "result", "words"),
    [
        ("1.0–1.1", YES, "all 2 releases in it show the bug"),
        ("<1.2", YES, "all 2"),
        ("1.0-1.1", YES, "all 2"),
        ("1.0 to 1.1", YES, "all 2"),
        ("up to 1.1", YES, "all 2"),
        ("before 1.2", YES, "all 2"),
        ("1.0–1.2", NO, "on 1.2"),
        ("1.1 and later", NO, "on 1.2"),
        ("1.0–84.87", NO, "no release 84.87"),
        ("1.1–1.0", NO, "no release in 1.1–1.0"),
        (">=2", NO, "no release 2"),
    ],
)
def test_a_range_is_held_against_every_release_in_it(
    affected: str, result: Result, words: str
) -> None:
    found = judged(Said(affected=affected), evidence(*swept("1.0", "1.1")))
    (told,) = [each for each in found.values() if each.kind is ClaimKind.RANGE]
    assert (told.result, words in told.why) == (result, True), told.why


def test_a_range_of_which_only_the_end_was_run_is_untested() -> None:
    found = judged(Said(affected="1.0–1.1"), evidence(*verified("1.0", "1.1")))
    told = found[ClaimKind.RANGE, "1.0–1.1"]
    assert told.result is OPEN
    assert told.why == "1 of 2 releases in it were not judged (1.0)"
    assert told.command == "fixproof sweep demo"


def test_a_list_of_affected_releases_is_a_claim_of_each() -> None:
    found = judged(Said(affected="1.0, 1.1 and 1.2"), evidence(*swept("1.0", "1.1")))
    broken = {name: each.result for (kind, name), each in found.items() if kind == "broken"}
    assert broken == {"1.0": YES, "1.1": YES, "1.2": NO}


def test_all_affected_variants_have_to_agree_on_a_fix_and_one_is_enough_for_a_bug() -> None:
    def behave(trial: Trial) -> Ends:
        if trial.version is None:
            return Ends(code=1)
        late = ("1.0", "1.1", "1.2") if trial.variant == "late" else ("1.0", "1.1")
        broken = trial.version in late and trial.variant != "never"
        return Ends(code=1, stdout=b"BUG: it broke\n") if broken else GOOD

    variants = {"early": {}, "late": {}, "never": {"affected": False}}
    listed = witnesses(_plan(SweepPlan, HISTORY, variants=variants), World(behave))
    rows = (("1.2", "Broken"), ("1.1", "Broken"), ("1.3", "Fixed"), ("1.2.0", "Fixed"))
    found = judged(Said(fixed=("1.3",), rows=rows), evidence(*listed))
    assert found[ClaimKind.FIRST_FIXED, "1.3"].result is NO
    assert found[ClaimKind.FIRST_FIXED, "1.3"].why.startswith(
        "early, Python 3.8: 1.2, right before"
    )
    assert found[ClaimKind.BROKEN, "1.2"].result is YES
    assert found[ClaimKind.BROKEN, "1.2"].why.startswith("late, Python 3.8: 5 of 5")
    assert found[ClaimKind.FIXED, "1.3"].result is YES
    assert found[ClaimKind.FIXED, "1.2.0"].result is NO


@pytest.mark.parametrize(
    ("lack", "command"),
    [
        (Lack.NO_CASE, "fixproof new page.txt"),
        (Lack.NOT_RUN, "fixproof verify demo"),
        (Lack.STALE, "fixproof verify demo"),
        (Lack.VACUOUS, None),
        (Lack.UNTESTED, None),
        (Lack.SEVERAL_FIXES, None),
    ],
)
def test_without_evidence_a_claim_is_untested_and_says_what_would_test_it(
    lack: Lack, command: str | None
) -> None:
    told = first_fixed_of(Said(), Evidence(case="demo", lack=lack))
    assert (told.result, told.command) == (OPEN, command)
    assert told.why


def test_a_release_that_does_not_exist_needs_no_evidence() -> None:
    told = first_fixed_of(Said(fixed=("9.9",)), Evidence(lack=Lack.NO_CASE))
    assert told.result is NO


def first_fixed_of(said: Said, known: Evidence) -> JudgedClaim:
    return next(iter(judged(said, known).values()))


def test_of_a_package_that_the_index_does_not_know_nothing_is_judged() -> None:
    found = judged(Said(), evidence(*verified("1.0", "1.1")), history=None)
    assert {each.result for each in found.values()} == {OPEN}


@pytest.mark.parametrize(
    ("claimed", "case_claims", "command"),
    [("1.4", "1.4", "verify"), ("1.4", "1.2", "bisect")],
)
def test_what_was_not_run_is_untested_and_verify_or_bisect_would_test_it(
    claimed: str, case_claims: str, command: str
) -> None:
    listed = verified(fixed="1.2")  # nothing shows the bug, so nothing higher is ruled out
    known = evidence(*listed, fixed=[case_claims])
    told = first_fixed_of(Said(fixed=(claimed,)), known)
    assert told.result is OPEN
    assert told.why == "1.4 and 1.3 were not run"
    assert told.command == f"fixproof {command} demo"


def test_what_ran_in_vain_is_untested_and_no_command_is_offered() -> None:
    world = World(
        broken_in("1.0", "1.1"), lambda version: a_failure() if version == "1.1" else {"dep": "1"}
    )
    listed = witnesses(a_plan(a_case(fixed="1.2"), a_universe(HISTORY)), world)
    told = first_fixed(Said(fixed=("1.2",)), *listed)
    assert (told.result, told.command) == (OPEN, None)
    assert told.why.startswith("1.1 cannot be installed")


def test_a_yanked_fix_is_neither_confirmed_nor_contradicted() -> None:
    history = a_history("1.0", "1.1", a_release("1.2", yanked=True), "1.3")
    listed = swept("1.0", "1.1", history=history, fixed="1.2")
    told = first_fixed(Said(fixed=("1.2",)), *listed, history=history)
    assert (told.result, "withdrawn" in told.why) == (OPEN, True)


def test_a_script_that_proves_nothing_confirms_nothing() -> None:
    world = World(lambda trial: GOOD if trial.version in ("1.2", None) else broken_in("1.1")(trial))
    listed = witnesses(a_plan(a_case(fixed="1.2"), a_universe(HISTORY)), world)
    known = evidence(*listed)
    assert known.lack is Lack.VACUOUS
    assert first_fixed_of(Said(), known).result is OPEN


def test_what_a_script_said_before_it_proved_nothing_does_not_count() -> None:
    world = World(lambda trial: GOOD if trial.version in ("1.2", None) else broken_in("1.1")(trial))
    vacuous = witnesses(a_plan(a_case(fixed="1.2"), a_universe(HISTORY)), world, run="run-2")
    assert evidence(*vacuous, *verified("1.0", "1.1")).lack is Lack.VACUOUS


def test_the_newest_conclusive_run_is_relied_on() -> None:
    odd = World(lambda _trial: Ends(code=125))
    doubtful = witnesses(a_plan(a_case(fixed="1.2"), a_universe(HISTORY)), odd, run="newest")
    known = evidence(*doubtful, *verified("1.0", "1.1"), *swept("1.0", "1.1"))
    assert [(each.run, each.kind) for each in known.witnesses] == [
        ("run-1", "verify"),
        ("run-1", "sweep"),
    ]
    assert evidence(*doubtful).witnesses[0].run == "newest", "where none is conclusive, the newest"


def test_what_was_tried_beside_and_came_to_nothing_does_not_stand_in_the_way() -> None:
    odd = World(lambda _trial: Ends(code=125))
    plan = a_plan(a_case(fixed="1.2", python=["3.9"]), a_universe(HISTORY, "3.9"))
    usual = verified("1.0", "1.1")
    for partial, result in ((True, YES), (False, OPEN)):
        beside = witnesses(plan, odd, run="beside", partial=partial)
        assert first_fixed(Said(), *beside, *usual).result is result
    good = witnesses(plan, World(broken_in("1.0")), run="beside", partial=True)
    assert first_fixed(Said(), *good, *usual).result is NO, "what it did show counts"
    assert evidence(*witnesses(plan, odd, partial=True)).lack is None, "better than nothing"


@pytest.mark.parametrize(
    ("python", "broken", "result"),
    [("3.8", ("1.0", "1.1"), YES), ("3.9", ("1.0", "1.1"), OPEN), ("3.8", (), OPEN)],
)
def test_the_python_on_which_the_bug_is_said_to_show(
    python: str, broken: tuple[str, ...], result: Result
) -> None:
    said = Said(more=(f"Shows up under Python {python}.2 in real deployments.",))
    found = judged(said, evidence(*verified(*broken, fixed="1.2")))
    told = found[ClaimKind.PYTHON, python]
    assert told.result is result
    asked = f"fixproof verify demo --python {python}"
    assert told.command == (asked if result is OPEN else None)


def test_a_python_on_which_what_is_broken_elsewhere_is_good_contradicts() -> None:
    def behave(trial: Trial) -> Ends:
        if trial.version is None:
            return Ends(code=1)
        shows = "py3.8" in trial.cell and trial.version in ("1.0", "1.1")
        return Ends(code=1, stdout=b"BUG: it broke\n") if shows else GOOD

    case = a_case(fixed="1.2", python=["3.8", "3.9"])
    listed = witnesses(a_plan(case, a_universe(HISTORY, "3.8", "3.9")), World(behave))
    said = Said(more=("Shows up under Python 3.9 in real deployments.",))
    told = judged(said, evidence(*listed))[ClaimKind.PYTHON, "3.9"]
    assert (told.result, told.cells != ()) == (NO, True)


@pytest.mark.parametrize(("broken", "result"), [(("1.0", "1.1"), YES), ((), OPEN)])
def test_a_bug_that_is_said_to_be_reproduced_is_so_once_it_was_seen(
    broken: tuple[str, ...], result: Result
) -> None:
    said = Said(more=("Reproduced locally: Yes",))
    found = judged(said, evidence(*verified(*broken, fixed="1.2")))
    assert found[ClaimKind.REPRODUCED, "the bug"].result is result


# No false claim is passed, and no true one refused: pages changed at random.


class Truth(NamedTuple):
    """What is so of a package's releases."""

    versions: tuple[str, ...]
    broken: frozenset[str]

    def is_first_fixed(self, version: str, admitted: frozenset[str]) -> bool:
        if version not in self.versions or version in self.broken:
            return False
        at = self.versions.index(version)
        later = self.broken & {*self.versions[at + 1 :]}
        return at > 0 and self.versions[at - 1] in self.broken and later <= admitted

    def is_broken(self, version: str) -> bool:
        return version in self.broken

    def is_fixed(self, version: str) -> bool:
        if version not in self.versions or version in self.broken:
            return False
        return any(each in self.broken for each in self.versions[: self.versions.index(version)])

    def is_affected(self, low: str, high: str) -> bool:
        if low not in self.versions or high not in self.versions:
            return False
        inside = self.versions[self.versions.index(low) : self.versions.index(high) + 1]
        return bool(inside) and {*inside} <= self.broken


@st.composite
def truths(draw: st.DrawFn, *, one_range: bool) -> Truth:
    count = draw(st.integers(3, 8))
    versions = tuple(f"1.{number}" for number in range(count))
    if not one_range:
        return Truth(versions, frozenset(draw(st.sets(st.sampled_from(versions)))))
    start = draw(st.integers(0, count - 1))
    end = draw(st.integers(start, count))
    return Truth(versions, frozenset(versions[start:end]))


@st.composite
def pages(draw: st.DrawFn, truth: Truth) -> Said:
    """A page whose claims are changed to releases that there are, and that there are not."""
    releases = st.sampled_from((*truth.versions, "1.99", "84.87", "1.0.5"))
    fixed = draw(st.lists(releases, min_size=1, max_size=3))
    rows = draw(st.dictionaries(releases, st.sampled_from(("Broken", "Fixed")), max_size=4))
    ends = draw(st.none() | st.tuples(releases, releases))
    return Said(
        fixed=tuple(fixed),
        rows=tuple(rows.items()),
        affected=f"{ends[0]}–{ends[1]}" if ends else None,
    )


def true_of(truth: Truth, said: Said, kind: ClaimKind, subject: str) -> bool:
    match kind:
        case ClaimKind.FIRST_FIXED:
            rows = {version for version, word in said.rows if word == "Broken"}
            return truth.is_first_fixed(subject, frozenset(rows))
        case ClaimKind.BROKEN:
            return truth.is_broken(subject)
        case ClaimKind.FIXED:
            return truth.is_fixed(subject)
        case _:
            low, high = subject.split("–")
            return truth.is_affected(low, high)


@given(data=st.data(), layout=st.sampled_from(Layout))
@settings(max_examples=60, deadline=None)
def test_on_a_mutated_page_a_sweep_tells_every_true_claim_from_every_false_one(
    data: st.DataObject, layout: Layout
) -> None:
    truth = data.draw(truths(one_range=False))
    said = data.draw(pages(truth))
    history = a_history(*truth.versions)
    listed = swept(*truth.broken, history=history, fixed=truth.versions[-1])
    page = said.page(layout)
    for each in judge(claims(page), evidence(*listed), history, page.name):
        is_true = true_of(truth, said, each.kind, each.subject)
        assert (each.result is YES) == is_true, each
        if each.result is OPEN:
            assert not truth.broken or _nothing_lower_is_broken(truth, each), each


def _nothing_lower_is_broken(truth: Truth, claim: JudgedClaim) -> bool:
    """A claim of a fix below all that was ever broken: nothing shows that it fixed anything."""
    lowest = min(truth.broken, key=Version)
    return claim.kind in ("first_fixed", "fixed") and Version(claim.subject) <= Version(lowest)


@given(data=st.data(), layout=st.sampled_from(Layout), kind=st.sampled_from(("verify", "bisect")))
@settings(max_examples=60, deadline=None)
def test_on_a_mutated_page_few_runs_pass_no_false_claim_and_refuse_no_true_one(
    data: st.DataObject, layout: Layout, kind: str
) -> None:
    truth = data.draw(truths(one_range=True))
    said = data.draw(pages(truth))
    history = a_history(*truth.versions)
    fixed = data.draw(st.sampled_from(truth.versions))
    run = verified if kind == "verify" else bisected
    listed = run(*truth.broken, history=history, fixed=fixed)
    page = said.page(layout)
    for each in judge(claims(page), evidence(*listed), history, page.name):
        is_true = true_of(truth, said, each.kind, each.subject)
        assert each.result is not YES or is_true, each
        assert each.result is not NO or not is_true, each
