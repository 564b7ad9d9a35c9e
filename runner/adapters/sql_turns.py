"""A turn: one transaction under the lock of a run; fulfils `work.Turn`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import AnyConnection, Database
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

ADD_ITEMS = sa.insert(work)

# Raising the version is what takes the lock of the run's row.
_BEGIN = (
    sa.update(runs)
    .where(runs.c.id == _RUN, runs.c.queue.is_not(None))
    .values(version=runs.c.version + 1)
    .returning(runs.c.version, runs.c.ended, runs.c.queue, runs.c.avoid)
)
_SETTLE = (
    sa.delete(work)
    .where(work.c.id == _ITEM, work.c.owner == _OWNER)
    .where(sa.or_(work.c.state == State.LEASED, work.c.state == State.REVOKED))
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


def _change(*names: str) -> sa.Update:
    """A change of these columns of a run; with parameters as `_its` names them."""
    values: dict[Any, Any] = {name: sa.bindparam(f"its_{name}") for name in names}
    return sa.update(runs).where(runs.c.id == _RUN).values(values)


def _its(values: Mapping[str, object]) -> dict[str, object]:
    return {f"its_{name}": value for name, value in values.items()}


_PLANNED = _change("plan", "ground", "queue", "avoid")
_FINISH = _change("ended", "status", "outcome", "summary")
_CLEAR = sa.delete(work).where(work.c.run_id == _RUN, work.c.state != State.REVOKED)


class SqlTurn:
    """What is done while a run is locked; all of it is kept, or none."""

    def __init__(self, database: Database, connection: AnyConnection, run_id: str) -> None:
        self._database = database
        self._connection = connection
        self._id = run_id
        row = connection.execute(_BEGIN, {"of_run": run_id}).one_or_none()
        if row is None:
            raise UnknownRun(f"there is no run {run_id!r} of the service")
        self.run = RunNow(run_id, row.version, row.ended is not None, row.queue, row.avoid)

    def settle(self, item_id: str, owner: str) -> bool:
        chosen = {"of_item": item_id, "by_owner": owner}
        row = self._connection.execute(_SETTLE, chosen).one_or_none()
        return row is not None and row.state == State.LEASED

    def give_up(self, item_id: str, owner: str, trouble: str) -> bool:
        values = {"of_item": item_id, "by_owner": owner, "said": plain(trouble)}
        return self._connection.execute(_GIVE_UP, values).one_or_none() is not None

    def keep_plan(self, plan: str, ground: str, queue: str, *, by: str) -> None:
        avoid = None if self.run.avoid == by else self.run.avoid
        values = {
            "plan": zlib.compress(plan.encode()),
            "ground": ground,
            "queue": queue,
            "avoid": avoid,
        }
        self._connection.execute(_PLANNED, {"of_run": self._id} | _its(values))
        self.run = self.run._replace(queue=queue, avoid=avoid)

    def keep_cell(self, cell_id: str, keys: CellKeys, reused: tuple[Attempt, ...]) -> None:
        row = {"run_id": self._id, "cell_id": cell_id, "version": self.run.version}
        row |= keys.model_dump()
        self._connection.execute(self._database.putting(run_cells, *row), row)
        self._link(cell_id, reused)

    def keep_attempt(self, cell_id: str, key: str, attempt: Attempt, *, by: str) -> None:
        self._connection.execute(self._database.adding(attempts), row_of(key, attempt))
        self._link(cell_id, (attempt,), by)

    def news(self, since: int) -> News:
        return read_news(self._connection, self._id, since=since, version=self.run.version)

    def waiting(self) -> tuple[Waiting, ...]:
        rows = self._connection.execute(_WAITING, {"of_run": self._id})
        return tuple(_waiting(row) for row in rows)

    def add(self, items: Iterable[Item], made: datetime, heir: str | None = None) -> None:
        rows = [row_of_item(each, text_of(made)) for each in items]
        if rows and heir is not None:
            rows[0] |= {"state": State.LEASED, "owner": heir, "tries": 1}
        if rows:
            self._connection.execute(ADD_ITEMS, rows)

    def withdraw(self, item_ids: Iterable[str]) -> None:
        ids = list(item_ids)
        if ids:
            idle = work.c.state.in_([State.QUEUED, State.DELAYED, State.GIVEN_UP])
            self._connection.execute(sa.delete(work).where(work.c.id.in_(ids), idle))

    def finish(self, *, ended: datetime, status: str | None, outcome: str, summary: str) -> None:
        told = {"ended": text_of(ended), "status": status, "outcome": outcome, "summary": summary}
        self._connection.execute(_FINISH, {"of_run": self._id} | _its(told))
        self.run = self.run._replace(ended=True)

    def revoke(self) -> None:
        self._connection.execute(_REVOKE, {"of_run": self._id})
        self._connection.execute(_CLEAR, {"of_run": self._id})

    def _link(self, cell_id: str, found: tuple[Attempt, ...], by: str | None = None) -> None:
        rows = [
            {
                "run_id": self._id,
                "cell_id": cell_id,
                "attempt_id": each.id,
                "reused": each.reused,
                "version": self.run.version,
                "worker": by,
            }
            for each in found
        ]
        if rows:
            self._connection.execute(self._database.adding(run_attempts), rows)


_COLUMNS = [each.name for each in attempts.columns]

# The most frequent turn of all in one statement, where the database knows how. The run is locked
# before its item, as in every turn; the version, and whether it has ended, are read under the lock.
KEEP_ATTEMPT = sa.text(
    f"""
    WITH run AS (
        UPDATE runs SET version = version + 1 WHERE id = :run_id AND queue IS NOT NULL
        RETURNING version, ended
    ), gone AS (
        DELETE FROM work USING run WHERE work.id = :item AND work.owner = :owner
        AND work.state IN ('{State.LEASED}', '{State.REVOKED}')
        RETURNING work.state, run.version, run.ended
    ), counts AS (
        SELECT version FROM gone WHERE state = '{State.LEASED}' AND ended IS NULL
    ), kept AS (
        INSERT INTO attempts ({", ".join(_COLUMNS)})
        SELECT {", ".join(f":{each}" for each in _COLUMNS)} FROM counts
        ON CONFLICT DO NOTHING
    ), linked AS (
        INSERT INTO run_attempts (run_id, cell_id, attempt_id, reused, version, worker)
        SELECT :run_id, :cell_id, :id, false, version, :worker FROM counts ON CONFLICT DO NOTHING
    )
    SELECT version FROM counts
    """  # noqa: S608 - of our own names alone
)


def _waiting(row: Any) -> Waiting:
    trouble = row.trouble if row.state == State.GIVEN_UP else None
    begun = row.state == State.LEASED
    return Waiting(row.id, Task(row.task), row.cell_id, row.doubled, begun, trouble)


def row_of_item(item: Item, made: str) -> dict[str, Any]:
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
        "avoid": item.avoid,
    }
