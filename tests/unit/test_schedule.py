"""Beats: when nights begin, and that each is kept once, whoever waits for it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import (
    BrokerTrouble,
    FixproofError,
    NightTaken,
    NoSpace,
    StoreTrouble,
    WrongUsage,
)
from worker.schedule import Beat, Schedule

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Time that passes as somebody waits; it may be set back."""

    def __init__(self) -> None:
        self.now = NOON
        self.jumps: list[timedelta] = []


class Waiting(threading.Event):
    """Waiting takes no time but that of the clock; after so long it is told to stop."""

    def __init__(self, clock: Clock, until: datetime) -> None:
        super().__init__()
        self._clock = clock
        self._until = until

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.now += timedelta(seconds=timeout or 0)
        if self._clock.jumps and self._clock.now.hour == 2 and self._clock.now.minute > 10:
            self._clock.now += self._clock.jumps.pop()
        if self._clock.now > self._until:
            self.set()
        return self.is_set()


class Nights:
    """Keeps each night once, and takes no time for it."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.open: str | None = None
        self.troubles: list[Exception] = []
        self.dark = False
        """Whether it cannot be told what is open, once there was trouble."""
        self._away = False

    def keep(self, night_id: str) -> None:
        if self.troubles:
            self._away = self.dark
            raise self.troubles.pop()
        if night_id in self.kept:
            raise NightTaken(f"{night_id} has been kept already")
        self.kept.append(night_id)
        self.open = None

    def open_night(self) -> str | None:
        if self._away:
            self._away = False
            raise StoreTrouble("the database is away")
        return self.open


def beat(nights: Nights, days: int = 3, clock: Clock | None = None) -> list[str]:
    """What a beat says in so many days."""
    clock, said = clock or Clock(), list[str]()
    Beat(
        Schedule("0 2 * * *"),
        now=lambda: clock.now,
        keep=nights.keep,
        open_night=nights.open_night,
        told=Waiting(clock, NOON + timedelta(days=days)),
        say=said.append,
        fault=said.append,
    ).beat_on()
    return said


def test_each_night_is_kept_at_its_time() -> None:
    nights = Nights()
    beat(nights)
    assert nights.kept == [f"night-2026030{day}-020000" for day in (2, 3, 4)]


def test_two_beats_keep_each_night_once() -> None:
    nights = Nights()
    for _ in range(2):
        beat(nights)
    assert len(nights.kept) == len(set(nights.kept)) == 3


def test_a_clock_that_jumps_back_an_hour_begins_no_second_night() -> None:
    nights, clock = Nights(), Clock()
    clock.jumps = [timedelta(hours=-1)] * 2
    beat(nights, clock=clock)
    assert nights.kept == [f"night-2026030{day}-020000" for day in (2, 3, 4)]


def test_a_night_that_was_left_open_is_gone_on_with_at_once() -> None:
    nights = Nights()
    nights.open = "night-20260228-020000"
    beat(nights, days=1)
    assert nights.kept == ["night-20260228-020000", "night-20260302-020000"]


def test_a_night_that_another_keeps_is_watched_until_it_is_over() -> None:
    nights = Nights()
    nights.open = "night-20260228-020000"
    nights.troubles = [NightTaken("another keeps it")] * 3
    assert beat(nights, days=1) == ["another keeps it"] * 3
    assert nights.kept[0] == "night-20260228-020000"


def test_a_night_that_another_ends_while_it_is_watched_is_not_begun_anew() -> None:
    nights = Nights()
    nights.open = "night-20260228-020000"
    nights.kept = ["night-20260228-020000"]
    nights.troubles = [NightTaken("another keeps it")]
    keep = nights.keep

    def ends(night_id: str) -> None:
        if not nights.troubles:
            nights.open = None
        keep(night_id)

    nights.keep = ends  # type: ignore[method-assign] # of this one alone
    beat(nights, days=1)
    assert nights.kept == ["night-20260228-020000", "night-20260302-020000"]


def test_a_night_that_trouble_interrupts_is_gone_on_with_when_it_has_passed() -> None:
    nights = Nights()
    nights.open = "night-20260228-020000"
    nights.troubles = [StoreTrouble("the database is away")] * 2
    assert beat(nights, days=1) == ["the database is away"] * 2
    assert nights.kept == ["night-20260228-020000", "night-20260302-020000"]


def test_a_night_whose_moment_comes_while_the_database_is_away_begins_later() -> None:
    nights = Nights()
    nights.dark, nights.troubles = True, [StoreTrouble("the database is away")]
    assert beat(nights) == ["the database is away"]
    assert nights.kept == [f"night-2026030{day}-020000" for day in (2, 3, 4)]


@pytest.mark.parametrize("trouble", [StoreTrouble("away"), NoSpace("full"), BrokerTrouble("gone")])
def test_trouble_that_passes_costs_no_night_though_none_is_open(trouble: FixproofError) -> None:
    nights = Nights()
    nights.troubles = [trouble] * 5
    assert beat(nights) == [trouble.message] * 5
    assert nights.kept == [f"night-2026030{day}-020000" for day in (2, 3, 4)]


def test_trouble_that_lasts_until_the_next_night_costs_one_and_is_tried_ever_less() -> None:
    nights = Nights()
    nights.troubles = [StoreTrouble("the database is away") for _ in range(150)]
    said = beat(nights)
    assert "night-20260302-020000 could not be kept until the next one" in said
    assert nights.kept == [f"night-2026030{day}-020000" for day in (3, 4)]


def test_a_clock_that_was_a_month_ahead_and_is_set_back_costs_no_later_night() -> None:
    nights, clock = Nights(), Clock()
    clock.jumps = [timedelta(days=30), timedelta(days=-30)]
    clock.now -= timedelta(days=1)
    beat(nights, clock=clock)
    assert {f"night-2026030{day}-020000" for day in (3, 4)} <= {*nights.kept}


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("0 2 * * *", [2, 3, 4, 5, 6, 7, 8, 9]),
        ("0 2 * * 0", [8]),
        ("0 2 * * 7", [8]),
        ("0 2 * * 5-7", [6, 7, 8]),
        ("0 2 * * 1-7/3", [2, 5, 8, 9]),
        ("0 2 * * mon,7", [2, 8, 9]),
        ("0 2 4 * 7", [4, 8]),
        ("0 2 4 * *", [4]),
        ("0 2 4 * */3", [4]),
    ],
)
def test_days_are_as_crontab_has_them(written: str, days: list[int]) -> None:
    moment, found = NOON, list[int]()
    while (moment := Schedule(written).following(moment)) < NOON + timedelta(days=8):
        assert (moment.hour, moment.minute, moment.second) == (2, 0, 0)
        found.append(moment.day)
    assert found == days


def test_a_schedule_of_another_number_of_fields_is_said() -> None:
    with pytest.raises(WrongUsage, match="it has 6 fields, not 5"):
        Schedule("0 0 2 * * *")


@pytest.mark.parametrize("written", ["", "0 2 * *", "0 25 * * *", "at night", "0 2 31 2 *"])
def test_what_is_no_schedule_is_said(written: str) -> None:
    with pytest.raises(WrongUsage, match="no schedule"):
        Schedule(written)
