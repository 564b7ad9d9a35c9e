"""Dates as pages and logs write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from runner.value import Value

_ISO = re.compile(
    r"(?<![\d-])\d{4}-\d{2}-\d{2}"
    r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?)?(?![\d-])"
)
_HTTP = re.compile(r"\b\d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}(?= GMT)")
_YEARS = range(1990, 2200)
_SPELT = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y")


class Moment(Value):
    """A time, or a whole day in whatever time zone."""

    at: datetime
    """UTC; of a day: its start."""
    day: bool

    @property
    def earliest(self) -> datetime:
        """What it may mean at the earliest: days begin up to 14 hours before UTC's."""
        return self.at - timedelta(hours=14) if self.day else self.at

    @property
    def latest(self) -> datetime:
        """What it may mean at the latest."""
        return self.at + timedelta(hours=36) if self.day else self.at

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d}" if self.day else f"{self.at:%Y-%m-%d %H:%M:%S} UTC"


def moment(text: str) -> Moment | None:
    """The date or time at the start of a text; None if there is none."""
    text = text.strip().strip("`*")
    found = _ISO.match(text)
    if found:
        return _iso(found[0])
    for form in _SPELT:
        try:
            at = datetime.strptime(text.rstrip("."), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return Moment(at=at, day=True) if at.year in _YEARS else None
    return None


def moments(text: str) -> Iterator[tuple[int, Moment]]:
    """Times in a log, with the place of each; of ISO and of HTTP's form."""
    for found in _ISO.finditer(text):
        told = _iso(found[0])
        if told and not told.day:
            yield found.start(), told
    for found in _HTTP.finditer(text):
        try:
            at = datetime.strptime(found[0], "%d %b %Y %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            continue
        yield found.start(), Moment(at=at, day=False)


def _iso(text: str) -> Moment | None:
    text = text.strip()
    try:
        at = datetime.fromisoformat(text.replace(",", ".").replace(" UTC", "Z").replace(" Z", "Z"))
    except ValueError:
        return None
    if at.year not in _YEARS:
        return None
    if len(text) == len("2026-01-01"):
        return Moment(at=at.replace(tzinfo=UTC), day=True)
    return Moment(at=at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC), day=False)
