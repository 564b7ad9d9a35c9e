"""An axis as a line of text to wrap: for terminals, with colours and without."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from runner.render.axis import Axis, Gap, Place
from runner.render.marks import Tone
from runner.value import Value

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_SYMBOLS = 12
"""Of neighbours that are alike; further ones are counted."""


class Piece(Value):
    """Text that stays on one line."""

    text: str
    tone: Tone | None = None


def pieces(axis: Axis) -> tuple[Piece, ...]:
    """The releases of an axis, lowest first; the ends of each run of like ones are named."""
    return tuple(_pieces(axis))


def legend(axis: Axis) -> tuple[Piece, ...]:
    """What the symbols mean, as far as they occur."""
    marks = tuple(Piece(text=f"{each.symbol} {each.word}", tone=each.tone) for each in axis.marks)
    steps = (Piece(text="¹ ² ³ steps of the search"),) if axis.numbered else ()
    return (*marks, *steps)


def _pieces(axis: Axis) -> Iterator[Piece]:
    for _, run in groupby(axis.parts(), _look):
        parts = tuple(run)
        ends = (parts[0], parts[-1])
        for named, some in groupby(parts, partial(_has_a_name, ends)):
            if named:
                yield from (_said(each) for each in some)
            else:
                yield _plain(tuple(some))


def _has_a_name(ends: tuple[Place | Gap, ...], part: Place | Gap) -> bool:
    return isinstance(part, Gap) or part.notable or part in ends


def _look(part: Place | Gap) -> str:
    return "" if isinstance(part, Gap) else part.mark.word


def _said(part: Place | Gap) -> Piece:
    if isinstance(part, Gap):
        return Piece(text=f"░{len(part.places)}░", tone=Tone.QUIET)
    claims = "".join(each.symbol for each in part.claims)
    step = "" if part.probe is None else str(part.probe).translate(_RAISED)
    return Piece(text=f"{claims}{part.version} {part.mark.symbol}{step}", tone=part.mark.tone)


def _plain(run: tuple[Place | Gap, ...]) -> Piece:
    """Neighbours that are alike and not the ends of their run."""
    marks = [each.mark for each in run if isinstance(each, Place)]
    symbols = marks[0].symbol
    text = symbols * len(run) if len(run) <= _MOST_SYMBOLS else f"{symbols}×{len(run)}"
    return Piece(text=text, tone=marks[0].tone)
