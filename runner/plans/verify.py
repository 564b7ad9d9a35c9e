"""The plan of `verify`: both sides of each claim, the predecessor, the control, the confirmation.

A pure function over what is known: `step` says what to run next, or what it all means. It has no
state of its own, so that stopping, resuming and a second opinion cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from runner.attempt import Facts
from runner.boundaries import Boundaries, boundaries
from runner.case import Case
from runner.environment import Lock
from runner.evidence import DEFAULT_CONFIDENCE
from runner.findings import (
    CellFindings,
    Conclusion,
    Confirmation,
    ConfirmationResult,
    Need,
    SeriesFindings,
    Want,
)
from runner.matrix import Borrowed, Cell, Role, Series, Universe, cell_of, suffix_of
from runner.plans.confirmation import Boundary, confirm
from runner.plans.sampling import Sample, Sampling
from runner.value import Value
from runner.verdict import Verdict

WIDEN = 8
"""Older releases that are looked at, at most, where all cells of a verify agree."""


class VerifyPlan(Value):
    """Everything that decides what a verify runs."""

    case: Case
    universe: Universe
    series: tuple[Series, ...]
    latest: bool = False
    confidence: float = DEFAULT_CONFIDENCE


def step(plan: VerifyPlan, facts: Mapping[str, Facts]) -> Need | Conclusion:
    """What to run next, or, where nothing is left to ask, what was found.

    Args:
        facts: what is known of each cell, by id; a cell of which nothing is known may be left out.
    """
    parts = [_SeriesStep(plan, series, facts) for series in plan.series]
    outcomes = [each.step() for each in parts]
    wants = tuple(want for each in outcomes if isinstance(each, tuple) for want in each)
    if wants:
        return Need(wants=wants)
    return Conclusion(series=tuple(each for each in outcomes if isinstance(each, SeriesFindings)))


def planned(plan: VerifyPlan, series: Series) -> dict[Cell, tuple[Role, ...]]:
    """The cells that are known before anything ran, with their roles, lowest release first."""
    roles = roles_of(plan, series)
    cells = {_cell(plan, series, version): tuple(found) for version, found in roles.items()}
    target = _control_target(list(cells.items()))
    if target is not None:
        cells[_control(plan, series, target)] = (Role.CONTROL,)
    return cells


def roles_of(plan: VerifyPlan, series: Series) -> dict[str, list[Role]]:
    """Which releases a series runs, and as what, lowest first."""
    history, claims = plan.universe.history, series.claims
    roles: dict[str, list[Role]] = {}

    def add(version: str | None, role: Role) -> None:
        release = history.find(version) if version else None
        if release is not None and role not in roles.setdefault(release.version, []):
            roles[release.version].append(role)

    for version in claims.broken:
        add(version, Role.BROKEN)
    for version in claims.fixed:
        add(version, Role.FIXED)
        before = history.predecessor(
            version, apart_from=claims.fixed
        )  # where a variant without the bug would show it, too
        add(before.version if before else None, Role.BEFORE)
    latest = history.latest()
    if plan.latest and latest:
        add(latest.version, Role.LATEST)
    return dict(sorted(roles.items(), key=lambda item: history.order[item[0]]))


def missing(plan: VerifyPlan, series: Series) -> tuple[str, ...]:
    """Claimed releases that the index does not have."""
    claimed = (*series.claims.broken, *series.claims.fixed)
    return tuple(each for each in claimed if plan.universe.history.find(each) is None)


def _cell(plan: VerifyPlan, series: Series, version: str) -> Cell:
    return cell_of(plan.case, series, version, suffix_of(plan.universe.as_of))


def _control(plan: VerifyPlan, series: Series, target: Cell) -> Cell:
    usual = cell_of(plan.case, series, target.version, "@control")
    return usual.model_copy(
        update={"control": True, "borrowed": Borrowed(base=target.id, own=target.id)}
    )


def _control_target(cells: list[tuple[Cell, tuple[Role, ...]]]) -> Cell | None:
    """The highest fixed cell; without one, the highest broken one; without that, any."""
    for role in (Role.FIXED, Role.BROKEN, Role.BEFORE, Role.LATEST):
        of_role = [cell for cell, roles in cells if role in roles]
        if of_role:
            return of_role[-1]
    return None


class _SeriesStep:
    """One look at one series; made for it and thrown away."""

    def __init__(self, plan: VerifyPlan, series: Series, facts: Mapping[str, Facts]) -> None:
        self.plan = plan
        self.series = series
        self.facts = facts
        self.sampling = Sampling(case=plan.case, confidence=plan.confidence, facts=facts)
        self._history = plan.universe.history
        self.cells: dict[str, Sample] = {}
        self.confirmations: tuple[Confirmation, ...] = ()

    def step(self) -> tuple[Want, ...] | SeriesFindings:
        if self.series.interpreter is None:
            return self._findings()
        for version, roles in roles_of(self.plan, self.series).items():
            self._add(_cell(self.plan, self.series, version), *roles)
        control = self._add_control()
        if control is not None and self.sampling.judge(control).counts.judged:
            return self._findings(vacuous=True)
        return self._ask() or self._widen() or self._confirm() or self._findings()

    def _ask(self) -> tuple[Want, ...]:
        self.sampling.measure(self.cells.values())
        return self.sampling.wants(self.cells.values())

    def _add(self, cell: Cell, *roles: Role) -> Sample:
        broken = self.series.claims.affected and bool({Role.BROKEN, Role.BEFORE} & {*roles})
        sample = Sample(cell=cell, roles=roles, expected_broken=broken)
        self.cells[cell.id] = sample
        return sample

    def _add_control(self) -> Sample | None:
        """The control comes as soon as it is known which cell has a lock to take a package from."""
        locks = [(each, self.facts.get(each.cell.id, Facts()).lock) for each in self.cells.values()]
        if any(lock is None for _, lock in locks):
            return None
        target = _control_target(
            [(each.cell, each.roles) for each, lock in locks if isinstance(lock, Lock)]
        )
        return self._add(_control(self.plan, self.series, target), Role.CONTROL) if target else None

    def _released(self) -> list[Sample]:
        return [
            each
            for each in self.cells.values()
            if not each.cell.control and each.cell.borrowed is None
        ]

    def _verdicts(self) -> dict[str, Verdict]:
        return {
            each.cell.version: self.sampling.judge(each).verdict
            for each in self._released()
            if self.facts.get(each.cell.id, Facts()).lock is not None
        }

    def _widen(self) -> tuple[Want, ...]:
        """Where all cells agree, look at older releases for the boundary that the claim meant."""
        claims, said = self.series.claims, set(self._verdicts().values())
        if not claims.fixed or not claims.affected or len(said) != 1:
            return ()
        if said == {Verdict.UNRESOLVED}:
            return ()
        lowest = next(iter(roles_of(self.plan, self.series)))
        for release in self._history.below(lowest)[:WIDEN]:
            probe = self._add(_cell(self.plan, self.series, release.version), Role.PROBE)
            wants = self._ask()
            if wants:
                return wants
            if self.sampling.judge(probe).verdict not in (*said, Verdict.UNRESOLVED):
                return self._settle_neighbours()
        return ()

    def _settle_neighbours(self) -> tuple[Want, ...]:
        """Both neighbours of a boundary get as many attempts as a claim would."""
        for boundary in self._boundaries():
            for side in (boundary.older, boundary.newer):
                self.cells[side.cell.id] = side.model_copy(update={"settled": True})
        return self._ask()

    def _boundaries(self) -> list[Boundary]:
        """Neighbours among the judged releases that disagree."""
        judged = sorted(
            (each for each in self._released() if self._says(each) is not Verdict.UNRESOLVED),
            key=lambda each: self._history.order[each.cell.version],
        )
        return [
            Boundary(older=older, newer=newer)
            for older, newer in pairwise(judged)
            if self._says(older) is not self._says(newer)
        ]

    def _says(self, sample: Sample) -> Verdict:
        return self.sampling.judge(sample).verdict

    def _confirm(self) -> tuple[Want, ...]:
        found = []
        for boundary in self._boundaries():
            result = confirm(self.plan.case, self.sampling, boundary)
            for sample in result.samples:
                self.cells[sample.cell.id] = sample
            if isinstance(result.outcome, tuple):
                return result.outcome
            found.append(result.outcome)
        self.confirmations = tuple(found)
        return ()

    def _findings(self, *, vacuous: bool = False) -> SeriesFindings:
        offered = tuple(each.version for each in self._history.offered)
        follows = any(each.result is ConfirmationResult.DIFFERS for each in self.confirmations)
        stated = boundaries(offered, self._verdicts())
        if vacuous or follows:  # whatever was seen, it is no boundary of the package
            stated = Boundaries(tested=stated.tested)
        return SeriesFindings(
            series=self.series,
            cells=tuple(self._cell_findings(each) for each in self.cells.values()),
            confirmations=self.confirmations,
            boundaries=stated,
            missing=missing(self.plan, self.series),
        )

    def _cell_findings(self, sample: Sample) -> CellFindings:
        return CellFindings(
            cell=sample.cell,
            roles=sample.roles,
            facts=self.facts.get(sample.cell.id, Facts()),
            judgement=self.sampling.judge(sample),
        )
