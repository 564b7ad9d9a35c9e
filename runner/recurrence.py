"""What is said of releases above a fix that show the bug: again, or all along, if that is known."""

from __future__ import annotations

from packaging.version import Version

from runner.counts import evidence
from runner.findings import SeriesFindings
from runner.listed import joined, some
from runner.matrix import Role
from runner.outcome import FIXED_SIDE, past_a_fix
from runner.releases import History
from runner.verdict import Verdict


def regressed(findings: SeriesFindings, history: History) -> str:
    """What had the fix and lost it is told from what came before it, and from what may have."""
    fixes = _fixes(findings)
    above = [
        each.cell.version
        for each in findings.released()
        if each.judgement.verdict is Verdict.PRESENT
        and Role.BROKEN not in each.roles
        and past_a_fix(each.cell.version, findings.series.claims.fixed)
    ]
    if not fixes:
        said = f"{some(above)}, above a claimed fix, {_show(above)} the bug"
        return f"{said}: {evidence(findings)}."
    named = joined(fixes)
    never, perhaps, again = (
        [each for each in above if _had_the_fix(each, fixes, history) is had]
        for had in (False, None, True)
    )
    parts = [
        f"{some(versions)}, above {named} {but} released before it, {_show(versions)} the bug, too"
        for versions, but in ((never, "but"), (perhaps, "and perhaps"))
        if versions
    ]
    if again:
        parts.append(f"{some(again)} {_show(again)} the bug again, which {named} had fixed")
    return f"{'; '.join(parts)}: {evidence(findings)}."


def claimed_again(findings: SeriesFindings, history: History) -> str:
    """That the bug is there above its fix, or came back after it, where that is claimed."""
    fixed, fixes = findings.series.claims.fixed, _fixes(findings)
    versions = [each.cell.version for each in findings.of_role(Role.BROKEN)]
    above = [each for each in versions if past_a_fix(each, fixed)]
    again = [each for each in above if _had_the_fix(each, fixes, history)]
    too = [each for each in above if each not in again]
    return "".join(
        f" {joined(versions)} {_show(versions)} the bug{how}, as claimed."
        for versions, how in ((again, " again"), (too, ", too"))
        if versions
    )


def _fixes(findings: SeriesFindings) -> list[str]:
    """Claimed fixes, or the candidate, as far as they are good."""
    return [
        each.cell.version
        for each in findings.cells
        if {*FIXED_SIDE} & {*each.roles} and each.judgement.verdict is Verdict.ABSENT
    ]


def _had_the_fix(version: str, fixes: list[str], history: History) -> bool | None:
    """Whether a release came after some fix below it; None where nothing tells."""
    below = [each for each in fixes if Version(each) < Version(version)]
    after = {history.came_after(version, each) for each in below}
    if True in after:
        return True
    return False if after == {False} else None


def _show(versions: list[str]) -> str:
    return "show" if versions[1:] else "shows"
