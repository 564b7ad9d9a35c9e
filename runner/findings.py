"""What a plan asks for next, and what it concludes: values between plans, runs and the report."""

from __future__ import annotations

from enum import StrEnum

from runner.attempt import Facts
from runner.boundaries import Boundaries
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


class Need(Value):
    """What a plan must know before it can go on, most urgent first."""

    wants: tuple[Want, ...]


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


class SeriesFindings(Value):
    """What is known of one series at the end."""

    series: Series
    cells: tuple[CellFindings, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    boundaries: Boundaries = Boundaries()
    missing: tuple[str, ...] = ()
    """Claimed releases that do not exist."""

    def released(self) -> tuple[CellFindings, ...]:
        """The cells that stand for a release as released: no control, no confirmation."""
        return tuple(
            each for each in self.cells if not each.cell.control and each.cell.borrowed is None
        )

    def of_role(self, role: Role) -> tuple[CellFindings, ...]:
        return tuple(each for each in self.cells if role in each.roles)


class Conclusion(Value):
    """A plan has nothing more to ask."""

    series: tuple[SeriesFindings, ...]
