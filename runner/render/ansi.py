"""The looks that output asked a terminal for: from which character of the readable text on.

The text is the one that a signature is searched in, to the character. Of all terminal codes only
colours and weights (SGR) count, and none of them can hide anything: `conceal` is passed over.
"""

from __future__ import annotations

import codecs
import colorsys
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from runner.verdict import TERMINAL_CODES

COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""In the order of their codes. Bright ones are the same: a page has its own light."""
FLAGS = ("bold", "faint", "italic", "underlined", "struck", "inverse")
_ON = {
    "1": "bold",
    "2": "faint",
    "3": "italic",
    "4": "underlined",
    "7": "inverse",
    "9": "struck",
    "21": "underlined",
}
_OFF = {
    "22": {"bold", "faint"},
    "23": {"italic"},
    "24": {"underlined"},
    "27": {"inverse"},
    "29": {"struck"},
}
_PLACES = {"3": "colour", "9": "colour", "4": "behind", "10": "behind"}
"""Tens of a code: 31 and 91 are red text, 41 and 101 text on red."""
_HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")
"""Each is a sixth of the circle wide; red's middle is at 0."""
_LONGEST = 3
"""Digits of a number that means anything."""
_CUBE, _GREYS = 16, 232
"""Where these begin among 256 colours: before them are the eight, twice."""
_MOST = 255
_LEAST_HUE = 32
"""A colour whose parts lie closer together, of 255, counts as grey."""


class Style(NamedTuple):
    """How characters are to look."""

    flags: frozenset[str] = frozenset()
    colour: str | None = None
    behind: str | None = None

    @property
    def classes(self) -> str:
        """Names for a style sheet: `bold red on-white`."""
        named = [each for each in FLAGS if each in self.flags]
        named += [self.colour] if self.colour else []
        named += [f"on-{self.behind}"] if self.behind else []
        return " ".join(named)


class Styled(NamedTuple):
    """A text, and from which character on it looks how."""

    text: str
    styles: tuple[tuple[int, Style], ...]
    """The first begins at 0; an empty text has none."""


def styled(data: bytes) -> Styled:
    """Output as `verdict.readable` gives it, with its looks."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    parts: list[str] = []
    styles: list[tuple[int, Style]] = []
    length, held = 0, b""
    for piece, style, last in _pieces(data):
        # Codes may stand between the halves of a line end, or of a character.
        whole = (held + piece).replace(b"\r\n", b"\n")
        held = b"\r" if whole.endswith(b"\r") and not last else b""
        shown = decode(whole[: len(whole) - len(held)], last)
        if shown and (not styles or styles[-1][1] != style):
            styles.append((length, style))
        parts.append(shown)
        length += len(shown)
    return Styled("".join(parts), tuple(styles))


def _pieces(data: bytes) -> Iterator[tuple[bytes, Style, bool]]:
    """What stands between codes, with its looks, and whether it is the last."""
    codes = list(TERMINAL_CODES.finditer(data))
    spans = [(0, 0), *(each.span() for each in codes), (len(data), len(data))]
    style = Style()
    for at, ((_, start), (end, _)) in enumerate(pairwise(spans)):
        style = _after(style, codes[at - 1][0]) if at else style
        yield data[start:end], style, at == len(codes)


def _after(style: Style, code: bytes) -> Style:
    """What a terminal code makes of a style: nothing, if it is not about looks."""
    if not code.startswith(b"\x1b[") or not code.endswith(b"m"):
        return style
    asked = code[2:-1].decode("ascii")
    if not set(asked) <= set("0123456789;:"):
        return style
    rest = iter(asked.split(";"))
    for number in rest:
        style = _with(style, number, rest)
    return style


def _with(style: Style, asked: str, rest: Iterator[str]) -> Style:
    """One number applied, or one with its own parts (`4:3`); 38 and 48 take some of the rest."""
    number, *own = asked.split(":")
    number = number.lstrip("0")
    if not number:
        return Style()
    if number in _ON and own != ["0"]:
        return style._replace(flags=style.flags | {_ON[number]})
    if number in _ON or number in _OFF:
        return style._replace(flags=style.flags - _OFF.get(number, {_ON.get(number, "")}))
    return _coloured(style, number, _extended(own, rest) if number in ("38", "48") else None)


def _coloured(style: Style, number: str, extended: str | None) -> Style:
    place, last = _PLACES.get(number[:-1]), number[-1]
    named = COLOURS[int(last)] if last < "8" else extended
    match place:
        case "colour" if number != "99":
            return style._replace(colour=named)
        case "behind" if number != "109":
            return style._replace(behind=named)
        case _:
            return style


def _extended(own: list[str], rest: Iterator[str]) -> str | None:
    """A colour of 256 or of 16 million: `5;208`, `2;255;135;0`, or the same with colons."""
    kind = own[0] if own else next(rest, "")
    if kind == "5":
        numbers = own[1:2] or [next(rest, "")]
    elif kind == "2":
        numbers = own[-3:] if own else [next(rest, "") for _ in range(3)]
    else:
        return None
    if not all(each.isdecimal() and len(each) <= _LONGEST for each in numbers):
        return None
    values = [min(int(each), _MOST) for each in numbers]
    match values:
        case [number]:
            return _of_256(number)
        case [red, green, blue]:
            return _nearest(red, green, blue)
        case _:
            return None


def _of_256(number: int) -> str:
    """The 16 of old, a cube of 6 × 6 × 6, and 24 greys."""
    if number < _CUBE:
        return COLOURS[number % len(COLOURS)]
    if number >= _GREYS:
        grey = 8 + 10 * (number - _GREYS)
        return _nearest(grey, grey, grey)
    place = number - _CUBE
    steps = (place // 36, place // 6 % 6, place % 6)
    red, green, blue = (each and 55 + 40 * each for each in steps)
    return _nearest(red, green, blue)


def _nearest(red: int, green: int, blue: int) -> str:
    """The one of `COLOURS` that comes closest: by its hue, if it has one."""
    darkest, lightest = min(red, green, blue), max(red, green, blue)
    if lightest - darkest < _LEAST_HUE:
        return "black" if darkest + lightest < _MOST else "white"
    hue, _, _ = colorsys.rgb_to_hls(red, green, blue)
    return _HUES[round(hue * len(_HUES)) % len(_HUES)]
