"""Statements on PostgreSQL, run without SQLAlchemy: it writes them, once.

What it does around each statement costs three times as much as the statement. It still migrates.
"""

from __future__ import annotations

import re
from collections import deque, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

from runner.adapters.sql_wire import Question, Wire

Words = dict[str, Any] | list[dict[str, Any]]
"""Parameters by name; of an insert, for each of several rows."""
_DIALECT: sa.Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call] # its constructor has no types
_AT_RUNTIME = "__[POSTCOMPILE"
_NAMED = re.compile(r"%\((\w+)\)s")
_BEGIN, _COMMIT, _ROLL_BACK = ((each, ()) for each in ("BEGIN", "COMMIT", "ROLLBACK"))
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

    def __init__(self, wire: Wire, *, whole: bool) -> None:
        """Begin nothing yet.

        Args:
            wire: for as long as this connection is used.
            whole: all that is run is one transaction; if not, what is run in one go is.
        """
        self._wire = wire
        self._whole = whole

    def execute(self, statement: Any, words: Words | None = None, /) -> Rows:
        return self.execute_all([(statement, words or {})])[0]

    def execute_all(
        self, statements: Iterable[tuple[Any, Words]], *, last: bool = False
    ) -> list[Rows]:
        """Several statements in one go to the server; if `last`, commit them."""
        asked = [_asked(*each) for each in statements]
        before = [_BEGIN] if self._whole and not self._wire.in_transaction else []
        after = [_COMMIT] if self._whole and last else []
        answers = self._wire.ask([*before, *(question for _, question in asked), *after])
        own = answers[len(before) : len(before) + len(asked)]
        pairs = zip(asked, own, strict=True)
        return [written.rows(self._wire, each) for (written, _), each in pairs]

    def commit(self) -> None:
        """Commit what is not committed yet."""
        if self._wire.in_transaction:
            self._wire.ask([_COMMIT])


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
        self._idle: deque[Wire] = deque()
        self._free = BoundedSemaphore(_MOST)

    @contextmanager
    def connected(self, *, whole: bool) -> Iterator[PostgresConnection]:
        """Lend a connection.

        Args:
            whole: all that is done is one transaction; if not, what is done in one go is.

        Raises:
            DBAPIError: whatever goes wrong.
        """
        with self._free:
            try:
                wire = self._take()
                try:
                    connection = PostgresConnection(wire, whole=whole)
                    yield connection
                    connection.commit()
                finally:
                    self._take_back(wire)
            except psycopg.Error as error:
                raise DBAPIError(None, None, error) from error

    def close(self) -> None:
        """Close what is idle."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _take(self) -> Wire:
        with suppress(IndexError):
            return self._idle.pop()
        return Wire(self._address, **self._options)

    def _take_back(self, wire: Wire) -> None:
        if wire.closed:
            self.close()  # maybe the server went away: whatever else is idle is as dead then
            return
        if wire.in_transaction:
            wire.ask([_ROLL_BACK])
        if wire.worn:
            wire.close()
        else:
            self._idle.append(wire)


class _Written:
    """A statement as PostgreSQL reads it."""

    def __init__(self, sql: str, constants: Mapping[str, object]) -> None:
        words = {name: each for name, each in constants.items() if isinstance(each, StrEnum)}
        for name, each in words.items():  # of closed sets, and without any quotes
            sql = sql.replace(f"%({name})s", f"'{each}'")
        self._constants = {name: each for name, each in constants.items() if name not in words}
        """Values that are part of the statement."""
        self._names = tuple(dict.fromkeys(_NAMED.findall(sql)))
        numbers = {name: f"${number}" for number, name in enumerate(self._names, 1)}
        self._sql = _NAMED.sub(lambda found: numbers[found[1]], sql).replace("%%", "%")
        self._make: Callable[[Any], Any] | None = None
        """Makes a row of values; known when it ran, and slow to ask for."""

    def question(self, words: Mapping[str, Any]) -> Question:
        """The statement with these parameters."""
        values = {**self._constants, **words}
        return self._sql, [values[each] for each in self._names]

    def rows(self, wire: Wire, result: PGresult) -> Rows:
        """What it returned."""
        if result.status != ExecStatus.TUPLES_OK:
            return Rows([], returned=False)
        if self._make is None:
            names = (result.fname(each) or b"" for each in range(result.nfields))
            self._make = _row_of(tuple(each.decode() for each in names))._make
        return Rows(wire.rows(result, self._make), returned=True)


def _asked(statement: Any, words: Words) -> tuple[_Written, Question]:
    if isinstance(words, list):
        written = _written(statement, tuple(words[0]), len(words))
        words = {f"{each}_{n}": row[each] for n, row in enumerate(words) for each in row}
    else:
        written = _written(statement, tuple(words))
    return written, written.question(words)


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
