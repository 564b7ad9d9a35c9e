"""An axis as SVG: where each release is drawn. Columns are as wide as a finger is precise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.render.axis import Axis, Gap, Place
from runner.value import Value

WIDE = 56
"""Columns of a row on a large screen,"""
NARROW = 17
"""and on a phone."""
COLUMN = 19
SQUARE = 17
_STEP = 15
"""Room for the number of a step above a square,"""
_CLAIM = 19
"""and for claims above that."""
_BETWEEN = 14
"""Rows."""
_LONGEST_GAP = 4
"""Columns of a gap at most: how many releases it has is written on it."""
_LONGEST_LABEL = 16
_CHARACTER = 6.7
"""Width of a character of a label."""


class Spot(Value):
    """One place or gap, with the position of its square."""

    part: Place | Gap
    x: int
    y: int
    width: int
    label: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


class Picture(Value):
    """Everything that a template draws."""

    axis: Axis
    anchor: str
    """Begins the ids of its parts: a page has several pictures."""
    width: int
    height: int
    spots: tuple[Spot, ...]
    square: int = SQUARE


def picture(axis: Axis, anchor: str, columns: int) -> Picture:
    """Lay an axis out in rows of at most so many columns."""
    parts = [(each, _columns(each)) for each in axis.parts()]
    spots: list[Spot] = []
    below = 0
    for row in _rows(parts, columns):
        places = [each for part, _ in row for each in _places(part)]
        y = below + _above(places)
        at = 0
        for part, span in row:
            width = span * COLUMN - (COLUMN - SQUARE)
            spot = Spot(part=part, x=at * COLUMN + 1, y=y, width=width, label=_label(part))
            spots.append(spot)
            at += span
        longest = max(len(each.label) for each in spots if each.y == y)
        below = y + SQUARE + round(longest * _CHARACTER) + _BETWEEN
    return Picture(
        axis=axis,
        anchor=anchor,
        width=max((each.x + each.width for each in spots), default=0) + 1,
        height=below,
        spots=tuple(spots),
    )


def _places(part: Place | Gap) -> tuple[Place, ...]:
    return (part,) if isinstance(part, Place) else part.places


def _above(places: list[Place]) -> int:
    steps = any(each.probe is not None for each in places)
    return 2 + _STEP * steps + _CLAIM * any(each.claims for each in places)


def _columns(part: Place | Gap) -> int:
    return 1 if isinstance(part, Place) else min(_LONGEST_GAP, len(part.places))


def _rows(
    parts: Iterable[tuple[Place | Gap, int]], columns: int
) -> Iterator[list[tuple[Place | Gap, int]]]:
    row: list[tuple[Place | Gap, int]] = []
    for part, span in parts:
        if row and sum(each for _, each in row) + span > columns:
            yield row
            row = []
        row.append((part, span))
    if row:
        yield row


def _label(part: Place | Gap) -> str:
    if isinstance(part, Gap):
        return "" if len(part.places) > 1 else _short(part.places[0].version)
    return _short(part.version)


def _short(version: str) -> str:
    fits = len(version) <= _LONGEST_LABEL
    return version if fits else f"{version[: _LONGEST_LABEL - 1]}…"
