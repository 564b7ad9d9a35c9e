"""What changed since the last night, and what of it alarms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import assert_never

from runner.matrix import Role
from runner.nightly.due import gone_since
from runner.nightly.standing import CellStanding, Offer, Standing
from runner.outcome import Outcome, Status
from runner.releases import History
from runner.value import Value
from runner.verdict import Verdict

_SHOULD_HAVE_IT = (Role.FIXED, Role.LATEST)
_NOTHING_YET = {
    "status": Status.INCONCLUSIVE,
    "outcome": Outcome.UNRESOLVED,
    "cells": (),
    "known_as": Status.PASS,
}
"""Of a new case of which nothing was confirmed."""


class Kind(StrEnum):
    """How a case is another one than the night before, most alarming first."""

    FAILING = "newly_failing"
    WORSE = "fails_otherwise"
    """It failed before, and now for another reason, or with a newer release too."""
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
        case Kind.FAILING | Kind.WORSE | Kind.WITHDRAWN | Kind.EXPIRED:
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
    if before is None or before.removed:
        return after.status is not Status.PASS
    expected = before.known if before.doubt else before.status
    return after.status is not expected or bool(_worse(before, after))


def completes(before: Standing | None, after: Standing) -> bool:
    """Whether this is the second round that an earlier night had no time for, and confirms it."""
    return (
        before is not None
        and before.suspected is after.status
        and before.sha256 == after.sha256
        and not before.removed
    )


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
    if second is not None and second.status is first.status and _as_bad(before, first, second):
        return second
    shown = f"{first.status} first ({first.summary})"
    doubt = f"{shown}, then {second.status}" if second else f"{shown}, {why_none}"
    said = {"doubt": doubt, "suspected": None if second else first.status}
    if before is None or before.removed:
        return first.model_copy(update=_NOTHING_YET | {"summary": doubt} | said)
    names = ("status", "outcome", "summary", "cells", "known_as")
    return first.model_copy(update={name: getattr(before, name) for name in names} | said)


def untold(before: Standing | None, after: Standing) -> Standing:
    """Where a case stands of which nobody is told, as it is in quarantine: that stays owed."""
    known = Status.PASS if before is None or before.removed else before.known
    return after.model_copy(update={"known_as": None if known is after.status else known})


def changes(
    before: Standing | None, after: Standing, history: History, *, muted: bool = False
) -> tuple[Change, ...]:
    """How a case is another one than before; than people know, unless it is `muted`."""
    if before is None or before.removed:
        found = [*_added(after)]
    else:
        old = before.status if muted else before.known
        found = [
            *_withdrawn(before, history),
            *_flipped(old, after),
            *_worsened(before, after),
            *_flaky(before, after),
        ]
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


def _flipped(old: Status, after: Standing) -> Iterator[Change]:
    if old is after.status or after.known_as is old:
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


def _as_bad(before: Standing | None, first: Standing, second: Standing) -> bool:
    """Whether a second round shows it worse than before, where the first did."""
    if before is None or before.removed or first.status is not before.status:
        return True
    return bool(_worse(before, second))


def _worsened(before: Standing, after: Standing) -> Iterator[Change]:
    why = _worse(before, after)
    if why:
        yield Change(kind=Kind.WORSE, case=after.case, said=f"{why}: {after.summary}")


def _worse(before: Standing, after: Standing) -> str:
    """In what a case that failed before fails otherwise, or more; nothing if it does not."""
    if not (before.status is after.status is Status.FAIL):
        return ""
    shows = _lacking(after) - _lacking(before)
    if shows and before.latest not in _lacking(before):
        return f"{', '.join(sorted(shows))} shows the bug too"
    if after.outcome is not before.outcome:
        return f"{after.outcome}, where it was {before.outcome}"
    return ""


def _lacking(standing: Standing) -> set[str]:
    """The releases that should have the fix, and show the bug."""
    return {
        each.version
        for each in standing.cells
        if each.verdict is Verdict.PRESENT and {*_SHOULD_HAVE_IT} & {*each.roles}
    }


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
