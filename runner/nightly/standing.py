"""Where a case stands: what the last night that looked at it made of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from runner.matrix import Role
from runner.outcome import Outcome, Status
from runner.releases import History, in_order
from runner.report import CellReport, Report
from runner.value import Value
from runner.verdict import Verdict

BESIDE = (Role.CONTROL, Role.CONFIRM, Role.CANDIDATE)
"""Cells of these are about the evidence, not about a release as it was made."""


class Listed(Value):
    """One case of the corpus: as little of it as decides whether it is due."""

    id: str
    package: str
    """Canonical name."""
    sha256: str
    """Of every file of the case."""
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


class BrokenListing(Value):
    """A file of the corpus that states no case."""

    id: str
    why: str


class Offer(StrEnum):
    """What the index has of a release."""

    THERE = "there"
    YANKED = "yanked"
    GONE = "gone"


class ReleaseStanding(Value):
    """One release that a case was verified with."""

    version: str
    offer: Offer


class CellStanding(Value):
    """One cell of a release as it was made."""

    id: str
    version: str
    roles: tuple[Role, ...]
    verdict: Verdict
    present: int
    absent: int

    @property
    def rate(self) -> float | None:
        """How often the bug showed; None where nothing could be judged."""
        judged = self.present + self.absent
        return self.present / judged if judged else None


class Standing(Value):
    """Where a case stands."""

    night: str
    """The night that saw it so."""
    case: str
    package: str
    sha256: str
    run: str
    status: Status
    outcome: Outcome
    summary: str
    ran: datetime | None
    """When the oldest attempt relied on ran; None if nothing ran."""
    latest: str | None
    """The newest release of the package then."""
    uploaded: datetime | None
    """The newest upload of the package then, as its index dates it; None where it does not."""
    releases: tuple[ReleaseStanding, ...] = ()
    cells: tuple[CellStanding, ...] = ()
    newest_judged: bool = True
    """Whether the newest release could be judged on some interpreter of the case."""
    doubt: str | None = None
    """What a second round did not confirm: looked at again the next night."""
    suspected: Status | None = None
    """What the first round showed where there was no second: a round of the next night is it."""
    known_as: Status | None = None
    """What people take it for, where that is not its status: nobody was told of that, because it
    was never confirmed, or the case was in quarantine. None where they know."""
    missing: tuple[str, ...] = ()
    """Releases that the index lacked in that night, and had before: believed if they still are."""
    removed: bool = False
    """Its file is gone from the corpus."""

    @property
    def known(self) -> Status:
        """What people take it for."""
        return self.known_as or self.status


def standing_of(night: str, listed: Listed, report: Report, history: History) -> Standing:
    """Where a run leaves a case, with what the index had then."""
    cells = tuple(_cell(each) for each in report.cells if not {*BESIDE} & {*each.roles})
    latest = history.latest()
    versions = in_order((*listed.fixed, *listed.broken, *(each.version for each in cells)))
    return Standing(
        night=night,
        case=listed.id,
        package=listed.package,
        sha256=report.case.sha256,
        run=report.run,
        status=report.status,
        outcome=report.outcome,
        summary=report.summary,
        ran=report.ran,
        latest=latest.version if latest else None,
        uploaded=newest_upload(history),
        releases=offers(versions, history),
        cells=cells,
        newest_judged=latest is None or _judged(latest.version, cells),
    )


def unreadable(listing: BrokenListing, before: Standing | None, night: str) -> Standing:
    """Where a case stands whose file states none."""
    return Standing(
        night=night,
        case=listing.id,
        package=before.package if before else "",
        sha256="",
        run="",
        status=Status.INCONCLUSIVE,
        outcome=Outcome.UNRESOLVED,
        summary=listing.why,
        ran=None,
        latest=None,
        uploaded=None,
    )


def nothing_left(
    before: Standing, night: str, listed: Listed, history: History, why: str
) -> Standing:
    """Where a case stands whose package is gone from the index."""
    versions = (each.version for each in before.releases)
    return before.model_copy(
        update={
            "night": night,
            "sha256": listed.sha256,
            "status": Status.INCONCLUSIVE,
            "outcome": Outcome.UNRESOLVED,
            "summary": why,
            "latest": None,
            "releases": offers(versions, history),
            "doubt": None,
            "suspected": None,
            "known_as": None,
            "missing": (),
            "removed": False,
        }
    )


def offers(versions: Iterable[str], history: History) -> tuple[ReleaseStanding, ...]:
    """What the index has of these releases."""
    return tuple(ReleaseStanding(version=each, offer=offer_of(each, history)) for each in versions)


def offer_of(version: str, history: History) -> Offer:
    """What the index has of a release."""
    release = history.find(version)
    if release is None:
        return Offer.GONE
    return Offer.YANKED if release.yanked else Offer.THERE


def newest_upload(history: History) -> datetime | None:
    """When the newest release came, as far as the index says."""
    dated = (each.uploaded for each in history.releases)
    return max((each for each in dated if each), default=None)


def _judged(version: str, cells: tuple[CellStanding, ...]) -> bool:
    return any(each.version == version and each.verdict is not Verdict.UNRESOLVED for each in cells)


def _cell(report: CellReport) -> CellStanding:
    return CellStanding(
        id=report.id,
        version=report.version,
        roles=report.roles,
        verdict=report.verdict,
        present=report.counts.present,
        absent=report.counts.absent,
    )
