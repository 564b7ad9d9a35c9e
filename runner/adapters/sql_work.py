"""Items of work in the database; fulfils `work.WorkStore`.

What is soft, a lease or a heartbeat, need not be on the disk before a worker goes on: a server that
loses it has an item in its queue again, and whoever had it finds it gone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import plain, row_of, text_of
from runner.adapters.sql_facts import asking_news, news_of, read_news
from runner.adapters.sql_runs import RUN, run_of
from runner.adapters.sql_tables import cases, run_attempts, runs, work
from runner.adapters.sql_turns import ADD_ITEMS, KEEP_ATTEMPT, SqlTurn, row_of_item
from runner.attempt import Attempt
from runner.avoidance import Avoided
from runner.errors import UnknownRun
from runner.matrix import Cell
from runner.store import Run
from runner.work import (
    EVERYTHING,
    Glance,
    Item,
    Kept,
    News,
    State,
    Taken,
    Task,
    made_in,
    worker_of,
)

_ITEM = sa.bindparam("of_item", type_=sa.String)
_OWNER = sa.bindparam("by_owner", type_=sa.String)
_HELD = sa.and_(work.c.id == _ITEM, work.c.owner == _OWNER, work.c.state == State.LEASED)

_ADD_RUN = sa.insert(runs)
_TAKE = (
    sa.update(work)
    .where(work.c.id == _ITEM, work.c.state == State.QUEUED)
    .where(
        sa.or_(
            work.c.avoid.is_(None),
            work.c.avoid != sa.bindparam("by_worker", type_=sa.String),
        )
    )
    .values(state=State.LEASED, owner=_OWNER, beats=0, tries=work.c.tries + 1)
    .returning(
        work.c.id,
        work.c.run_id,
        work.c.task,
        work.c.queue,
        work.c.cell,
        work.c.doubled,
        work.c.tries,
        work.c.avoid,
    )
)
_AVOIDING = sa.select(work.c.queue, work.c.sends).where(
    work.c.id == _ITEM,
    work.c.state == State.QUEUED,
    work.c.avoid == sa.bindparam("by_worker", type_=sa.String),
)
_PASS_ON = (
    sa.update(work)
    .where(work.c.id == _ITEM, work.c.state == State.QUEUED, work.c.sends == 1)
    .where(work.c.avoid == sa.bindparam("by_worker", type_=sa.String))
    .values(sends=work.c.sends + 1)
    .returning(work.c.queue)
)
_MADE_BY = (
    sa.select(run_attempts.c.worker)
    .where(run_attempts.c.run_id == sa.bindparam("of_run"), run_attempts.c.worker.is_not(None))
    .group_by(run_attempts.c.worker)
    .order_by(sa.func.count().desc(), run_attempts.c.worker)
)
_BEAT = sa.update(work).where(_HELD).values(beats=work.c.beats + 1).returning(work.c.id)
_HAND_BACK = (
    sa.update(work)
    .where(_HELD)
    .values(state=State.QUEUED, owner=None, tries=work.c.tries - 1)
    .returning(work.c.id)
)
_POSTPONE = (
    sa.update(work)
    .where(_HELD)
    .values(
        state=State.DELAYED,
        owner=None,
        delay=sa.bindparam("seconds"),
        trouble=sa.bindparam("said"),
    )
    .returning(work.c.id)
)
_BUSY = (
    sa.select(work.c.id)
    .where(work.c.run_id == sa.bindparam("of_run"))
    .where(work.c.state != State.GIVEN_UP, work.c.state != State.REVOKED)
    .limit(1)
)
_BEGUN = sa.select(
    *(work.c.id, work.c.run_id.label("run"), work.c.queue, work.c.state, work.c.owner),
    *(work.c.beats, work.c.tries, work.c.delay),
).where(work.c.state.in_([State.LEASED, State.DELAYED, State.REVOKED]))
_QUEUED = (
    sa.select(work.c.queue, sa.func.count().label("items"))
    .where(work.c.state == State.QUEUED)
    .group_by(work.c.queue)
)
_STALLED = sa.select(runs.c.id).where(
    runs.c.queue.is_not(None),
    runs.c.ended.is_(None),
    ~sa.exists().where(work.c.run_id == runs.c.id, work.c.state != State.GIVEN_UP),
)


class SqlWork:
    """What service runs still have to do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, run: Run, case: bytes, item: Item) -> None:
        values = run.model_dump(exclude={"plan", "began", "ended"})
        row = {**values, "plan": zlib.compress(run.plan.encode()), "began": text_of(run.began)}
        sha256 = run.case_sha256
        with self._database.begin() as connection:
            copy = {"sha256": sha256, "packed": case}
            connection.execute(self._database.adding(cases), copy)
            connection.execute(_ADD_RUN, row)
            connection.execute(ADD_ITEMS, row_of_item(item, text_of(run.began)))

    def case(self, sha256: str) -> bytes | None:
        row = self._database.one(sa.select(cases.c.packed).where(cases.c.sha256 == sha256))
        return row.packed if row else None

    def take(
        self, item_id: str, owner: str, *, avoided: bool = False, since: int | None = None
    ) -> Taken | None:
        worker = "" if avoided else worker_of(owner)  # nobody avoids a worker without a name
        lease = (_TAKE, {"of_item": item_id, "by_owner": owner, "by_worker": worker})
        run_id, _ = made_in(item_id)
        this = ((RUN, {"of_run": run_id}),) if since == EVERYTHING else ()
        news = asking_news(run_id, since) if since is not None else ()
        leased, *told = self._database.softly_together(lease, *this, *news)
        if not leased:
            return None
        found = told.pop(0) if this else ()
        run = run_of(found[0]) if found else None
        return Taken(_item(leased[0]), run, news_of(told) if news else None)

    def avoiding(self, item_id: str, owner: str) -> Avoided | None:
        row = self._database.one(_AVOIDING, of_item=item_id, by_worker=worker_of(owner))
        return Avoided(row.queue, row.sends) if row else None

    def pass_on(self, item_id: str, owner: str) -> str | None:
        row = self._database.softly(_PASS_ON, of_item=item_id, by_worker=worker_of(owner))
        return row.queue if row else None

    def beat(self, item_id: str, owner: str) -> bool:
        return self._database.softly(_BEAT, of_item=item_id, by_owner=owner) is not None

    def hand_back(self, item_id: str, owner: str) -> bool:
        return self._database.softly(_HAND_BACK, of_item=item_id, by_owner=owner) is not None

    def postpone(self, item_id: str, owner: str, *, delay: float, trouble: str) -> bool:
        values = {"of_item": item_id, "by_owner": owner, "seconds": delay, "said": plain(trouble)}
        return self._database.softly(_POSTPONE, **values) is not None

    def keep_attempt(
        self, item: Item, owner: str, cell_id: str, key: str, attempt: Attempt
    ) -> Kept | None:
        if self._database.sqlite:
            with self.turn(item.run, (item.id, owner)) as turn:
                if not turn.settled or turn.run.ended:
                    return None
                turn.keep_attempt(cell_id, key, attempt, by=worker_of(owner))
                return Kept(turn.run.version, more=None)
        names = {"run_id": item.run, "item": item.id, "owner": owner, "cell_id": cell_id}
        names["worker"] = worker_of(owner)
        found = self._database.change(KEEP_ATTEMPT, **row_of(key, attempt), **names)
        return Kept(found.version, found.more if found.alone else None) if found else None

    def made_by(self, run_id: str) -> tuple[str, ...]:
        return tuple(row.worker for row in self._database.all(_MADE_BY, of_run=run_id))

    def busy(self, run_id: str) -> bool:
        return self._database.one(_BUSY, of_run=run_id) is not None

    @contextmanager
    def turn(self, run_id: str, done: tuple[str, str] | None = None) -> Iterator[SqlTurn]:
        with self._database.begin() as connection:
            turn = SqlTurn(self._database, connection, run_id, done)
            yield turn
            turn.write_down(last=True)

    def news(self, run_id: str, since: int) -> News:
        with self._database.snapshot() as connection:
            found = read_news(connection, run_id, since=since)
        if found is None:
            raise UnknownRun(f"there is no run {run_id!r}")
        return found

    def begun(self) -> tuple[Glance, ...]:
        rows = self._database.all(_BEGUN)
        return tuple(Glance(*row)._replace(state=State(row.state)) for row in rows)

    def queued(self) -> Mapping[str, int]:
        return {row.queue: row.items for row in self._database.all(_QUEUED)}

    def requeue(self, seen: Glance) -> bool:
        change = sa.update(work).where(_as_seen(seen))
        change = change.values(state=State.QUEUED, owner=None, sends=work.c.sends + 1)
        return self._database.softly(change.returning(work.c.id)) is not None

    def forget(self, seen: Glance) -> None:
        self._database.softly(sa.delete(work).where(_as_seen(seen)).returning(work.c.id))

    def resend(self, queue: str, count: int) -> tuple[str, ...]:
        oldest = (
            sa.select(work.c.id)
            .where(work.c.queue == queue, work.c.state == State.QUEUED)
            .order_by(work.c.sends, work.c.made, work.c.id)
            .limit(count)
        )
        if not self._database.sqlite:
            oldest = oldest.with_for_update(skip_locked=True)
        change = sa.update(work).where(work.c.id.in_(oldest)).values(sends=work.c.sends + 1)
        with self._database.begin() as connection:
            return tuple(row.id for row in connection.execute(change.returning(work.c.id)))

    def stalled(self) -> tuple[str, ...]:
        return tuple(row.id for row in self._database.all(_STALLED))


def _as_seen(seen: Glance) -> sa.ColumnElement[bool]:
    return sa.and_(
        work.c.id == seen.id,
        work.c.state == seen.state,
        work.c.owner.is_not_distinct_from(seen.owner),
        work.c.beats == seen.beats,
        work.c.tries == seen.tries,
    )


def _item(row: Any) -> Item:
    return Item(
        id=row.id,
        run=row.run_id,
        task=Task(row.task),
        queue=row.queue,
        cell=Cell.model_validate_json(row.cell) if row.cell else None,
        doubled=row.doubled,
        tries=row.tries,
        avoid=row.avoid,
    )
