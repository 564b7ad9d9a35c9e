"""One stream of an attempt for a page: its looks, where the signature was found, what is left out.

All of it is text; what shows it as HTML escapes it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby, islice, pairwise
from typing import NamedTuple

from runner.metadata import compile_signature
from runner.render.ansi import Style, styled
from runner.render.privacy import Privacy, Swap
from runner.render.text import hides, visible
from runner.sandbox import Stream
from runner.value import Value
from runner.verdict import readable, whole_parts

EDGE_LINES = 40
"""Lines at the head and at the tail that are shown."""
AROUND_LINES = 2
"""Lines that are shown before and after one with the signature."""
EDGE_WIDTH = 160
"""Characters at the head and at the tail of a line that are shown."""
AROUND_WIDTH = 80
MOST_FOUND = 20
"""Matches of the signature that are marked in one part of a stream."""


class Piece(Value):
    """Characters of one line that look alike."""

    text: str
    classes: str = ""
    marked: bool = False
    """The signature was found here."""


class Line(Value):
    """One line."""

    pieces: tuple[Piece, ...]

    @property
    def marked(self) -> bool:
        return any(each.marked for each in self.pieces)


class Gap(Value):
    """Something that is left out here."""

    said: str


class ShownStream(Value):
    """What a page shows of a stream."""

    lines: tuple[Line | Gap, ...]
    found: int
    """How often the signature is marked."""


class _Part(NamedTuple):
    """A readable text with all that is known of its characters."""

    text: str
    styles: tuple[tuple[int, Style], ...]
    marks: tuple[tuple[int, int], ...]


def shown_stream(stream: Stream, signature: str | None, privacy: Privacy) -> ShownStream:
    """Head, tail, and the surroundings of each match of the signature, where one is looked for."""
    lines: list[Line | Gap] = []
    found = 0
    shown = (stream.head, stream.tail) if stream.omitted else (stream.head + stream.tail,)
    for at, (data, whole) in enumerate(zip(shown, whole_parts(stream), strict=True)):
        lines += [Gap(said=f"{stream.omitted:,} bytes were not kept")] if at else []
        text, styles = styled(data)
        marks = _found(signature, readable(whole)) if signature else ()
        # The verdict was searched in whole lines: these are at one end of what is shown.
        shift = len(text) - len(readable(whole)) if at else 0
        part = _Part(text, styles, tuple((start + shift, end + shift) for start, end in marks))
        lines += _lines(part, privacy)
        found += len(part.marks)
    return ShownStream(lines=tuple(lines), found=found)


def _found(signature: str, text: str) -> tuple[tuple[int, int], ...]:
    """Where the signature is, as often as it is marked."""
    spans = (each.span() for each in compile_signature(signature).finditer(text))
    return tuple(islice(((start, end) for start, end in spans if end > start), MOST_FOUND))


def _lines(part: _Part, privacy: Privacy) -> Iterator[Line | Gap]:
    """The lines that are shown, and how many are left out where."""
    ends = [at for at, each in enumerate(part.text) if each == "\n"]
    if part.text and not part.text.endswith("\n"):
        ends.append(len(part.text))
    starts = [0, *(each + 1 for each in ends[:-1])]
    marked = {bisect_right(starts, at) - 1 for start, end in part.marks for at in (start, end - 1)}
    for left_out, kept in _kept(len(ends), edge=EDGE_LINES, spots=marked, around=AROUND_LINES):
        if left_out:
            yield Gap(said=f"{left_out:,} lines left out")
        for each in kept:
            yield Line(pieces=tuple(_line(part, starts[each], ends[each], privacy)))


def _line(part: _Part, start: int, end: int, privacy: Privacy) -> Iterator[Piece]:
    """The characters of one line that are shown, and how many are left out where."""
    swaps = [
        Swap(each.start + start, each.end + start, each.shown)
        for each in privacy.swaps(part.text[start:end])
    ]
    marked = {max(at, start) - start for at, to in part.marks if at < end and to > start}
    for left_out, kept in _kept(end - start, edge=EDGE_WIDTH, spots=marked, around=AROUND_WIDTH):
        if left_out:
            yield Piece(text=f"[… {left_out:,} characters …]", classes="gap")
        yield from _alike(part, swaps, start + kept.start, start + kept.stop)


def _alike(part: _Part, swaps: list[Swap], start: int, end: int) -> Iterator[Piece]:
    """Some characters of one line, as pieces that look alike."""
    first = bisect_right(part.styles, start, key=_place)
    last = bisect_right(part.styles, end, key=_place)
    cuts = {start, end, *(at for at, _ in part.styles[first:last])}
    cuts |= {at for each in part.marks for at in each if start < at < end}
    cuts |= {at for each in swaps for at in each[:2] if start < at < end}
    cuts -= {at for at in cuts for each in swaps if each.start < at < each.end and start < at < end}
    for here, there in pairwise(sorted(cuts)):
        swap = next((each for each in swaps if each.start <= here < each.end), None)
        classes = part.styles[bisect_right(part.styles, here, key=_place) - 1][1].classes
        marked = any(at < there and to > here for at, to in part.marks)
        shown = swap.shown if swap else part.text[here:there]
        for hidden, characters in groupby(shown, key=hides):
            named = f"{classes} escape".strip() if hidden else classes
            yield Piece(text=visible("".join(characters)), classes=named, marked=marked)


def _place(style: tuple[int, Style]) -> int:
    return style[0]


def _kept(
    count: int, *, edge: int, spots: Iterable[int], around: int
) -> Iterator[tuple[int, range]]:
    """Both edges of `count` things, and what is around some spots of them.

    Each range comes with the number of things before it that are left out.
    """
    wanted = [range(min(edge, count)), range(max(count - edge, 0), count)]
    wanted += [range(max(each - around, 0), min(each + around + 1, count)) for each in spots]
    merged: list[range] = []
    for each in sorted(wanted, key=lambda one: one.start):
        if merged and each.start <= merged[-1].stop + around:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, each.stop))
        else:
            merged.append(each)
    stops = [0, *(each.stop for each in merged)]
    for stop, each in zip(stops, merged, strict=False):
        yield each.start - stop, each
