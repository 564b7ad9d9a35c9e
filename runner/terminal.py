"""What a terminal shows at the end of a sweep or a bisection: the answer, releases on an axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from runner.render.axis_text import Piece, legend, pieces
from runner.render.marks import STATUSES, Tone
from runner.render.survey import axis_of, is_survey, upgrades
from runner.report import Report

_STYLES = {Tone.GOOD: "green", Tone.BAD: "red", Tone.DOUBT: "yellow", Tone.QUIET: "dim"}


def show(report: Report, stream: TextIO) -> None:
    """Show it, in colours where the stream is a terminal and NO_COLOR is not set."""
    if not is_survey(report):
        return
    console = Console(file=stream, highlight=False)
    status = STATUSES[report.status]
    console.print()
    console.print(
        Text.assemble((f"{status.symbol} {status.word}", f"bold {_STYLES[status.tone]}"), ": "),
        Text(report.summary),
        sep="",
        soft_wrap=False,
    )
    for each in report.series:
        axis = axis_of(report, each)
        console.print(Text(f"\n{axis.title}", "bold"))
        for line in (pieces(axis), legend(axis)):
            console.print(Padding(_flow(line, console.width - 4), (0, 2)))
        for advice in upgrades(each):
            console.print(Padding(Text(advice), (0, 2)))


def _flow(parts: Iterable[Piece], width: int) -> Text:
    """Pieces beside each other, in lines that no piece is broken by."""
    lines, used = [Text()], 0
    for each in parts:
        needed = Text(each.text).cell_len
        if used and used + 2 + needed > width:
            lines, used = [*lines, Text()], 0
        if used:
            lines[-1].append("  ")
        lines[-1].append(each.text, _STYLES[each.tone] if each.tone else "")
        used += needed + 2
    return Text("\n").join(lines)
