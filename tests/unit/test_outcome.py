"""The table of design section 5: row by row, and the first row that holds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.claims import Result, claim_results
from runner.environment import Difference, FailureKind
from runner.findings import CellFindings, Confirmation, ConfirmationResult, SeriesFindings
from runner.matrix import Role
from runner.metadata import Claims
from runner.outcome import Mode, Outcome, Status, decide, mode_of, untested, weakest, worst
from runner.releases import History
from runner.verdict import Verdict
from tests.builders import a_failure, a_finding, a_history, a_lock, a_release, a_series

PRESENT, ABSENT, UNRESOLVED = Verdict.PRESENT, Verdict.ABSENT, Verdict.UNRESOLVED
HISTORY = a_history("1.0", "1.1", "1.2", "1.3")
YANKED = a_history("1.0", "1.1", a_release("1.2", yanked=True), "1.3")


@dataclass(frozen=True)
class Scene:
    """A series: what each of its cells says; by default all is as claimed."""

    broken: Verdict = PRESENT
    before: Verdict | None = PRESENT
    fixed: Verdict = ABSENT
    latest: Verdict | None = ABSENT
    control: Verdict = UNRESOLVED
    confirmation: ConfirmationResult = ConfirmationResult.SAME
    missing: tuple[str, ...] = ()
    affected: bool = True
    history: History = HISTORY

    def findings(self) -> SeriesFindings:
        cells = [
            a_finding("1.0", self.broken, Role.BROKEN),
            a_finding("1.1", self.before, Role.BEFORE) if self.before else None,
            a_finding("1.2", self.fixed, Role.FIXED),
            a_finding("1.3", self.latest, Role.LATEST) if self.latest else None,
            a_finding("1.2", self.control, Role.CONTROL, lock=a_lock(dep="1")),
            a_finding("1.1", ABSENT, Role.CONFIRM, suffix="@deps=1.2"),
        ]
        return a_series(
            *(each for each in cells if each is not None),
            claims=Claims(fixed=("1.2",), broken=("1.0",), affected=self.affected),
            confirmations=(a_confirmation(self.confirmation),),
            missing=self.missing,
        )

    def ends(self) -> tuple[Status, Outcome | None]:
        decision = decide(self.findings(), self.history)
        return decision.status, decision.outcome


def a_confirmation(result: ConfirmationResult) -> Confirmation:
    return Confirmation(
        older="1.1",
        newer="1.2",
        result=result,
        differs=(Difference(package="dep", older="1", newer="2"),),
        cells=("demo/pkg-1.1/py3.8@deps=1.2",),
    )


ROWS: list[tuple[Outcome, Status, dict[str, Any]]] = [
    (Outcome.VACUOUS, Status.INCONCLUSIVE, {"control": PRESENT}),
    (Outcome.NO_SUCH_RELEASE, Status.FAIL, {"missing": ("1.2.1",)}),
    (Outcome.STILL_BROKEN, Status.FAIL, {"fixed": PRESENT}),
    (Outcome.FOLLOWS_DEPENDENCY, Status.FAIL, {"confirmation": ConfirmationResult.DIFFERS}),
    (Outcome.NOT_REPRODUCED, Status.FAIL, {"broken": ABSENT}),
    (Outcome.FIXED_EARLIER, Status.FAIL, {"before": ABSENT}),
    (Outcome.REGRESSED, Status.FAIL, {"latest": PRESENT}),
    (Outcome.YANKED_FIX, Status.INCONCLUSIVE, {"history": YANKED}),
    (Outcome.UNRESOLVED, Status.INCONCLUSIVE, {"before": UNRESOLVED}),
    (Outcome.OK, Status.PASS, {}),
]
"""In the order of the table; `affected` stands below, its series claims something else."""


@pytest.mark.parametrize(("outcome", "status", "change"), ROWS, ids=[str(each[0]) for each in ROWS])
def test_each_row_of_the_table_holds_alone(
    outcome: Outcome, status: Status, change: dict[str, Any]
) -> None:
    assert Scene(**change).ends() == (status, outcome)


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        pytest.param(one, other, id=f"{one[0]} before {other[0]}")
        for one, other in itertools.combinations(ROWS, 2)
        if not one[2].keys() & other[2].keys()
    ],
)
def test_of_two_rows_that_hold_the_first_decides(
    upper: tuple[Outcome, Status, dict[str, Any]], lower: tuple[Outcome, Status, dict[str, Any]]
) -> None:
    assert Scene(**{**upper[2], **lower[2]}).ends() == (upper[1], upper[0])


@pytest.mark.parametrize("control", [PRESENT, ABSENT])
def test_a_control_that_says_anything_is_vacuous(control: Verdict) -> None:
    assert Scene(control=control).ends() == (Status.INCONCLUSIVE, Outcome.VACUOUS)


@pytest.mark.parametrize("which", ["broken", "before", "fixed", "latest"])
def test_a_needed_cell_that_is_unresolved_leaves_the_series_unresolved(which: str) -> None:
    change: dict[str, Any] = {which: UNRESOLVED}
    assert Scene(**change).ends() == (Status.INCONCLUSIVE, Outcome.UNRESOLVED)


def test_without_a_predecessor_and_a_broken_claim_a_fix_proves_nothing() -> None:
    findings = a_series(
        a_finding("1.2", ABSENT, Role.FIXED), a_finding("1.2", UNRESOLVED, Role.CONTROL)
    )
    decision = decide(findings, HISTORY)
    assert (decision.status, decision.outcome) == (Status.INCONCLUSIVE, Outcome.UNRESOLVED)
    assert decision.mode is Mode.FIXED_ONLY


def test_a_control_that_never_ran_leaves_the_series_unresolved() -> None:
    sides = (a_finding("1.1", PRESENT, Role.BEFORE), a_finding("1.2", ABSENT, Role.FIXED))
    not_run = a_finding("1.2", UNRESOLVED, Role.CONTROL, ran=False)
    for cells in (sides, (*sides, not_run)):
        decision = decide(a_series(*cells), HISTORY)
        assert (decision.status, decision.outcome) == (Status.INCONCLUSIVE, Outcome.UNRESOLVED)


def test_a_broken_claim_alone_can_pass() -> None:
    findings = a_series(
        a_finding("1.1", PRESENT, Role.BROKEN),
        a_finding("1.1", UNRESOLVED, Role.CONTROL),
        claims=Claims(broken=("1.1",)),
    )
    decision = decide(findings, HISTORY)
    assert (decision.status, decision.outcome) == (Status.PASS, Outcome.OK)
    assert decision.mode is Mode.BROKEN_ONLY


@pytest.mark.parametrize(
    ("broken", "fixed", "status", "outcome"),
    [
        (ABSENT, ABSENT, Status.PASS, Outcome.OK),
        (PRESENT, ABSENT, Status.FAIL, Outcome.AFFECTED),
        (ABSENT, PRESENT, Status.FAIL, Outcome.AFFECTED),
        (PRESENT, PRESENT, Status.FAIL, Outcome.AFFECTED),
        (UNRESOLVED, ABSENT, Status.INCONCLUSIVE, Outcome.UNRESOLVED),
        (UNRESOLVED, PRESENT, Status.FAIL, Outcome.AFFECTED),
    ],
)
def test_a_variant_claimed_unaffected_fails_where_it_shows_the_bug(
    broken: Verdict, fixed: Verdict, status: Status, outcome: Outcome
) -> None:
    scene = Scene(broken=broken, fixed=fixed, before=None, latest=None, affected=False)
    assert scene.ends() == (status, outcome)


REGRESSIONS: list[tuple[str, tuple[str, ...], tuple[str, ...], str, bool]] = [
    ("above the fix", ("1.2",), (), "1.3", True),
    ("above the fix in another line", ("1.2",), (), "2.0", True),
    ("claimed broken", ("1.2",), ("1.3",), "1.3", False),
    ("claimed broken and spelt otherwise", ("1.2",), ("1.3.0",), "1.3", False),
    ("below the fix", ("1.2",), (), "1.1", False),
    ("of an older line than the second fix", ("1.0.5", "2.1"), (), "1.1.0", False),
    ("of a newer line, below its fix", ("1.0.5", "2.1"), (), "2.0", False),
    ("in the line of the first fix", ("1.0.5", "2.1"), (), "1.0.6", True),
    ("above all fixes", ("1.0.5", "2.1"), (), "2.2", True),
    ("a post-release of the fix", ("1.2",), (), "1.2.post1", True),
]


@pytest.mark.parametrize(
    ("fixed", "broken", "version", "regressed"),
    [each[1:] for each in REGRESSIONS],
    ids=[each[0] for each in REGRESSIONS],
)
def test_regressed_is_what_shows_the_bug_above_a_fix_of_its_line(
    fixed: tuple[str, ...], broken: tuple[str, ...], version: str, *, regressed: bool
) -> None:
    role = Role.BROKEN if broken else Role.PROBE
    findings = a_series(
        *(a_finding(each, ABSENT, Role.FIXED) for each in fixed),
        a_finding("0.9", PRESENT, Role.BEFORE),
        a_finding(version, PRESENT, role),
        a_finding(fixed[-1], UNRESOLVED, Role.CONTROL),
        claims=Claims(fixed=fixed, broken=broken),
    )
    outcome = decide(findings, a_history("0.9", *fixed)).outcome
    assert (outcome is Outcome.REGRESSED) is regressed


MODES: list[tuple[tuple[CellFindings, ...], Mode]] = [
    ((), Mode.NONE),
    ((a_finding("1", UNRESOLVED, Role.FIXED),), Mode.NONE),
    ((a_finding("1", PRESENT, Role.FIXED),), Mode.FIXED_ONLY),
    ((a_finding("1", PRESENT, Role.CANDIDATE),), Mode.FIXED_ONLY),
    ((a_finding("1", ABSENT, Role.BROKEN),), Mode.BROKEN_ONLY),
    ((a_finding("1", ABSENT, Role.BEFORE), a_finding("2", ABSENT, Role.FIXED)), Mode.BOTH),
    ((a_finding("1", PRESENT, Role.PROBE), a_finding("2", ABSENT, Role.FIXED)), Mode.BOTH),
    ((a_finding("1", ABSENT, Role.PROBE), a_finding("2", ABSENT, Role.FIXED)), Mode.FIXED_ONLY),
    ((a_finding("1", PRESENT, Role.CONFIRM),), Mode.NONE),
    ((a_finding("1", PRESENT, Role.LATEST),), Mode.NONE),
]


@pytest.mark.parametrize(("cells", "mode"), MODES)
def test_the_mode_says_which_sides_were_judged(cells: tuple[CellFindings, ...], mode: Mode) -> None:
    assert mode_of(a_series(*cells)) is mode


@pytest.mark.parametrize("kind", FailureKind)
def test_a_series_of_which_nothing_can_be_installed_is_untested(kind: FailureKind) -> None:
    cells = [
        a_finding(version, UNRESOLVED, role, lock=a_failure(kind), ran=False)
        for version, role in (("1.1", Role.BEFORE), ("1.2", Role.FIXED))
    ]
    assert untested(a_series(*cells))
    decision = decide(a_series(*cells), HISTORY)
    assert (decision.status, decision.outcome) == (Status.UNTESTED, None)
    assert not untested(a_series(*cells, a_finding("1.0", PRESENT, Role.BROKEN)))


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], Status.INCONCLUSIVE),
        ([Status.UNTESTED], Status.INCONCLUSIVE),
        ([Status.PASS, Status.UNTESTED], Status.PASS),
        ([Status.PASS, Status.INCONCLUSIVE], Status.INCONCLUSIVE),
        ([Status.INCONCLUSIVE, Status.FAIL, Status.PASS], Status.FAIL),
        ([Status.UNTESTED, Status.FAIL], Status.FAIL),
    ],
)
def test_the_status_of_a_report_is_the_worst_of_its_series(
    statuses: list[Status], status: Status
) -> None:
    assert worst(statuses) is status


@given(st.lists(st.sampled_from([Status.FAIL, Status.INCONCLUSIVE, Status.PASS]), min_size=1))
def test_a_report_passes_only_where_every_series_does(statuses: list[Status]) -> None:
    assert (worst(statuses) is Status.PASS) == (set(statuses) == {Status.PASS})


@given(st.lists(st.sampled_from(Mode), min_size=1))
def test_the_mode_of_a_report_is_the_weakest(modes: list[Mode]) -> None:
    assert (weakest(modes) is Mode.BOTH) == (set(modes) == {Mode.BOTH})
    assert weakest(modes) in modes


VERDICTS = st.sampled_from(Verdict)


@given(
    st.builds(
        Scene,
        broken=VERDICTS,
        before=st.one_of(st.none(), VERDICTS),
        fixed=VERDICTS,
        latest=st.one_of(st.none(), VERDICTS),
        control=VERDICTS,
        confirmation=st.sampled_from(ConfirmationResult),
        missing=st.sampled_from([(), ("9",)]),
        affected=st.booleans(),
        history=st.sampled_from([HISTORY, YANKED]),
    )
)
def test_only_a_series_without_any_contradiction_passes(scene: Scene) -> None:
    if not scene.affected:  # such a series runs no predecessor
        scene = replace(scene, before=None)
    status, outcome = scene.ends()
    assert (status is Status.PASS) == (outcome is Outcome.OK)
    if status is Status.PASS:
        assert scene.control is UNRESOLVED
        assert scene.fixed is ABSENT
        assert scene.broken is (PRESENT if scene.affected else ABSENT)
        assert scene.latest in (None, ABSENT)
        assert scene.missing == ()
        assert scene.confirmation is not ConfirmationResult.DIFFERS


def test_a_decision_names_the_cells_that_decided_it() -> None:
    assert decide(Scene(fixed=PRESENT).findings(), HISTORY).cells == ("demo/pkg-1.2/py3.8",)
    assert decide(Scene(broken=ABSENT).findings(), HISTORY).cells == ("demo/pkg-1.0/py3.8",)
    follows = decide(Scene(confirmation=ConfirmationResult.DIFFERS).findings(), HISTORY)
    assert follows.cells == ("demo/pkg-1.1/py3.8@deps=1.2",)


@pytest.mark.parametrize(
    ("shown", "outcome"),
    [("1.1.5", Outcome.OK), ("1.0", Outcome.FIXED_EARLIER), ("1.1.5rc1", Outcome.OK)],
)
def test_a_fix_of_what_a_withdrawn_release_brought_is_the_first_all_the_same(
    shown: str, outcome: Outcome
) -> None:
    """Its predecessor is good, and nevertheless not fixed earlier; below it, it would be."""
    cells = (
        a_finding("1.1", ABSENT, Role.BEFORE),
        a_finding(shown, PRESENT, Role.BROKEN),
        a_finding("1.2", ABSENT, Role.FIXED),
        a_finding("1.2", UNRESOLVED, Role.CONTROL),
    )
    claims = Claims(fixed=("1.2",), broken=(shown,))
    findings = a_series(*cells, claims=claims)
    history = a_history("1.0", "1.1", a_release("1.1.5", yanked=True), "1.2", "1.1.5rc1")
    decision = decide(findings, history)
    assert decision.outcome is outcome
    results = {each.kind: each for each in claim_results(findings, decision, history)}
    held = outcome is Outcome.OK
    assert results["fixed"].result is (Result.CONFIRMED if held else Result.CONTRADICTED)
    assert (f"on {shown}" in results["fixed"].why) is held


def test_a_change_by_a_dependency_below_the_claimed_fix_contradicts_nothing() -> None:
    """It ended one spell of the bug; the claim speaks of another, which the package ended itself."""
    history = a_history("1.0", "1.1", "1.2", "1.3")
    cells = (
        a_finding("1.0", PRESENT, Role.PROBE),
        a_finding("1.1", ABSENT, Role.PROBE),
        a_finding("1.2", PRESENT, Role.BEFORE),
        a_finding("1.3", ABSENT, Role.FIXED),
        a_finding("1.3", UNRESOLVED, Role.CONTROL, lock=a_lock(dep="1")),
        a_finding("1.1", PRESENT, Role.CONFIRM, suffix="@deps=1.0"),
    )
    of_dependency = a_confirmation(ConfirmationResult.DIFFERS).model_copy(
        update={"older": "1.0", "newer": "1.1", "cells": ("demo/pkg-1.1/py3.8@deps=1.0",)}
    )
    of_package = a_confirmation(ConfirmationResult.SAME).model_copy(
        update={"older": "1.2", "newer": "1.3", "cells": ()}
    )
    series = a_series(
        *cells, claims=Claims(fixed=("1.3",)), confirmations=(of_dependency, of_package)
    )
    assert decide(series, history).outcome is Outcome.OK
    earlier = series.model_copy(update={"confirmations": (of_dependency,)})
    assert decide(earlier, history).outcome is Outcome.FOLLOWS_DEPENDENCY
