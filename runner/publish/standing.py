"""Which records of a case can be relied on today, and what is to be said of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import assert_never

from runner.records import Record
from runner.value import Value

VERIFICATION = ("verify",)
SURVEYS = ("sweep", "bisect")
"""Kinds of runs that measure a window of releases; the first says more than the second."""


class Lack(StrEnum):
    """Why a page has nothing measured to say."""

    NOT_RUN = "not_run"
    """Nothing of the case ran to its end."""
    STALE = "stale"
    """What ran is of another script, or of other claims."""
    WITHDRAWN = "withdrawn"
    """All that is of this script and these claims was withdrawn."""


class Standing(Value):
    """What a page of a case may be made of."""

    verification: Record | None = None
    survey: Record | None = None
    lack: Lack | None = None
    """None: there is something to rely on."""
    instead: Record | None = None
    """Where there is a lack: the newest record, which nobody is to rely on."""
    newer: Record | None = None
    """A record that is newer than what is relied on, and told nothing."""
    withdrawn: tuple[Record, ...] = ()
    """Records of this state of the case that were withdrawn, the newest first."""

    @property
    def relied_on(self) -> tuple[Record, ...]:
        return tuple(each for each in (self.verification, self.survey) if each)

    @property
    def main(self) -> Record | None:
        """The record that says how the case stands."""
        return self.verification or self.survey


class Mark(StrEnum):
    """What is wrong with relying on a record."""

    WITHDRAWN = "withdrawn"
    STALE = "stale"
    SUPERSEDED = "superseded"


def standing(records: Sequence[Record], sha256: str) -> Standing:
    """What of these can be relied on.

    Args:
        records: of one case, the newest first.
        sha256: of all files of the case as it is now.
    """
    records = [each for each in records if not each.candidate]
    present = [each for each in records if each.case_sha256 == sha256]
    valid = [each for each in present if not each.withdrawn]
    withdrawn = tuple(each for each in present if each.withdrawn)
    verification = _best(valid, VERIFICATION)
    survey = next((found for kind in SURVEYS if (found := _conclusive(valid, [kind]))), None)
    relied_on = [each.run for each in (verification, survey) if each]
    if not relied_on:
        lack = Lack.WITHDRAWN if withdrawn else Lack.STALE if records else Lack.NOT_RUN
        return Standing(lack=lack, instead=next(iter(records), None), withdrawn=withdrawn)
    newest = valid[0]
    return Standing(
        verification=verification,
        survey=survey,
        newer=None if newest.conclusive or newest.run in relied_on else newest,
        withdrawn=withdrawn,
    )


def mark_of(record: Record, records: Iterable[Record], sha256: str) -> tuple[Mark, str] | None:
    """Why a record is not to be relied on, in a sentence; None where it is."""
    if record.withdrawn:
        when = f"{record.withdrawn.at:%Y-%m-%d}"
        return Mark.WITHDRAWN, f"Withdrawn on {when}: {record.withdrawn.why}"
    if record.case_sha256 != sha256:
        return Mark.STALE, "Stale: the case has another script or other claims now."
    later = [each for each in records if _replaces(each, record)]
    if later:
        newest = max(later, key=lambda each: each.ended)
        return Mark.SUPERSEDED, f"Superseded by {newest.run}, which asked the same later."
    return None


def said_of_lack(standing_: Standing, case: str) -> str:
    """Why there is nothing measured on a page, and what to do about it; empty where there is."""
    instead, again = standing_.instead, f"Run fixproof verify {case}."
    fresh = f"Run fixproof verify {case} --fresh."
    match standing_.lack:
        case None:
            return ""
        case Lack.NOT_RUN:
            return f"Not measured: no run of this case has ended. {again}"
        case Lack.STALE:
            named = f"{instead.run} of {instead.ended:%Y-%m-%d}" if instead else "an older run"
            return (
                f"Stale: the script or the claims of the case changed after {named}, its last run. "
                f"What that found is not shown: it says nothing of the case as it is now. {again}"
            )
        case Lack.WITHDRAWN:
            why = instead.withdrawn.why if instead and instead.withdrawn else ""
            named = instead.run if instead else ""
            return f"Withdrawn: {named} is not to be relied on any more ({why}). {fresh}"
        case _:
            assert_never(standing_.lack)


def _best(records: Iterable[Record], kinds: Sequence[str]) -> Record | None:
    """The newest that told something; where none did, the newest."""
    of_kind = [each for each in records if each.kind in kinds]
    whole = [each for each in of_kind if not each.partial]
    return _conclusive(of_kind, kinds) or next(iter(whole or of_kind), None)


def _conclusive(records: Iterable[Record], kinds: Sequence[str]) -> Record | None:
    """The newest that told something of the whole case, else of a part."""
    told = [each for each in records if each.kind in kinds and each.conclusive]
    return next((each for each in told if not each.partial), next(iter(told), None))


def _replaces(later: Record, record: Record) -> bool:
    return (
        later.kind == record.kind
        and later.case_sha256 == record.case_sha256
        and later.ended > record.ended
        and not later.withdrawn
        and later.candidate is record.candidate
        and (later.conclusive or not record.conclusive)
        and (record.partial or not later.partial)
    )
