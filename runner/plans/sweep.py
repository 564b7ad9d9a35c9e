"""The plan of `sweep`: every release of the window, claims and both sides of each change well."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

from runner.affected import affected
from runner.attempt import Facts
from runner.boundaries import Boundaries
from runner.environment import Failure
from runner.evidence import MOST_SILENT
from runner.findings import Conclusion, ConfirmationResult, Need, Progress, SeriesFindings, Want
from runner.matrix import Cell, Role, Series
from runner.plans.confirmation import Boundary
from runner.plans.question import (
    Roles,
    add_role,
    cells_of_roles,
    claimed_roles,
    lowest_first,
    missing,
)
from runner.plans.sampling import Sample
from runner.plans.stated import Stated, stated
from runner.plans.table import Table
from runner.plans.window import Survey
from runner.releases import in_order
from runner.verdict import Verdict


class SweepPlan(Survey):
    """Everything that decides what a sweep runs."""

    kind: Literal["sweep"] = "sweep"


def step(plan: SweepPlan, facts: Mapping[str, Facts]) -> Need | Conclusion:
    """What to run next, or, where nothing is left to ask, what was found.

    Args:
        facts: what is known of each cell, by id; a cell of which nothing is known may be left out.
    """
    outcomes = [_SeriesStep(plan, series, facts).step() for series in plan.series]
    wants = tuple(want for each in outcomes if isinstance(each, tuple) for want in each)
    if wants:
        return Need(wants=wants)
    return Conclusion(series=tuple(each for each in outcomes if isinstance(each, SeriesFindings)))


def planned(plan: SweepPlan, series: Series) -> dict[Cell, tuple[Role, ...]]:
    """The cells that are known before anything ran, with their roles, lowest release first."""
    return cells_of_roles(plan, series, roles_of(plan, series))


def roles_of(plan: SweepPlan, series: Series) -> Roles:
    """The claims, and every release of the window, withdrawn ones too."""
    roles = claimed_roles(plan, series)
    for version in plan.cells(series):
        if version not in roles:
            add_role(plan, roles, version, Role.PROBE)
    return lowest_first(plan, roles)


def progress_of(plan: SweepPlan, facts: Mapping[str, Facts]) -> tuple[Progress, ...]:
    """How far each series is."""
    return tuple(_progress(plan, each, facts) for each in plan.series)


def _progress(plan: SweepPlan, series: Series, facts: Mapping[str, Facts]) -> Progress:
    known = [facts.get(each.id, Facts()) for each in plan.cells(series).values()]
    done = sum(bool(each.attempts or isinstance(each.lock, Failure)) for each in known)
    return Progress(series=series.name, steps=done, left=len(known) - done)


class _SeriesStep:
    """One look at one series; made for it and thrown away."""

    def __init__(self, plan: SweepPlan, series: Series, facts: Mapping[str, Facts]) -> None:
        self.plan = plan
        self.series = series
        self.window = plan.window(series)
        self.table = Table(plan, series, facts)

    def step(self) -> tuple[Want, ...] | SeriesFindings:
        if self.series.interpreter is None:
            return self._findings()
        self.table.add_releases(claimed_roles(self.plan, self.series))
        for cell in self.plan.cells(self.series).values():
            if cell.id not in self.table.cells:
                self.table.add(cell, Role.PROBE)
        if self.table.vacuous(self.table.add_control()):
            return self._findings(vacuous=True)
        return (
            self._ask() or self._settle() or self.table.confirm(self._changes()) or self._findings()
        )

    def _ask(self) -> tuple[Want, ...]:
        """What the table needs; where the bug does not always show, more than a glance of each."""
        wants = self.table.ask()
        sampling = self.table.sampling
        if sampling.steady:
            return self._claims_first(wants)
        for each in self.table.cells.values():
            if each.glance:
                looks = sampling.needed if sampling.needed <= MOST_SILENT else 1
                more = {"looks": looks, "absence": sampling.needed}
                self.table.cells[each.cell.id] = each.model_copy(update=more)
        return self._claims_first(sampling.wants(self.table.cells.values()))

    def _claims_first(self, wants: tuple[Want, ...]) -> tuple[Want, ...]:
        return tuple(sorted(wants, key=lambda each: self.table.cells[each.cell.id].glance))

    def _settle(self) -> tuple[Want, ...]:
        """Both sides of a change get as many attempts as a claim would.

        Where the bug does not always show, the good one gets more: of many releases that have the
        bug some are silent by chance, and those are what looks like a change.
        """
        settled: set[str] = set()
        wants: tuple[Want, ...] = ()
        while not wants:
            sides = [side for each in self._changes() for side in (each.older, each.newer)]
            sides = [each for each in sides if each.cell.id not in settled]
            if not sides:
                break
            settled |= {each.cell.id for each in sides}
            for each in sides:
                self.table.settle(each)
            wants = self._ask() or self._doubt(sides)
        return wants

    def _doubt(self, sides: list[Sample]) -> tuple[Want, ...]:
        """What the silence of these takes, as any release with the bug could have kept it.

        Claims were named before anything was silent: theirs takes what one release does.
        """
        sampling = self.table.sampling
        if sampling.steady:
            return ()
        judged = self.table.judged()
        shown = [at for at, each in enumerate(judged) if self._shows(each)]
        among = sampling.needed_among(max(2, shown[-1] - shown[0] + 1))
        for each in sides:
            if not self._shows(each):
                needed = among if each.roles == (Role.PROBE,) else sampling.needed
                looks = needed if needed <= MOST_SILENT else each.looks
                more = {"settled": True, "looks": looks, "absence": needed}
                self.table.cells[each.cell.id] = each.model_copy(update=more)
        return sampling.wants(self.table.cells.values())

    def _shows(self, sample: Sample) -> bool:
        return self.table.says(sample) is Verdict.PRESENT

    def _changes(self) -> list[Boundary]:
        """Neighbours that disagree; that one is good which is never offered changes nothing."""
        says, offered = self.table.says, self.window.offered
        judged = [
            each
            for each in self.table.judged()
            if says(each) is Verdict.PRESENT or each.cell.version in offered
        ]
        neighbours = [
            Boundary(older=older, newer=newer)
            for older, newer in pairwise(judged)
            if says(older) is not says(newer)
        ]
        return [*neighbours, *self.table.never_offered(offered)]

    def _findings(self, *, vacuous: bool = False) -> SeriesFindings:
        history, confirmations = self.table.history, self.table.confirmations
        verdicts = self.table.verdicts()
        found = stated(history, self.window, self.table.certain(), confirmations)
        if vacuous:
            found = Stated(Boundaries(), None, ())
        judged = (each for each, said in verdicts.items() if said is not Verdict.UNRESOLVED)
        followed = any(each.result is ConfirmationResult.DIFFERS for each in confirmations)
        ranges = affected(history, self.window.offered, verdicts)
        return SeriesFindings(
            series=self.series,
            kind="sweep",
            cells=self.table.cell_findings(),
            confirmations=confirmations,
            boundaries=found.boundaries.model_copy(update={"tested": in_order(judged)}),
            broken_in=found.broken_in,
            missing=missing(self.plan, self.series),
            window=tuple(each.version for each in self.window.releases),
            skipped=self.window.skipped,
            affected=None if vacuous or followed else ranges,
            upgrades=found.upgrades,
        )
