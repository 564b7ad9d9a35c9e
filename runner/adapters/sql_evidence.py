"""Locks and attempts in the database, by content; fulfils `EvidenceStore`."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import Database, together
from runner.adapters.sql_tables import attempts, loads, locks
from runner.attempt import Attempt, Loaded
from runner.environment import Failure, FailureKind, Lock
from runner.sandbox import Ending, Stream
from runner.store import CellKeys

_KEY = sa.bindparam("key", type_=sa.String)
_LOCK = sa.select(locks).where(locks.c.key == _KEY)
_LOADED = sa.select(loads).where(loads.c.key == _KEY)
_ATTEMPTS = (
    sa.select(attempts)
    .where(attempts.c.key == _KEY, attempts.c.ran >= sa.bindparam("since", type_=sa.String))
    .order_by(attempts.c.ran, attempts.c.id)
)


class SqlEvidence:
    """What was resolved, loaded and run, whichever run asked for it.

    Resolutions are written softly: what a run keeps of them comes later, and takes them along.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def lock(self, key: str, *, failures_since: datetime) -> Lock | Failure | None:
        row = self._database.one(_LOCK, key=key)
        if row is None or (row.failure and time_of(row.made) < failures_since):
            return None
        return lock_of(row)

    def keep_lock(self, key: str, lock: Lock | Failure, at: datetime) -> Lock | Failure:
        """Keep a resolution; a lock is never replaced: attempts rely on it."""
        keep, row = self._keeping(key, lock, at)
        if self._database.softly(keep, **row) is not None:
            return lock
        kept = lock_of(self._database.one(_LOCK, key=key))
        return kept if kept is not None else lock

    def _keeping(
        self, key: str, lock: Lock | Failure, at: datetime
    ) -> tuple[Any, dict[str, str | None]]:
        """A statement that keeps a resolution, and its parameters; it returns a row if it did."""
        failure = lock if isinstance(lock, Failure) else None
        row = {
            "key": key,
            "pylock": _written(lock) if isinstance(lock, Lock) else None,
            "failure": failure.kind if failure else None,
            "detail": plain(failure.detail) if failure else None,
            "made": text_of(at),
        }
        missing = locks.c.pylock.is_(None)
        return self._database.putting(locks, *row, where=missing), row

    def keep_loaded(self, key: str, loaded: Loaded) -> None:
        row = row_of_loaded(key, loaded)
        self._database.softly(self._database.putting(loads, *row), **row)

    def known(
        self, keys: CellKeys, *, since: datetime
    ) -> tuple[Loaded | None, tuple[Attempt, ...]]:
        with self._database.snapshot() as connection:
            return _known(*together(connection, *_asking(keys, since)))

    def adopt(
        self, keys: CellKeys, lock: Lock, at: datetime, *, since: datetime
    ) -> tuple[Lock, Loaded | None, tuple[Attempt, ...]]:
        keep, read = self._keeping(keys.lock, lock, at), (_LOCK, {"key": keys.lock})
        with self._database.softly_whole() as connection:
            asked = (keep, read, *_asking(keys, since))
            _, (row,), loaded, ran = together(connection, *asked, last=True)
        first = lock_of(row)
        if not isinstance(first, Lock):
            raise AssertionError(f"{keys.lock} was kept, and is none")
        return (first, *(_known(loaded, ran) if first == lock else (None, ())))

    def keep_attempt(self, key: str, attempt: Attempt) -> None:
        self._database.put(attempts, **row_of(key, attempt))


def _asking(keys: CellKeys, since: datetime) -> tuple[tuple[Any, dict[str, str]], ...]:
    """The statements that ask what is known."""
    relied_on = {"key": keys.attempts, "since": text_of(since)}
    return (_LOADED, {"key": keys.loaded}), (_ATTEMPTS, relied_on)


def _known(loaded: Sequence[Any], ran: Sequence[Any]) -> tuple[Loaded | None, tuple[Attempt, ...]]:
    """What they found."""
    found = Loaded(version=loaded[0].version, location=loaded[0].location) if loaded else None
    return found, tuple(attempt_of(row, reused=True) for row in ran)


def row_of_loaded(key: str, loaded: Loaded) -> dict[str, Any]:
    """What is written down of what a look into an environment showed."""
    return {"key": key, "version": plain(loaded.version), "location": plain(loaded.location)}


def row_of(key: str, attempt: Attempt) -> dict[str, Any]:
    """What is written down of an attempt."""
    streams = (attempt.stdout, attempt.stderr)
    return {
        "id": attempt.id,
        "key": key,
        "ran": text_of(attempt.ran),
        "ending": attempt.ending.model_dump_json(),
        "seconds": attempt.seconds,
        "peak_mib": attempt.peak_mib,
        "cpu_seconds": attempt.cpu_seconds,
        "doubled": attempt.doubled,
        "stdout": _pack(attempt.stdout),
        "stderr": _pack(attempt.stderr),
        "cuts": json.dumps([[len(each.head), each.omitted] for each in streams]),
    }


def attempt_of(row: Any, *, reused: bool) -> Attempt:
    """The attempt that a row tells of."""
    cuts = json.loads(row.cuts)
    return Attempt(
        id=row.id,
        ran=time_of(row.ran),
        ending=Ending.model_validate_json(row.ending),
        stdout=_unpack(row.stdout, *cuts[0]),
        stderr=_unpack(row.stderr, *cuts[1]),
        seconds=row.seconds,
        peak_mib=row.peak_mib,
        cpu_seconds=row.cpu_seconds,
        doubled=row.doubled,
        reused=reused,
    )


def lock_of(row: Any) -> Lock | Failure | None:
    """The resolution that a row tells of; None for a row that was not found."""
    if row.failure:
        return Failure(kind=FailureKind(row.failure), detail=row.detail)
    return _parsed(row.pylock) if row.pylock else None


# Kept for a while: cells of a run share a lock, and so do cases of a package.


@lru_cache(maxsize=256)
def _parsed(pylock: str) -> Lock:
    return Lock.parse(pylock)


@lru_cache(maxsize=256)
def _written(lock: Lock) -> str:
    return lock.pylock()


def text_of(at: datetime) -> str:
    """UTC in a form that sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def plain(text: str | None) -> str | None:
    """Text without NULs, which PostgreSQL has no place for; strangers write this."""
    return text and text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _pack(stream: Stream) -> bytes:
    return zlib.compress(stream.head + stream.tail)


def _unpack(data: bytes, head: int, omitted: int) -> Stream:
    whole = zlib.decompress(data)
    return Stream(head=whole[:head], omitted=omitted, tail=whole[head:])
