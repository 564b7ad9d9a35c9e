"""The store in a SQL database: SQLite embedded, in a file that programs share, or PostgreSQL."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import SqlEvidence
from runner.adapters.sql_figures import SqlFigures
from runner.adapters.sql_records import SqlRecords
from runner.adapters.sql_retention import SqlRetention
from runner.adapters.sql_runs import SqlRuns
from runner.adapters.sql_work import SqlWork

if TYPE_CHECKING:
    from runner.adapters.sql_nights import SqlNights


class SqlStore:
    """Runs, evidence and work in one database."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.evidence = SqlEvidence(self._database)
        self.runs = SqlRuns(self._database)
        self.records = SqlRecords(self._database)
        self.work = SqlWork(self._database)
        self.retention = SqlRetention(self._database)
        self.figures = SqlFigures(self._database)

    @cached_property
    def nights(self) -> SqlNights:
        """Nights; who carries out a run needs nothing of what they are about."""
        from runner.adapters.sql_nights import SqlNights

        return SqlNights(self._database)

    def close(self) -> None:
        self._database.close()
