"""A history as a strip of nights: one letter a night, and how a page draws it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import groupby

from runner.outcome import Status
from runner.records import Record
from runner.value import Value

NOTHING = "-"
LETTERS = {Status.PASS: "P", Status.FAIL: "F", Status.INCONCLUSIVE: "I", Status.UNTESTED: "I"}
_TONES = {"P": ("good", 5), "F": ("bad", 12), "I": ("doubt", 8)}
"""How a night is drawn: its colour, and its height of 12, for those who see none."""
_WORDS = {"P": Status.PASS, "F": Status.FAIL, "I": Status.INCONCLUSIVE}
STEP = 3
"""Width of a night."""
MOST_NIGHTS = 365


class History(Value):
    """What each night came to, oldest first; `-` where nothing ran."""

    letters: str = ""
    last: date | None = None
    """The night of the last letter."""


class Strip(Value):
    """What a template draws."""

    width: int
    paths: tuple[tuple[str, str], ...]
    """Tone and shape of all nights that are alike."""
    said: str


def nights(records: Iterable[Record]) -> Mapping[date, Record]:
    """The last record of each day (UTC) that is not withdrawn: a night, until nights are kept.

    Args:
        records: the newest first.
    """
    found: dict[date, Record] = {}
    for each in records:
        if not each.withdrawn and not each.candidate:
            found.setdefault(each.ended.date(), each)
    return found


def history(records: Iterable[Record]) -> History:
    """At most a year of nights, up to the last one."""
    by_day = nights(records)
    if not by_day:
        return History()
    last = max(by_day)
    first = max(min(by_day), last - timedelta(days=MOST_NIGHTS - 1))
    days = (first + timedelta(days=each) for each in range((last - first).days + 1))
    letters = (LETTERS[by_day[day].status] if day in by_day else NOTHING for day in days)
    return History(letters="".join(letters), last=last)


def strip(found: History, until: date | None, count: int) -> Strip:
    """The nights up to one, which may be later than the last of this history."""
    letters = found.letters
    if found.last and until:
        letters += NOTHING * (until - found.last).days
    letters = letters[-count:].rjust(count, NOTHING)
    drawn: dict[str, list[str]] = {}
    at = 0
    for letter, run in groupby(letters):
        length = len([*run])
        if letter in _TONES:
            tone, height = _TONES[letter]
            path = f"M{at * STEP} {12 - height}h{length * STEP}v{height}h-{length * STEP}z"
            drawn.setdefault(tone, []).append(path)
        at += length
    return Strip(
        width=count * STEP,
        paths=tuple((tone, "".join(paths)) for tone, paths in drawn.items()),
        said=_said(letters),
    )


def _said(letters: str) -> str:
    counted = Counter(letters)
    ran = len(letters) - counted[NOTHING]
    parts = (f"{counted[each]} {_WORDS[each]}" for each in _WORDS if counted[each])
    return f"{ran} of {len(letters)} nights with runs{': ' * (ran > 0)}{', '.join(parts)}"
