"""What the findings of a series mean for its claims: status, outcome, mode (design section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from packaging.version import Version

from runner.environment import Failure
from runner.findings import CellFindings, Confirmation, ConfirmationResult, SeriesFindings
from runner.matrix import Role
from runner.releases import History, same_line
from runner.value import Value
from runner.verdict import Verdict


class Status(StrEnum):
    """How a run ends for its reader; worst first."""

    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    PASS = "PASS"  # noqa: S105 - no password
    UNTESTED = "untested"
    """Of a series only: none of its cells could be installed with an interpreter at hand."""


class Outcome(StrEnum):
    """Why a status is what it is."""

    VACUOUS = "vacuous"
    NO_SUCH_RELEASE = "no_such_release"
    AFFECTED = "affected"
    STILL_BROKEN = "still_broken"
    FOLLOWS_DEPENDENCY = "follows_dependency"
    NOT_REPRODUCED = "not_reproduced"
    FIXED_EARLIER = "fixed_earlier"
    REGRESSED = "regressed"
    YANKED_FIX = "yanked_fix"
    UNRESOLVED = "unresolved"
    OK = "ok"


class Mode(StrEnum):
    """Which sides of the claims were run and could be judged."""

    NONE = "none"
    BROKEN_ONLY = "broken_only"
    FIXED_ONLY = "fixed_only"
    BOTH = "both"


class Decision(Value):
    """What a series comes to."""

    status: Status
    outcome: Outcome | None
    """None where the series is untested."""
    mode: Mode
    cells: tuple[str, ...]
    """Ids of the cells that decided it."""


BROKEN_SIDE = (Role.BROKEN, Role.BEFORE)
FIXED_SIDE = (Role.FIXED, Role.CANDIDATE)


def decide(findings: SeriesFindings, history: History) -> Decision:
    """The first row of the table of design section 5 that holds."""
    mode = mode_of(findings)
    if untested(findings):
        return Decision(status=Status.UNTESTED, outcome=None, mode=mode, cells=())
    for outcome, status, decided_by in _ROWS:
        cells = decided_by(findings, history)
        if cells is not None:
            ids = tuple(each.cell.id for each in cells)
            return Decision(status=status, outcome=outcome, mode=mode, cells=ids)
    return Decision(status=Status.PASS, outcome=Outcome.OK, mode=mode, cells=())


def untested(findings: SeriesFindings) -> bool:
    """Whether no cell could be installed; that a claimed release does not exist counts anyway."""
    return not findings.missing and all(
        not each.facts.attempts and not _installed(each) for each in findings.cells
    )


def mode_of(findings: SeriesFindings) -> Mode:
    """Which sides were judged. A probe that shows the bug is a broken side too."""
    judged = [each for each in findings.natural() if _judged(each)]
    broken = any(
        {*BROKEN_SIDE} & {*each.roles}
        or (Role.PROBE in each.roles and each.judgement.verdict is Verdict.PRESENT)
        for each in judged
    )
    fixed = any({*FIXED_SIDE} & {*each.roles} for each in judged)
    match broken, fixed:
        case True, True:
            return Mode.BOTH
        case True, False:
            return Mode.BROKEN_ONLY
        case False, True:
            return Mode.FIXED_ONLY
        case _:
            return Mode.NONE


def nothing_below(version: str, findings: SeriesFindings) -> bool:
    """Whether no release below a claimed fix was judged: then nothing shows that it fixed it."""
    return not any(
        _judged(each) and Version(each.cell.version) < Version(version)
        for each in findings.released()
    )


def worst(statuses: list[Status]) -> Status:
    """The status of a report: the worst of its series, of which untested ones do not count."""
    counted = [each for each in statuses if each is not Status.UNTESTED]
    order = list(Status)
    return min(counted, key=order.index) if counted else Status.INCONCLUSIVE


def weakest(modes: list[Mode]) -> Mode:
    """The mode of a report: the weakest of its series."""
    return min(modes, key=list(Mode).index, default=Mode.NONE)


_Cells = tuple[CellFindings, ...] | None
"""The cells for which a row holds; empty where it holds without any; None where it does not."""


def _vacuous(findings: SeriesFindings, _history: History) -> _Cells:
    return _some(each for each in findings.of_role(Role.CONTROL) if each.judgement.counts.judged)


def _no_such_release(findings: SeriesFindings, _history: History) -> _Cells:
    return () if findings.missing else None


def _affected(findings: SeriesFindings, _history: History) -> _Cells:
    if findings.series.claims.affected:
        return None
    return _said(findings, Verdict.PRESENT, *BROKEN_SIDE, *FIXED_SIDE, Role.LATEST)


def _still_broken(findings: SeriesFindings, _history: History) -> _Cells:
    return _said(findings, Verdict.PRESENT, *FIXED_SIDE)


def _follows_dependency(findings: SeriesFindings, _history: History) -> _Cells:
    """Where a bug goes with a dependency's release; where it came so, no fix is contradicted."""
    good = {
        each.cell.version
        for each in findings.natural()
        if each.judgement.verdict is not Verdict.PRESENT
    }
    changes = [each for each in findings.confirmations if each.newer in good]
    contradicting = {
        cell
        for each in _meant(changes, findings.series.claims.fixed)
        if each.result is ConfirmationResult.DIFFERS
        for cell in each.cells
    }
    return _some(each for each in findings.cells if each.cell.id in contradicting)


def _meant(changes: Sequence[Confirmation], fixed: tuple[str, ...]) -> Sequence[Confirmation]:
    """Those changes to the good that claims speak of: the last one up to each claimed fix."""
    if not fixed:
        return changes
    up_to = ([c for c in changes if Version(c.newer) <= Version(each)] for each in fixed)
    return [max(each, key=lambda change: Version(change.newer)) for each in up_to if each]


def _not_reproduced(findings: SeriesFindings, _history: History) -> _Cells:
    if not findings.series.claims.affected:
        return None
    return _said(findings, Verdict.ABSENT, Role.BROKEN)


def _fixed_earlier(findings: SeriesFindings, _history: History) -> _Cells:
    if not findings.series.claims.affected:
        return None
    return _some(
        each
        for each in findings.of_role(Role.BEFORE)
        if each.judgement.verdict is Verdict.ABSENT and not shown_since(each.cell.version, findings)
    )


def _regressed(findings: SeriesFindings, _history: History) -> _Cells:
    claims = findings.series.claims
    expected = {Version(each) for each in claims.broken}
    return _some(
        each
        for each in findings.released()
        if each.judgement.verdict is Verdict.PRESENT
        and Version(each.cell.version) not in expected
        and Role.BEFORE not in each.roles
        and past_a_fix(each.cell.version, claims.fixed)
    )


def _yanked_fix(findings: SeriesFindings, history: History) -> _Cells:
    if not findings.series.claims.affected:
        return None
    return _some(
        each
        for each in findings.of_role(Role.FIXED)
        if (release := history.find(each.cell.version)) is not None and release.yanked
    )


def _unresolved(findings: SeriesFindings, _history: History) -> _Cells:
    needed = (*BROKEN_SIDE, *FIXED_SIDE, Role.LATEST, Role.CONTROL)
    cells = _some(
        each
        for each in findings.cells
        if {*needed} & {*each.roles}
        and each.judgement.verdict is Verdict.UNRESOLVED
        and (Role.CONTROL not in each.roles or not each.facts.attempts)
    )
    if cells is not None:
        return cells
    claims = findings.series.claims
    proves_less = (
        claims.affected
        and claims.names_a_fix
        and (
            mode_of(findings) is not Mode.BOTH
            or any(nothing_below(each, findings) for each in claims.fixed)
        )
    )
    no_control = not findings.of_role(Role.CONTROL)
    return () if proves_less or no_control else None


_ROWS: tuple[tuple[Outcome, Status, Callable[[SeriesFindings, History], _Cells]], ...] = (
    (Outcome.VACUOUS, Status.INCONCLUSIVE, _vacuous),
    (Outcome.NO_SUCH_RELEASE, Status.FAIL, _no_such_release),
    (Outcome.AFFECTED, Status.FAIL, _affected),
    (Outcome.STILL_BROKEN, Status.FAIL, _still_broken),
    (Outcome.FOLLOWS_DEPENDENCY, Status.FAIL, _follows_dependency),
    (Outcome.NOT_REPRODUCED, Status.FAIL, _not_reproduced),
    (Outcome.FIXED_EARLIER, Status.FAIL, _fixed_earlier),
    (Outcome.REGRESSED, Status.FAIL, _regressed),
    (Outcome.YANKED_FIX, Status.INCONCLUSIVE, _yanked_fix),
    (Outcome.UNRESOLVED, Status.INCONCLUSIVE, _unresolved),
)


def _said(findings: SeriesFindings, verdict: Verdict, *roles: Role) -> _Cells:
    return _some(
        each
        for each in findings.cells
        if {*roles} & {*each.roles} and each.judgement.verdict is verdict
    )


def _some(cells: Iterable[CellFindings]) -> _Cells:
    return tuple(cells) or None


def _judged(cell: CellFindings) -> bool:
    return cell.judgement.verdict is not Verdict.UNRESOLVED


def _installed(cell: CellFindings) -> bool:
    return cell.facts.lock is not None and not isinstance(cell.facts.lock, Failure)


def shown_since(before: str, findings: SeriesFindings) -> tuple[CellFindings, ...]:
    """What shows the bug between a predecessor and the claimed fix above it.

    Such a release is withdrawn, or a pre-release, or it would be the predecessor itself; where the
    bug was in it alone, that fix is the first all the same.
    """
    above = [Version(each) for each in findings.series.claims.fixed]
    fix = min((each for each in above if each > Version(before)), default=Version(before))
    return tuple(
        each
        for each in findings.released()
        if each.judgement.verdict is Verdict.PRESENT
        and Version(before) < Version(each.cell.version) < fix
    )


def past_a_fix(version: str, fixed: tuple[str, ...]) -> bool:
    """Whether a release should have the fix: it is above all fixes, or in the line of one below."""
    below = [each for each in fixed if Version(each) < Version(version)]
    return len(below) == len(fixed) > 0 or any(same_line(each, version) for each in below)
