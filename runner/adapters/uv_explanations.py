"""What uv says of a resolution that failed, as far as something is to be done about it."""

from __future__ import annotations

import re
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

_LACKING = re.compile(r"Wheels are required for `([^`]+)`")
_OPERATOR = r"(?:===?|[<>~!]=|[<>])"
_SPECIFIERS = rf"{_OPERATOR}[\w.*+!-]+(?:, ?{_OPERATOR}[\w.*+!-]+)*"


class Lacking(NamedTuple):
    """A package without a wheel that fits, because of which there is no solution."""

    package: str
    within: SpecifierSet
    """The releases that would do: the newest of all may be one that nobody asks for."""


def lacking_wheel(said: str) -> Lacking | None:
    """The first package that a resolution failed for because it has no wheel."""
    found = _LACKING.search(said)
    return Lacking(found[1], _demanded(found[1], said)) if found else None


def _demanded(package: str, said: str) -> SpecifierSet:
    """What the releases that depend on it ask for, `{...}` being the marker of a requirement."""
    asks = rf"(?:depends? on|require) {re.escape(package)}(?:\{{[^}}]*\}})?({_SPECIFIERS})"
    told = re.findall(asks, " ".join(said.split()))
    try:
        return SpecifierSet(",".join(dict.fromkeys(told)))
    except InvalidSpecifier:
        return SpecifierSet()
