"""Runs in the database, and which evidence each relies on; fulfils `RunStore`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import attempt_of, text_of
from runner.adapters.sql_facts import gathered, read_news
from runner.adapters.sql_tables import attempts, run_attempts, run_cells, runs
from runner.attempt import Attempt, Facts
from runner.store import CellKeys, Run
from runner.work import EVERYTHING

_THIS = runs.c.id == sa.bindparam("of_run", type_=sa.String)
RUN = sa.select(runs).where(_THIS)
_OPEN = sa.select(runs.c.id).where(_THIS, runs.c.ended.is_(None))


class SqlRuns:
    """What was asked, what it relies on, and how it ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run: Run) -> None:
        values = run.model_dump(exclude={"plan", "began", "ended"})
        plan = zlib.compress(run.plan.encode())
        self._database.put(runs, plan=plan, began=text_of(run.began), **values)

    def finish(
        self, run_id: str, *, ended: datetime, status: str | None, outcome: str, summary: str
    ) -> None:
        change = sa.update(runs).where(runs.c.id == run_id)
        self._database.write(
            change.values(ended=text_of(ended), status=status, outcome=outcome, summary=summary)
        )

    def run(self, run_id: str) -> Run | None:
        row = self._database.one(RUN, of_run=run_id)
        return run_of(row) if row else None

    def has_ended(self, run_id: str) -> bool:
        return self._database.one(_OPEN, of_run=run_id) is None

    def recent(self, limit: int) -> tuple[Run, ...]:
        query = sa.select(runs).order_by(runs.c.began.desc(), runs.c.id.desc()).limit(limit)
        return tuple(run_of(row) for row in self._database.all(query))

    def unfinished(self, inputs_sha256: str, *, since: datetime) -> tuple[Run, ...]:
        return self._asked(inputs_sha256, since, runs.c.ended.is_(None))

    def concluded(self, inputs_sha256: str, *, since: datetime) -> tuple[Run, ...]:
        return self._asked(inputs_sha256, since, runs.c.status.is_not(None))

    def _asked(
        self, inputs_sha256: str, since: datetime, which: sa.ColumnElement[bool]
    ) -> tuple[Run, ...]:
        query = (
            sa.select(runs)
            .where(runs.c.inputs_sha256 == inputs_sha256, which)
            .where(runs.c.began >= text_of(since))
            .order_by(runs.c.began.desc())
        )
        return tuple(run_of(row) for row in self._database.all(query))

    def link_cell(
        self, run_id: str, cell_id: str, keys: CellKeys, attempts: tuple[Attempt, ...] = ()
    ) -> None:
        values = {"run_id": run_id, "cell_id": cell_id, **keys.model_dump()}
        with self._database.begin() as connection:
            if attempts:
                links = _links(run_id, cell_id, attempts)
                connection.execute(self._database.adding(run_attempts), links)
            connection.execute(self._database.putting(run_cells, *values), values)

    def link_attempts(self, run_id: str, cell_id: str, attempts: tuple[Attempt, ...]) -> None:
        if not attempts:
            return
        with self._database.begin() as connection:
            links = _links(run_id, cell_id, attempts)
            connection.execute(self._database.adding(run_attempts), links)

    def facts(self, run_id: str) -> dict[str, Facts]:
        with self._database.snapshot() as connection:
            news = read_news(connection, run_id, since=EVERYTHING)
            return gathered(news) if news else {}

    def attempt(self, attempt_id: str) -> Attempt | None:
        row = self._database.one(sa.select(attempts).where(attempts.c.id == attempt_id))
        return attempt_of(row, reused=False) if row else None


def _links(run_id: str, cell_id: str, attempts: Iterable[Attempt]) -> list[dict[str, object]]:
    return [
        {"run_id": run_id, "cell_id": cell_id, "attempt_id": each.id, "reused": each.reused}
        for each in attempts
    ]


def run_of(row: Any) -> Run:
    """What is written down of a run."""
    values = {name: value for name, value in row._asdict().items() if value is not None}
    values["plan"] = zlib.decompress(row.plan).decode()
    return Run(**values)
