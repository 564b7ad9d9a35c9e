"""What every database has to do for nights, embedded or on a server: one suite for both."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from runner.adapters.sql_store import SqlStore
from runner.nightly.due import Cause, Why
from runner.nightly.keeping import Look, NightStore, OpenNight
from runner.nightly.night import Entry, Night, Round, drawn_up
from runner.nightly.noise import Noise
from runner.nightly.standing import Standing
from runner.outcome import Outcome, Status
from tests.builders import LATER


@pytest.fixture
def nights(database_url: str) -> Iterator[NightStore]:
    made = SqlStore(database_url)
    yield made.nights
    made.close()


def an_entry(case: str, night: str, summary: str = "all is well") -> Entry:
    standing = Standing(
        night=night,
        case=case,
        package="pkg",
        sha256="5" * 64,
        run="run-1",
        status=Status.PASS,
        outcome=Outcome.OK,
        summary=summary,
        ran=LATER,
        latest="1.3",
        uploaded=None,
    )
    return Entry(
        case=case,
        package="pkg",
        causes=(Cause(why=Why.NEW, said="ü"),),
        rounds=(),
        changes=(),
        standing=standing,
    )


def a_night(name: str) -> Night:
    return drawn_up(
        night=name,
        began=LATER,
        ended=LATER + timedelta(hours=1),
        cases=1,
        due=0,
        entries=(),
        more=(),
        not_looked=(),
        left_out=("b",),
        quarantine=(),
        before=Noise(pairs=1),
    )


def test_one_night_at_a_time(nights: NightStore) -> None:
    assert nights.open() is None
    assert nights.begin("night-1", LATER, "me")
    assert not nights.begin("night-2", LATER, "you")
    assert nights.open() == OpenNight("night-1", LATER, "me", 0)
    nights.end(a_night("night-1"), "me")
    assert nights.open() is None
    assert nights.begin("night-2", LATER, "you")


def test_of_many_that_begin_at_once_one_does(nights: NightStore) -> None:
    with ThreadPoolExecutor(6) as pool:
        begun = list(pool.map(lambda n: nights.begin(f"night-{n}", LATER, f"me-{n}"), range(6)))
    assert begun.count(True) == 1


def test_a_night_of_a_name_is_kept_once(nights: NightStore) -> None:
    assert nights.begin("night-1", LATER, "me")
    nights.end(a_night("night-1"), "me")
    assert not nights.begin("night-1", LATER, "you")
    assert nights.open() is None
    assert nights.begin("night-2", LATER, "you")


def test_a_night_that_is_heard_of_cannot_be_taken(nights: NightStore) -> None:
    nights.begin("night-1", LATER, "me")
    seen = nights.open()
    assert seen
    assert nights.beat("night-1", "me")
    assert not nights.take_over(seen, "you")
    later = nights.open()
    assert later
    assert later.beats == seen.beats + 1
    assert nights.take_over(later, "you")
    assert not nights.take_over(later, "she")
    assert not nights.beat("night-1", "me")
    assert nights.beat("night-1", "you")


def test_who_lost_a_night_ends_it_no_more(nights: NightStore) -> None:
    nights.begin("night-1", LATER, "me")
    seen = nights.open()
    assert seen
    assert nights.take_over(seen, "you")
    nights.end(a_night("night-1"), "me")
    assert nights.open()
    assert nights.last() is None


def test_a_night_that_was_left_says_so(nights: NightStore) -> None:
    nights.begin("night-1", LATER, "me")
    nights.leave("night-1", "me")
    left = nights.open()
    assert left
    assert left.beats < 0
    assert nights.take_over(left, "you")


def test_a_case_stands_where_the_last_night_that_looked_left_it(nights: NightStore) -> None:
    for night in ("night-1", "night-2"):
        nights.begin(night, LATER, "me")
        nights.keep(an_entry("a", night, f"in {night}"), night)
        if night == "night-1":
            nights.keep(an_entry("b", night, "first"), night)
            nights.keep(an_entry("b", night, "said again"), night)
        nights.end(a_night(night), "me")
    found = nights.standings()
    assert {name: each.summary for name, each in found.items()} == {
        "a": "in night-2",
        "b": "said again",
    }
    assert [each.case for each in nights.entries("night-1")] == ["a", "b"]
    assert nights.entries("night-2") == (an_entry("a", "night-2", "in night-2"),)
    assert nights.entries("night-3") == ()


def test_a_night_under_a_clock_that_was_ahead_is_not_the_last_word(nights: NightStore) -> None:
    for night in ("night-20300101-020000", "night-20260302-020000"):
        nights.begin(night, LATER, "me")
        nights.keep(an_entry("a", night, f"in {night}"), night)
        nights.end(a_night(night), "me")
    assert nights.standings()["a"].night == "night-20260302-020000"
    last = nights.last()
    assert last
    assert last.night == "night-20260302-020000"


def test_a_night_keeps_what_was_asked_of_it(nights: NightStore) -> None:
    nights.begin("night-1", LATER, "me", '{"only": ["a"]}')
    found = nights.open()
    assert found
    assert found.wish == '{"only": ["a"]}'


def test_nights_of_what_somebody_named_and_blind_ones_count_for_no_watcher(
    database_url: str,
) -> None:
    store = SqlStore(database_url)
    kinds: tuple[dict[str, object], ...] = ({}, {"selected": True}, {"unseen": 1})
    for day, kind in enumerate(kinds):
        name = f"night-{day}"
        store.nights.begin(name, LATER, "me")
        ended = {"ended": LATER + timedelta(days=day)}
        store.nights.end(a_night(name).model_copy(update={"unseen": 0} | ended | kind), "me")
    assert store.figures.last_night() == LATER
    store.close()


def test_nights_that_ended_are_found_again(nights: NightStore) -> None:
    assert nights.last() is None
    nights.begin("night-1", LATER, "me")
    assert nights.night("night-1") is None
    nights.end(a_night("night-1"), "me")
    assert nights.last() == nights.night("night-1") == a_night("night-1")
    nights.begin("night-2", LATER, "me")
    nights.end(a_night("night-2"), "me")
    assert nights.last() == a_night("night-2")
    assert nights.night("night-9") is None


def test_a_history_is_of_nights_that_ended(nights: NightStore) -> None:
    made = Round(
        run="run-0", status=Status.FAIL, outcome=Outcome.STILL_BROKEN, attempts=3, why="due"
    )
    for at, night in enumerate(("night-1", "night-2", "night-3")):
        began = LATER + timedelta(days=at)
        nights.begin(night, began, "me")
        entry = an_entry("a", night)
        if night == "night-2":
            gone = entry.standing.model_copy(update={"removed": True})
            entry = entry.model_copy(update={"rounds": (made,), "standing": gone})
        nights.keep(entry, night)
        nights.keep(an_entry("b", night), night)
        if night != "night-3":
            nights.end(a_night(night), "me")
    first = Look(began=LATER, status=Status.PASS, run="run-1")
    second = first.model_copy(
        update={"began": LATER + timedelta(days=1), "rounds": ("run-0",), "removed": True}
    )
    assert nights.looks("a", 9) == (second, first)
    assert nights.looks("a", 1) == (second,)
    assert nights.looks("c", 9) == ()
    assert nights.counted() == {"a": 2, "b": 2}
    assert nights.began(9) == (LATER + timedelta(days=1), LATER)
    assert nights.began(1) == (LATER + timedelta(days=1),)
