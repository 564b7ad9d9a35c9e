"""Statements on PostgreSQL, run by psycopg alone: SQLAlchemy writes them, once.

What it does around each statement costs three times as much as the statement. It still migrates.
"""

from __future__ import annotations

from collections import deque, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

Words = dict[str, Any] | list[dict[str, Any]]
"""Parameters by name; of an insert, for each of several rows."""
_DIALECT: sa.Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call] # its constructor has no types
_AT_RUNTIME = "__[POSTCOMPILE"
_KEPT = 256
"""Statements; most are made once and for all, and few are made as they are needed."""
_MOST = 15
"""Connections at a time; who wants another waits."""


class Rows:
    """What a statement returned."""

    def __init__(self, rows: list[Any], *, returned: bool) -> None:
        self._rows = rows
        self.returns_rows = returned

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """The one row of a query that always has one."""
        return self._rows[0]

    def one_or_none(self) -> Any:
        """The one row; no query of ours that is asked so finds two."""
        return self.first()

    def scalar_one_or_none(self) -> Any:
        row = self.first()
        return row[0] if row else None


class PostgresConnection:
    """A connection that runs statements as `sqlalchemy.Connection` does, as far as we need it."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def execute(self, statement: Any, words: Words | None = None, /) -> Rows:
        written, cursor = self._ask(self._cursor, statement, words or {})
        return written.rows(cursor)

    def execute_all(self, statements: Iterable[tuple[Any, Words]], *, last: bool) -> list[Rows]:
        """Several statements of a transaction in one go to the server; if `last`, commit them."""
        driver = self._cursor.connection
        with driver.pipeline():
            asked = [self._ask(driver.cursor(), *each) for each in statements]
            if last:
                driver.commit()
        return [written.rows(cursor) for written, cursor in asked]

    def _ask(
        self, cursor: psycopg.Cursor[Any], statement: Any, words: Words
    ) -> tuple[_Written, psycopg.Cursor[Any]]:
        if isinstance(words, list):
            written = _written(statement, tuple(words[0]), len(words))
            words = {f"{each}_{n}": row[each] for n, row in enumerate(words) for each in row}
        else:
            written = _written(statement, tuple(words))
        cursor.execute(written.sql, {**written.constants, **words})
        return written, cursor


class Connections:
    """Connections to one database; each is its user's alone, and kept for the next one."""

    def __init__(self, url: sa.URL, **options: Any) -> None:
        """Connect to nothing yet.

        Args:
            url: where the database is.
            options: as libpq has them.
        """
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._options = options
        self._idle: deque[psycopg.Cursor[Any]] = deque()
        self._free = BoundedSemaphore(_MOST)

    @contextmanager
    def connected(self, *, whole: bool) -> Iterator[PostgresConnection]:
        """Lend a connection.

        Args:
            whole: all that is done is one transaction; if not, each statement is.

        Raises:
            DBAPIError: whatever goes wrong.
        """
        with self._free:
            try:
                cursor = self._take()
                try:
                    cursor.connection.autocommit = not whole
                    yield PostgresConnection(cursor)
                    if whole:
                        cursor.connection.commit()
                finally:
                    self._take_back(cursor)
            except psycopg.Error as error:
                raise DBAPIError(None, None, error) from error

    def close(self) -> None:
        """Close what is idle."""
        with suppress(IndexError):
            while True:
                self._idle.pop().connection.close()

    def _take(self) -> psycopg.Cursor[Any]:
        with suppress(IndexError):
            return self._idle.pop()
        return psycopg.connect(self._address, **self._options).cursor()

    def _take_back(self, cursor: psycopg.Cursor[Any]) -> None:
        driver = cursor.connection
        if driver.closed:
            self.close()  # the server went away: whatever else is idle is as dead
        elif driver.info.transaction_status is TransactionStatus.ACTIVE:
            driver.close()  # we were told to leave while it worked
        else:
            driver.rollback()
            self._idle.append(cursor)


class _Written:
    """A statement as PostgreSQL reads it."""

    def __init__(self, sql: str, constants: Mapping[str, object]) -> None:
        words = {name: each for name, each in constants.items() if isinstance(each, StrEnum)}
        for name, each in words.items():  # of closed sets, and without any quotes
            sql = sql.replace(f"%({name})s", f"'{each}'")
        self.sql = sql
        self.constants = {name: each for name, each in constants.items() if name not in words}
        """Values that are part of the statement."""
        self._make: Callable[[Any], Any] | None = None
        self._returns: bool | None = None
        """Whether it returns rows; None until it was run."""

    def rows(self, cursor: psycopg.Cursor[Any]) -> Rows:
        """What it returned; its columns are always the same, and slow to ask for."""
        if self._returns is None:
            described = cursor.description
            self._returns = described is not None
            self._make = _row_of(tuple(each.name for each in described or ()))._make
        found = map(self._make, cursor.fetchall()) if self._make and self._returns else ()
        return Rows(list(found), returned=self._returns)


def _row_of(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)  # noqa: PYI024 - the columns of a statement are known when it ran


@lru_cache(_KEPT)
def _written(statement: Any, names: tuple[str, ...], rows: int = 0) -> _Written:
    """A statement for parameters of these names; or an insert of so many rows of them at once."""
    asked: dict[str, Any] = {"dialect": _DIALECT, "column_keys": names or None}
    if rows:
        listed = [{each: f"{each}_{row}" for each in names} for row in range(rows)]
        values: Any = [{each: sa.bindparam(name) for each, name in one.items()} for one in listed]
        statement, asked["column_keys"] = statement.values(values), None
        names = tuple(name for one in listed for name in one.values())
    compiled = statement.compile(**asked)
    if _AT_RUNTIME in compiled.string:
        compiled = statement.compile(**asked, compile_kwargs={"render_postcompile": True})
    constants = {name: each for name, each in compiled.params.items() if name not in names}
    return _Written(compiled.string, constants)
