"""Statements on PostgreSQL, run by psycopg alone: SQLAlchemy writes them, once.

What it does around each statement costs three times as much as the statement. It still keeps the
connections, and migrates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

Words = Mapping[str, object] | Sequence[Mapping[str, object]]
_DIALECT: sa.Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call] # its constructor has no types
_AT_RUNTIME = "__[POSTCOMPILE"
_KEPT = 256
"""Statements; most are made once and for all, and few are made as they are needed."""


class Rows:
    """What a statement returned."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    @property
    def returns_rows(self) -> bool:
        return self._cursor.description is not None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor.fetchall())

    def all(self) -> list[Any]:
        return self._cursor.fetchall()

    def first(self) -> Any:
        return self._cursor.fetchone()

    def one(self) -> Any:
        """The one row of a query that always has one."""
        return self._cursor.fetchone()

    def one_or_none(self) -> Any:
        """The one row; no query of ours that is asked so finds two."""
        return self._cursor.fetchone()

    def scalar_one_or_none(self) -> Any:
        row = self._cursor.fetchone()
        return row[0] if row else None


class PostgresConnection:
    """A connection that runs statements as `sqlalchemy.Connection` does, as far as we need it."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver

    def execute(self, statement: Any, words: Words | None = None, /) -> Rows:
        cursor = self._driver.cursor(row_factory=namedtuple_row)
        if words is None or isinstance(words, Mapping):
            words = words or {}
            written = _written(statement, tuple(words))
            cursor.execute(written.sql, {**written.constants, **words})
        else:
            written = _written(statement, tuple(words[0]))
            cursor.executemany(written.sql, [{**written.constants, **each} for each in words])
        return Rows(cursor)


@contextmanager
def connected(engine: sa.Engine, *, whole: bool) -> Iterator[PostgresConnection]:
    """A connection out of the pool.

    Args:
        engine: whose pool.
        whole: all that is done is one transaction; if not, each statement is.
    """
    with _said_by_sqlalchemy():
        pooled = engine.raw_connection()
        driver: Any = pooled.driver_connection
        try:
            driver.autocommit = not whole
            yield PostgresConnection(driver)
            if whole:
                driver.commit()
        finally:
            if driver.closed:
                pooled.invalidate()
                engine.dispose()  # the server went away: whatever else is in the pool is as dead
            elif driver.info.transaction_status is TransactionStatus.ACTIVE:
                pooled.invalidate()  # we were told to leave while it worked
            else:
                driver.rollback()
                driver.autocommit = False
                pooled.close()


@contextmanager
def _said_by_sqlalchemy() -> Iterator[None]:
    """Whatever goes wrong, to connect included, is said in one way."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError(None, None, error) from error


class _Written(NamedTuple):
    sql: str
    constants: Mapping[str, object]
    """Values that are part of the statement."""


@lru_cache(_KEPT)
def _written(statement: Any, names: tuple[str, ...]) -> _Written:
    """A statement for parameters of these names."""
    asked: dict[str, Any] = {"dialect": _DIALECT, "column_keys": names or None}
    compiled = statement.compile(**asked)
    if _AT_RUNTIME in compiled.string:
        compiled = statement.compile(**asked, compile_kwargs={"render_postcompile": True})
    values = {name: each for name, each in compiled.params.items() if name not in names}
    return _Written(compiled.string, values)
