"""Whether a release is the first one with the fix, by what was measured.

The rules are those of `outcome`; what is different is that the claim is a page's and the runs were
made for the claims of a case, which may be others.
"""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from runner.claims import Result
from runner.findings import CellFindings, ConfirmationResult
from runner.pages.claimed import PageClaim, same, should_have_fix
from runner.pages.told import Told, differs_at, together, told_of
from runner.pages.witness import Evidence, Witness
from runner.releases import History, Release
from runner.sentences import followed, why_unresolved
from runner.verdict import Verdict


def first_fixed(
    claim: PageClaim, evidence: Evidence, history: History, broken: tuple[str, ...]
) -> Told:
    """What became of the claim in all series together.

    Args:
        broken: releases that the page itself calls broken: one above the fix is no surprise.
    """
    release = history.find(claim.subject)
    if release is not None and release.yanked:
        return Told(Result.UNTESTED, f"{claim.subject} was withdrawn (yanked): nobody gets it")

    def say(witnesses: tuple[Witness, ...]) -> Told:
        found = [_of_one(claim, each, history, broken) for each in witnesses]
        for result in (Result.CONTRADICTED, Result.CONFIRMED, Result.UNTESTED):
            agreeing = [each for each in found if each.result is result]
            if agreeing:
                return agreeing[0]
        raise AssertionError(witnesses)

    return together(evidence, say)


def _of_one(claim: PageClaim, witness: Witness, history: History, broken: tuple[str, ...]) -> Told:
    """What one series of one run says."""
    differing = differs_at(claim.subject, (witness,))
    if differing:
        return differing
    against = (
        _still_shown(claim, witness, history, broken)
        or _before_good(claim, witness, history)
        or _measured_lower(claim, witness, history)
    )
    if against is None:
        return _confirmed(claim, witness, history)
    dependency = followed(witness.findings)
    return against._replace(why=f"{against.why}. {dependency}") if dependency else against


def _still_shown(
    claim: PageClaim, witness: Witness, history: History, broken: tuple[str, ...]
) -> Told | None:
    """The bug at the release, or at one that should have its fix."""
    expected = {Version(each) for each in broken if not same(each, claim.subject)}
    expected |= {Version(each.version) for each in _predecessors(claim, history)}
    shown = [
        (witness.run, cell)
        for cell in witness.judged(Verdict.PRESENT)
        if should_have_fix(cell.cell.version, claim.companions)
        and Version(cell.cell.version) not in expected
        and Version(cell.cell.version) >= Version(claim.subject)
    ]
    if not shown:
        return None
    came = witness.findings.boundaries.first_broken
    if came is None or not same(came, claim.subject):
        return told_of(Result.CONTRADICTED, shown)
    before = _before(claim, witness, history)
    told = [*([(witness.run, before)] if before else []), *shown]
    return told_of(Result.CONTRADICTED, told, f"measured, the bug came with {came}")


def _before_good(claim: PageClaim, witness: Witness, history: History) -> Told | None:
    """The release right before has the fix already."""
    before = _before(claim, witness, history)
    if before is None or before.judgement.verdict is not Verdict.ABSENT:
        return None
    why = f"{before.cell.version}, right before it, does not show the bug either"
    return told_of(Result.CONTRADICTED, [(witness.run, before)], why)


def _measured_lower(claim: PageClaim, witness: Witness, history: History) -> Told | None:
    """A lower release is the first good one above the last broken one."""
    known = witness.findings.boundaries
    change = known.fixed_in
    if change is None or change.after is None or change.by is None:
        return None
    lower = Version(change.by) < Version(claim.subject)
    if not lower or any(same(change.by, each) for each in claim.companions):
        return None
    cells = [witness.cell(each, history) for each in (change.after, change.by)]
    first = "is the first fixed release" if known.first_fixed else "has the fix already"
    told = [(witness.run, each) for each in cells if each]
    return told_of(Result.CONTRADICTED, told, f"measured, {change.by} {first}")


def _confirmed(claim: PageClaim, witness: Witness, history: History) -> Told:
    """The release is good, and the one before it shows the bug."""
    at, before = witness.cell(claim.subject, history), _before(claim, witness, history)
    known = witness.findings.boundaries
    if known.first_fixed and known.last_broken and same(known.first_fixed, claim.subject):
        before = witness.cell(known.last_broken, history)
    cells = [each for each in (before, at) if each]
    verdicts = [each.judgement.verdict for each in cells]
    if verdicts != [Verdict.PRESENT, Verdict.ABSENT]:
        return _untested(claim, witness, cells, history)
    confirmed = told_of(Result.CONFIRMED, [(witness.run, each) for each in cells])
    return confirmed._replace(why=f"{confirmed.why}{_unconfirmed(claim, witness)}")


def _unconfirmed(claim: PageClaim, witness: Witness) -> str:
    impossible = any(
        each.result is ConfirmationResult.IMPOSSIBLE and same(each.newer, claim.subject)
        for each in witness.findings.confirmations
    )
    return "; identical dependencies on both sides were impossible" if impossible else ""


def _untested(
    claim: PageClaim, witness: Witness, cells: list[CellFindings], history: History
) -> Told:
    """Why nothing can be said; with the cells that ran in vain."""
    unresolved = [each for each in cells if each.judgement.verdict is Verdict.UNRESOLVED]
    if unresolved:
        ran = tuple((witness.run, each) for each in unresolved)
        return Told(Result.UNTESTED, why_unresolved(tuple(unresolved)), ran)
    return Told(Result.UNTESTED, _not_run(claim, cells, history))


def _not_run(claim: PageClaim, cells: list[CellFindings], history: History) -> str:
    known = {each.cell.version for each in cells}
    before = history.predecessor(claim.subject, apart_from=claim.companions)
    if before is None:
        return f"there is no release before {claim.subject}, so nothing shows that it fixed it"
    release = history.find(claim.subject)
    wanted = (release.version if release else claim.subject, before.version)
    missing = [each for each in wanted if each not in known]
    return f"{' and '.join(missing)} {'was' if len(missing) == 1 else 'were'} not run"


def _before(claim: PageClaim, witness: Witness, history: History) -> CellFindings | None:
    """The release where the bug should be seen last."""
    before = history.predecessor(claim.subject, apart_from=claim.companions)
    return witness.cell(before.version, history) if before else None


def _predecessors(claim: PageClaim, history: History) -> Iterable[Release]:
    """Where the bug should be seen last in each line that got the fix."""
    for each in claim.companions:
        before = history.predecessor(each, apart_from=claim.companions)
        if before is not None and Version(each) > Version(claim.subject):
            yield before
