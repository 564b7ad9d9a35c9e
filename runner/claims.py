"""The result of each claim, and the sentences that say what a series showed."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from packaging.version import Version

from runner.environment import Failure
from runner.evidence import EXCLUDED_RATE
from runner.findings import CellFindings, ConfirmationResult, SeriesFindings
from runner.matrix import Role
from runner.outcome import BROKEN_SIDE, FIXED_SIDE, Decision, Mode, Outcome, nothing_below
from runner.releases import History
from runner.value import Value
from runner.verdict import Reason, Verdict

REASONS = {
    Reason.NO_SIGNATURE: "it exited 1 without the signature, so it failed in some other way",
    Reason.CONTRADICTORY: "it exited 0, and yet printed the signature",
    Reason.EXIT_CODE: "it exited with a code that says neither",
    Reason.SIGNAL: "a signal ended it",
    Reason.TIMEOUT: "it did not end in time",
    Reason.SILENCE: "it was silent for too long",
    Reason.MEMORY: "it used more memory than it may",
    Reason.OUTPUT_LIMIT: "it wrote without end",
    Reason.OUTPUT_CUT: "the signature could stand in a part of its log that was not kept",
    Reason.NOT_REACHED: "it never reached the critical point",
    Reason.NOT_A_HANG: "it outlasted its limit, but not twice that",
    Reason.WRONG_VERSION: "importing the package would load something else",
    Reason.NO_SOLUTION: "no set of dependencies satisfies it as of that day",
    Reason.NO_WHEEL: "there is no wheel for this interpreter and platform",
    Reason.PYTHON_NOT_ALLOWED: "it does not allow this interpreter",
    Reason.BUILD_FAILED: "its source distribution could not be built",
    Reason.TOO_FEW: "too few attempts could be judged",
    Reason.TOO_RARE: "the bug shows too seldom to tell its absence",
    Reason.NOT_RUN: "nothing ran",
}
"""What each reason means, for a sentence; docs/verdicts.md says more."""


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
    if not claims.affected:
        named = (*claims.broken, *claims.fixed)
        return tuple(_claim("unaffected", each, findings, decision, history) for each in named)
    return (
        *(_claim("fixed", each, findings, decision, history) for each in claims.fixed),
        *(_claim("broken", each, findings, decision, history) for each in claims.broken),
    )


def summary(findings: SeriesFindings, decision: Decision) -> str:
    """What a series comes to, in a sentence."""
    if decision.outcome is None:
        return f"Untested: {why_untested(findings)}."
    followed = _followed(findings)
    sentence = _SENTENCES[decision.outcome](findings)
    if followed and decision.outcome is not Outcome.FOLLOWS_DEPENDENCY:
        return f"{followed} {sentence}"
    return sentence


def evidence(findings: SeriesFindings) -> str:
    """Both sides in counts: "3 of 3 attempts show the bug on 0.12.2, 0 of 5 on 0.12.3"."""
    judged = [each for each in findings.released() if each.judgement.counts.judged]
    silent = [
        each
        for each in judged
        if each.roles == (Role.PROBE,) and each.judgement.verdict is Verdict.ABSENT
    ]
    cells = [each for each in judged if each not in silent]
    parts = [_shows(each, first=place == 0) for place, each in enumerate(cells)]
    parts += [f"no sign of it on {len(silent)} more releases looked at"] if silent else []
    return ", ".join(parts) or "no attempt could be judged"


def _claim(
    kind: Literal["fixed", "broken", "unaffected"],
    version: str,
    findings: SeriesFindings,
    decision: Decision,
    history: History,
) -> ClaimResult:
    cells = _cells_of(kind, version, findings, history)
    result, why = _result(kind, version, cells, findings, decision)
    return ClaimResult(
        kind=kind,
        version=version,
        python=findings.series.python,
        variant=findings.series.variant,
        result=result,
        why=why,
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
    if decision.outcome is None:
        return Result.UNTESTED, why_untested(findings)
    if decision.outcome is Outcome.VACUOUS:
        return Result.UNTESTED, "the script says the same without the package"
    if kind == "fixed" and _own_boundary_differs(version, findings):
        return Result.CONTRADICTED, _followed(findings) or "the verdict follows the dependencies"
    said = ", ".join(_shows(each, first=at == 0) for at, each in enumerate(cells))
    if any(_contradicts(kind, version, each) for each in cells):
        return Result.CONTRADICTED, said
    if any(each.judgement.verdict is Verdict.UNRESOLVED for each in cells) or not cells:
        return Result.UNTESTED, _why_unresolved(cells)
    if kind == "fixed" and (decision.mode is not Mode.BOTH or nothing_below(version, findings)):
        return Result.UNTESTED, "no broken side was run, so nothing shows that there was a bug"
    return Result.CONFIRMED, said


def _own_boundary_differs(version: str, findings: SeriesFindings) -> bool:
    """Whether the boundary at a claimed fix is a dependency's."""
    return any(
        each.result is ConfirmationResult.DIFFERS and Version(each.newer) == Version(version)
        for each in findings.confirmations
    )


def _contradicts(kind: str, version: str, cell: CellFindings) -> bool:
    """Whether a cell says the opposite of what the claim says of its release."""
    good = kind == "unaffected" or (
        kind == "fixed" and Version(cell.cell.version) == Version(version)
    )
    return cell.judgement.verdict is (Verdict.PRESENT if good else Verdict.ABSENT)


def _shows(cell: CellFindings, *, first: bool) -> str:
    counts = cell.judgement.counts
    words = " attempts show the bug" if first else ""
    silent = f" ({counts.unresolved} more said nothing)" if counts.unresolved else ""
    said = f"{counts.present} of {counts.judged}{words} on {cell.cell.version}"
    return f"{said}{silent}{_excluded(cell)}"


def _excluded(cell: CellFindings) -> str:
    """What silence says where a bug was expected: not that there is none."""
    expected = {*BROKEN_SIDE} & {*cell.roles}
    if not expected or cell.judgement.verdict is not Verdict.ABSENT:
        return ""
    return f" (which excludes a rate of {EXCLUDED_RATE} or more)"


def why_untested(findings: SeriesFindings) -> str:
    """Why a series could not be tested."""
    if findings.series.interpreter is None:
        return findings.series.note or f"Python {findings.series.python} is not at hand"
    return _why_unresolved(findings.cells)


def _why_unresolved(cells: tuple[CellFindings, ...]) -> str:
    for each in cells:
        if isinstance(each.facts.lock, Failure):
            return f"{each.cell.version} cannot be installed: {_words(each)}"
        if each.judgement.verdict is Verdict.UNRESOLVED:
            return f"{each.cell.version} is unresolved: {_words(each)}"
    return "it was not run"


def _words(cell: CellFindings) -> str:
    reason = cell.judgement.reason
    if reason is None:
        return "nothing is known"
    if reason is Reason.WRONG_VERSION and cell.facts.loaded:
        found = cell.facts.loaded.location or "nothing"
        return f"{REASONS[reason]}, namely {found} ({reason})"
    return f"{REASONS[reason]} ({reason})"


def _followed(findings: SeriesFindings) -> str | None:
    """The dependency that a verdict follows, named before anything else."""
    for each in findings.confirmations:
        if each.result != "differs":
            continue
        if each.follows is None:
            listed = ", ".join(str(one) for one in each.differs)
            return f"The verdict follows the dependencies and not the package ({listed})."
        older, newer = each.follows.older or "absent", each.follows.newer or "absent"
        return (
            f"The verdict follows {each.follows.package} ({older} to {newer}) and not the package: "
            "with the same dependencies on both sides it does not change."
        )
    return None


def _of(findings: SeriesFindings, verdict: Verdict, *roles: Role) -> str:
    versions = [
        each.cell.version
        for each in findings.cells
        if {*roles} & {*each.roles} and each.judgement.verdict is verdict
    ]
    return " and ".join(versions)


def _vacuous(_findings: SeriesFindings) -> str:
    return (
        "The script proves nothing: it gives a verdict in an environment without the package, "
        "so it does not depend on it."
    )


def _no_such_release(findings: SeriesFindings) -> str:
    known = findings.boundaries.first_fixed
    measured = f" Measured: the first fixed release is {known}." if known else ""
    missing = " and ".join(findings.missing)
    return f"The package index has no release {missing}, which is claimed.{measured}"


def _affected(findings: SeriesFindings) -> str:
    return f"This variant is claimed not to have the bug, and has it: {evidence(findings)}."


def _still_broken(findings: SeriesFindings) -> str:
    version = _of(findings, Verdict.PRESENT, *FIXED_SIDE)
    return f"{version} is said to be fixed and still shows the bug: {evidence(findings)}."


def _follows(findings: SeriesFindings) -> str:
    return f"{_followed(findings)} As released: {evidence(findings)}."


def _not_reproduced(findings: SeriesFindings) -> str:
    version = _of(findings, Verdict.ABSENT, Role.BROKEN)
    return f"{version} is said to be broken and does not show the bug: {evidence(findings)}."


def _fixed_earlier(findings: SeriesFindings) -> str:
    if findings.boundaries.last_broken is None:
        return (
            "The bug was seen on no release: either an older one has the fix, or the script does "
            f"not show the bug ({evidence(findings)})."
        )
    before = _of(findings, Verdict.ABSENT, Role.BEFORE)
    claimed = " and ".join(findings.series.claims.fixed)
    known = findings.boundaries.first_fixed
    measured = f"{known} is the first fixed release" if known else f"{before} is fixed already"
    return f"Not {claimed} but an earlier release has the fix: {measured} ({evidence(findings)})."


def _regressed(findings: SeriesFindings) -> str:
    return f"The bug is back after its fix: {evidence(findings)}."


def _yanked_fix(findings: SeriesFindings) -> str:
    claimed = " and ".join(findings.series.claims.fixed)
    return f"{claimed} was withdrawn (yanked) from the index: {evidence(findings)}."


def _unresolved(findings: SeriesFindings) -> str:
    needed = tuple(each for each in findings.released() if each.roles != (Role.PROBE,))
    why = _why_unresolved(needed)
    if why == "it was not run":
        why = "only one side could be run, which does not show that the release fixed anything"
    return f"Could not tell: {why}."


def _ok(findings: SeriesFindings) -> str:
    claims = findings.series.claims
    if not claims.affected:
        return f"This variant does not have the bug, as claimed: {evidence(findings)}."
    if not claims.fixed:
        return (
            f"The bug is there as claimed: {evidence(findings)}. No fix is claimed, none was run."
        )
    fixed = " and ".join(claims.fixed)
    verb = (
        "is the first fixed release" if len(claims.fixed) == 1 else "are the first fixed releases"
    )
    return f"{fixed} {verb}: {evidence(findings)}.{_unconfirmed(findings)}"


def _unconfirmed(findings: SeriesFindings) -> str:
    if all(each.result is ConfirmationResult.SAME for each in findings.confirmations):
        return ""
    return (
        " The two sides cannot run with identical dependencies, so this does not show that the "
        "package alone made the difference."
    )


_SENTENCES = {
    Outcome.VACUOUS: _vacuous,
    Outcome.NO_SUCH_RELEASE: _no_such_release,
    Outcome.AFFECTED: _affected,
    Outcome.STILL_BROKEN: _still_broken,
    Outcome.FOLLOWS_DEPENDENCY: _follows,
    Outcome.NOT_REPRODUCED: _not_reproduced,
    Outcome.FIXED_EARLIER: _fixed_earlier,
    Outcome.REGRESSED: _regressed,
    Outcome.YANKED_FIX: _yanked_fix,
    Outcome.UNRESOLVED: _unresolved,
    Outcome.OK: _ok,
}
