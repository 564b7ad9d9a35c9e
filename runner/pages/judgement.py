"""The claims of a page against what was measured: confirmed, contradicted by what, or untested."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from runner.claims import Result
from runner.pages.claimed import ClaimKind, PageClaim
from runner.pages.first_fixed import first_fixed
from runner.pages.page import Place
from runner.pages.told import RunCell, Told, differs_at, first_told, together, told_of
from runner.pages.witness import Evidence, Lack, Witness
from runner.releases import History
from runner.sentences import why_unresolved
from runner.value import Value
from runner.verdict import Counts, Verdict


class CellCounts(Value):
    """A cell that a result rests on."""

    id: str
    run: str
    """`fixproof report RUN` shows it with its logs."""
    verdict: Verdict
    counts: Counts


class JudgedClaim(Value):
    """One claim of a page, and what became of it."""

    kind: ClaimKind
    subject: str
    """The release, the range, or the Python."""
    places: tuple[Place, ...]
    result: Result
    why: str
    cells: tuple[CellCounts, ...] = ()
    command: str | None = None
    """What would test it; None where it is tested, or nothing would."""


_LACKS = {
    Lack.NO_CASE: "there is no case about this issue",
    Lack.NOT_RUN: "no run of the case has ended",
    Lack.STALE: "what ran is of another state of the case, or was withdrawn",
    Lack.VACUOUS: "the case's script says the same without the package, so it proves nothing",
    Lack.UNTESTED: "nothing of the case that is said to have the bug could be installed and run",
    Lack.SEVERAL_FIXES: "the page is about several issues; it is unclear which one is meant",
}


def judge(
    claims: Iterable[PageClaim], evidence: Evidence, history: History | None, page: str
) -> tuple[JudgedClaim, ...]:
    """What became of each claim.

    Args:
        history: what the index has now; None where the package is not known.
        page: as the user named it, for a command.
    """
    listed = tuple(claims)
    broken = tuple(each.subject for each in listed if each.kind is ClaimKind.BROKEN)
    return tuple(_judged(each, evidence, history, page, broken) for each in listed)


def _judged(
    claim: PageClaim,
    evidence: Evidence,
    history: History | None,
    page: str,
    broken: tuple[str, ...],
) -> JudgedClaim:
    told = _told(claim, evidence, history, broken)
    untested = told.result is Result.UNTESTED
    return JudgedClaim(
        kind=claim.kind,
        subject=claim.subject,
        places=claim.places,
        result=told.result,
        why=told.why,
        cells=tuple(
            CellCounts(
                id=cell.cell.id,
                run=run,
                verdict=cell.judgement.verdict,
                counts=cell.judgement.counts,
            )
            for run, cell in told.cells
        ),
        command=_command(claim, evidence, page) if untested and not told.cells else None,
    )


def _told(
    claim: PageClaim, evidence: Evidence, history: History | None, broken: tuple[str, ...]
) -> Told:
    if history is None:
        return Told(Result.UNTESTED, "the index does not know the package")
    missing = [each for each in claim.versions if history.find(each) is None]
    if missing and evidence.lack is not Lack.SEVERAL_FIXES:
        return Told(Result.CONTRADICTED, f"the package index has no release {missing[0]}")
    if evidence.lack is not None:
        return Told(Result.UNTESTED, _LACKS[evidence.lack])
    return _measured(claim, evidence, history, broken)


def _measured(
    claim: PageClaim, evidence: Evidence, history: History, broken: tuple[str, ...]
) -> Told:
    match claim.kind:
        case ClaimKind.FIRST_FIXED:
            return first_fixed(claim, evidence, history, broken)
        case ClaimKind.FIXED | ClaimKind.UNAFFECTED:
            return _good(claim, evidence, history)
        case ClaimKind.BROKEN:
            return _broken(claim.subject, evidence, history)
        case ClaimKind.RANGE:
            return _range(claim, evidence, history)
        case ClaimKind.PYTHON:
            return _python(claim, evidence)
        case ClaimKind.REPRODUCED:
            return _reproduced(evidence)


def _command(claim: PageClaim, evidence: Evidence, page: str) -> str | None:
    """What would test an untested claim."""
    match evidence.lack:
        case Lack.NO_CASE:
            return f"fixproof new {page}"
        case Lack.NOT_RUN | Lack.STALE:
            return f"fixproof verify {evidence.case}"
        case Lack.VACUOUS | Lack.UNTESTED | Lack.SEVERAL_FIXES:
            return None
        case None:
            pass
    if claim.kind is ClaimKind.PYTHON:
        return f"fixproof verify {evidence.case} --python {claim.subject}"
    if claim.kind is ClaimKind.FIRST_FIXED:
        known = {Version(each) for each in evidence.fixed}
        command = "verify" if Version(claim.subject) in known else "bisect"
        return f"fixproof {command} {evidence.case}"
    return f"fixproof sweep {evidence.case}"


def _broken(version: str, evidence: Evidence, history: History) -> Told:
    """A release has the bug where any series shows it; it has not where none does."""
    return first_told(
        evidence, lambda witnesses: _shows(version, witnesses, history), Result.CONFIRMED
    )


def _shows(version: str, witnesses: tuple[Witness, ...], history: History) -> Told:
    """Whether one series shows the bug on a release."""
    cells = [(each.run, cell) for each in witnesses if (cell := each.cell(version, history))]
    of = {
        verdict: [pair for pair in cells if pair[1].judgement.verdict is verdict]
        for verdict in Verdict
    }
    if of[Verdict.PRESENT]:
        return told_of(Result.CONFIRMED, of[Verdict.PRESENT])
    if of[Verdict.ABSENT]:
        return told_of(Result.CONTRADICTED, of[Verdict.ABSENT])
    return _unjudged(version, cells)


def _unjudged(version: str, cells: list[RunCell]) -> Told:
    ran = tuple(cell for _, cell in cells)
    return Told(
        Result.UNTESTED, why_unresolved(ran) if ran else f"{version} was not run", tuple(cells)
    )


def _good(claim: PageClaim, evidence: Evidence, history: History) -> Told:
    """A release is good where no series shows the bug on it, and each shows it somewhere."""

    def say(witnesses: tuple[Witness, ...]) -> Told:
        differing = differs_at(claim.subject, witnesses)
        if differing and claim.kind is ClaimKind.FIXED:
            return differing
        shows = _shows(claim.subject, witnesses, history)
        if shows.result is Result.CONFIRMED:
            return shows._replace(result=Result.CONTRADICTED)
        if shows.result is Result.UNTESTED:
            return shows
        below = claim.kind is ClaimKind.FIXED
        if not _seen(witnesses, claim.subject if below else None):
            where = f"no release below {claim.subject}" if below else "no release"
            return Told(Result.UNTESTED, f"{where} shows the bug, so nothing shows that it is gone")
        return shows._replace(result=Result.CONFIRMED)

    return together(evidence, say)


def _seen(witnesses: tuple[Witness, ...], below: str | None) -> bool:
    return any(
        below is None or Version(cell.cell.version) < Version(below)
        for each in witnesses
        for cell in each.judged(Verdict.PRESENT)
    )


def _range(claim: PageClaim, evidence: Evidence, history: History) -> Told:
    """All releases of a range have the bug: each is asked by its own cell."""
    said = claim.range
    inside = [each.version for each in history.offered if said and said.contains(each.version)]
    if not inside:
        return Told(Result.CONTRADICTED, f"the package index has no release in {claim.subject}")
    each_told = {version: _broken(version, evidence, history) for version in inside}
    against = [told for told in each_told.values() if told.result is Result.CONTRADICTED]
    if against:
        cells = tuple(pair for told in against for pair in told.cells)
        return told_of(Result.CONTRADICTED, cells)
    left = [each for each, told in each_told.items() if told.result is Result.UNTESTED]
    if left:
        why = f"{len(left)} of {len(inside)} releases in it were not judged ({_some(left)})"
        return Told(Result.UNTESTED, why)
    cells = tuple(pair for told in each_told.values() for pair in told.cells)
    return Told(Result.CONFIRMED, f"all {len(inside)} releases in it show the bug", cells)


def _some(versions: list[str]) -> str:
    few = 5
    return ", ".join(versions[:few]) + (", …" if len(versions) > few else "")


def _python(claim: PageClaim, evidence: Evidence) -> Told:
    """The bug shows on a Python if a series of it shows it."""
    own = [each for each in evidence.witnesses if each.findings.series.python == claim.subject]
    shown = [(each.run, cell) for each in own for cell in each.judged(Verdict.PRESENT)]
    if shown:
        return told_of(Result.CONFIRMED, shown[-1:])
    elsewhere = {
        cell.cell.version
        for each in evidence.witnesses
        if each not in own
        for cell in each.judged(Verdict.PRESENT)
    }
    silent = [
        (each.run, cell)
        for each in own
        for cell in each.judged(Verdict.ABSENT)
        if cell.cell.version in elsewhere
    ]
    if elsewhere and {cell.cell.version for _, cell in silent} == elsewhere:
        return told_of(Result.CONTRADICTED, silent)
    why = f"nothing ran on Python {claim.subject}" if not own else "no release shows it there"
    return Told(Result.UNTESTED, why)


def _reproduced(evidence: Evidence) -> Told:
    shown = [(each.run, cell) for each in evidence.witnesses for cell in each.judged()]
    shown = [pair for pair in shown if pair[1].judgement.verdict is Verdict.PRESENT]
    if shown:
        return told_of(Result.CONFIRMED, shown[-1:])
    return Told(Result.UNTESTED, "no release that was run shows the bug")
