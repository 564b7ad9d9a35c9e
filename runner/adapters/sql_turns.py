"""A turn: one transaction under the lock of a run; fulfils `work.Turn`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import AnyConnection, Database, together
from runner.adapters.sql_evidence import plain, row_of, row_of_loaded, text_of
from runner.adapters.sql_facts import read_news
from runner.adapters.sql_tables import attempts, loads, run_attempts, run_cells, runs, work
from runner.attempt import Attempt, Facts
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
    """What is done while a run is locked; all of it is kept, or none.

    What returns nothing is written at the end, in one go.
    """

    def __init__(
        self,
        database: Database,
        connection: AnyConnection,
        run_id: str,
        done: tuple[str, str] | None = None,
    ) -> None:
        self._database = database
        self._connection = connection
        self._id = run_id
        self._later: list[tuple[Any, Any]] = []
        this = {"of_run": run_id}
        settle = dict(zip(("of_item", "by_owner"), done or (None, None), strict=True))
        begun, settled, waiting = together(
            connection, (_BEGIN, this), (_SETTLE, settle), (_WAITING, this)
        )
        if not begun:
            raise UnknownRun(f"there is no run {run_id!r} of the service")
        ((version, ended, queue, avoid),) = begun
        self.run = RunNow(run_id, version, ended is not None, queue, avoid)
        self.settled = _was_held(settled)
        self._waiting: Sequence[Any] | None = waiting
        """Items of the run; None where they may have changed since."""

    def settle(self, item_id: str, owner: str) -> bool:
        self._waiting = None
        chosen = {"of_item": item_id, "by_owner": owner}
        return _was_held(self._connection.execute(_SETTLE, chosen).all())

    def give_up(self, item_id: str, owner: str, trouble: str) -> bool:
        values = {"of_item": item_id, "by_owner": owner, "said": plain(trouble)}
        self._waiting = None
        return self._connection.execute(_GIVE_UP, values).one_or_none() is not None

    def keep_plan(self, plan: str, ground: str, queue: str, *, by: str) -> None:
        avoid = None if self.run.avoid == by else self.run.avoid
        values = {
            "plan": zlib.compress(plan.encode()),
            "ground": ground,
            "queue": queue,
            "avoid": avoid,
        }
        self._write(_PLANNED, {"of_run": self._id} | _its(values))
        self.run = self.run._replace(queue=queue, avoid=avoid)

    def keep_cell(self, cell_id: str, keys: CellKeys, facts: Facts) -> None:
        if facts.loaded is not None:
            found = row_of_loaded(keys.loaded, facts.loaded)
            self._write(self._database.putting(loads, *found), found)
        row = {"run_id": self._id, "cell_id": cell_id, "version": self.run.version}
        row |= keys.model_dump()
        self._write(self._database.putting(run_cells, *row), row)
        self._link(cell_id, facts.attempts)

    def keep_attempt(self, cell_id: str, key: str, attempt: Attempt, *, by: str) -> None:
        self._write(self._database.adding(attempts), row_of(key, attempt))
        self._link(cell_id, (attempt,), by)

    def news(self, since: int) -> News:
        news = read_news(self._connection, self._id, since=since)
        if news is None:
            raise AssertionError(f"run {self._id} went away while it was locked")
        return news

    def waiting(self) -> tuple[Waiting, ...]:
        if self._waiting is None:
            self.write_down()
            self._waiting = self._connection.execute(_WAITING, {"of_run": self._id}).all()
        return tuple(_waiting(row) for row in self._waiting)

    def add(self, items: Iterable[Item], made: datetime, heir: str | None = None) -> None:
        rows = [row_of_item(each, text_of(made)) for each in items]
        if rows and heir is not None:
            rows[0] |= {"state": State.LEASED, "owner": heir, "tries": 1}
        if rows:
            self._waiting = None
            self._write(ADD_ITEMS, rows)

    def withdraw(self, item_ids: Iterable[str]) -> None:
        ids = list(item_ids)
        if ids:
            self._waiting = None
            idle = work.c.state.in_([State.QUEUED, State.DELAYED, State.GIVEN_UP])
            self._write(sa.delete(work).where(work.c.id.in_(ids), idle), {})

    def finish(self, *, ended: datetime, status: str | None, outcome: str, summary: str) -> None:
        told = {"ended": text_of(ended), "status": status, "outcome": outcome, "summary": summary}
        self._write(_FINISH, {"of_run": self._id} | _its(told))
        self.run = self.run._replace(ended=True)

    def revoke(self) -> None:
        self._waiting = None
        self._write(_REVOKE, {"of_run": self._id})
        self._write(_CLEAR, {"of_run": self._id})

    def write_down(self, *, last: bool = False) -> None:
        """Write what is still to be written; `last`, if only the commit follows."""
        if self._later:
            together(self._connection, *self._later, last=last)
        self._later = []

    def _write(self, statement: Any, words: Any) -> None:
        self._later.append((statement, words))

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
            self._write(self._database.adding(run_attempts), rows)


_COLUMNS = [each.name for each in attempts.columns]

# The most frequent turn of all in one statement, where the database knows how. The run is locked
# before its item, as in every turn; the version, and whether it has ended, are read under the lock.
# Items are seen as they were before the lock was there: if no turn came between, as they are.
KEEP_ATTEMPT = sa.text(
    f"""
    WITH before AS (
        SELECT version FROM runs WHERE id = :run_id
    ), run AS (
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
    SELECT counts.version, counts.version = before.version + 1 AS alone, EXISTS (
        SELECT FROM work WHERE run_id = :run_id AND id <> :item
        AND state NOT IN ('{State.GIVEN_UP}', '{State.REVOKED}')
    ) AS more
    FROM counts, before
    """  # noqa: S608 - of our own names alone
)


def _was_held(settled: Sequence[Any]) -> bool:
    """Whether what was taken away was its owner's, and to be done."""
    return any(each.state == State.LEASED for each in settled)


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
