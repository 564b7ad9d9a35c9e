"""A line to PostgreSQL: statements that are prepared once, any number of them in one go.

What psycopg's cursors do around a statement takes several times as long as to send it, and they
wake the server for each of several. Here psycopg connects, and translates values; libpq does the
rest.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

Question = tuple[str, Sequence[Any]]
"""A statement, with its parameters as $1, $2 and so on; and their values."""
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)
_MOST_PREPARED = 256
"""Statements; few are made as they are needed."""


class Wire:
    """One connection, for one thread at a time.

    Raises:
        psycopg.Error: whatever went wrong. The connection is closed then.
    """

    def __init__(self, address: str, **options: Any) -> None:
        """Connect.

        Args:
            address: as libpq has it,
            options: and whatever else it is told.
        """
        self._driver = psycopg.connect(address, autocommit=True, **options)
        self._libpq = self._driver.pgconn
        self._libpq.enter_pipeline_mode()
        self._values = Transformer(self._driver)
        self._input, self._input_or_room = select.poll(), select.poll()
        self._input.register(self._libpq.socket, select.POLLIN)
        self._input_or_room.register(self._libpq.socket, select.POLLIN | select.POLLOUT)
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        """Names of statements, by their words and the types of their parameters."""

    @property
    def closed(self) -> bool:
        return self._driver.closed

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction was begun and has not ended."""
        return self._libpq.transaction_status != TransactionStatus.IDLE

    @property
    def worn(self) -> bool:
        """Whether the server has enough of its statements in memory."""
        return len(self._prepared) > _MOST_PREPARED

    def close(self) -> None:
        self._driver.close()

    def ask(self, questions: Sequence[Question]) -> list[PGresult]:
        """Run statements one after the other: as one transaction, unless they are within one."""
        try:
            counts = [each for question in questions for each in self._send(*question)]
            self._libpq.pipeline_sync()
            return list(compress(self._results(), counts))
        except BaseException:  # what else is to come would be taken for the answer to another
            self.close()
            raise

    def rows(self, result: PGresult, make: Callable[[Sequence[Any]], Any]) -> list[Any]:
        """The rows of a result, each made of its values."""
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, make)

    def _send(self, sql: str, values: Sequence[Any]) -> tuple[bool, ...]:
        """Send a statement; of each result that is to come, whether it is the statement's."""
        written = self._values.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = self._values.types or (), self._values.formats
        name = self._prepared.get((sql, types))
        known = name is not None
        if name is None:
            name = self._prepared[sql, types] = f"s{len(self._prepared)}".encode()
            self._libpq.send_prepare(name, sql.encode(), types)
        self._libpq.send_query_prepared(name, written, formats)
        return (True,) if known else (False, True)

    def _results(self) -> list[PGresult]:
        """What the server answers, up to where everything is answered."""
        while self._libpq.flush():
            self._wait(self._input_or_room)
        found: list[PGresult] = []
        while True:
            while self._libpq.is_busy():
                self._wait(self._input)
            result = self._libpq.get_result()
            if result is None:  # it ends what one statement returned
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            if result.status in _FAILED:
                raise error_from_result(result)
            found.append(result)

    def _wait(self, events: select.poll) -> None:
        """Wait until there is more to read, or room to write; other threads go on meanwhile."""
        events.poll()
        self._libpq.consume_input()
