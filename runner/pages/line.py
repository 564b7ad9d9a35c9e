"""One line of a page."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One line as its reader sees it; a page has up to some hundred thousand of them."""

    number: int
    """In the file, from 1."""
    text: str
    code: bool = False
    """It stands in a block of code, where that can be told."""
    heading: bool = False
    """It is a heading, where that can be told."""
    links: tuple[str, ...] = ()
    """What it links to."""
