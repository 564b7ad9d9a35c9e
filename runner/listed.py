"""Versions in a sentence: all of them, or the first few."""

from __future__ import annotations

from collections.abc import Iterable

_MOST_NAMED = 3


def joined(versions: Iterable[str]) -> str:
    """All by name: "1.0, 1.1 and 1.2"."""
    *others, last = [*versions] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def some(versions: list[str]) -> str:
    """The first few by name: "1.0, 1.1, 1.2 and 4 more"."""
    more = len(versions) - _MOST_NAMED
    named = versions if more <= 1 else [*versions[:_MOST_NAMED], f"{more} more"]
    return joined(named)
