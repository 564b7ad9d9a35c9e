"""How often we disagree with ourselves: cells that ran twice and should say the same (A/A)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from runner.report import CellReport, Report
from runner.value import Value, digest

RATE = 0.02
"""Of the cases that a night runs, how many are run twice; one at least."""
_SURE = 1.959964
"""Two-sided quantile of the normal distribution at 0.95."""


class Disagreement(Value):
    """A cell that said two things under the same conditions."""

    cell: str
    first: str
    second: str


class Noise(Value):
    """What became of cells that ran twice."""

    pairs: int = 0
    """Cells that ran twice with the same lock."""
    disagreed: int = 0

    @property
    def rate(self) -> float | None:
        return self.disagreed / self.pairs if self.pairs else None

    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of the rate at 0.95; None where nothing ran twice."""
        if not self.pairs:
            return None
        n, p, z = self.pairs, self.disagreed / self.pairs, _SURE
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __add__(self, other: Noise) -> Noise:
        return Noise(pairs=self.pairs + other.pairs, disagreed=self.disagreed + other.disagreed)


def runs_twice(night: str, case_id: str) -> bool:
    """Whether it is a case's turn, by the night and its id alone."""
    return int(digest("aa/1", night, case_id)[:8], 16) < RATE * 2**32


def first_of(night: str, cases: Iterable[str]) -> str:
    """The case that runs twice where it was the turn of none; one night this, then another."""
    return min(cases, key=lambda each: digest("aa/1", night, each))


def compare(first: Report, second: Report) -> tuple[Noise, tuple[Disagreement, ...]]:
    """What two reports of one case say of the same cells, where the locks are the same."""
    before: dict[str, CellReport] = {each.id: each for each in first.cells}
    pairs = [
        (before[each.id], each)
        for each in second.cells
        if each.id in before
        and each.lock_sha256 is not None
        and each.lock_sha256 == before[each.id].lock_sha256
    ]
    differ = tuple(
        Disagreement(cell=new.id, first=old.verdict, second=new.verdict)
        for old, new in pairs
        if old.verdict is not new.verdict
    )
    return Noise(pairs=len(pairs), disagreed=len(differ)), differ
