"""What the database keeps no longer: old runs, nights, and evidence that nothing relies on.

Two steps. What is old and ended is deleted a little at a time, beside everything else that goes on.
Locks, what was loaded, and copies of cases bear no date that says when they were last relied on:
these are deleted only while no run goes on, and none can begin.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from runner.adapters.sql_database import AnyConnection, Database
from runner.adapters.sql_evidence import text_of
from runner.adapters.sql_tables import (
    attempts,
    cases,
    loads,
    locks,
    night_cases,
    nights,
    run_attempts,
    run_cells,
    runs,
    withdrawals,
)

_AT_ONCE = 500
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


class Before(NamedTuple):
    """Until when what is kept no longer was made."""

    runs: datetime
    """Of runs and nights: when they ended."""
    evidence: datetime
    """Of attempts and locks: when they were made; what is older is never relied on anew."""
    resumable: datetime
    """Of runs that a process here carried out: which began before can go on no more."""


class Rows(NamedTuple):
    """What is deleted of one kind."""

    what: str
    number: int
    bytes: int
    """Of logs and other large values in them."""


class _Kind(NamedTuple):
    """Rows of a table that nothing refers to."""

    what: str
    table: sa.Table
    condition: sa.ColumnElement[bool]
    large: sa.Column[Any]


class SqlRetention:
    """Deletes, or says what it would."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self, before: Before, *, dry_run: bool) -> Iterator[Rows]:
        """Delete what is old; of each kind what it was."""
        doomed = _doomed_runs(before.runs)
        yield self._runs(doomed, dry_run=dry_run)
        yield self._attempts(before.evidence, doomed, dry_run=dry_run)
        yield from self._nights(before.runs, dry_run=dry_run)

    def collect_undated(self, before: Before, *, dry_run: bool) -> tuple[Rows, ...] | None:
        """Delete what no run refers to; None, and nothing is deleted, where a run goes on."""
        doomed = _doomed_runs(before.runs)
        with self._database.begin() as connection:
            if not self._database.sqlite and not dry_run:  # who would begin a run waits so long
                connection.execute(sa.text("LOCK TABLE cases, runs IN SHARE MODE"))
            if connection.execute(_going_on(before)).first() is not None:
                return None
            return tuple(
                _collected(connection, each, dry_run=dry_run)
                for each in (
                    _Kind("locks", locks, _unlinked_locks(before, doomed), locks.c.pylock),
                    _Kind("loads", loads, _unlinked_loads(doomed), loads.c.location),
                    _Kind("cases", cases, _unlinked_cases(doomed), cases.c.packed),
                )
            )

    def going_on(self, before: Before) -> str | None:
        """The run for which nothing undated is deleted: the one that began first."""
        row = self._database.one(_going_on(before))
        return row.id if row else None

    def hashes_in_locks(self, wanted: Collection[str]) -> frozenset[str]:
        """Which of these files are named by some lock."""
        left = {*wanted}
        found: set[str] = set()
        if left:
            for row in self._database.stream(sa.select(locks.c.pylock)):
                found |= left & {*_SHA256.findall(row.pylock or "")}
        return frozenset(found)

    def candidates(self) -> frozenset[str]:
        """Digests of candidates that some stored run is about."""
        query = sa.select(runs.c.plan).where(runs.c.ground.like("% --candidate %"))
        found = (json.loads(zlib.decompress(row.plan)) for row in self._database.stream(query))
        named = (each["universe"].get("candidate") for each in found)
        return frozenset(each["sha256"] for each in named if each)

    def open_cases(self) -> frozenset[str]:
        """Digests of cases of which some run goes on."""
        query = sa.select(runs.c.case_sha256).where(runs.c.ended.is_(None))
        return frozenset(row.case_sha256 for row in self._database.all(query) if row.case_sha256)

    def _runs(self, doomed: sa.ColumnElement[bool], *, dry_run: bool) -> Rows:
        ids = [row.id for row in self._database.all(sa.select(runs.c.id).where(doomed))]
        (total,) = self._database.one(sa.select(_size(runs.c.plan)).where(doomed))
        if not dry_run:
            for some in _pieces(ids):
                with self._database.begin() as connection:
                    for table in (run_attempts, run_cells):
                        connection.execute(sa.delete(table).where(table.c.run_id.in_(some)))
                    connection.execute(sa.delete(runs).where(runs.c.id.in_(some)))
        return Rows("runs", len(ids), int(total))

    def _attempts(self, before: datetime, doomed: sa.ColumnElement[bool], *, dry_run: bool) -> Rows:
        kept = sa.select(run_attempts.c.attempt_id).where(
            run_attempts.c.attempt_id == attempts.c.id,
            run_attempts.c.run_id.not_in(sa.select(runs.c.id).where(doomed)),
        )
        unlinked = sa.and_(attempts.c.ran < text_of(before), ~kept.exists())
        logs = sa.func.length(attempts.c.stdout) + sa.func.length(attempts.c.stderr)
        rows = self._database.all(sa.select(attempts.c.id, logs.label("logs")).where(unlinked))
        if not dry_run:
            for some in _pieces([row.id for row in rows]):
                self._database.write(sa.delete(attempts).where(attempts.c.id.in_(some), unlinked))
        return Rows("attempts", len(rows), sum(row.logs for row in rows))

    def _nights(self, before: datetime, *, dry_run: bool) -> Iterator[Rows]:
        newer, later = nights.alias("newer"), night_cases.alias("later")
        own, of_later = nights.alias("own"), nights.alias("of_later")
        old = sa.and_(
            nights.c.ended < text_of(before),
            sa.select(newer.c.id)
            .where(newer.c.ended.is_not(None), newer.c.number > nights.c.number)
            .exists(),
        )
        superseded = sa.and_(
            night_cases.c.night_id.in_(sa.select(nights.c.id).where(old)),
            sa.select(later.c.night_id)
            .where(later.c.case_id == night_cases.c.case_id)
            .join(of_later, of_later.c.id == later.c.night_id)
            .join(own, own.c.number < of_later.c.number)
            .where(own.c.id == night_cases.c.night_id)
            .exists(),
        )
        stays = sa.select(night_cases.c.night_id).where(
            night_cases.c.night_id == nights.c.id, ~superseded
        )
        unneeded = sa.select(nights.c.id).where(old, ~stays.exists())
        ids = [row.id for row in self._database.all(unneeded)]
        columns: tuple[Any, ...] = (sa.func.count(), _size(night_cases.c.entry))
        count, total = self._database.one(sa.select(*columns).where(superseded))
        if not dry_run:
            self._database.write(sa.delete(night_cases).where(superseded))
            for some in _pieces(ids):
                self._database.write(sa.delete(nights).where(nights.c.id.in_(some)))
        yield Rows("nights", len(ids), 0)
        yield Rows("night_cases", count, int(total))


def _doomed_runs(before: datetime) -> sa.ColumnElement[bool]:
    """Old runs, but for the newest of each case and kind that says something, and the withdrawn."""
    newer = runs.alias("newer_runs")
    superseded = (
        sa.select(newer.c.id)
        .where(newer.c.case_id == runs.c.case_id, newer.c.kind == runs.c.kind)
        .where(newer.c.status.is_not(None), newer.c.ended > runs.c.ended)
        .where(*(newer.c.ground.not_like(f"%{each}%") for each in _PARTIAL))
        .exists()
    )
    withdrawn = sa.select(withdrawals.c.run_id).where(withdrawals.c.run_id == runs.c.id).exists()
    says_nothing = runs.c.status.is_(None)
    ended = sa.and_(runs.c.ended < text_of(before), sa.or_(superseded, says_nothing), ~withdrawn)
    # A process here carried it out, and was stopped: nobody can go on with it after a day.
    left = sa.and_(runs.c.ended.is_(None), runs.c.queue.is_(None), runs.c.began < text_of(before))
    return sa.or_(ended, left)


_PARTIAL = (" --only ", " --python ", " --candidate ")
"""Runs asked for so say something of a part alone, or of no release."""


def _going_on(before: Before) -> sa.Select[Any]:
    """The first run that goes on, or may."""
    may = sa.or_(runs.c.queue.is_not(None), runs.c.began >= text_of(before.resumable))
    return sa.select(runs.c.id).where(runs.c.ended.is_(None), may).order_by(runs.c.began).limit(1)


def _collected(connection: AnyConnection, kind: _Kind, *, dry_run: bool) -> Rows:
    query = sa.select(sa.func.count(), _size(kind.large)).select_from(kind.table)
    count, total = connection.execute(query.where(kind.condition)).one()
    if not dry_run:
        connection.execute(sa.delete(kind.table).where(kind.condition))
    return Rows(kind.what, count, int(total))


def _size(large: sa.Column[Any]) -> sa.ColumnElement[int]:
    """Of all values of a column together."""
    return sa.func.coalesce(sa.func.sum(sa.func.length(large)), 0)


def _linked(column: sa.ColumnElement[bool], doomed: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Cells of runs that are kept, by a key of theirs."""
    gone = sa.select(runs.c.id).where(doomed)
    return sa.select(run_cells.c.run_id).where(column, run_cells.c.run_id.not_in(gone))


def _unlinked_locks(before: Before, doomed: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    linked = _linked(run_cells.c.lock == locks.c.key, doomed)
    return sa.and_(locks.c.made < text_of(before.evidence), ~linked.exists())


def _unlinked_loads(doomed: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return ~_linked(run_cells.c.loaded == loads.c.key, doomed).exists()


def _unlinked_cases(doomed: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    kept = sa.select(runs.c.id).where(runs.c.case_sha256 == cases.c.sha256, ~doomed)
    return ~kept.exists()


def _pieces(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
