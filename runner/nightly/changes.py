"""What changed since the last night, and what of it alarms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import assert_never

from runner.nightly.due import gone_since
from runner.nightly.standing import CellStanding, Offer, Standing
from runner.outcome import Status
from runner.releases import History
from runner.value import Value
from runner.verdict import Verdict


class Kind(StrEnum):
    """How a case is another one than the night before, most alarming first."""

    FAILING = "newly_failing"
    WITHDRAWN = "withdrawn"
    """A verified release was yanked or deleted."""
    EXPIRED = "quarantine_expired"
    UNJUDGED = "cannot_be_judged"
    FLAKY = "now_flaky"
    DOUBT = "not_confirmed"
    """A second round did not show what the first did."""
    PASSING = "newly_passing"
    ADDED = "added"
    REMOVED = "removed"


class Change(Value):
    """One thing that is otherwise than the night before."""

    kind: Kind
    case: str
    said: str
    quarantined: bool = False
    """It alarms nobody."""


def alarm_of(kind: Kind) -> int:
    """The exit code that a change asks for; 0 if it alarms nobody."""
    match kind:
        case Kind.FAILING | Kind.WITHDRAWN | Kind.EXPIRED:
            return 1
        case Kind.UNJUDGED:
            return 3
        case Kind.FLAKY | Kind.DOUBT | Kind.PASSING | Kind.ADDED | Kind.REMOVED:
            return 0
        case _:
            assert_never(kind)


def exit_code(found: Iterable[Change]) -> int:
    """1 if something newly fails or was withdrawn, else 3 if something cannot be judged, else 0."""
    codes = {alarm_of(each.kind) for each in found if not each.quarantined}
    return next((code for code in (1, 3) if code in codes), 0)


def flips(before: Standing | None, after: Standing) -> bool:
    """Whether a second round must confirm this; of a new case, that it holds is expected."""
    expected = Status.PASS if before is None or before.removed else before.status
    return after.status is not expected


def settled(
    before: Standing | None, first: Standing, second: Standing | None, why_none: str = ""
) -> Standing:
    """Where a case stands after two rounds: it is another status only if both say so.

    Args:
        before: where it stood.
        first: what the first round found: another status.
        second: what the second found; None if there was none,
        why_none: and why.
    """
    if second is not None and second.status is first.status:
        return second
    shown = f"{first.status} first ({first.summary})"
    doubt = f"{shown}, then {second.status}" if second else f"{shown}, {why_none}"
    if before is None or before.removed:
        return (second or first).model_copy(update={"doubt": doubt})
    kept = {name: getattr(before, name) for name in ("status", "outcome", "summary", "cells")}
    return first.model_copy(update={**kept, "doubt": doubt})


def changes(before: Standing | None, after: Standing, history: History) -> tuple[Change, ...]:
    """How a case is another one than before."""
    if before is None or before.removed:
        found = [*_added(after)]
    else:
        found = [*_withdrawn(before, history), *_flipped(before, after), *_flaky(before, after)]
    if after.doubt:
        found.append(Change(kind=Kind.DOUBT, case=after.case, said=after.doubt))
    return tuple(found)


def removed(
    standings: Mapping[str, Standing], known: Collection[str], night: str
) -> tuple[Standing, ...]:
    """The cases whose files are gone from the corpus since."""
    return tuple(
        each.model_copy(update={"removed": True, "night": night})
        for name, each in standings.items()
        if name not in known and not each.removed
    )


def _added(after: Standing) -> Iterator[Change]:
    said = f"{after.status}: {after.summary}"
    yield Change(kind=Kind.ADDED, case=after.case, said=said)
    if not after.doubt and after.status is Status.FAIL:
        yield Change(kind=Kind.FAILING, case=after.case, said=after.summary)
    elif not after.doubt and after.status is Status.INCONCLUSIVE:
        yield Change(kind=Kind.UNJUDGED, case=after.case, said=after.summary)


def _withdrawn(before: Standing, history: History) -> Iterator[Change]:
    for version, offer in gone_since(before, history):
        said = "was yanked" if offer is Offer.YANKED else "is gone from the index"
        yield Change(
            kind=Kind.WITHDRAWN, case=before.case, said=f"{before.package} {version} {said}"
        )


def _flipped(before: Standing, after: Standing) -> Iterator[Change]:
    if before.status is after.status:
        return
    match after.status:
        case Status.FAIL:
            kind = Kind.FAILING
        case Status.PASS:
            kind = Kind.PASSING
        case Status.INCONCLUSIVE | Status.UNTESTED:
            kind = Kind.UNJUDGED
        case _:
            assert_never(after.status)
    yield Change(kind=kind, case=after.case, said=after.summary)


def _flaky(before: Standing, after: Standing) -> Iterator[Change]:
    """The bug showed each time, and now only sometimes."""
    known = {each.id: each for each in before.cells}
    for each in after.cells:
        old = known.get(each.id)
        if old and _always(old) and each.verdict is Verdict.PRESENT and not _always(each):
            judged = each.present + each.absent
            said = f"{each.version} showed it in {each.present} of {judged} attempts, always before"
            yield Change(kind=Kind.FLAKY, case=after.case, said=said)


def _always(cell: CellStanding) -> bool:
    return cell.verdict is Verdict.PRESENT and cell.rate == 1
