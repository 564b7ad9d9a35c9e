"""A case as the index of a site has it: so little that all cases fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from runner.publish.published import Published
from runner.publish.standing import Lack
from runner.publish.strip import History
from runner.records import Record
from runner.render.marks import STATUSES, Tone
from runner.render.marks import Mark as Shown
from runner.value import Value

NOT_MEASURED = Shown(symbol="○", word="not measured", tone=Tone.QUIET)
STALE = Shown(symbol="↻", word="stale", tone=Tone.QUIET)
WITHDRAWN = Shown(symbol="⊘", word="withdrawn", tone=Tone.DOUBT)
MARKS = (*STATUSES.values(), STALE, WITHDRAWN, NOT_MEASURED)
MOST_RECORDS = 365
"""Of one case that are looked at; what was before the oldest of so many is not known."""
MOST_CHANGES = 10
"""Of one case that are told."""


class Change(Value):
    """Something that a subscriber wants to know."""

    case: str
    run: str
    kind: str
    """`status` or `withdrawn`: a run can have both."""
    at: datetime
    title: str
    summary: str


class Row(Value):
    """One case."""

    id: str
    title: str
    package: str
    mark: Shown
    summary: str
    first_fixed: str = ""
    verified: str = ""
    """The day of the oldest attempt relied on."""
    ran: datetime | None = None
    expired: bool = False
    history: History = History()
    changes: tuple[Change, ...] = ()


def row_of(found: Published, records: Sequence[Record], summary: str, history: History) -> Row:
    """The row of a case.

    Args:
        found: what is known of it.
        records: all of its records, the newest first.
        summary: its answer, in a sentence.
        history: its nights.
    """
    case, measured = found.case, {each.measured.first_fixed for each in found.reports} - {None}
    return Row(
        id=case.id,
        title=case.metadata.title,
        package=case.package,
        mark=state_of(found),
        summary=summary,
        first_fixed=str(next(iter(measured))) if len(measured) == 1 else "",
        verified=f"{found.ran:%Y-%m-%d}" if found.ran else "",
        ran=found.ran,
        expired=found.expired,
        history=history,
        changes=changes(records),
    )


def state_of(found: Published) -> Shown:
    """How a case stands: its status, or why it has none."""
    if found.main:
        return STATUSES[found.main.status]
    match found.standing.lack:
        case Lack.STALE:
            return STALE
        case Lack.WITHDRAWN:
            return WITHDRAWN
        case Lack.NOT_RUN | None:
            return NOT_MEASURED
        case _:
            assert_never(found.standing.lack)


def changes(records: Sequence[Record]) -> tuple[Change, ...]:
    """What changed of a case, the newest first."""
    found = [_withdrawn(each) for each in records if each.withdrawn]
    found += [_status(each, before) for each, before in _turns(records)]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True)[:MOST_CHANGES])


def paged(records: Sequence[Record], relied_on: Sequence[Record]) -> tuple[Record, ...]:
    """The records that have a page of their own, the newest first."""
    telling = {each.run for each in relied_on}
    telling |= {each.run for each, _ in _turns(records)[:MOST_CHANGES]}
    telling |= {each.run for each in records if each.withdrawn}
    return tuple(each for each in records if each.run in telling)


def _turns(records: Sequence[Record]) -> list[tuple[Record, Record | None]]:
    """Records with another status than the one before, the newest first."""
    counted = [each for each in reversed(records) if not each.candidate and not each.partial]
    found: list[tuple[Record, Record | None]] = []
    before = counted.pop(0) if len(records) == MOST_RECORDS and counted else None
    for each in counted:
        if before is None or each.status is not before.status:
            found.append((each, before))
        before = each
    return found[::-1]


def _status(record: Record, before: Record | None) -> Change:
    since = f", was {before.status}" if before else ": measured for the first time"
    return Change(
        case=record.case,
        run=record.run,
        kind="status",
        at=record.ended,
        title=f"{record.case}: {record.status}{since}",
        summary=record.summary,
    )


def _withdrawn(record: Record) -> Change:
    if record.withdrawn is None:
        raise AssertionError(f"{record.run} was not withdrawn")
    return Change(
        case=record.case,
        run=record.run,
        kind="withdrawn",
        at=record.withdrawn.at,
        title=f"{record.case}: run {record.run} was withdrawn",
        summary=record.withdrawn.why,
    )
