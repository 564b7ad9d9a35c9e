"""When nights begin: a beat that keeps each night of a schedule, or sees that somebody does.

Any number of beats may be at work: a night is named after its moment, and the database has each
name once. So a clock that jumps back begins no second one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from celery.schedules import ParseException, crontab

from runner.errors import FixproofError, NightTaken, WrongUsage

LOOK = timedelta(seconds=30)
"""How long a beat sleeps at most: clocks may be set."""
_STAND_BY = 12.0
"""Seconds between two looks whether the keeper of a night is still there."""


class Schedule:
    """Moments, as crontab(5) writes them; UTC."""

    def __init__(self, written: str) -> None:
        """Read it.

        Raises:
            WrongUsage: it is no schedule.
        """
        self._written = written
        try:
            self.following(datetime.fromisoformat("2026-01-01T00:00Z"))
        except (ValueError, ParseException) as error:
            raise WrongUsage(
                f"{written!r} is no schedule: {error}", hint="It is like '0 2 * * *', in UTC."
            ) from error

    def following(self, moment: datetime) -> datetime:
        """The next moment after another."""
        minute, hour, day, month, weekday = self._written.split()
        times = crontab(minute, hour, weekday, day, month, nowfun=lambda: moment)
        left: timedelta = times.remaining_estimate(moment)
        return moment + left


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
    ) -> None:
        """Be ready.

        Args:
            schedule: when.
            now: the time.
            keep: keeps the night of that id, or goes on with the one that is open; raises
                NightTaken where somebody else keeps it, or that one has been kept.
            open_night: the id of the one that is open.
            told: set when it is to stop.
            say: what happens.
        """
        self._schedule = schedule
        self._now = now
        self._keep = keep
        self._open_night = open_night
        self._told = told
        self._say = say

    def beat_on(self) -> None:
        """Keep nights until told to stop."""
        if (unended := self._open_night()) is not None:
            self._see_to(unended)
        moment = self._schedule.following(self._now())
        while not self._told.is_set():
            left = moment - self._now()
            if left > timedelta(0):
                self._told.wait(min(left, LOOK).total_seconds())
                continue
            self._see_to(f"night-{moment:%Y%m%d-%H%M%S}")
            moment = self._schedule.following(max(moment, self._now()))

    def _see_to(self, night_id: str) -> None:
        """Keep a night, or stand by until whoever keeps it has, or trouble has passed.

        It always has an id: what has ended meanwhile must not be begun anew.
        """
        while not self._told.is_set():
            try:
                return self._keep(night_id)
            except FixproofError as trouble:
                if self._is_over():  # the next night may fare better
                    return None if isinstance(trouble, NightTaken) else self._say(str(trouble))
                self._say(trouble.message)
                self._told.wait(_STAND_BY)
        return None

    def _is_over(self) -> bool:
        """Whether no night is open; False where the database does not tell."""
        try:
            return self._open_night() is None
        except FixproofError:
            return False
