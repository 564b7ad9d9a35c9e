"""The matrix of a report: a row for each release, a column for each series."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from packaging.version import Version

from runner.findings import Skipped
from runner.matrix import CANDIDATE, Role
from runner.render.marks import CONTROL_FAILS, CONTROL_HOLDS, ROLES, STATUSES, VERDICTS, Mark
from runner.render.words import cells_of
from runner.report import CellReport, Report
from runner.sentences import REASONS
from runner.value import Value
from runner.verdict import Verdict


class Square(Value):
    """One cell of the report, where its row and its column meet."""

    mark: Mark
    counts: str
    """ "3 of 3"; empty where nothing could be judged."""
    why: str
    """Why it is unresolved, where it need not be; else empty."""
    tags: tuple[str, ...]
    """Its roles, and that its release was withdrawn."""


class Column(Value):
    """One series."""

    python: str
    variant: str | None
    status: Mark


class Row(Value):
    """One release, or one release with other dependencies."""

    label: str
    squares: tuple[tuple[Square, ...], ...]
    """For each column what was run there; nothing, or in rare cases more than one."""


class Grid(Value):
    """The matrix."""

    columns: tuple[Column, ...]
    rows: tuple[Row | Skipped, ...]
    """Releases as released, lowest first, with those that were skipped."""
    checks: tuple[Row, ...]
    """Controls and confirmations."""


def grid(report: Report) -> Grid:
    """Arrange the cells of a report."""
    columns = [cells_of(report, each) for each in report.series]
    released = _rows([each.released for each in columns], released_as)
    return Grid(
        columns=tuple(
            Column(python=each.python, variant=each.variant, status=STATUSES[each.status])
            for each in report.series
        ),
        rows=tuple(sorted((*released, *report.skipped), key=_place)),
        checks=_rows([each.others for each in columns], partial(_aside, report.case.package)),
    )


def released_as(cell: CellReport) -> str:
    """What a row of releases is called."""
    return f"{cell.version} (candidate)" if CANDIDATE in cell.id else cell.version


def square(cell: CellReport) -> Square:
    """One cell, in words."""
    counts = cell.counts
    judged = f"{counts.present} of {counts.judged}" if counts.judged else ""
    silent = f", {counts.unresolved} unresolved" if judged and counts.unresolved else ""
    mark = _mark(cell)
    return Square(
        mark=mark,
        counts=f"{judged}{silent}",
        why=REASONS[cell.reason] if cell.reason and mark is not CONTROL_HOLDS else "",
        tags=(*(ROLES[each] for each in cell.roles), *(["yanked"] if cell.yanked else [])),
    )


def _rows(
    columns: list[tuple[CellReport, ...]], label: Callable[[CellReport], str]
) -> tuple[Row, ...]:
    labels = dict.fromkeys(label(each) for cells in columns for each in cells)
    return tuple(
        Row(
            label=each,
            squares=tuple(
                tuple(square(cell) for cell in cells if label(cell) == each) for cells in columns
            ),
        )
        for each in labels
    )


def _aside(package: str, cell: CellReport) -> str:
    """A cell that stands for no release, by what is held still in it."""
    if Role.CONTROL in cell.roles:
        return f"without {package}"
    name, _, version = cell.id.rpartition("@")[2].partition("=")
    what = f"the dependencies of {version}" if name == "deps" else f"{name} {version}"
    return f"{released_as(cell)} with {what}"


def _mark(cell: CellReport) -> Mark:
    if Role.CONTROL not in cell.roles:
        return VERDICTS[cell.verdict]
    return CONTROL_HOLDS if cell.verdict is Verdict.UNRESOLVED else CONTROL_FAILS


def _place(row: Row | Skipped) -> Version:
    """Releases in their order."""
    return Version((row.label if isinstance(row, Row) else row.version).partition(" ")[0])
