"""What the database has to do for items of work: one suite, embedded and on a server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any, cast

import pytest

from runner.adapters.sql_database import AnyConnection, Database
from runner.adapters.sql_facts import read_news
from runner.adapters.sql_store import SqlStore
from runner.attempt import Facts, Loaded
from runner.avoidance import Avoided
from runner.desk import Desk
from runner.endings import cancel
from runner.errors import UnknownRun
from runner.matrix import Cell
from runner.memory import Memory
from runner.store import CellKeys, Run
from runner.work import (
    EVERYTHING,
    Glance,
    Item,
    News,
    State,
    Taken,
    Task,
    Waiting,
    id_of_item,
    made_in,
    merged,
)
from tests.builders import BUG, GOOD, LATER, a_lock, an_attempt

QUEUE = "on-demand.x86_64.docker"
CELL = Cell(id="demo/pkg-1.0/py3.8", version="1.0", series="py3.8")


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    made = SqlStore(database_url)
    yield made
    made.close()


def submit(
    store: SqlStore,
    name: str = "run-1",
    queue: str = "on-demand.new.any.any",
    avoid: str | None = None,
) -> Item:
    """A run that was asked for, and its first item."""
    run = Run(
        id=name,
        kind="verify",
        case_id="demo",
        inputs_sha256="asked",
        plan="",
        ground="",
        began=LATER,
        case_sha256="5" * 64,
        asked='{"question": 1}',
        queue=queue,
        avoid=avoid,
    )
    item = Item(id=f"{name}/0", run=name, task=Task.PLAN, queue=queue)
    store.work.submit(run, b"packed", item)
    return item


def add(store: SqlStore, *numbers: int, run: str = "run-1", queue: str = QUEUE) -> list[str]:
    """Items of attempts; each made a second later than the one before."""
    with store.work.turn(run) as turn:
        for number in numbers:
            item = Item(id=f"{run}/{number}", run=run, task=Task.ATTEMPT, queue=queue, cell=CELL)
            turn.add([item], LATER + timedelta(seconds=number))
    return [f"{run}/{number}" for number in numbers]


def seen(store: SqlStore) -> dict[str, Glance]:
    return {each.id: each for each in store.work.begun()}


def test_a_run_is_submitted_with_its_case_and_its_first_item(store: SqlStore) -> None:
    item = submit(store)
    submit(store, "run-2")
    run = store.runs.run("run-1")
    assert run is not None
    assert (run.plan, run.queue, run.asked) == ("", item.queue, '{"question": 1}')
    assert store.work.case("5" * 64) == b"packed"
    assert store.work.case("6" * 64) is None
    assert store.work.queued() == {item.queue: 2}
    assert store.work.take(item.id, "me") == Taken(item.model_copy(update={"tries": 1}))


def test_an_item_is_taken_once(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    taken = store.work.take(item, "me")
    same = Item(id=item, run="run-1", task=Task.ATTEMPT, queue=QUEUE, cell=CELL, tries=1)
    assert taken == Taken(same)
    assert store.work.take(item, "you") is None
    assert store.work.take("run-1/77", "me") is None
    assert seen(store)[item] == Glance(
        id=item, run="run-1", queue=QUEUE, state=State.LEASED, owner="me", beats=0, tries=1, delay=0
    )


def test_with_an_item_it_is_told_what_became_known_of_its_run(store: SqlStore) -> None:
    submit(store)
    keys = CellKeys(lock="lock", loaded="loaded", attempts="attempts")
    with store.work.turn("run-1") as turn:
        turn.keep_cell(CELL.id, keys, Facts())
        turn.keep_attempt(CELL.id, "attempts", an_attempt(GOOD), by="you")
    one, two, three = add(store, 1, 2, 3)
    run = store.runs.run("run-1")
    everything = store.work.news("run-1", EVERYTHING)
    assert [each.id for _, each in everything.attempts] == ["attempt-0"]

    whole = store.work.take(one, "me", since=EVERYTHING)
    assert whole is not None
    assert (whole.run, whole.news) == (run, everything)
    later = store.work.take(two, "me", since=everything.version)
    assert later is not None
    assert (later.run, later.news) == (None, News(everything.version, {}, ()))
    assert store.work.take(two, "you", since=EVERYTHING) is None
    assert store.work.take("run-2/1.0", "you", since=EVERYTHING) is None
    alone = store.work.take(three, "me")
    assert alone is not None
    assert (alone.run, alone.news) == (None, None)


def test_who_heard_of_a_run_with_an_item_asks_nothing_more(store: SqlStore) -> None:
    item, nobody_to_ask = submit(store), cast("Desk", None)
    memory = Memory(nobody_to_ask)
    assert memory.lacking(item.id) == EVERYTHING
    taken = store.work.take(item.id, "me", since=EVERYTHING)
    assert taken is not None
    memory.hear(taken)
    assert memory.of(taken.item).run == store.runs.run("run-1")


@pytest.mark.parametrize("at", range(4))
def test_news_hold_together_whenever_a_turn_comes_between(database_url: str, at: int) -> None:
    store, database, asked = SqlStore(database_url), Database(database_url), count()
    submit(store)
    keys = CellKeys(lock="lock", loaded="loaded", attempts="attempts")

    class Interrupted:
        """A connection on which a turn is made before one of the statements."""

        def __init__(self, connection: AnyConnection) -> None:
            self.connection = connection

        def execute(self, statement: Any, words: Any = None, /) -> Any:
            if next(asked) == at:
                with store.work.turn("run-1") as turn:
                    turn.keep_cell(CELL.id, keys, Facts())
                    turn.keep_attempt(CELL.id, "attempts", an_attempt(GOOD), by="you")
            return self.connection.execute(statement, words)

    with database.snapshot() as connection:
        first = read_news(Interrupted(connection), "run-1", since=EVERYTHING)
    assert first is not None
    assert next(asked) == 3
    facts = merged({}, first)
    later = merged(facts, store.work.news("run-1", first.version))
    assert len(later.get(CELL.id, Facts()).attempts) == (at < 3)
    database.close()
    store.close()


@pytest.mark.parametrize(
    ("item", "made"),
    [
        (id_of_item("run-1", 7, 2), ("run-1", 7)),
        ("run-1/0", ("run-1", 0)),
        ("a/b/12.0", ("a/b", 12)),
        ("run-1/x7", ("run-1", 0)),
        ("nothing of ours", ("", 0)),
        ("run-1/\N{SUPERSCRIPT TWO}", ("run-1", 0)),
        ("", ("", 0)),
    ],
)
def test_an_item_tells_its_run_and_when_it_was_made(item: str, made: tuple[str, int]) -> None:
    assert made_in(item) == made


def test_who_should_not_have_an_item_has_to_insist(store: SqlStore) -> None:
    submit(store)
    item = Item(id="run-1/1", run="run-1", task=Task.ATTEMPT, queue=QUEUE, cell=CELL, avoid="me")
    with store.work.turn("run-1") as turn:
        turn.add([item], LATER)
    assert store.work.take(item.id, "me/1") is None
    assert store.work.resend(QUEUE, 9) == (item.id,)
    assert store.work.avoiding(item.id, "me/1") == Avoided(QUEUE, sends=2)
    assert store.work.avoiding(item.id, "you/1") is None
    taken = store.work.take(item.id, "me/1", avoided=True)
    assert taken == Taken(item.model_copy(update={"tries": 1}))
    assert store.work.avoiding(item.id, "me/1") is None
    assert store.work.hand_back(item.id, "me/1")
    assert store.work.take(item.id, "you/1") is not None


def test_a_run_that_had_to_be_planned_by_whom_it_avoids_is_done_by_it(store: SqlStore) -> None:
    submit(store, avoid="me")
    for by, avoid in (("you", "me"), ("me", None)):
        with store.work.turn("run-1") as turn:
            turn.keep_plan("{}", "{}", QUEUE, by=by)
            assert turn.run.avoid == avoid
    with store.work.turn("run-1") as turn:
        assert turn.run.avoid is None


def test_the_first_of_new_items_may_be_leased_at_once(store: SqlStore) -> None:
    submit(store)
    items = [
        Item(id=f"run-1/{number}", run="run-1", task=Task.ATTEMPT, queue=QUEUE, cell=CELL)
        for number in (1, 2)
    ]
    with store.work.turn("run-1") as turn:
        turn.add(items, LATER, heir="me")
    assert store.work.take("run-1/1", "you") is None
    assert store.work.beat("run-1/1", "me")
    assert seen(store)["run-1/1"].tries == 1
    assert store.work.queued()[QUEUE] == 1


def test_an_attempt_may_be_kept_alone_in_a_turn(store: SqlStore) -> None:
    first = submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me/1")
    taken = Item(id=item, run="run-1", task=Task.ATTEMPT, queue=QUEUE, cell=CELL)
    attempt = an_attempt(BUG)
    assert store.work.keep_attempt(taken, "you/1", CELL.id, "key", attempt) is None
    kept = store.work.keep_attempt(taken, "me/1", CELL.id, "key", attempt)
    assert kept is not None
    version = kept.version
    assert store.work.keep_attempt(taken, "me/1", CELL.id, "key", attempt) is None
    news = store.work.news("run-1", version - 1)
    assert news.attempts == ((CELL.id, attempt),)
    assert store.work.news("run-1", version).attempts == ()
    assert store.work.made_by("run-1") == ("me",)
    assert store.work.made_by("run-2") == ()
    assert store.work.busy("run-1")
    with store.work.turn("run-1") as turn:
        turn.withdraw([first.id])
    assert not store.work.busy("run-1")


def test_a_result_of_a_run_that_has_ended_does_not_count(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me")
    taken = Item(id=item, run="run-1", task=Task.ATTEMPT, queue=QUEUE, cell=CELL)
    assert not store.runs.has_ended("run-1")
    with store.work.turn("run-1") as turn:
        cancel(turn, LATER)
    assert store.runs.has_ended("run-1")
    assert store.work.keep_attempt(taken, "me", CELL.id, "key", an_attempt(BUG)) is None
    assert seen(store) == {}, "the worker has left it"
    assert store.runs.facts("run-1") == {}


def test_only_its_owner_has_a_say_over_an_item(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me")
    assert store.work.beat(item, "me")
    assert not store.work.beat(item, "you")
    assert not store.work.hand_back(item, "you")
    assert not store.work.postpone(item, "you", delay=1, trouble="none")
    with store.work.turn("run-1") as turn:
        assert not turn.settle(item, "you")
    assert seen(store)[item].beats == 1
    with store.work.turn("run-1") as turn:
        assert turn.settle(item, "me")
    assert seen(store) == {}


def test_what_is_handed_back_was_not_tried(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    for _ in range(3):
        taken = store.work.take(item, "me")
        assert taken is not None
        assert taken.item.tries == 1
        assert store.work.hand_back(item, "me")
    assert store.work.queued()[QUEUE] == 1


def test_what_is_postponed_waits_until_it_is_queued_again(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me")
    assert store.work.postpone(item, "me", delay=2.5, trouble="no\0engine")
    assert store.work.take(item, "me") is None
    waiting = seen(store)[item]
    assert (waiting.state, waiting.delay, waiting.owner) == (State.DELAYED, 2.5, None)
    assert store.work.requeue(waiting)
    assert not store.work.requeue(waiting), "another sweeper was quicker"
    taken = store.work.take(item, "me")
    assert taken is not None
    assert taken.item.tries == 2


def test_what_changed_since_it_was_seen_is_left_alone(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me")
    before = seen(store)[item]
    store.work.beat(item, "me")
    assert not store.work.requeue(before)
    store.work.forget(before)
    assert store.work.requeue(seen(store)[item])
    store.work.take(item, "you")
    assert not store.work.beat(item, "me")


def test_those_sent_the_least_are_sent_again_first(store: SqlStore) -> None:
    submit(store)
    ids = add(store, 1, 2, 3, 4)
    add(store, 5, queue="another")
    assert set(store.work.resend(QUEUE, 2)) == {*ids[:2]}
    assert set(store.work.resend(QUEUE, 2)) == {*ids[2:]}
    assert set(store.work.resend(QUEUE, 9)) == {*ids}
    assert store.work.resend("nothing", 9) == ()
    store.work.take(ids[0], "me")
    assert set(store.work.resend(QUEUE, 9)) == {*ids[1:]}


def test_a_turn_tells_what_earlier_turns_kept(store: SqlStore) -> None:
    submit(store)
    loaded = Loaded(version="1.0", location=None)
    store.evidence.keep_lock("lock", a_lock(pkg="1.0"), LATER)
    old = an_attempt(BUG, number=1, reused=True)
    new = an_attempt(GOOD, number=2, ran=LATER + timedelta(seconds=1))
    store.evidence.keep_attempt("attempts", old)
    keys = CellKeys(lock="lock", loaded="loaded", attempts="attempts")
    with store.work.turn("run-1") as turn:
        first = turn.run.version
        assert turn.news(-1).cells == {}
        turn.keep_cell("a", keys, Facts(lock=a_lock(pkg="1.0"), loaded=loaded, attempts=(old,)))
    with store.work.turn("run-1") as turn:
        assert turn.run.version == first + 1
        turn.keep_attempt("a", "attempts", new, by="me")
    facts = Facts(lock=a_lock(pkg="1.0"), loaded=loaded)
    with store.work.turn("run-1") as turn:
        everything, latest = turn.news(-1), turn.news(first)
    assert (everything.cells, everything.attempts) == ({"a": facts}, (("a", old), ("a", new)))
    assert (latest.cells, latest.attempts) == ({}, (("a", new),))
    assert store.work.news("run-1", first).attempts == (("a", new),)
    assert store.work.news("run-1", -1).version == first + 2
    assert store.runs.facts("run-1")["a"].attempts == (old, new)
    assert store.runs.attempt(new.id) == new


def test_a_turn_that_fails_leaves_no_trace(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me")
    with suppress(ZeroDivisionError), store.work.turn("run-1") as turn:
        turn.settle(item, "me")
        turn.keep_plan("{}", "{}", QUEUE, by="me")
        turn.keep_attempt("a", "key", an_attempt(BUG), by="me")
        turn.finish(ended=LATER, status="PASS", outcome="ok", summary="fine")
        raise ZeroDivisionError
    run = store.runs.run("run-1")
    assert run is not None
    assert (run.plan, run.ended) == ("", None)
    assert seen(store)[item].state is State.LEASED
    assert store.runs.attempt(an_attempt(BUG).id) is None


def test_a_plan_decides_where_the_items_of_its_run_go(store: SqlStore) -> None:
    submit(store)
    with store.work.turn("run-1") as turn:
        assert turn.run.queue == "on-demand.new.any.any"
        turn.keep_plan('{"plan": 1}', '{"ground": 1}', QUEUE, by="me")
        assert turn.run.queue == QUEUE
    run = store.runs.run("run-1")
    assert run is not None
    assert (run.plan, run.ground, run.queue) == ('{"plan": 1}', '{"ground": 1}', QUEUE)


def test_only_what_nobody_has_begun_is_withdrawn(store: SqlStore) -> None:
    first = submit(store)
    ids = add(store, 1, 2, 3)
    store.work.take(ids[0], "me")
    store.work.take(ids[1], "me")
    store.work.postpone(ids[1], "me", delay=1, trouble="none")
    with store.work.turn("run-1") as turn:
        turn.withdraw([*ids, first.id])
        assert turn.waiting() == (
            Waiting(ids[0], Task.ATTEMPT, CELL.id, doubled=False, begun=True),
        )


def test_a_run_that_ends_takes_its_items_away_and_revokes_those_begun(store: SqlStore) -> None:
    submit(store)
    submit(store, "run-2")
    ids = add(store, 1, 2)
    store.work.take(ids[0], "me")
    with store.work.turn("run-1") as turn:
        cancel(turn, LATER)
        assert turn.run.ended
    assert store.work.queued() == {"on-demand.new.any.any": 1}
    assert seen(store)[ids[0]].state is State.REVOKED
    assert not store.work.beat(ids[0], "me")
    assert not store.work.hand_back(ids[0], "me")
    with store.work.turn("run-1") as turn:
        assert not turn.settle(ids[0], "me"), "its result does not count"
        assert turn.run.ended
    assert seen(store) == {}
    run = store.runs.run("run-1")
    assert run is not None
    assert (run.status, run.outcome, run.ended) == (None, "cancelled", LATER)


def test_a_revoked_item_can_be_forgotten(store: SqlStore) -> None:
    submit(store)
    (item,) = add(store, 1)
    store.work.take(item, "me")
    with store.work.turn("run-1") as turn:
        cancel(turn, LATER)
    store.work.forget(seen(store)[item])
    assert seen(store) == {}


def test_runs_that_have_nothing_to_do_are_found(store: SqlStore) -> None:
    first = submit(store)
    submit(store, "run-2")
    store.runs.begin(
        Run(
            id="local",
            kind="verify",
            case_id="x",
            inputs_sha256="x",
            plan="",
            ground="",
            began=LATER,
        )
    )
    assert store.work.stalled() == ()
    with store.work.turn("run-1") as turn:
        turn.withdraw([first.id])
    assert store.work.stalled() == ("run-1",)
    with store.work.turn("run-1") as turn:
        cancel(turn, LATER)
    assert store.work.stalled() == ()


def test_there_is_no_turn_of_a_run_that_is_not_of_the_service(store: SqlStore) -> None:
    store.runs.begin(
        Run(
            id="local",
            kind="verify",
            case_id="x",
            inputs_sha256="x",
            plan="",
            ground="",
            began=LATER,
        )
    )
    for name in ("local", "another"):
        with pytest.raises(UnknownRun, match=name), store.work.turn(name):
            pass
    with pytest.raises(UnknownRun):
        store.work.news("another", -1)


def test_turns_of_a_run_come_one_after_the_other(store: SqlStore) -> None:
    submit(store)
    inside, most, versions, lock = count(1), Counter[str](), [], threading.Lock()
    running = 0

    def take_a_turn(_number: int) -> None:
        nonlocal running
        with store.work.turn("run-1") as turn:
            with lock:
                running += 1
                most["at once"] = max(most["at once"], running)
                versions.append(turn.run.version)
            turn.add(
                [Item(id=f"run-1/x{next(inside)}", run="run-1", task=Task.PLAN, queue=QUEUE)], LATER
            )
            with lock:
                running -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(take_a_turn, range(30)))
    assert most["at once"] == 1
    assert sorted(versions) == list(range(1, 31))


def test_of_many_that_want_an_item_one_gets_it(store: SqlStore) -> None:
    submit(store)
    ids = add(store, *range(1, 11))

    def grab(name: str) -> list[str]:
        return [each for each in ids if store.work.take(each, name)]

    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(grab, map(str, range(6))))
    assert sorted(each for mine in got for each in mine) == sorted(ids)
