"""What became of each claim of a series."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from packaging.version import Version

from runner.counts import shows
from runner.findings import CellFindings, ConfirmationResult, SeriesFindings
from runner.matrix import Role
from runner.outcome import BROKEN_SIDE, Decision, Mode, Outcome, nothing_below, shown_since
from runner.releases import History
from runner.sentences import followed, why_unresolved, why_untested
from runner.value import Value
from runner.verdict import Verdict


class Result(StrEnum):
    """What became of a claim."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNTESTED = "untested"


class ClaimResult(Value):
    """One claim, of one series."""

    kind: Literal["fixed", "broken", "unaffected"]
    version: str
    python: str
    variant: str | None
    result: Result
    why: str
    cells: tuple[str, ...]
    """Ids of the cells that it rests on."""


def claim_results(
    findings: SeriesFindings, decision: Decision, history: History
) -> tuple[ClaimResult, ...]:
    """Each claim of a series with its own result."""
    claims = findings.series.claims
    candidate = _claims_of_candidate(findings, decision)
    if not claims.affected:
        named = (*claims.broken, *claims.fixed)
        unaffected = (_claim("unaffected", each, findings, decision, history) for each in named)
        return (*unaffected, *candidate)
    return (
        *candidate,
        *(_claim("fixed", each, findings, decision, history) for each in claims.fixed),
        *(_claim("broken", each, findings, decision, history) for each in claims.broken),
    )


def _claim(
    kind: Literal["fixed", "broken", "unaffected"],
    version: str,
    findings: SeriesFindings,
    decision: Decision,
    history: History,
) -> ClaimResult:
    cells = _cells_of(kind, version, findings, history)
    return _claim_result(
        kind, version, findings, cells, _result(kind, version, cells, findings, decision)
    )


def _claims_of_candidate(findings: SeriesFindings, decision: Decision) -> tuple[ClaimResult, ...]:
    """That the candidate is fixed, or has not got the bug; none where there is no candidate."""
    claims = findings.series.claims
    if claims.candidate is None:
        return ()
    kind: Literal["fixed", "unaffected"] = "fixed" if claims.affected else "unaffected"
    sides = (Role.CANDIDATE, *BROKEN_SIDE) if claims.affected else (Role.CANDIDATE,)
    cells = tuple(each for each in findings.natural() if {*sides} & {*each.roles})
    result = _result_of_candidate(kind, claims.candidate, cells, findings, decision)
    return (_claim_result(kind, claims.candidate, findings, cells, result),)


def _claim_result(
    kind: Literal["fixed", "broken", "unaffected"],
    version: str,
    findings: SeriesFindings,
    cells: tuple[CellFindings, ...],
    result: tuple[Result, str],
) -> ClaimResult:
    return ClaimResult(
        kind=kind,
        version=version,
        python=findings.series.python,
        variant=findings.series.variant,
        result=result[0],
        why=result[1],
        cells=tuple(each.cell.id for each in cells),
    )


def _cells_of(
    kind: str, version: str, findings: SeriesFindings, history: History
) -> tuple[CellFindings, ...]:
    """The claimed release, and the predecessor of a fix, where the bug would be seen last."""
    of_fix = kind == "fixed" or version in findings.series.claims.fixed
    fixed = findings.series.claims.fixed
    before = history.predecessor(version, apart_from=fixed) if of_fix else None
    release = history.find(version)
    wanted = {each.version for each in (release, before) if each}
    if before and kind == "fixed":
        wanted |= {each.cell.version for each in shown_since(before.version, findings)}
    return tuple(each for each in findings.released() if each.cell.version in wanted)


def _result(
    kind: str,
    version: str,
    cells: tuple[CellFindings, ...],
    findings: SeriesFindings,
    decision: Decision,
) -> tuple[Result, str]:
    if version in findings.missing:
        return Result.CONTRADICTED, f"the package index has no release {version}"
    early = _whatever_ran(kind, version, findings, decision)
    if early:
        return early
    said = _counts(cells)
    if any(_contradicts(kind, version, each, findings) for each in cells):
        return Result.CONTRADICTED, said
    if any(each.judgement.verdict is Verdict.UNRESOLVED for each in cells) or not cells:
        return Result.UNTESTED, why_unresolved(cells)
    if kind == "fixed" and (decision.mode is not Mode.BOTH or nothing_below(version, findings)):
        return Result.UNTESTED, "no broken side was run, so nothing shows that there was a bug"
    return Result.CONFIRMED, said


def _result_of_candidate(
    kind: str,
    version: str,
    cells: tuple[CellFindings, ...],
    findings: SeriesFindings,
    decision: Decision,
) -> tuple[Result, str]:
    """As for a release: a candidate that is good fixes the bug if a broken side shows it.

    A predecessor of the claimed fix that is good already has the fix, so the candidate has not.
    """
    early = _whatever_ran(kind, version, findings, decision)
    if early:
        return early
    by_role = {
        role: {each.judgement.verdict for each in cells if role in each.roles} for role in Role
    }
    shown = Verdict.PRESENT in by_role[Role.BEFORE] | by_role[Role.BROKEN]
    if Verdict.PRESENT in by_role[Role.CANDIDATE] or Verdict.ABSENT in by_role[Role.BEFORE]:
        return Result.CONTRADICTED, _counts(cells)
    if any(each.judgement.verdict is Verdict.UNRESOLVED for each in cells):
        return Result.UNTESTED, why_unresolved(cells)
    if kind == "fixed" and not shown:
        return Result.UNTESTED, "no release shows the bug, so nothing shows that it was fixed"
    return Result.CONFIRMED, _counts(cells)


def _whatever_ran(
    kind: str, version: str, findings: SeriesFindings, decision: Decision
) -> tuple[Result, str] | None:
    """What becomes of a claim where the series as a whole decides it."""
    if decision.outcome is None:
        return Result.UNTESTED, why_untested(findings)
    if decision.outcome is Outcome.VACUOUS:
        return Result.UNTESTED, "the script says the same without the package"
    if kind == "fixed" and _own_boundary_differs(version, findings):
        return Result.CONTRADICTED, followed(findings) or "the verdict follows the dependencies"
    return None


def _counts(cells: tuple[CellFindings, ...]) -> str:
    return ", ".join(shows(each, first=at == 0) for at, each in enumerate(cells))


def _own_boundary_differs(version: str, findings: SeriesFindings) -> bool:
    """Whether the boundary at a claimed fix is a dependency's."""
    return any(
        each.result is ConfirmationResult.DIFFERS and Version(each.newer) == Version(version)
        for each in findings.confirmations
    )


def _contradicts(kind: str, version: str, cell: CellFindings, findings: SeriesFindings) -> bool:
    """Whether a cell says the opposite of what the claim says of its release."""
    if cell.roles == (Role.BEFORE,) and shown_since(cell.cell.version, findings):
        return False
    good = kind == "unaffected" or (
        kind == "fixed" and Version(cell.cell.version) == Version(version)
    )
    return cell.judgement.verdict is (Verdict.PRESENT if good else Verdict.ABSENT)
