"""The store in a SQL database: SQLite embedded, in one file that two programs may share."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateIndex, CreateTable

from runner.attempt import Attempt, Facts, Loaded
from runner.environment import Failure, FailureKind, Lock
from runner.errors import FixproofError, NoSpace, StoreTrouble
from runner.sandbox import Ending, Stream
from runner.store import CellKeys, Run

SCHEMA = 1
"""Version of the tables, kept in SQLite's `user_version`."""

_BUSY_SECONDS = 60

metadata = sa.MetaData()

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("case_id", sa.String, nullable=False),
    sa.Column("inputs_sha256", sa.String, nullable=False, index=True),
    sa.Column("plan", sa.LargeBinary, nullable=False),
    sa.Column("ground", sa.Text, nullable=False),
    sa.Column("began", sa.String, nullable=False, index=True),
    sa.Column("ended", sa.String),
    sa.Column("status", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("summary", sa.String),
)

locks = sa.Table(
    "locks",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("pylock", sa.Text),
    sa.Column("failure", sa.String),
    sa.Column("detail", sa.Text),
    sa.Column("made", sa.String, nullable=False),
)

loads = sa.Table(
    "loads",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("version", sa.String),
    sa.Column("location", sa.String),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False, index=True),
    sa.Column("ran", sa.String, nullable=False),
    sa.Column("ending", sa.String, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("peak_mib", sa.Float),
    sa.Column("cpu_seconds", sa.Float),
    sa.Column("doubled", sa.Boolean, nullable=False),
    sa.Column("stdout", sa.LargeBinary, nullable=False),
    sa.Column("stderr", sa.LargeBinary, nullable=False),
    sa.Column("cuts", sa.String, nullable=False),
)

run_cells = sa.Table(
    "run_cells",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("cell_id", sa.String, primary_key=True),
    sa.Column("lock", sa.String, nullable=False),
    sa.Column("loaded", sa.String, nullable=False),
    sa.Column("attempts", sa.String, nullable=False),
)

run_attempts = sa.Table(
    "run_attempts",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("cell_id", sa.String, primary_key=True),
    sa.Column("attempt_id", sa.String, primary_key=True),
    sa.Column("reused", sa.Boolean, nullable=False),
)


class SqlStore:
    """Runs and evidence in one database; fulfils `RunStore` and `EvidenceStore`."""

    def __init__(self, url: str) -> None:
        with _trouble():
            self._engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
            sa.event.listen(self._engine, "connect", _prepare_connection)
            self._create_tables()

    def close(self) -> None:
        self._engine.dispose()

    def _create_tables(self) -> None:
        with self._engine.begin() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version not in (0, SCHEMA):
                raise StoreTrouble(
                    f"the database has tables of version {version}, this fixproof knows {SCHEMA}",
                    hint="Use the fixproof that made it, or another FIXPROOF_HOME.",
                )
            if version == 0:  # two programs may do this at once
                for table in metadata.sorted_tables:
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")

    # Evidence

    def lock(self, key: str, *, failures_since: datetime) -> Lock | Failure | None:
        row = self._one(sa.select(locks).where(locks.c.key == key))
        if row is None or (row.failure and _time(row.made) < failures_since):
            return None
        return _lock(row)

    def keep_lock(self, key: str, lock: Lock | Failure, at: datetime) -> None:
        """Keep a resolution; a lock is never replaced: attempts rely on it."""
        failure = lock if isinstance(lock, Failure) else None
        rest = {
            "pylock": lock.pylock() if isinstance(lock, Lock) else None,
            "failure": failure.kind if failure else None,
            "detail": failure.detail if failure else None,
            "made": _text(at),
        }
        statement = insert(locks).values(key=key, **rest)
        self._write(
            statement.on_conflict_do_update(
                index_elements=["key"], set_=rest, where=locks.c.pylock.is_(None)
            )
        )

    def loaded(self, key: str) -> Loaded | None:
        row = self._one(sa.select(loads).where(loads.c.key == key))
        return Loaded(version=row.version, location=row.location) if row else None

    def keep_loaded(self, key: str, loaded: Loaded) -> None:
        self._put(loads, key=key, version=loaded.version, location=loaded.location)

    def attempts(self, key: str, *, since: datetime) -> tuple[Attempt, ...]:
        query = (
            sa.select(attempts)
            .where(attempts.c.key == key, attempts.c.ran >= _text(since))
            .order_by(attempts.c.ran, attempts.c.id)
        )
        return tuple(_attempt(row, reused=True) for row in self._all(query))

    def keep_attempt(self, key: str, attempt: Attempt) -> None:
        streams = (attempt.stdout, attempt.stderr)
        self._put(
            attempts,
            id=attempt.id,
            key=key,
            ran=_text(attempt.ran),
            ending=attempt.ending.model_dump_json(),
            seconds=attempt.seconds,
            peak_mib=attempt.peak_mib,
            cpu_seconds=attempt.cpu_seconds,
            doubled=attempt.doubled,
            stdout=_pack(attempt.stdout),
            stderr=_pack(attempt.stderr),
            cuts=json.dumps([[len(each.head), each.omitted] for each in streams]),
        )

    def attempt(self, attempt_id: str) -> Attempt | None:
        row = self._one(sa.select(attempts).where(attempts.c.id == attempt_id))
        return _attempt(row, reused=False) if row else None

    # Runs

    def begin(self, run: Run) -> None:
        values = run.model_dump(exclude={"plan", "began", "ended"})
        self._put(runs, plan=zlib.compress(run.plan.encode()), began=_text(run.began), **values)

    def finish(
        self, run_id: str, *, ended: datetime, status: str, outcome: str, summary: str
    ) -> None:
        change = sa.update(runs).where(runs.c.id == run_id)
        self._write(
            change.values(ended=_text(ended), status=status, outcome=outcome, summary=summary)
        )

    def run(self, run_id: str) -> Run | None:
        row = self._one(sa.select(runs).where(runs.c.id == run_id))
        return _run(row) if row else None

    def recent(self, limit: int) -> tuple[Run, ...]:
        query = sa.select(runs).order_by(runs.c.began.desc(), runs.c.id.desc()).limit(limit)
        return tuple(_run(row) for row in self._all(query))

    def unfinished(self, inputs_sha256: str, *, since: datetime) -> tuple[Run, ...]:
        query = (
            sa.select(runs)
            .where(runs.c.inputs_sha256 == inputs_sha256, runs.c.ended.is_(None))
            .where(runs.c.began >= _text(since))
            .order_by(runs.c.began.desc())
        )
        return tuple(_run(row) for row in self._all(query))

    def link_cell(self, run_id: str, cell_id: str, keys: CellKeys) -> None:
        self._put(run_cells, run_id=run_id, cell_id=cell_id, **keys.model_dump())

    def link_attempts(self, run_id: str, cell_id: str, attempts: tuple[Attempt, ...]) -> None:
        if not attempts:
            return
        rows = [
            {"run_id": run_id, "cell_id": cell_id, "attempt_id": each.id, "reused": each.reused}
            for each in attempts
        ]
        with self._begin() as connection:
            connection.execute(insert(run_attempts).on_conflict_do_nothing(), rows)

    def facts(self, run_id: str) -> dict[str, Facts]:
        cells = self._all(
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
            .where(run_cells.c.run_id == run_id)
        )
        ran = self._all(
            sa.select(attempts, run_attempts.c.cell_id, run_attempts.c.reused)
            .join(run_attempts, run_attempts.c.attempt_id == attempts.c.id)
            .where(run_attempts.c.run_id == run_id)
            .order_by(attempts.c.ran, attempts.c.id)
        )
        by_cell: dict[str, list[Attempt]] = {}
        for row in ran:
            by_cell.setdefault(row.cell_id, []).append(_attempt(row, reused=row.reused))
        return {row.cell_id: _facts(row, tuple(by_cell.get(row.cell_id, ()))) for row in cells}

    # Access

    def _one(self, query: sa.Select[Any]) -> Any:
        with _trouble(), self._engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _all(self, query: sa.Select[Any]) -> Any:
        with _trouble(), self._engine.connect() as connection:
            return connection.execute(query).all()

    def _write(self, statement: sa.Executable) -> None:
        with self._begin() as connection:
            connection.execute(statement)

    def _put(self, table: sa.Table, **values: object) -> None:
        """Insert, or replace what has the same key: saving twice is saving once."""
        keys = [column.name for column in table.primary_key]
        rest = {name: value for name, value in values.items() if name not in keys}
        statement = insert(table).values(**values)
        self._write(statement.on_conflict_do_update(index_elements=keys, set_=rest))

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with _trouble(), self._engine.begin() as connection:
            yield connection


def _prepare_connection(connection: Any, _record: object) -> None:
    """WAL lets a reader and a writer of another process go on at once."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise _explain(error) from error


def _explain(error: DatabaseError) -> FixproofError:
    said = str(error.orig)
    if "disk is full" in said or "disk I/O error" in said:
        return NoSpace(f"the database cannot be written: {said}", hint="Free some disk space.")
    return StoreTrouble(f"the database does not work: {said}", hint="Is FIXPROOF_HOME writable?")


def _text(at: datetime) -> str:
    """UTC in a form that sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _pack(stream: Stream) -> bytes:
    return zlib.compress(stream.head + stream.tail)


def _unpack(data: bytes, head: int, omitted: int) -> Stream:
    whole = zlib.decompress(data)
    return Stream(head=whole[:head], omitted=omitted, tail=whole[head:])


def _attempt(row: Any, *, reused: bool) -> Attempt:
    cuts = json.loads(row.cuts)
    return Attempt(
        id=row.id,
        ran=_time(row.ran),
        ending=Ending.model_validate_json(row.ending),
        stdout=_unpack(row.stdout, *cuts[0]),
        stderr=_unpack(row.stderr, *cuts[1]),
        seconds=row.seconds,
        peak_mib=row.peak_mib,
        cpu_seconds=row.cpu_seconds,
        doubled=row.doubled,
        reused=reused,
    )


def _lock(row: Any) -> Lock | Failure | None:
    if row.failure:
        return Failure(kind=FailureKind(row.failure), detail=row.detail)
    return Lock.parse(row.pylock) if row.pylock else None


def _facts(row: Any, ran: tuple[Attempt, ...]) -> Facts:
    loaded = Loaded(version=row.version, location=row.location) if row.load else None
    return Facts(lock=_lock(row), loaded=loaded, attempts=ran)


def _run(row: Any) -> Run:
    values = {name: value for name, value in row._mapping.items() if value is not None}  # noqa: SLF001
    values["plan"] = zlib.decompress(row.plan).decode()
    return Run(**values)
