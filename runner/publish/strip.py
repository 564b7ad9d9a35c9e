"""A history as a strip of nights: one letter a day, and how a page draws it.

Runs that no night made stand apart, below the nights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import groupby

from runner.nightly.keeping import Look
from runner.outcome import Status
from runner.records import Record
from runner.value import Value

NOTHING = "-"
TAKEN_BACK = "W"
"""A night looked, and what it relied on was withdrawn since."""
LETTERS = {Status.PASS: "P", Status.FAIL: "F", Status.INCONCLUSIVE: "I", Status.UNTESTED: "I"}
_WORDS = {"P": Status.PASS, "F": Status.FAIL, "I": Status.INCONCLUSIVE}
_TONES = {"P": ("good", 5), "F": ("bad", 12), "I": ("doubt", 8)}
"""How a night is drawn: its colour, and its height, for those who see none."""
_TALLEST, _LINE, _GAP, _BELOW = 12, 2, 1, 5
HEIGHT = _TALLEST + _GAP + _BELOW
STEP = 3
"""Width of a day."""
MOST_NIGHTS = 365


class Days(Value):
    """A letter for each day, oldest first; `-` where there is nothing."""

    letters: str = ""
    last: date | None = None
    """The day of the last letter."""


class History(Value):
    """What nights made of a case, and what runs did that no night made."""

    nights: Days = Days()
    """A capital where a night looked at it, a small letter where its status was kept."""
    apart: Days = Days()

    @property
    def last(self) -> date | None:
        return max((each.last for each in (self.nights, self.apart) if each.last), default=None)


class Strip(Value):
    """What a template draws."""

    width: int
    height: int = HEIGHT
    paths: tuple[tuple[str, str], ...]
    """Tone and shape of all days that are alike."""
    said: str


def history(
    looks: Sequence[Look], records: Sequence[Record], nights: Collection[date] = ()
) -> History:
    """At most a year of nights up to the last that looked, and a year of runs apart from them.

    Args:
        looks: at the case, the newest first.
        records: of the case, the newest first.
        nights: days on which a night was kept, whatever it looked at.
    """
    withdrawn = {each.run for each in records if each.withdrawn}
    looked: dict[date, str] = {}
    for each in looks:
        looked.setdefault(each.began.date(), _letter(each, withdrawn))
    made = {run for each in looks for run in each.rounds}
    others: dict[date, str] = {}
    for record in records:
        if not record.withdrawn and not record.candidate and record.run not in made:
            others.setdefault(record.ended.date(), LETTERS[record.status])
    return History(nights=_days(looked, nights), apart=_days(others))


def strip(found: History, until: date | None, count: int, nights: Collection[date] = ()) -> Strip:
    """So many days up to one; nights after the last that looked kept the status."""
    above = _last_days(_until(found.nights, until, nights), count)
    below = _last_days(_until(found.apart, until), count)
    drawn: dict[str, list[str]] = {}
    for letters, shape in ((above, _above), (below, _below)):
        at = 0
        for letter, run in groupby(letters):
            length = len([*run])
            if letter.upper() in _TONES:
                tone, path = shape(letter)
                width = length * STEP
                drawn.setdefault(tone, []).append(path.format(x=at * STEP, w=width))
            at += length
    return Strip(
        width=count * STEP,
        paths=tuple((tone, "".join(paths)) for tone, paths in drawn.items()),
        said=_said(above, below),
    )


def _letter(look: Look, withdrawn: Collection[str]) -> str:
    if look.removed:
        return NOTHING
    return TAKEN_BACK if look.run in withdrawn else LETTERS[look.status]


def _days(found: dict[date, str], nights: Collection[date] = ()) -> Days:
    """A letter for each day from the first that has one to the last."""
    if not found:
        return Days()
    last = max(found)
    first = max(min(found), last - timedelta(days=MOST_NIGHTS - 1))
    before = found.get(max((day for day in found if day < first), default=first), NOTHING)
    letters: list[str] = []
    for at in range((last - first).days + 1):
        day = first + timedelta(days=at)
        letters.append(found[day] if day in found else _kept(before) if day in nights else NOTHING)
        before = found.get(day, before)
    return Days(letters="".join(letters), last=last)


def _until(found: Days, until: date | None, nights: Collection[date] = ()) -> str:
    """The letters up to a day, which may be later than the last of these."""
    if found.last is None or until is None:
        return found.letters
    days = (found.last + timedelta(days=each + 1) for each in range((until - found.last).days))
    kept = _kept(found.letters[-1])
    return found.letters + "".join(kept if day in nights else NOTHING for day in days)


def _kept(letter: str) -> str:
    """What a night that does not look leaves of the status before."""
    return letter.lower() if letter in _WORDS else NOTHING


def _last_days(letters: str, count: int) -> str:
    return letters[-count:].rjust(count, NOTHING)


def _above(letter: str) -> tuple[str, str]:
    """A bar where a night looked, a line at its height where the status was kept."""
    tone, height = _TONES[letter.upper()]
    tall = height if letter.isupper() else _LINE
    return tone, f"M{{x}} {_TALLEST - height}h{{w}}v{tall}h-{{w}}z"


def _below(letter: str) -> tuple[str, str]:
    """A small bar below the nights, as high in proportion."""
    tone, height = _TONES[letter]
    tall = height * _BELOW // _TALLEST
    return tone, f"M{{x}} {HEIGHT - tall}h{{w}}v{tall}h-{{w}}z"


def _said(above: str, below: str) -> str:
    looked, apart = Counter(above), Counter(below)
    parts = [f"{_nights(sum(looked[each] for each in _WORDS))} looked at it{_counted(looked)}"]
    if looked[TAKEN_BACK]:
        parts.append(f"{_nights(looked[TAKEN_BACK])} withdrawn")
    if kept := sum(looked[each.lower()] for each in _WORDS):
        parts.append(f"{_nights(kept)} kept its status")
    if days := sum(apart[each] for each in _WORDS):
        said = f"runs that no night made on {days} day{'s' * (days != 1)}"
        parts.append(f"{said}{_counted(apart)}")
    return f"{len(above)} days: {'; '.join(parts)}"


def _nights(count: int) -> str:
    return f"{count or 'no'} night{'s' * (count != 1)}"


def _counted(letters: Counter[str]) -> str:
    parts = [f"{letters[each]} {_WORDS[each]}" for each in _WORDS if letters[each]]
    return f" ({', '.join(parts)})" if parts else ""
