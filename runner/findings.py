"""What a plan asks for next, and what it concludes: values between plans, runs and the report."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from runner.affected import Upgrade
from runner.attempt import Facts
from runner.boundaries import Boundaries, FixedIn
from runner.environment import Difference
from runner.matrix import Cell, Role, Series
from runner.value import Value
from runner.verdict import Judgement


class Want(Value):
    """More attempts of one cell."""

    cell: Cell
    attempts: int
    """How many more; at least one."""
    doubled: bool = False
    """With twice the limit of time."""
    patient: bool = False
    """Whether nothing waits for them: they may fill slots that would be idle."""


class Need(Value):
    """What a plan must know before it can go on, most urgent first."""

    wants: tuple[Want, ...]
    ahead: tuple[Cell, ...] = ()
    """Cells that may be wanted next, most likely first: to resolve and install them while
    attempts run saves time, and is no duty."""
    left: int | None = None
    """Attempts that may still be made, those that run now included; None: as many as wanted."""


class ConfirmationResult(StrEnum):
    """Whether a boundary also holds with one set of dependencies on both sides."""

    SAME = "same"
    DIFFERS = "differs"
    IMPOSSIBLE = "impossible"


class Confirmation(Value):
    """One boundary, looked at with one variable at a time."""

    older: str
    newer: str
    result: ConfirmationResult
    differs: tuple[Difference, ...] = ()
    """In what the dependencies of the two sides differ as released."""
    follows: Difference | None = None
    """The one dependency that the verdict follows; None if it is not just one, or unknown."""
    cells: tuple[str, ...] = ()
    """Ids of the cells that showed it; none where the locks are equal but for the package."""


class CellFindings(Value):
    """What is known of one cell at the end."""

    cell: Cell
    roles: tuple[Role, ...]
    facts: Facts
    judgement: Judgement


class Skipped(Value):
    """A release that was left out, and why."""

    version: str
    why: str


class Reached(Value):
    """How sure a search is of a change of which it cannot be quite sure."""

    change: Literal["fixed", "broken"]
    """The fix, or the bug itself."""
    after: str
    by: str
    """It came after the one and by the other,"""
    confidence: float
    """with these odds."""


class Search(Value):
    """How a bisection went."""

    probes: tuple[str, ...] = ()
    """Ids of the cells of the search, in the order in which they were made."""
    budget: int | None = None
    """Attempts that it was allowed; None: as many as needed."""
    spent: int = 0
    """Attempts that were made for it, claims and control and confirmation too; none reused."""
    exhausted: bool = False
    """Whether it ended because the budget did, or was stopped, before the answer was there."""
    reached: tuple[Reached, ...] = ()
    """Of a bug that does not show each time, or a search that was cut off; where nothing is said
    here, a stated boundary rests on the usual repeats."""


class OpenRange(Value):
    """Between two releases something changed, and it is not yet known where."""

    after: str | None
    by: str | None
    releases: int
    """Candidates between them that may still tell."""


class Progress(Value):
    """How far the search of one series is, for whoever watches."""

    series: str
    steps: int
    """Releases of the search (of a sweep: of the window) that were judged."""
    left: int | None
    """Further steps at most, as things look now; None where nobody can tell."""
    ranges: tuple[OpenRange, ...] = ()


class SeriesFindings(Value):
    """What is known of one series at the end."""

    series: Series
    kind: Literal["verify", "sweep", "bisect"] = "verify"
    cells: tuple[CellFindings, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    boundaries: Boundaries = Boundaries()
    missing: tuple[str, ...] = ()
    """Claimed releases that do not exist."""
    window: tuple[str, ...] = ()
    """Releases of a sweep's or bisection's window that could be offered, lowest first."""
    broken_in: FixedIn | None = None
    """Of a sweep or bisection: where the bug came first, as a range."""
    skipped: tuple[Skipped, ...] = ()
    """Releases of that window that were left out."""
    affected: tuple[dict[str, str], ...] | None = None
    """Of a sweep: measured ranges as OSV events, lowest first."""
    assumes: str | None = None
    """Of a bisection: what it takes for granted of releases that it did not run."""
    search: Search | None = None
    """Of a bisection."""
    upgrades: tuple[Upgrade, ...] = ()
    """Of a sweep or bisection: what it means for users."""

    def natural(self) -> tuple[CellFindings, ...]:
        """The cells with the dependencies of their day: no control, no confirmation."""
        return tuple(
            each for each in self.cells if not each.cell.control and each.cell.borrowed is None
        )

    def released(self) -> tuple[CellFindings, ...]:
        """Those of them that stand for a release as released; a candidate is none."""
        return tuple(each for each in self.natural() if not each.cell.candidate)

    def of_role(self, role: Role) -> tuple[CellFindings, ...]:
        return tuple(each for each in self.cells if role in each.roles)


class Conclusion(Value):
    """A plan has nothing more to ask."""

    series: tuple[SeriesFindings, ...]
