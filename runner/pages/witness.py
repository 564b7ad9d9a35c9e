"""What was measured of a page's case: series of stored runs, each a witness of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Literal

from runner.findings import CellFindings, SeriesFindings
from runner.outcome import Decision, Outcome, Status
from runner.releases import History
from runner.value import Value
from runner.verdict import Verdict


class Lack(StrEnum):
    """Why nothing can be said of a page's claims."""

    NO_CASE = "no_case"
    """No case is about the page's issue."""
    NOT_RUN = "not_run"
    """Nothing of the case ran to its end."""
    STALE = "stale"
    """What ran is of another state of the case (another script, or other claims), was withdrawn,
    or was carried out by a fixproof that asked for less."""
    VACUOUS = "vacuous"
    """The script says the same without the package."""
    UNTESTED = "untested"
    """Nothing could be installed, or no variant is claimed to have the bug."""
    SEVERAL_FIXES = "several_fixes"
    """The page is about more than one issue."""


class Witness(Value):
    """What one series of one run showed."""

    run: str
    kind: Literal["verify", "sweep", "bisect"]
    ended: datetime
    partial: bool = False
    """It was asked about a part of the case, or on another Python than the case's own."""
    decision: Decision
    findings: SeriesFindings

    @property
    def series(self) -> str:
        return self.findings.series.name

    @property
    def conclusive(self) -> bool:
        return self.decision.status in (Status.PASS, Status.FAIL)

    def cell(self, version: str, history: History) -> CellFindings | None:
        """The cell of a release as released, however it is spelt."""
        release = history.find(version)
        wanted = release.version if release else version
        return next((each for each in self.judged() if each.cell.version == wanted), None)

    def judged(self, verdict: Verdict | None = None) -> Iterator[CellFindings]:
        """The cells that stand for a release as released; of one verdict, or all."""
        for each in self.findings.released():
            if verdict is None or each.judgement.verdict is verdict:
                yield each


class Evidence(Value):
    """All that a page's claims are held against."""

    case: str | None = None
    """Id of the case; None if there is none."""
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    """What the case claims: verify runs these."""
    witnesses: tuple[Witness, ...] = ()
    """One of each kind of run and each series."""
    lack: Lack | None = None
    """None: there are witnesses."""

    def by_series(self) -> dict[str, tuple[Witness, ...]]:
        """The witnesses of each series."""
        found: dict[str, tuple[Witness, ...]] = {}
        for each in self.witnesses:
            found[each.series] = (*found.get(each.series, ()), each)
        return found


def relied_on(witnesses: Iterable[Witness]) -> tuple[Witness, ...]:
    """Of each kind and series the newest that is conclusive, else the newest.

    Series that are not claimed to have the bug say nothing of a page's claims, nor do those of
    which nothing could be installed; and a script that says the same without the package proves
    nothing, whatever else it said before. What somebody tried beside, on another Python for
    example, and what came to nothing, does not stand in the way of what did not.

    Args:
        witnesses: the newest first.
    """
    listed = [each for each in witnesses if tells(each)]
    vacuous = {each.series for each in listed if each.decision.outcome is Outcome.VACUOUS}
    chosen: dict[tuple[str, str], Witness] = {}
    for each in sorted(listed, key=lambda one: not one.conclusive):
        if each.series not in vacuous:
            chosen.setdefault((each.kind, each.series), each)
    conclusive = any(each.conclusive for each in chosen.values())
    return tuple(
        each for each in chosen.values() if each.conclusive or not (each.partial and conclusive)
    )


def tells(witness: Witness) -> bool:
    """Whether a series has anything to say of a bug that is claimed to be there."""
    affected = witness.findings.series.claims.affected
    return affected and witness.decision.status is not Status.UNTESTED


def lacking(witnesses: Iterable[Witness]) -> Lack | None:
    """Why none of these can be relied on; None where one can."""
    listed = list(witnesses)
    if relied_on(listed):
        return None
    vacuous = any(each.decision.outcome is Outcome.VACUOUS for each in listed)
    return Lack.VACUOUS if vacuous else Lack.UNTESTED
