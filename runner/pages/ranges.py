"""Releases as pages write them: one, a list, or a range in one of several spellings."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from runner.value import Value

TOKEN = r"[vV]?[0-9][0-9A-Za-z]*(?:[.!+_-][0-9A-Za-z]+)*"  # noqa: S105 - no password
"""What could be a release."""
LIST = rf"{TOKEN}(?:\s*(?:,|;|and|&)\s*{TOKEN})*"
_TOKEN = re.compile(TOKEN)
_DASHED = re.compile(
    r"(?P<low>\S+?)\s*(?:–|—|\.\.+|\s-\s|\s(?:to|through|until)\s)\s*(?P<high>\S+)"
)
_HYPHEN = re.compile(r"(?P<low>[vV]?[0-9][\w.!+]*)-(?P<high>[0-9]+\.[\w.]+)")
_FROM = re.compile(
    r"(?:since\s+|from\s+)?(?P<low>\S+?)\s*(?:\+|and (?:later|newer|above|up)|or later)"
)
_UP_TO = re.compile(
    r"(?P<word>before|prior to|below|up to|until|through)\s+(?P<high>\S+)", re.IGNORECASE
)
_LONGEST = 64
"""Characters of a release: what is longer is none, whatever it looks like."""
_OPERATORS = ("<", ">", "=", "!", "~")


class Span(Value):
    """A range of releases; None at an end leaves it open."""

    low: str | None
    high: str | None
    high_included: bool = True

    def contains(self, version: Version) -> bool:
        if self.low is not None and version < Version(self.low):
            return False
        if self.high is None:
            return True
        high = Version(self.high)
        return version < high or (self.high_included and version == high)

    @property
    def empty(self) -> bool:
        """Whether its ends are the wrong way round."""
        return bool(self.low and self.high and Version(self.low) > Version(self.high))

    def __str__(self) -> str:
        if self.low and self.high:
            return f"{self.low}–{self.high}"
        if self.high:
            return f"{'up to' if self.high_included else 'before'} {self.high}"
        return f"{self.low} and later" if self.low else "all releases"


class Affected(Value):
    """Which releases are said to be affected."""

    spans: tuple[Span, ...] = ()
    single: tuple[str, ...] = ()
    specifier: str | None = None
    """In the spelling of PEP 440, where that is how it is written."""

    @property
    def named(self) -> tuple[str, ...]:
        """Every release that is named, ends of ranges too."""
        ends = (end for each in self.spans for end in (each.low, each.high) if end)
        bounds = (each.version for each in SpecifierSet(self.specifier or ""))
        exact = (each for each in bounds if "*" not in each)
        return tuple(dict.fromkeys((*self.single, *ends, *exact)))

    @property
    def whole(self) -> bool:
        """Whether it is more than a list of releases."""
        return bool(self.spans or self.specifier)

    def contains(self, version: str) -> bool:
        parsed = Version(version)
        return (
            any(each.contains(parsed) for each in self.spans)
            or any(Version(each) == parsed for each in self.single)
            or (
                self.specifier is not None
                and SpecifierSet(self.specifier).contains(parsed, prereleases=True)
            )
        )


def released(text: str) -> str | None:
    """A release, without the v that some write before it; None if it is no PEP 440 version."""
    bare = text.strip().strip("`*").removeprefix("v").removeprefix("V")
    try:
        return str(Version(bare)) if len(bare) <= _LONGEST else None
    except InvalidVersion:
        return None


def listed(text: str) -> tuple[str, ...]:
    """The releases at the start of a text, one or a list: `1.2.3`, `1.2.3 and 1.3.1`."""
    found = re.match(LIST, text.strip().strip("`*"))
    tokens = _TOKEN.findall(found[0]) if found else []
    return tuple(version for each in tokens if (version := released(each)))


def affected(text: str) -> Affected | None:
    """What a text says of affected releases; None if nobody can tell."""
    text = text.strip().rstrip(".").replace("`", "")
    if text.lower() in ("all", "all versions", "all releases"):
        return Affected(spans=(Span(low=None, high=None),))
    if text.startswith(_OPERATORS):
        return _specified(text)
    parts = [each for each in re.split(r"\s*[,;]\s*|\s+and\s+(?=[vV]?\d)", text) if each]
    found = [_part(each) for each in parts]
    known = [each for each in found if each is not None]
    if not found or len(known) < len(found):
        return None
    return Affected(
        spans=tuple(span for each in known for span in each.spans),
        single=tuple(version for each in known for version in each.single),
    )


def _specified(text: str) -> Affected | None:
    try:
        specifier = SpecifierSet(text)
    except InvalidSpecifier:
        return None
    return Affected(specifier=str(specifier))


def _part(text: str) -> Affected | None:
    single = released(text)
    if single:
        return Affected(single=(single,))
    low: str | None = None
    high: str | None = None
    included = True
    if found := _UP_TO.fullmatch(text):
        high = released(found["high"])
        included = found["word"].lower() in ("up to", "until", "through")
        complete = high is not None
    elif found := _DASHED.fullmatch(text) or _HYPHEN.fullmatch(text):
        low, high = released(found["low"]), released(found["high"])
        complete = low is not None and high is not None
    elif found := _FROM.fullmatch(text):
        low = released(found["low"])
        complete = low is not None
    else:
        return None
    return Affected(spans=(Span(low=low, high=high, high_included=included),)) if complete else None
