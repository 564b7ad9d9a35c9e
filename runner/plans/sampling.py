"""How many attempts each cell of a series still needs (design section 4, repeats by rate)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.attempt import Facts
from runner.case import Case
from runner.evidence import MOST, MOST_SILENT, SHOWN, absence_needed, silence_needed
from runner.findings import Want
from runner.matrix import Cell, Role
from runner.value import Value
from runner.verdict import Counts, Judgement, Verdict, hang_in_doubt, judge, no_attempt_helps

CONTROL_ATTEMPTS = 2
NOTHING = Facts()
"""Of a cell of which nothing is known."""


class Sample(Value):
    """A cell as its series looks at it."""

    cell: Cell
    roles: tuple[Role, ...]
    expected_broken: bool = False
    settled: bool = False
    """Of a probe: whether it turned out to be a neighbour of a boundary."""
    looks: int = 1
    """Judged attempts that it should have, at least, as long as it is silent."""
    absence: int | None = None
    """Attempts that its absence takes, where a search knows better than the rate alone."""

    @property
    def glance(self) -> bool:
        """Whether few attempts will do until something depends on it; one that shows the bug will.

        None is expected to: what a search finds out about its rate is not asked of each release.
        """
        return self.roles == (Role.PROBE,) and not self.settled


class Sampling:
    """The arithmetic of one series: the pooled rate, and what is asked of each cell."""

    def __init__(self, *, case: Case, confidence: float, facts: Mapping[str, Facts]) -> None:
        self.case = case
        self.confidence = confidence
        self.facts = facts
        self.silence = silence_needed(confidence)
        self.needed = self.silence
        """Attempts that an `absent` takes; fewer once the rate of the bug is known."""
        self.steady = True
        """Whether each release that showed the bug showed it each time."""
        self._telling: list[tuple[int, int]] = []
        """Attempts of what showed the bug, and how many of them did not."""
        self._judged: dict[tuple[str, int], Judgement] = {}

    def facts_of(self, cell: Cell) -> Facts:
        return self.facts.get(cell.id, NOTHING)

    def judge(self, sample: Sample) -> Judgement:
        """The verdict of a cell, with as many attempts as its absence takes here."""
        return self._judge(sample, self._absence(sample))

    def at_once(self, sample: Sample) -> Judgement:
        """The verdict of a cell if one silent attempt were enough."""
        return self._judge(sample, 1)

    def wants(self, samples: Iterable[Sample]) -> tuple[Want, ...]:
        """The attempts that are missing: the broken side first, since its rate decides the rest."""
        listed = sorted(samples, key=lambda each: not each.expected_broken)
        return tuple(want for each in listed if (want := self._want(each)) is not None)

    def may_tell(self, sample: Sample) -> bool:
        """Whether one more attempt of a silent cell could be judged, and was not had too often."""
        judged = self.counts(sample).judged
        return judged < MOST_SILENT and self._want(sample, looks=judged + 1) is not None

    def measure(self, samples: Iterable[Sample]) -> None:
        """How many an absence takes: as many as the least telling release that showed it asks for.

        Releases are not pooled: a predecessor that shows the bug one time in ten would hide behind
        older ones that always do (docs/decisions/0008). Of a release expected broken that still
        runs it is assumed that it will show the bug each time: this asks for the fewest, so that
        both sides can run at once and none runs in vain. The same holds for one that was to be good
        and has shown the bug. Glances count as one release: alone, one that showed the bug at once
        would ask for more than a release that showed it three times of four.
        """
        telling, glances = [], Counts()
        for sample in samples:
            if sample.cell.control or sample.cell.borrowed:
                continue
            counts = self.counts(sample)
            attempts, silent = counts.judged, counts.absent
            self.steady = self.steady and not (counts.present and silent)
            if sample.glance:
                glances = _sum(glances, counts) if counts.present else glances
                continue
            if self._on_broken_side(sample, counts) and self._want(sample) is not None:
                attempts += max(0, SHOWN - counts.present)
            if attempts > silent:
                telling.append((attempts, silent))
        if glances.absent:
            telling.append((glances.judged, glances.absent))
        self._telling = telling
        self.needed = self.needed_among(1)

    def needed_among(self, releases: int) -> int:
        """Attempts that an absence takes where any of so many releases may be silent by chance."""
        confidence = 1 - (1 - self.confidence) / releases
        asked = (absence_needed(*each, confidence) for each in self._telling)
        return max(asked, default=self.silence)

    def _judge(self, sample: Sample, needed: int) -> Judgement:
        cell, key = sample.cell, (sample.cell.id, needed)
        if key not in self._judged:
            version = None if cell.control else cell.version
            self._judged[key] = judge(self.case, version, self.facts_of(cell), needed)
        return self._judged[key]

    def counts(self, sample: Sample) -> Counts:
        """Its attempts by what they say, whatever its absence takes."""
        return self._judge(sample, self.silence).counts

    def _absence(self, sample: Sample) -> int:
        if sample.absence is not None:
            return sample.absence
        if sample.glance:
            return 1
        return self.silence if sample.expected_broken else self.needed

    def _want(self, sample: Sample, looks: int | None = None) -> Want | None:
        facts = self.facts_of(sample.cell)
        judgement = self.judge(sample)
        if no_attempt_helps(judgement):
            return None
        if hang_in_doubt(self.case, facts):
            return self._repetition(sample, facts, judgement)
        counts = judgement.counts
        target = self._target(sample, counts, looks or sample.looks)
        if counts.unresolved > target:  # each attempt asked for was replaced once
            return None
        missing = target - counts.judged
        if self._on_broken_side(sample, counts):
            missing = min(missing, max(1, SHOWN - counts.present))
        if sample.cell.control:
            missing -= counts.unresolved
        return Want(cell=sample.cell, attempts=missing) if missing > 0 else None

    def _repetition(self, sample: Sample, facts: Facts, judgement: Judgement) -> Want | None:
        """One more with twice the limit, as long as it may still show that the hang is none."""
        doubled = [
            observed.says is Verdict.UNRESOLVED
            for attempt, observed in zip(facts.attempts, judgement.observations, strict=True)
            if attempt.doubled
        ]
        told, said_nothing = doubled.count(False), doubled.count(True)
        again = told < SHOWN and said_nothing <= SHOWN
        return Want(cell=sample.cell, attempts=1, doubled=True) if again else None

    def _on_broken_side(self, sample: Sample, counts: Counts) -> bool:
        return sample.expected_broken or (counts.present > 0 and not sample.glance)

    def _target(self, sample: Sample, counts: Counts, looks: int) -> int:
        """Judged attempts that the cell should have, as things look now."""
        if sample.cell.control:
            return 0 if counts.judged else CONTROL_ATTEMPTS
        if sample.glance:
            return counts.judged if counts.present else looks
        if self._on_broken_side(sample, counts):
            if counts.present >= SHOWN:
                return counts.judged
            # One that was to be good is judged by its first `present`; the rest says how often.
            if counts.present:
                return MOST if sample.expected_broken else self.silence
            return max(self.silence, looks)
        return max(self.needed if self.needed <= MOST_SILENT else 0, looks)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(present=one.present + other.present, absent=one.absent + other.absent)
