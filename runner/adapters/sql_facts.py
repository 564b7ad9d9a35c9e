"""What a run relies on, read from the database: its cells, their locks, their attempts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import AnyConnection, together
from runner.adapters.sql_evidence import attempt_of, lock_of
from runner.adapters.sql_tables import attempts, loads, locks, run_attempts, run_cells, runs
from runner.attempt import Attempt, Facts, Loaded
from runner.work import News

_VERSION = sa.select(runs.c.version).where(runs.c.id == sa.bindparam("run", type_=sa.String))
_CELLS = (
    sa.select(
        run_cells.c.cell_id,
        locks,
        loads.c.key.label("load"),
        loads.c.version,
        loads.c.location,
    )
    .select_from(
        run_cells.outerjoin(locks, locks.c.key == run_cells.c.lock).outerjoin(
            loads, loads.c.key == run_cells.c.loaded
        )
    )
    .where(run_cells.c.run_id == sa.bindparam("run"))
    .where(run_cells.c.version > sa.bindparam("since"))
)
_ATTEMPTS = (
    sa.select(attempts, run_attempts.c.cell_id, run_attempts.c.reused)
    .join(run_attempts, run_attempts.c.attempt_id == attempts.c.id)
    .where(run_attempts.c.run_id == sa.bindparam("run"))
    .where(run_attempts.c.version > sa.bindparam("since"))
    .order_by(attempts.c.ran, attempts.c.id)
)


def read_news(connection: AnyConnection, run_id: str, *, since: int) -> News | None:
    """What was linked to a run after a version; None if there is no such run."""
    return news_of(together(connection, *asking_news(run_id, since)))


def asking_news(run_id: str, since: int) -> tuple[tuple[Any, Any], ...]:
    """The statements that ask for it, in an order that lets turns come between them.

    The version is first: what comes after it is told again. Cells are last: that of each attempt
    that was found is among them.
    """
    chosen = {"run": run_id, "since": since}
    return (_VERSION, {"run": run_id}), (_ATTEMPTS, chosen), (_CELLS, chosen)


def news_of(answers: Sequence[Sequence[Any]]) -> News | None:
    """What they returned, as news."""
    version, ran, cells = answers
    if not version:
        return None
    told = {row.cell_id: _facts(row) for row in cells}
    attempted = [(row.cell_id, attempt_of(row, reused=row.reused)) for row in ran]
    return News(version[0].version, told, tuple(attempted))


def gathered(news: News) -> dict[str, Facts]:
    """All facts of a run, of news since its begin."""
    by_cell: dict[str, list[Attempt]] = {}
    for cell_id, attempt in news.attempts:
        by_cell.setdefault(cell_id, []).append(attempt)
    return {
        cell_id: facts.model_copy(update={"attempts": tuple(by_cell.get(cell_id, ()))})
        for cell_id, facts in news.cells.items()
    }


def _facts(row: Any) -> Facts:
    loaded = Loaded(version=row.version, location=row.location) if row.load else None
    return Facts(lock=lock_of(row), loaded=loaded)
