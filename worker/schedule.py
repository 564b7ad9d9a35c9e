"""When nights begin: a beat that keeps each night of a schedule, or sees that somebody does.

Any number of beats may be at work: a night is named after its moment, and the database has each
name once. So a clock that jumps back begins no second one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from celery.schedules import ParseException, crontab

from runner.errors import FixproofError, NightTaken, WrongUsage

LOOK = timedelta(seconds=30)
"""How long a beat sleeps at most: clocks may be set."""
_STAND_BY = 12.0
"""Seconds between two looks whether the keeper of a night is still there."""
_FIELDS = 5
_SUNDAY = 7
_WEEKDAYS = re.compile(r"(\d)(?:-(\d))?(?:/(\d+))?")
_LONGEST = 600.0
"""Seconds that are waited at most until a night that met trouble is tried again."""


class Schedule:
    """Moments, as crontab(5) writes them; UTC."""

    def __init__(self, written: str) -> None:
        """Read it.

        Raises:
            WrongUsage: it is no schedule.
        """
        self._fields = written.split()
        hint = (
            "It is like '0 2 * * *': minute, hour, day of the month, month, day of the week; UTC."
        )
        if len(self._fields) != _FIELDS:
            raise WrongUsage(
                f"{written!r} is no schedule: it has {len(self._fields)} fields, not {_FIELDS}",
                hint=hint,
            )
        try:
            self.following(datetime.fromisoformat("2026-01-01T00:00Z"))
        except (ValueError, RuntimeError, ParseException) as error:
            raise WrongUsage(f"{written!r} is no schedule: {error}", hint=hint) from error

    def following(self, moment: datetime) -> datetime:
        """The next moment after another."""
        minute, hour, day, month, weekday = self._fields
        weekday = ",".join(_sunday_is_zero(each) for each in weekday.split(","))
        days = [(day, weekday)]
        if not day.startswith("*") and not weekday.startswith("*"):
            days = [(day, "*"), ("*", weekday)]  # where both are named, either will do

        def after(day: str, weekday: str) -> datetime:
            times = crontab(minute, hour, weekday, day, month, nowfun=lambda: moment)
            left: timedelta = times.remaining_estimate(moment)
            return moment + left

        return min(after(*each) for each in days)


def _sunday_is_zero(part: str) -> str:
    """Days of the week without a 7, which crontab(5) has for a Sunday too."""
    found = _WEEKDAYS.fullmatch(part)
    if found is None:
        return part
    first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
    if max(first, last) != _SUNDAY or first > last or step == 0:
        return part
    return ",".join(str(each % _SUNDAY) for each in range(first, last + 1, step))


class Beat:
    """One that waits for nights."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        now: Callable[[], datetime],
        keep: Callable[[str], None],
        open_night: Callable[[], str | None],
        told: threading.Event,
        say: Callable[[str], None],
        fault: Callable[[str], None],
    ) -> None:
        """Be ready.

        Args:
            schedule: when.
            now: the time.
            keep: keeps the night of that id, or goes on with the one that is open; raises
                NightTaken where somebody else keeps it, or that one has been kept.
            open_night: the id of the one that is open.
            told: set when it is to stop.
            say: what happens,
            fault: and what should not.
        """
        self._schedule = schedule
        self._now = now
        self._keep = keep
        self._open_night = open_night
        self._told = told
        self._say = say
        self._fault = fault

    def beat_on(self) -> None:
        """Keep nights until told to stop."""
        moment = self._schedule.following(self._now())
        if (unended := self._open_night()) is not None:
            self._see_to(unended, moment)
        while not self._told.is_set():
            left = moment - self._now()
            if left > timedelta(0):
                self._told.wait(min(left, LOOK).total_seconds())
                # a clock that was ahead, and is set back, has nights before that one
                moment = min(moment, self._schedule.following(self._now()))
                continue
            following = self._schedule.following(max(moment, self._now()))
            if self._see_to(f"night-{moment:%Y%m%d-%H%M%S}", following):
                following = self._schedule.following(max(moment, self._now()))
            moment = following

    def _see_to(self, night_id: str, until: datetime) -> bool:
        """Keep a night, or stand by until whoever keeps it has, or trouble has passed.

        It always has an id: what has ended meanwhile must not be begun anew. Trouble is waited out
        until the moment of the next night; False if it lasted so long.
        """
        pause = _STAND_BY
        while not self._told.is_set():
            try:
                self._keep(night_id)
            except NightTaken as taken:
                if self._is_over():
                    return True
                self._say(taken.message)
                self._told.wait(_STAND_BY)
            except FixproofError as trouble:
                self._fault(str(trouble))
                self._told.wait(pause)
                pause = min(2 * pause, _LONGEST)
                if self._now() >= until:
                    self._fault(f"{night_id} could not be kept until the next one")
                    return False
            else:
                return True
        return True

    def _is_over(self) -> bool:
        """Whether no night is open; False where the database does not tell."""
        try:
            return self._open_night() is None
        except FixproofError:
            return False
