"""A badge: how a case stands, small enough for a README."""

from __future__ import annotations

from html import escape

from runner.render.marks import Mark, Tone
from runner.render.text import visible

_FILLS = {
    Tone.GOOD: "#14603a",
    Tone.BAD: "#a0201a",
    Tone.DOUBT: "#704700",
    Tone.QUIET: "#4f5861",
}
_CHARACTER = 6.8
_PADDING = 12


def badge(label: str, mark: Mark) -> str:
    """An SVG of two fields; white on each is AA."""
    left, right = visible(label), f"{mark.symbol} {mark.word}"
    first, second = (round(len(each) * _CHARACTER) + _PADDING for each in (left, right))
    whole = first + second
    said = escape(f"{left}: {mark.word}")
    font = "font-family='Verdana,DejaVu Sans,sans-serif' font-size='11' text-anchor='middle'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{whole}' height='20' role='img' "
        f"aria-label='{said}'><title>{said}</title>"
        f"<clipPath id='r'><rect width='{whole}' height='20' rx='4'/></clipPath>"
        f"<g clip-path='url(#r)'><rect width='{first}' height='20' fill='#333a41'/>"
        f"<rect x='{first}' width='{second}' height='20' fill='{_FILLS[mark.tone]}'/></g>"
        f"<g fill='#fff' {font}><text x='{first / 2}' y='14'>{escape(left)}</text>"
        f"<text x='{first + second / 2}' y='14'>{escape(right)}</text></g></svg>\n"
    )
