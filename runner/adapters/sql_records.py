"""Records in the database; fulfils `RecordStore`."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import plain, text_of, time_of
from runner.adapters.sql_tables import run_attempts, runs, withdrawals
from runner.records import CaseVersion, Record, Withdrawal

_PARTS = (" --only ", " --python ")
_CANDIDATE = " --candidate "


class SqlRecords:
    """What ended, by case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def versions(self) -> Iterator[CaseVersion]:
        taken_back = {row.case_id: row.count for row in self._database.all(_WITHDRAWN)}
        for row in self._database.stream(_ENDED):
            yield CaseVersion(
                case=row.case_id,
                runs=row.count,
                newest=time_of(row.newest),
                withdrawals=taken_back.get(row.case_id, 0),
            )

    def of_case(self, case: str, limit: int) -> tuple[Record, ...]:
        query = (
            _RECORDS.where(runs.c.case_id == case, runs.c.ended.is_not(None))
            .order_by(runs.c.ended.desc(), runs.c.id.desc())
            .limit(limit)
        )
        return tuple(self._record(row) for row in self._database.all(query))

    def withdraw(self, run: str, withdrawal: Withdrawal) -> bool:
        row = self._database.one(sa.select(runs.c.case_id).where(runs.c.id == run))
        if row is None:
            return False
        insert = self._database.insert(withdrawals).values(
            run_id=run,
            case_id=row.case_id,
            at=text_of(withdrawal.at),
            why=plain(withdrawal.why),
        )
        with self._database.begin() as connection:
            added = insert.on_conflict_do_nothing().returning(withdrawals.c.run_id)
            return connection.execute(added).first() is not None

    def shared_with_withdrawn(self, run: str) -> tuple[str, ...]:
        others = run_attempts.alias("others")
        query = (
            sa.select(others.c.run_id)
            .distinct()
            .join(withdrawals, withdrawals.c.run_id == others.c.run_id)
            .join(run_attempts, run_attempts.c.attempt_id == others.c.attempt_id)
            .where(run_attempts.c.run_id == run, others.c.run_id != run)
            .order_by(others.c.run_id)
        )
        return tuple(row.run_id for row in self._database.all(query))

    def _record(self, row: Any) -> Record:
        asked = f"{json.loads(row.ground).get('again', '')} "
        withdrawn = Withdrawal(at=time_of(row.at), why=row.why) if row.at else None
        return Record(
            run=row.id,
            kind=row.kind,
            case=row.case_id,
            case_sha256=row.case_sha256 or self._planned_for(row.id),
            ended=time_of(row.ended),
            status=row.status,
            outcome=row.outcome,
            summary=row.summary,
            partial=any(each in asked for each in _PARTS),
            candidate=_CANDIDATE in asked,
            withdrawn=withdrawn,
        )

    def _planned_for(self, run: str) -> str:
        """The state of the case that an older run was made for: its plan knows."""
        row = self._database.one(sa.select(runs.c.plan).where(runs.c.id == run))
        plan: dict[str, Any] = json.loads(zlib.decompress(row.plan))
        return str(plan["case"]["sha256"])


_ENDED = (
    sa.select(
        runs.c.case_id, sa.func.count().label("count"), sa.func.max(runs.c.ended).label("newest")
    )
    .where(runs.c.ended.is_not(None))
    .group_by(runs.c.case_id)
    .order_by(runs.c.case_id)
)
_WITHDRAWN = sa.select(withdrawals.c.case_id, sa.func.count().label("count")).group_by(
    withdrawals.c.case_id
)
_RECORDS = sa.select(
    runs.c.id,
    runs.c.kind,
    runs.c.case_id,
    runs.c.case_sha256,
    runs.c.ended,
    runs.c.status,
    runs.c.outcome,
    runs.c.summary,
    runs.c.ground,
    withdrawals.c.at,
    withdrawals.c.why,
).join_from(runs, withdrawals, withdrawals.c.run_id == runs.c.id, isouter=True)
