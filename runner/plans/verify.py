"""The plan of `verify`: both sides of each claim, the predecessor, the control, the confirmation.

A pure function over what is known: `step` says what to run next, or what it all means. It has no
state of its own, so that stopping, resuming and a second opinion cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from runner.attempt import Facts
from runner.boundaries import Boundaries, boundaries
from runner.findings import Conclusion, ConfirmationResult, Need, SeriesFindings, Want
from runner.matrix import Cell, Role, Series
from runner.plans.question import (
    Question,
    Roles,
    add_role,
    cells_of_roles,
    claimed_roles,
    lowest_first,
    missing,
)
from runner.plans.sampling import Sample
from runner.plans.table import Table
from runner.releases import Release
from runner.verdict import Verdict

WIDEN = 8
"""Older releases that are looked at, at most, where all cells of a verify agree."""


class VerifyPlan(Question):
    """Everything that decides what a verify runs."""

    kind: Literal["verify"] = "verify"
    latest: bool = False
    still: bool = False
    """Also judge the newest release where it allows the interpreter: where it does not, that says
    nothing of the claims."""
    also: tuple[str, ...] = ()
    """More releases to judge, that nothing is claimed of."""


def step(plan: VerifyPlan, facts: Mapping[str, Facts]) -> Need | Conclusion:
    """What to run next, or, where nothing is left to ask, what was found.

    Args:
        facts: what is known of each cell, by id; a cell of which nothing is known may be left out.
    """
    outcomes = [_SeriesStep(plan, series, facts).step() for series in plan.series]
    wants = tuple(want for each in outcomes if isinstance(each, tuple) for want in each)
    if wants:
        return Need(wants=wants)
    return Conclusion(series=tuple(each for each in outcomes if isinstance(each, SeriesFindings)))


def planned(plan: VerifyPlan, series: Series) -> dict[Cell, tuple[Role, ...]]:
    """The cells that are known before anything ran, with their roles, lowest release first."""
    return cells_of_roles(plan, series, roles_of(plan, series))


def roles_of(plan: VerifyPlan, series: Series) -> Roles:
    """Which releases a series runs, and as what, lowest first."""
    roles = claimed_roles(plan, series)
    latest = plan.universe.history.latest()
    if latest and (plan.latest or (plan.still and _allowed(series, latest))):
        add_role(plan, roles, latest.version, Role.LATEST)
    for version in plan.also:
        add_role(plan, roles, version, Role.PROBE)
    return lowest_first(plan, roles)


def _allowed(series: Series, release: Release) -> bool:
    """Whether a release can run on the interpreter of a series, as far as the index says."""
    return series.interpreter is None or release.allows(series.interpreter.version)


class _SeriesStep:
    """One look at one series; made for it and thrown away."""

    def __init__(self, plan: VerifyPlan, series: Series, facts: Mapping[str, Facts]) -> None:
        self.plan = plan
        self.series = series
        self.table = Table(plan, series, facts)

    def step(self) -> tuple[Want, ...] | SeriesFindings:
        if self.series.interpreter is None:
            return self._findings()
        self.table.add_releases(roles_of(self.plan, self.series))
        self.table.add_candidate()
        if self.table.vacuous(self.table.add_control()):
            return self._findings(vacuous=True)
        return self.table.ask() or self._widen() or self._confirm() or self._findings()

    def _widen(self) -> tuple[Want, ...]:
        """Where all cells agree, look at older releases for the boundary that the claim meant.

        A claimed `broken` that cannot be judged disagrees with nobody.
        """
        claims, said = self.series.claims, {self.table.says(each) for each in self._counted()}
        if not (claims.fixed or claims.replaced) or not claims.affected:
            return ()
        if self.table.candidate:  # that it shows the bug is an answer
            said |= {self.table.says(self.table.candidate), Verdict.ABSENT}
        if len(said) != 1 or said == {Verdict.UNRESOLVED}:
            return ()
        lowest = (*(each.cell.version for each in self._counted()), *claims.replaced)[0]
        known = roles_of(self.plan, self.series)
        older = self.plan.universe.history.below(lowest)
        for release in [each for each in older if each.version not in known][:WIDEN]:
            probe = self.table.add(self.plan.cell(self.series, release.version), Role.PROBE)
            wants = self.table.ask()
            if wants:
                return wants
            if self.table.says(probe) not in (*said, Verdict.UNRESOLVED):
                return self._settle_neighbours()
        return ()

    def _counted(self) -> list[Sample]:
        """The cells whose agreement counts, lowest first."""
        return [
            each
            for each in self.table.released()
            if self.table.sampling.facts_of(each.cell).lock is not None
            and (each.roles != (Role.BROKEN,) or self.table.says(each) is not Verdict.UNRESOLVED)
        ]

    def _settle_neighbours(self) -> tuple[Want, ...]:
        """Both neighbours of a boundary get as many attempts as a claim would."""
        for boundary in self.table.boundaries():
            for side in (boundary.older, boundary.newer):
                self.table.settle(side)
        return self.table.ask()

    def _confirm(self) -> tuple[Want, ...]:
        return self.table.confirm(self.table.boundaries())

    def _findings(self, *, vacuous: bool = False) -> SeriesFindings:
        offered = tuple(each.version for each in self.plan.universe.history.offered)
        confirmations = self.table.confirmations
        follows = any(each.result is ConfirmationResult.DIFFERS for each in confirmations)
        stated = boundaries(offered, self.table.verdicts())
        if vacuous or follows:  # whatever was seen, it is no boundary of the package
            stated = Boundaries(tested=stated.tested)
        return SeriesFindings(
            series=self.series,
            cells=self.table.cell_findings(),
            confirmations=confirmations,
            boundaries=stated,
            missing=missing(self.plan, self.series),
        )
