"""Both sides of a series in counts: how often each release showed the bug."""

from __future__ import annotations

from collections import Counter

from packaging.version import Version

from runner.evidence import EXCLUDED_RATE
from runner.findings import CellFindings, SeriesFindings
from runner.matrix import Role
from runner.outcome import BROKEN_SIDE
from runner.verdict import Verdict


def evidence(findings: SeriesFindings) -> str:
    """Both sides in counts: "3 of 3 attempts show the bug on 0.12.2, 0 of 5 on 0.12.3"."""
    judged = sorted(
        (each for each in findings.natural() if each.judgement.counts.judged),
        key=lambda each: (each.cell.candidate, Version(each.cell.version)),
    )
    passed = Counter(each.judgement.verdict for each in judged if _passed(findings, each))
    cells = [each for each in judged if not _passed(findings, each)]
    parts = [shows(each, first=place == 0) for place, each in enumerate(cells)]
    more, silent = passed[Verdict.PRESENT], passed[Verdict.ABSENT]
    parts += [f"it shows on {_releases(more)} looked at"] if more else []
    parts += [f"no sign of it on {_releases(silent)} looked at"] if silent else []
    return ", ".join(parts) or "no attempt could be judged"


def _passed(findings: SeriesFindings, cell: CellFindings) -> bool:
    """Whether a cell of a search is but counted: it stands beside no boundary."""
    verdict = cell.judgement.verdict
    if cell.roles != (Role.PROBE,) or verdict not in (Verdict.ABSENT, Verdict.PRESENT):
        return False
    ends: set[str | None] = set()
    for each in findings.confirmations:
        ends |= {each.older, each.newer}
    if findings.kind == "verify" and verdict is Verdict.ABSENT:
        return cell.cell.version not in ends
    changes = (findings.boundaries.fixed_in, findings.broken_in)
    ends |= {version for one in changes if one for version in (one.after, one.by)}
    return cell.cell.version not in ends


def _releases(number: int) -> str:
    return "1 more release" if number == 1 else f"{number} more releases"


def shows(cell: CellFindings, *, first: bool) -> str:
    """One cell in counts; the first of a row says what is counted."""
    counts = cell.judgement.counts
    words = " attempts show the bug" if first else ""
    silent = f" ({counts.unresolved} more said nothing)" if counts.unresolved else ""
    where = "the candidate" if cell.cell.candidate else cell.cell.version
    said = f"{counts.present} of {counts.judged}{words} on {where}"
    return f"{said}{silent}{_excluded(cell)}"


def _excluded(cell: CellFindings) -> str:
    """What silence says where a bug was expected: not that there is none."""
    expected = {*BROKEN_SIDE} & {*cell.roles}
    if not expected or cell.judgement.verdict is not Verdict.ABSENT:
        return ""
    return f" (which excludes a rate of {EXCLUDED_RATE} or more)"
