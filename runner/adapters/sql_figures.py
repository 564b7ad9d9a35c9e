"""How much waits and how long it has, for whoever watches the service from outside."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import time_of
from runner.adapters.sql_tables import nights, runs, work


class QueueFigures(NamedTuple):
    """Items of work of one queue that are in one state."""

    queue: str
    state: str
    items: int
    oldest: datetime
    """When the one that is there longest was made."""


class SqlFigures:
    """Reads numbers; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queues(self) -> tuple[QueueFigures, ...]:
        """Of all queues that have items, one for each state."""
        query = sa.select(
            *(work.c.queue, work.c.state),
            sa.func.count().label("items"),
            sa.func.min(work.c.made).label("oldest"),
        ).group_by(work.c.queue, work.c.state)
        rows = self._database.all(query.order_by(work.c.queue, work.c.state))
        return tuple(
            QueueFigures(row.queue, row.state, row.items, time_of(row.oldest)) for row in rows
        )

    def open_runs(self) -> int:
        """Runs of the service that have not ended."""
        at_work = sa.and_(runs.c.queue.is_not(None), runs.c.ended.is_(None))
        return int(self._database.one(sa.select(sa.func.count()).where(at_work))[0])

    def last_night(self) -> datetime | None:
        """When the last night ended that saw enough of the whole corpus; None where none did."""
        (ended,) = self._database.one(sa.select(sa.func.max(nights.c.ended)).where(nights.c.whole))
        return time_of(ended) if ended else None
