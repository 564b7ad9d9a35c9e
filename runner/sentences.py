"""What a series showed, in sentences; what became of each claim is said by `claims`."""

from __future__ import annotations

from runner.case import FOLDER
from runner.counts import evidence
from runner.environment import Failure
from runner.findings import CellFindings, ConfirmationResult, SeriesFindings
from runner.listed import joined
from runner.matrix import Role
from runner.outcome import FIXED_SIDE, Decision, Outcome
from runner.recurrence import claimed_again, regressed
from runner.releases import History
from runner.sandbox import Limits, Stream
from runner.verdict import Reason, Verdict

REASONS = {
    Reason.NO_SIGNATURE: "it exited 1 without the signature, so it failed in some other way",
    Reason.CONTRADICTORY: "it exited 0, and yet printed the signature",
    Reason.EXIT_CODE: "it exited with a code that says neither",
    Reason.SIGNAL: "a signal ended it",
    Reason.TIMEOUT: "it did not end in time",
    Reason.SILENCE: "it was silent for too long",
    Reason.MEMORY: "it used more memory than it may",
    Reason.OUTPUT_LIMIT: f"it wrote more than {Limits().output >> 20} MiB, and was ended",
    Reason.OUTPUT_CUT: "the signature could stand in a part of its log that was not kept",
    Reason.NOT_REACHED: "it never reached the critical point",
    Reason.NOT_A_HANG: "it outlasted its limit, but not twice that",
    Reason.WRONG_VERSION: "importing the package would load something else",
    Reason.NO_SOLUTION: "no set of dependencies satisfies it as of that day",
    Reason.NO_WHEEL: "there is no wheel for this interpreter and platform",
    Reason.PYTHON_NOT_ALLOWED: "it does not allow this interpreter",
    Reason.BUILD_FAILED: "its source distribution could not be built",
    Reason.BAD_FILE: "a file that it needs is gone from the index, or cannot be unpacked",
    Reason.TOO_FEW: "too few attempts could be judged",
    Reason.TOO_RARE: "the bug shows too seldom to tell its absence",
    Reason.NOT_RUN: "nothing ran",
}
"""What each reason means, for a sentence; docs/verdicts.md says more."""


_LAST_BYTES = 4096
_LAST_SHOWN = 160


def summary(findings: SeriesFindings, decision: Decision, history: History) -> str:
    """What a series comes to, in a sentence."""
    if decision.outcome is None:
        return f"Untested: {why_untested(findings)}."
    dependency = followed(findings)
    sentence = _SENTENCES[decision.outcome](findings, history) + _newest(
        findings, decision, history
    )
    if dependency and decision.outcome is not Outcome.FOLLOWS_DEPENDENCY:
        return f"{dependency} {sentence}"
    return sentence


def name_of(python: str, variant: str | None) -> str:
    """A series, as one calls it: "h11, Python 3.9"."""
    return f"{variant}, Python {python}" if variant else f"Python {python}"


def why_untested(findings: SeriesFindings) -> str:
    """Why a series could not be tested."""
    if findings.series.interpreter is None:
        return findings.series.note or f"Python {findings.series.python} is not at hand"
    return why_unresolved(findings.cells)


def why_unresolved(cells: tuple[CellFindings, ...]) -> str:
    """Why the first of these that is unresolved is so."""
    for each in cells:
        if isinstance(each.facts.lock, Failure):
            return f"{each.cell.called} cannot be installed: {_words(each)}"
        if each.judgement.verdict is Verdict.UNRESOLVED:
            return f"{each.cell.called} is unresolved: {_words(each)}"
    return "it was not run"


def _words(cell: CellFindings) -> str:
    reason = cell.judgement.reason
    if reason is None:
        return "nothing is known"
    if reason is Reason.BUILD_FAILED and isinstance(cell.facts.lock, Failure):
        return f"{cell.facts.lock.headline} ({reason})"  # it may be a dependency's
    if reason is Reason.EXIT_CODE and (said := _last_line(cell)):
        return f'{REASONS[reason]} ({reason}), having said "{said}"'
    if reason is Reason.WRONG_VERSION and cell.facts.loaded:
        found = cell.facts.loaded.location or "nothing"
        if found.startswith(f"{FOLDER}/"):
            return f"{found}, beside the script, hides a module of that name ({reason})"
        return f"{REASONS[reason]}, namely {found} ({reason})"
    return f"{REASONS[reason]} ({reason})"


def _last_line(cell: CellFindings) -> str:
    """What a script said last that decided nothing: it may well have said why."""
    attempts = zip(cell.facts.attempts, cell.judgement.observations, strict=True)
    undecided = [each for each, observed in attempts if observed.reason is Reason.EXIT_CODE]
    said = undecided[-1].stdout if undecided else Stream()
    lines = (said.tail or said.head)[-_LAST_BYTES:].decode(errors="replace").split("\n")
    shown = ("".join(filter(str.isprintable, each)).strip() for each in reversed(lines))
    last = next((each for each in shown if each), "")
    return last if len(last) <= _LAST_SHOWN else f"{last[:_LAST_SHOWN]}…"


def followed(findings: SeriesFindings) -> str | None:
    """The dependency that a verdict follows, named before anything else."""
    for each in findings.confirmations:
        if each.result != "differs":
            continue
        if each.follows is None:
            listed = ", ".join(str(one) for one in each.differs)
            return f"The verdict follows the dependencies, not the package ({listed})."
        older, newer = each.follows.older or "absent", each.follows.newer or "absent"
        return f"The verdict follows {each.follows.package} ({older} to {newer}), not the package."
    return None


def _of(findings: SeriesFindings, verdict: Verdict, *roles: Role) -> str:
    versions = [
        each.cell.version
        for each in findings.cells
        if {*roles} & {*each.roles} and each.judgement.verdict is verdict
    ]
    return joined(versions)


def _vacuous(findings: SeriesFindings, _history: History) -> str:
    said = "The script proves nothing: it gives a verdict in an environment without the package"
    loads = (each.facts.loaded for each in findings.cells if each.facts.loaded)
    beside = [each.location for each in loads if (each.location or "").startswith(f"{FOLDER}/")]
    if beside:
        return f"{said}, because {beside[0]}, beside the script, is imported in its place."
    return f"{said}, so it does not depend on it."


def _no_such_release(findings: SeriesFindings, _history: History) -> str:
    claims = findings.series.claims
    parts = []
    for kind, named in (("fixed", claims.fixed), ("broken", claims.broken)):
        missing = [each for each in named if each in findings.missing]
        verb = "is" if len(missing) == 1 else "are"
        if missing:
            parts.append(f"no release {' or '.join(missing)}, which {verb} said to be {kind}")
    known = findings.boundaries.first_fixed if findings.kind == "verify" else None
    measured = f"{known} is the first fixed release; " if known else ""
    return f"There is {', and '.join(parts)}. Measured: {measured}{evidence(findings)}."


def _affected(findings: SeriesFindings, _history: History) -> str:
    return f"This variant is claimed not to have the bug, and has it: {evidence(findings)}."


def _still_broken(findings: SeriesFindings, _history: History) -> str:
    version = _of(findings, Verdict.PRESENT, *FIXED_SIDE)
    if findings.series.claims.candidate:
        return f"The candidate {version} still shows the bug: {evidence(findings)}."
    before = _of(findings, Verdict.ABSENT, Role.BEFORE)
    if before:  # nothing is "still" there: it came with what is said to have the fix
        came = f"{version} is said to be fixed, and shows the bug, which {before} does not"
        return f"{came}: {evidence(findings)}."
    return f"{version} is said to be fixed and still shows the bug: {evidence(findings)}."


def _follows(findings: SeriesFindings, _history: History) -> str:
    return f"{followed(findings)} As released: {evidence(findings)}."


def _not_reproduced(findings: SeriesFindings, _history: History) -> str:
    version = _of(findings, Verdict.ABSENT, Role.BROKEN)
    return f"{version} is said to be broken and does not show the bug: {evidence(findings)}."


def _fixed_earlier(findings: SeriesFindings, _history: History) -> str:
    claims = findings.series.claims
    if findings.boundaries.last_broken is None:
        return (
            "The bug was seen on no release: either an older one has the fix, or the script does "
            f"not show it on Python {findings.series.python} ({evidence(findings)})."
        )
    before = _of(findings, Verdict.ABSENT, Role.BEFORE)
    claimed = f"the candidate {claims.candidate}" if claims.candidate else joined(claims.fixed)
    known = findings.boundaries.first_fixed
    if known and findings.kind != "verify":  # a search begins with its answer
        return f"Not {claimed} but an earlier release has the fix: {evidence(findings)}."
    measured = f"{known} is the first fixed release" if known else f"{before} is fixed already"
    return f"Not {claimed} but an earlier release has the fix: {measured} ({evidence(findings)})."


def _yanked_fix(findings: SeriesFindings, _history: History) -> str:
    claimed = joined(findings.series.claims.fixed)
    good = _of(findings, Verdict.ABSENT, Role.FIXED)
    but = f"{good} does not show the bug, but" if good else claimed
    return f"{but} was withdrawn (yanked) from the index: {evidence(findings)}."


def _unresolved(findings: SeriesFindings, _history: History) -> str:
    needed = tuple(each for each in findings.natural() if each.roles != (Role.PROBE,))
    why = why_unresolved(needed)
    if why == "it was not run":
        what = "candidate" if findings.series.claims.candidate else "release"
        why = f"only one side could be run, which does not show that the {what} fixed anything"
    judged = any(each.judgement.counts.judged for each in findings.natural())
    seen = f" What was judged: {evidence(findings)}." if judged else ""
    note = f" {findings.series.note}." if findings.series.note else ""
    return f"Could not tell: {why}.{note}{seen}"


def _ok(findings: SeriesFindings, history: History) -> str:
    claims = findings.series.claims
    if not claims.affected:
        return f"This variant does not have the bug, as claimed: {evidence(findings)}."
    if claims.candidate:
        fixes = f"The candidate {claims.candidate} fixes the bug"
        return f"{fixes}: {evidence(findings)}.{_unconfirmed(findings)}"
    if not claims.fixed:
        return (
            f"The bug is there as claimed: {evidence(findings)}. No fix is claimed, none was run."
        )
    fixed = joined(claims.fixed)
    verb = (
        "is the first fixed release" if len(claims.fixed) == 1 else "are the first fixed releases"
    )
    later = claimed_again(findings, history)
    return f"{fixed} {verb}: {evidence(findings)}.{later}{_unconfirmed(findings)}"


def _newest(findings: SeriesFindings, decision: Decision, history: History) -> str:
    """That the newest release shows the bug, where an answer would leave that open."""
    latest = history.latest()
    told = (Outcome.STILL_BROKEN, Outcome.NO_SUCH_RELEASE, Outcome.OK)
    if findings.kind != "verify":  # a search begins with its answer
        return ""
    if latest is None or decision.outcome not in told or not findings.series.claims.affected:
        return ""
    shows = any(
        each.cell.version == latest.version and each.judgement.verdict is Verdict.PRESENT
        for each in findings.released()
    )
    return f" The newest release, {latest.version}, shows the bug." if shows else ""


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
    Outcome.REGRESSED: regressed,
    Outcome.YANKED_FIX: _yanked_fix,
    Outcome.UNRESOLVED: _unresolved,
    Outcome.OK: _ok,
}
