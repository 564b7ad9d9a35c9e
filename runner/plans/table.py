"""The cells of one series as a plan looks at them, and what every plan does with them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from itertools import pairwise

from packaging.version import Version

from runner.attempt import Facts
from runner.environment import Lock
from runner.findings import CellFindings, Confirmation, Want
from runner.matrix import Cell, Role, Series
from runner.plans.confirmation import Boundary, confirm
from runner.plans.question import CONTROL_ROLES, Question, Roles
from runner.plans.sampling import Sample, Sampling
from runner.verdict import Verdict


class Table:
    """One look at one series; made for it and thrown away."""

    def __init__(self, question: Question, series: Series, facts: Mapping[str, Facts]) -> None:
        self.question = question
        self.series = series
        self.facts = facts
        self.sampling = Sampling(case=question.case, confidence=question.confidence, facts=facts)
        self.history = question.universe.history
        self.cells: dict[str, Sample] = {}
        self.confirmations: tuple[Confirmation, ...] = ()
        self.candidate: Sample | None = None

    def add(self, cell: Cell, *roles: Role) -> Sample:
        broken = self.series.claims.affected and bool({Role.BROKEN, Role.BEFORE} & {*roles})
        sample = Sample(cell=cell, roles=roles, expected_broken=broken)
        self.cells[cell.id] = sample
        return sample

    def add_releases(self, roles: Roles) -> None:
        for version, found in roles.items():
            self.add(self.question.cell(self.series, version), *found)

    def add_candidate(self) -> Sample | None:
        """The build that stands in for the claimed fixes, if there is one."""
        cell = self.question.candidate(self.series)
        self.candidate = self.add(cell, Role.CANDIDATE) if cell else None
        return self.candidate

    def add_control(self) -> Sample | None:
        """The control comes as soon as it is known which cell has a lock to take a package from."""
        for role in CONTROL_ROLES:
            cells = [each.cell for each in self.cells.values() if role in each.roles]
            locks = [self.sampling.facts_of(each).lock for each in cells]
            if any(lock is None for lock in locks):
                return None
            locked = [at for at, lock in enumerate(locks) if isinstance(lock, Lock)]
            if locked:
                target = cells[locked[-1]]
                return self.add(self.question.control(target), Role.CONTROL)
        return None

    def vacuous(self, control: Sample | None) -> bool:
        """Whether the script says something without the package."""
        return control is not None and bool(self.sampling.judge(control).counts.judged)

    def ask(self) -> tuple[Want, ...]:
        """What the cells of the table still need."""
        self.sampling.measure(self.cells.values())
        return self.sampling.wants(self.cells.values())

    def released(self) -> list[Sample]:
        return [
            each
            for each in self.cells.values()
            if not each.cell.control and not each.cell.candidate and each.cell.borrowed is None
        ]

    def says(self, sample: Sample) -> Verdict:
        return self.sampling.judge(sample).verdict

    def verdicts(self) -> dict[str, Verdict]:
        return {
            each.cell.version: self.says(each)
            for each in self.released()
            if self.sampling.facts_of(each.cell).lock is not None
        }

    def certain(self) -> dict[str, Verdict]:
        """Verdicts that a boundary may rest on: none where nothing shows the bug."""
        said = self.verdicts()
        return said if Verdict.PRESENT in said.values() else {}

    def settle(self, sample: Sample) -> None:
        """From now on a cell needs as many attempts as a claim would."""
        self.cells[sample.cell.id] = sample.model_copy(update={"settled": True})

    def boundaries(self) -> list[Boundary]:
        """Neighbours among the judged releases that disagree; a good candidate with its neighbour.

        That is the highest release below it that shows the bug, else the highest one at all.
        """
        judged = self.judged()
        pairs = [
            (older, newer)
            for older, newer in pairwise(judged)
            if self.says(older) is not self.says(newer)
        ]
        if self.candidate and self.says(self.candidate) is Verdict.ABSENT:
            bound = Version(self.candidate.cell.version)
            broken = [each for each in judged if self.says(each) is Verdict.PRESENT]
            below = [each for each in broken if Version(each.cell.version) <= bound]
            pairs += [(each, self.candidate) for each in (below or broken)[-1:]]
        return [Boundary(older=older, newer=newer) for older, newer in pairs]

    def never_offered(self, offered: Container[str]) -> list[Boundary]:
        """What claimed fixes turned that nobody could be told to take: withdrawn, pre-releases.

        No boundary is stated of them, but they are judged like any other claim. What else is good
        and was never offered stands between no claim and the bug.
        """
        counted = [
            each
            for each in self.judged()
            if each.roles != (Role.PROBE,)
            or each.cell.version in offered
            or self.says(each) is Verdict.PRESENT
        ]
        return [
            Boundary(older=older, newer=newer)
            for older, newer in pairwise(counted)
            if Role.FIXED in newer.roles
            and newer.cell.version not in offered
            and (self.says(older), self.says(newer)) == (Verdict.PRESENT, Verdict.ABSENT)
        ]

    def judged(self) -> list[Sample]:
        """The releases that have a verdict, lowest first."""
        return sorted(
            (each for each in self.released() if self.says(each) is not Verdict.UNRESOLVED),
            key=lambda each: self.history.order[each.cell.version],
        )

    def confirm(self, boundaries: Iterable[Boundary]) -> tuple[Want, ...]:
        """Hold the dependencies still at each boundary; what that found is kept."""
        wants: list[Want] = []
        found = []
        for boundary in boundaries:
            result = confirm(self.question.case, self.sampling, boundary)
            for sample in result.samples:
                self.cells[sample.cell.id] = sample
            if isinstance(result.outcome, tuple):
                wants += result.outcome
            else:
                found.append(result.outcome)
        self.confirmations = tuple(found)
        return tuple(wants)

    def cell_findings(self) -> tuple[CellFindings, ...]:
        """Of each cell; a probe or confirmation that never began is none."""
        return tuple(
            CellFindings(
                cell=each.cell,
                roles=each.roles,
                facts=self.sampling.facts_of(each.cell),
                judgement=self.sampling.judge(each),
            )
            for each in self.cells.values()
            if each.cell.id in self.facts or each.roles not in ((Role.PROBE,), (Role.CONFIRM,))
        )
