"""Nights in the database; fulfils `nightly.keeping.NightStore`."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from runner.adapters.sql_database import Database
from runner.adapters.sql_evidence import text_of, time_of
from runner.adapters.sql_tables import night_cases, nights
from runner.nightly.keeping import Look, OpenNight
from runner.nightly.night import Entry, Night
from runner.nightly.standing import Standing
from runner.outcome import Status

_THE_ONE = "now"
"""What no two nights may have at once."""
_LEFT = -1
_NEWEST = (
    sa.select(night_cases.c.case_id, sa.func.max(nights.c.number).label("number"))
    .join_from(night_cases, nights, nights.c.id == night_cases.c.night_id)
    .group_by(night_cases.c.case_id)
    .subquery()
)
_NEXT = sa.select(sa.func.coalesce(sa.func.max(nights.c.number), 0) + 1).scalar_subquery()
"""The order in which nights were begun, whatever clocks said then."""


_OPEN = sa.select(nights.c.id).where(nights.c.at_work == _THE_ONE)


class _Round(BaseModel):
    run: str


class _Stood(BaseModel):
    status: Status
    run: str
    removed: bool = False


class _Seen(BaseModel):
    """The little of an entry that a history shows: reading all of each takes ten times as long."""

    rounds: tuple[_Round, ...]
    standing: _Stood


class SqlNights:
    """What nights leave behind, and who keeps watch now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, night_id: str, began: datetime, owner: str, wish: str = "") -> bool:
        insert = self._database.insert(nights).values(
            id=night_id,
            began=text_of(began),
            at_work=_THE_ONE,
            owner=owner,
            beats=0,
            number=_NEXT,
            wish=wish,
        )
        return self._did(insert.on_conflict_do_nothing())

    def open(self) -> OpenNight | None:
        row = self._database.one(sa.select(nights).where(nights.c.at_work == _THE_ONE))
        if row is None:
            return None
        return OpenNight(row.id, time_of(row.began), row.owner, row.beats, row.wish or "")

    def take_over(self, seen: OpenNight, owner: str) -> bool:
        unheard = sa.and_(nights.c.owner == seen.owner, nights.c.beats == seen.beats)
        return self._did(_open(seen.id).where(unheard).values(owner=owner, beats=0))

    def beat(self, night_id: str, owner: str) -> bool:
        return self._did(_kept(night_id, owner).values(beats=nights.c.beats + 1))

    def leave(self, night_id: str, owner: str) -> None:
        self._did(_kept(night_id, owner).values(beats=_LEFT))

    def keep(self, entry: Entry, night_id: str) -> None:
        self._database.put(
            night_cases,
            night_id=night_id,
            case_id=entry.case,
            standing=entry.standing.model_dump_json(),
            entry=zlib.compress(entry.model_dump_json().encode()),
        )

    def entries(self, night_id: str) -> tuple[Entry, ...]:
        query = (
            sa.select(night_cases.c.entry)
            .where(night_cases.c.night_id == night_id)
            .order_by(night_cases.c.case_id)
        )
        found = (zlib.decompress(row.entry) for row in self._database.all(query))
        return tuple(Entry.model_validate_json(each) for each in found)

    def standings(self) -> dict[str, Standing]:
        query = (
            sa.select(night_cases.c.case_id, night_cases.c.standing)
            .join_from(_NEWEST, nights, nights.c.number == _NEWEST.c.number)
            .join(
                night_cases,
                sa.and_(
                    night_cases.c.night_id == nights.c.id,
                    night_cases.c.case_id == _NEWEST.c.case_id,
                ),
            )
        )
        rows = self._database.all(query)
        return {row.case_id: Standing.model_validate_json(row.standing) for row in rows}

    def looks(self, case: str, limit: int) -> tuple[Look, ...]:
        query = (
            sa.select(night_cases.c.entry, nights.c.began)
            .join_from(night_cases, nights, nights.c.id == night_cases.c.night_id)
            .where(night_cases.c.case_id == case, nights.c.ended.is_not(None))
            .order_by(night_cases.c.night_id.desc())
            .limit(limit)
        )
        return tuple(_look(row) for row in self._database.all(query))

    def counted(self) -> dict[str, int]:
        query = (
            sa.select(night_cases.c.case_id, sa.func.count().label("count"))
            .where(night_cases.c.night_id.not_in(_OPEN))
            .group_by(night_cases.c.case_id)
        )
        return {row.case_id: row.count for row in self._database.all(query)}

    def began(self, limit: int) -> tuple[datetime, ...]:
        query = (
            sa.select(nights.c.began)
            .where(nights.c.ended.is_not(None))
            .order_by(nights.c.began.desc())
            .limit(limit)
        )
        return tuple(time_of(row.began) for row in self._database.all(query))

    def end(self, night: Night, owner: str) -> None:
        packed = zlib.compress(night.document().encode())
        said = {"ended": text_of(night.ended), "found": packed, "whole": night.whole}
        self._did(_kept(night.night, owner).values(at_work=None, **said))

    def last(self) -> Night | None:
        query = sa.select(nights.c.found).where(nights.c.ended.is_not(None))
        return _night(self._database.one(query.order_by(nights.c.number.desc()).limit(1)))

    def night(self, night_id: str) -> Night | None:
        query = sa.select(nights.c.found).where(nights.c.id == night_id)
        return _night(self._database.one(query.where(nights.c.ended.is_not(None))))

    def _did(self, statement: sa.Update | sa.Insert) -> bool:
        """Whether a statement changed the row that it is about."""
        with self._database.begin() as connection:
            return connection.execute(statement.returning(nights.c.id)).one_or_none() is not None


def _open(night_id: str) -> sa.Update:
    return sa.update(nights).where(nights.c.id == night_id, nights.c.at_work == _THE_ONE)


def _kept(night_id: str, owner: str) -> sa.Update:
    return _open(night_id).where(nights.c.owner == owner)


def _night(row: Any) -> Night | None:
    return Night.model_validate_json(zlib.decompress(row.found)) if row else None


def _look(row: Any) -> Look:
    seen = _Seen.model_validate_json(zlib.decompress(row.entry))
    return Look(
        began=time_of(row.began),
        status=seen.standing.status,
        run=seen.standing.run,
        rounds=tuple(each.run for each in seen.rounds),
        removed=seen.standing.removed,
    )
