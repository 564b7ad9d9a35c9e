"""A turn: one transaction under the lock of a run; fulfils `work.Turn`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import plain, row_of, text_of
from runner.adapters.sql_facts import read_news
from runner.adapters.sql_tables import attempts, run_attempts, run_cells, runs, work
from runner.attempt import Attempt
from runner.errors import UnknownRun
from runner.store import CellKeys
from runner.work import Item, News, RunNow, State, Task, Waiting

_ITEM = sa.bindparam("of_item", type_=sa.String)
_OWNER = sa.bindparam("by_owner", type_=sa.String)
_RUN = sa.bindparam("of_run", type_=sa.String)

# Raising the version is what takes the lock of the run's row.
_BEGIN = (
    sa.update(runs)
    .where(runs.c.id == _RUN, runs.c.queue.is_not(None))
    .values(version=runs.c.version + 1)
    .returning(runs.c.version, runs.c.ended, runs.c.queue)
)
_SETTLE = (
    sa.delete(work)
    .where(work.c.id == _ITEM, work.c.owner == _OWNER)
    .where(work.c.state.in_([State.LEASED, State.REVOKED]))
    .returning(work.c.state)
)
_GIVE_UP = (
    sa.update(work)
    .where(work.c.id == _ITEM, work.c.owner == _OWNER, work.c.state == State.LEASED)
    .values(state=State.GIVEN_UP, owner=None, trouble=sa.bindparam("said"))
    .returning(work.c.id)
)
_WAITING = sa.select(
    *(work.c.id, work.c.task, work.c.cell_id, work.c.doubled, work.c.state, work.c.trouble)
).where(work.c.run_id == _RUN, work.c.state != State.REVOKED)
_REVOKE = (
    sa.update(work)
    .where(work.c.run_id == _RUN, work.c.state == State.LEASED)
    .values(state=State.REVOKED)
)
_CLEAR = sa.delete(work).where(work.c.run_id == _RUN, work.c.state != State.REVOKED)


class SqlTurn:
    """What is done while a run is locked; all of it is kept, or none."""

    def __init__(self, database: Database, connection: sa.Connection, run_id: str) -> None:
        self._database = database
        self._connection = connection
        self._id = run_id
        row = connection.execute(_BEGIN, {"of_run": run_id}).one_or_none()
        if row is None:
            raise UnknownRun(f"there is no run {run_id!r} of the service")
        self.run = RunNow(run_id, row.version, row.ended is not None, row.queue)

    def settle(self, item_id: str, owner: str) -> bool:
        chosen = {"of_item": item_id, "by_owner": owner}
        row = self._connection.execute(_SETTLE, chosen).one_or_none()
        return row is not None and row.state == State.LEASED

    def give_up(self, item_id: str, owner: str, trouble: str) -> bool:
        values = {"of_item": item_id, "by_owner": owner, "said": plain(trouble)}
        return self._connection.execute(_GIVE_UP, values).one_or_none() is not None

    def keep_plan(self, plan: str, ground: str, queue: str) -> None:
        change = sa.update(runs).where(runs.c.id == self._id)
        packed = zlib.compress(plan.encode())
        self._connection.execute(change.values(plan=packed, ground=ground, queue=queue))
        self.run = self.run._replace(queue=queue)

    def keep_cell(self, cell_id: str, keys: CellKeys, reused: tuple[Attempt, ...]) -> None:
        rest = {**keys.model_dump(), "version": self.run.version}
        insert = self._database.insert(run_cells)
        insert = insert.values(run_id=self._id, cell_id=cell_id, **rest)
        key = ["run_id", "cell_id"]
        self._connection.execute(insert.on_conflict_do_update(index_elements=key, set_=rest))
        for each in reused:
            self._link(cell_id, each)

    def keep_attempt(self, cell_id: str, key: str, attempt: Attempt) -> None:
        insert = self._database.insert(attempts).on_conflict_do_nothing()
        self._connection.execute(insert, row_of(key, attempt))
        self._link(cell_id, attempt)

    def news(self, since: int) -> News:
        return read_news(self._connection, self._id, since=since, version=self.run.version)

    def waiting(self) -> tuple[Waiting, ...]:
        rows = self._connection.execute(_WAITING, {"of_run": self._id})
        return tuple(_waiting(row) for row in rows)

    def add(self, items: Iterable[Item], made: datetime) -> None:
        rows = [row_of_item(each, text_of(made)) for each in items]
        if rows:
            self._connection.execute(sa.insert(work), rows)

    def withdraw(self, item_ids: Iterable[str]) -> None:
        ids = list(item_ids)
        if ids:
            idle = work.c.state.in_([State.QUEUED, State.DELAYED, State.GIVEN_UP])
            self._connection.execute(sa.delete(work).where(work.c.id.in_(ids), idle))

    def finish(self, *, ended: datetime, status: str | None, outcome: str, summary: str) -> None:
        change = sa.update(runs).where(runs.c.id == self._id)
        self._connection.execute(
            change.values(ended=text_of(ended), status=status, outcome=outcome, summary=summary)
        )
        self._connection.execute(_REVOKE, {"of_run": self._id})
        self._connection.execute(_CLEAR, {"of_run": self._id})
        self.run = self.run._replace(ended=True)

    def _link(self, cell_id: str, attempt: Attempt) -> None:
        row = {
            "run_id": self._id,
            "cell_id": cell_id,
            "attempt_id": attempt.id,
            "reused": attempt.reused,
            "version": self.run.version,
        }
        insert = self._database.insert(run_attempts).on_conflict_do_nothing()
        self._connection.execute(insert, row)


def _waiting(row: Any) -> Waiting:
    trouble = row.trouble if row.state == State.GIVEN_UP else None
    begun = row.state == State.LEASED
    return Waiting(row.id, Task(row.task), row.cell_id, row.doubled, begun, trouble)


def row_of_item(item: Item, made: str) -> dict[str, object]:
    """What is written down of an item."""
    return {
        "id": item.id,
        "run_id": item.run,
        "task": item.task,
        "cell_id": item.cell.id if item.cell else None,
        "cell": item.cell.model_dump_json() if item.cell else None,
        "doubled": item.doubled,
        "queue": item.queue,
        "state": State.QUEUED,
        "owner": None,
        "beats": 0,
        "tries": 0,
        "delay": 0.0,
        "trouble": None,
        "sends": 1,
        "made": made,
    }
