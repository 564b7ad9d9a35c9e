"""One database, SQLite or PostgreSQL: connections, the version of its tables, its troubles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from runner.adapters.sql_tables import SCHEMA, alembic_version, metadata, tell_postgres
from runner.errors import FixproofError, NoSpace, StoreTrouble, WrongUsage

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

_BUSY_SECONDS = 60
_CONNECT_SECONDS = 10
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
        self.sqlite = parsed.get_backend_name() == "sqlite"
        with _trouble():
            self._engine = _sqlite(parsed) if self.sqlite else _postgres(parsed)
            self._writing = self._engine.execution_options(writes=True)
            self._reading, self._soft = self._engine, self._writing
            if not self.sqlite:  # one statement alone needs no transaction around it
                alone = {"isolation_level": "AUTOCOMMIT"}
                self._reading = self._engine.execution_options(**alone)
                self._soft = _postgres(parsed, soft=True).execution_options(**alone)
            try:
                self._prepare_tables()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        self._engine.dispose()
        self._soft.dispose()

    def one(self, query: sa.Select[Any]) -> Any:
        """The one row of a query, or None."""
        with _trouble(), self._reading.connect() as connection:
            return connection.execute(query).one_or_none()

    def all(self, query: sa.Select[Any]) -> Sequence[Any]:
        """All rows of a query."""
        with _trouble(), self._reading.connect() as connection:
            return connection.execute(query).all()

    def stream(self, query: sa.Select[Any]) -> Iterator[Any]:
        """The rows of a query, of which few are in memory at once."""
        with _trouble(), self._engine.connect() as connection:
            yield from connection.execution_options(yield_per=_ROWS).execute(query)

    def write(self, statement: sa.Executable) -> None:
        with self.begin() as connection:
            connection.execute(statement)

    def put(self, table: sa.Table, **values: object) -> None:
        """Insert, or replace what has the same key: saving twice is saving once."""
        keys = [column.name for column in table.primary_key]
        rest = {name: value for name, value in values.items() if name not in keys}
        statement = self.insert(table).values(**values)
        self.write(statement.on_conflict_do_update(index_elements=keys, set_=rest))

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction; of SQLite it is the only one that writes."""
        with _trouble(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Several queries, one after the other."""
        with _trouble(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def soft(self) -> Iterator[sa.Connection]:
        """One statement that writes, and may be forgotten if the server breaks down."""
        with _trouble(), self._soft.begin() as connection:
            yield connection

    def insert(self, table: sa.Table) -> SqliteInsert | PostgresInsert:
        """An insert that can be told what to do where the key is there already."""
        if self.sqlite:
            from sqlalchemy.dialects.sqlite import insert

            return insert(table)
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table)

    # The version of the tables

    def _prepare_tables(self) -> None:
        """One look at a number where all is well; Alembic is loaded only where it is not."""
        with self._reading.connect() as connection:
            version = _version(connection, sqlite=self.sqlite)
        require_known(version)
        if version < SCHEMA:
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """Make the tables, or move them; whoever comes second waits, and finds it done."""
        with self._writing.begin() as connection:
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


def _postgres(url: sa.URL, *, soft: bool = False) -> sa.Engine:
    words = {"connect_timeout": _CONNECT_SECONDS, "application_name": "fixproof"}
    if soft:
        words["options"] = "-c synchronous_commit=off"
    return sa.create_engine(url, connect_args=words)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL lets a reader and a writer of another process go on at once."""
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


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


def _explain(error: DBAPIError) -> FixproofError:
    said = " ".join(str(error.orig).split())
    if getattr(error.orig, "sqlstate", None) == _DISK_FULL or any(each in said for each in _FULL):
        return NoSpace(f"the database cannot be written: {said}", hint="Free some disk space.")
    hint = "Is FIXPROOF_HOME writable? Does what FIXPROOF_DATABASE_URL names, if set, answer?"
    return StoreTrouble(f"the database does not work: {said}", hint=hint)
