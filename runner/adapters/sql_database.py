"""One database, SQLite or PostgreSQL: connections, the version of its tables, its troubles."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from runner.adapters.sql_tables import SCHEMA, alembic_version, metadata, tell_postgres
from runner.errors import FixproofError, NoSpace, StoreTrouble, WrongUsage

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

    from runner.adapters.sql_postgres import Connections

_BUSY_SECONDS = 60
_LOOK_AGAIN = 0.01
"""Seconds."""
_PRIMARY = 0xFF
"""Bits of an error's code that all errors of its kind share."""
_TO_POSTGRES: dict[str, Any] = {"connect_timeout": 10, "application_name": "fixproof"}
_ROWS = 1_000
"""Of a stream, that are in memory at once."""
_MIGRATING = 0x66697870
"""Key of the lock of PostgreSQL that one migration at a time holds."""
_DISK_FULL = "53100"
_NO_SUCH_TABLE = "42P01"
_CLOCK = sa.select(sa.func.clock_timestamp())
_FULL = ("disk is full", "disk I/O error")


class Seen(NamedTuple):
    """What a look at a database shows."""

    version: int
    """Of its tables; 0 where there are none yet."""
    now: datetime | None
    """What time it is for its server; None where there is none."""


def look(url: str) -> Seen:
    """Reach a database, and leave its tables as they are.

    Raises:
        WrongUsage, StoreTrouble, NoSpace: as `Database`.
    """
    parsed = _parse(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database and not Path(parsed.database).exists():
        return Seen(0, None)
    with _trouble():
        engine = _sqlite(parsed) if sqlite else _postgres(parsed)
        try:
            with engine.connect() as connection:
                clock = None if sqlite else connection.execute(_CLOCK).scalar_one()
                return Seen(_version(connection, sqlite=sqlite), clock)
        finally:
            engine.dispose()


class AnyConnection(Protocol):
    """What statements are run on."""

    def execute(self, statement: Any, words: Any = None, /) -> Any:
        """Rows, as SQLAlchemy returns them."""
        ...


def together(
    connection: AnyConnection, *statements: tuple[Any, Any], last: bool = False
) -> list[Sequence[Any]]:
    """Several statements with their parameters, in one go where the database knows how.

    Args:
        connection: in a transaction.
        last: whether nothing follows them but the commit.

    Returns:
        of each, the rows that it returned.
    """
    several = getattr(connection, "execute_all", None)
    if several is not None:
        return [each.all() for each in several(statements, last=last)]
    found = (connection.execute(*each) for each in statements)
    return [each.all() if each.returns_rows else () for each in found]


class Database:
    """Runs statements; whatever goes wrong is said as one of our own errors.

    Raises:
        StoreTrouble: it cannot be reached, read or written, or its tables are of another version.
        NoSpace: its disk is full.
    """

    def __init__(self, url: str) -> None:
        """Connect, and bring the tables to the present version.

        Args:
            url: `sqlite:///…` or `postgresql://…`.

        Raises:
            WrongUsage: the address is of no database that is known here.
        """
        parsed = _parse(url)
        self._statements: dict[tuple[str, ...], Any] = {}
        self.sqlite = parsed.get_backend_name() == "sqlite"
        with _trouble():
            self._engine = _sqlite(parsed) if self.sqlite else _postgres(parsed)
            self._hard: Connections | None = None
            self._soft: Connections | None = None
            if not self.sqlite:
                self._hard, self._soft = _connections(parsed)
            try:
                self._prepare_tables()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        self._engine.dispose()
        for each in (self._hard, self._soft):
            if each is not None:
                each.close()

    def one(self, query: sa.Select[Any], **words: object) -> Any:
        """The one row of a query, or None."""
        with self.snapshot() as connection:
            return connection.execute(query, words).one_or_none()

    def all(self, query: sa.Select[Any], **words: object) -> Sequence[Any]:
        """All rows of a query."""
        with self.snapshot() as connection:
            rows: Sequence[Any] = connection.execute(query, words).all()
            return rows

    def stream(self, query: sa.Select[Any]) -> Iterator[Any]:
        """The rows of a query, of which few are in memory at once."""
        with _trouble(), self._engine.connect() as connection:
            yield from connection.execution_options(yield_per=_ROWS).execute(query)

    def write(self, statement: sa.Executable, **words: object) -> None:
        """One statement; it needs no transaction around it."""
        self.change(statement, **words)

    def change(self, statement: sa.Executable, **words: object) -> Any:
        """One statement that writes; the one row that it returns, or None."""
        with _trouble(), self._writes(whole=False) as connection:
            return _only(connection.execute(statement, words))

    def softly(self, statement: sa.Executable, **words: object) -> Any:
        """The same, of what may be forgotten if the server breaks down before the next write."""
        with _trouble(), self._writes(whole=False, soft=True) as connection:
            return _only(connection.execute(statement, words))

    def softly_together(self, *statements: tuple[Any, Any]) -> list[Sequence[Any]]:
        """Several statements in one transaction of that kind; of each, the rows it returned."""
        with _trouble(), self._writes(whole=False, soft=True) as connection:
            return together(connection, *statements)

    @contextmanager
    def softly_whole(self) -> Iterator[AnyConnection]:
        """One transaction of what may be forgotten so."""
        with _trouble(), self._writes(whole=True, soft=True) as connection:
            yield connection

    def put(self, table: sa.Table, **values: object) -> None:
        """Insert, or replace what has the same key: saving twice is saving once."""
        self.write(self.putting(table, *values), **values)

    @contextmanager
    def begin(self) -> Iterator[AnyConnection]:
        """One transaction; of SQLite it is the only one that writes."""
        with _trouble(), self._writes(whole=True) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[AnyConnection]:
        """Several queries, one after the other."""
        if self.sqlite:
            with _trouble(), self._engine.connect() as connection:
                yield connection
        else:
            with _trouble(), self._writes(whole=False) as quick:
                yield quick

    def _writes(self, *, whole: bool, soft: bool = False) -> AbstractContextManager[AnyConnection]:
        """A connection for a transaction, or for statements that are one each."""
        if self._hard is None or self._soft is None:
            return self._engine.execution_options(writes=True).begin()
        return (self._soft if soft else self._hard).connected(whole=whole)

    def insert(self, table: sa.Table) -> SqliteInsert | PostgresInsert:
        """An insert that can be told what to do where the key is there already."""
        if self.sqlite:
            from sqlalchemy.dialects.sqlite import insert

            return insert(table)
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table)

    def adding(self, table: sa.Table) -> Any:
        """An insert that leaves what is there under the same key."""
        return self._made_once((table.name,), lambda: self.insert(table).on_conflict_do_nothing())

    def putting(
        self, table: sa.Table, *names: str, where: sa.ColumnElement[bool] | None = None
    ) -> Any:
        """An insert of these columns that replaces what is there under the same key.

        Args:
            where: of a table it is always the same: if that holds for what is there. Then the
                statement returns the key that it wrote.
        """

        def make() -> Any:
            insert = self.insert(table)
            keys = [each.name for each in table.primary_key]
            rest = {each: insert.excluded[each] for each in names if each not in keys}
            put = insert.on_conflict_do_update(index_elements=keys, set_=rest, where=where)
            return put if where is None else put.returning(*table.primary_key)

        return self._made_once((table.name, *names), make)

    def _made_once(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """A statement; to make it takes longer than to run it."""
        if key not in self._statements:
            self._statements[key] = make()
        return self._statements[key]

    # The version of the tables

    def _prepare_tables(self) -> None:
        """One look at a number where all is well; Alembic is loaded only where it is not."""
        with self._engine.connect() as connection:
            version = _version(connection, sqlite=self.sqlite)
        require_known(version)
        if version < SCHEMA:
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """Make the tables, or move them; whoever comes second waits, and finds it done."""
        with self._engine.execution_options(writes=True).begin() as connection:
            if not self.sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
            version = self._version_within(connection)
            if version == 0:
                if not self.sqlite:
                    tell_postgres()
                alembic_version.create(connection, checkfirst=True)
                metadata.create_all(connection)
                revision = sa.insert(alembic_version).values(version_num=f"{SCHEMA:04}")
                connection.execute(revision)
            elif version < SCHEMA:
                from runner.adapters.migrations import migrate

                migrate(connection, since=version)
            if self.sqlite:  # what older programs look at, and the quickest to ask for
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")

    def _version_within(self, connection: sa.Connection) -> int:
        if self.sqlite:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if not sa.inspect(connection).has_table(alembic_version.name):
            return 0
        return int(connection.execute(sa.select(alembic_version)).scalar_one_or_none() or 0)


def require_known(version: int) -> None:
    """Leave tables alone that a later fixproof made.

    Raises:
        StoreTrouble: they are such tables.
    """
    if version > SCHEMA:
        raise StoreTrouble(
            f"the database has tables of version {version}, this fixproof knows {SCHEMA}",
            hint="Use the fixproof that made it, or another FIXPROOF_HOME or database.",
        )


def _version(connection: sa.Connection, *, sqlite: bool) -> int:
    """The number of the last migration; 0 where there are no tables yet."""
    if sqlite:
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    try:
        return int(connection.execute(sa.select(alembic_version)).scalar_one_or_none() or 0)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _NO_SUCH_TABLE:
            return 0
        raise


def _parse(url: str) -> sa.URL:
    hint = "It is like sqlite:////home/me/fixproof.sqlite3 or postgresql://user:password@host/name."
    try:
        parsed = sa.make_url(url)
        name = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise WrongUsage("FIXPROOF_DATABASE_URL is no address", hint=hint) from error
    match name:
        case "sqlite":
            return parsed
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case _:
            raise WrongUsage(f"FIXPROOF_DATABASE_URL names {name!r}, not known here", hint=hint)


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres(url: sa.URL) -> sa.Engine:
    """For what is seldom done: nothing stays connected."""
    return sa.create_engine(url, connect_args=_TO_POSTGRES, poolclass=sa.NullPool)


def _connections(url: sa.URL) -> tuple[Connections, Connections]:
    """For what is often done; and for what may be forgotten if the server breaks down."""
    from runner.adapters.sql_postgres import Connections

    hard = Connections(url, **_TO_POSTGRES)
    return hard, Connections(url, **_TO_POSTGRES, options="-c synchronous_commit=off")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL lets a reader and a writer of another process go on at once."""
    connection.isolation_level = None  # transactions begin where we say so
    _turn_to_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL").close()


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Wait for whoever writes to a file that is not in WAL yet: SQLite itself does not here."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    """Who will write says so at once: two that read first and then write exclude each other."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _explain(error) from error


def _only(rows: Any) -> Any:
    """The one row of a statement that returns any; None if there is none."""
    return rows.one_or_none() if rows.returns_rows else None


def _explain(error: DBAPIError) -> FixproofError:
    said = " ".join(str(error.orig).split())
    if getattr(error.orig, "sqlstate", None) == _DISK_FULL or any(each in said for each in _FULL):
        return NoSpace(f"the database cannot be written: {said}", hint="Free some disk space.")
    here = isinstance(error.orig, sqlite3.Error)
    hint = (
        "Is FIXPROOF_HOME writable, or the folder that FIXPROOF_DATABASE_URL names?"
        if here
        else "Does PostgreSQL run where FIXPROOF_DATABASE_URL says, and let that user in?"
    )
    return StoreTrouble(f"the database does not work: {said}", hint=hint)
