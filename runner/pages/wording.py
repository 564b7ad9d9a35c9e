"""What an audit says, in plain words without markup: shared by the terminal and by Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from runner.claims import Result
from runner.pages.audit import AuditedPage, Verdict
from runner.pages.claimed import ClaimKind
from runner.pages.finding import Severity
from runner.pages.judgement import JudgedClaim
from runner.pages.page import Place

VERDICTS = {
    Verdict.FALSE: "says something that is not so",
    Verdict.DOUBT: "cannot be told whole",
    Verdict.CLEAN: "everything it claims is confirmed",
}
"""What a page comes to, in a few words."""
SYMBOLS = {
    Result.CONFIRMED: "✓",
    Result.CONTRADICTED: "✗",
    Result.UNTESTED: "?",
    Severity.FALSE: "✗",
    Severity.DOUBT: "?",
    Severity.NOTE: "·",
    Verdict.FALSE: "✗",
    Verdict.DOUBT: "?",
    Verdict.CLEAN: "✓",
}
"""A symbol stands beside each word: nothing is told by colour alone."""
_CLAIMS = {
    ClaimKind.FIRST_FIXED: "{} is the first fixed release",
    ClaimKind.FIXED: "{} is fixed",
    ClaimKind.UNAFFECTED: "{} is not affected",
    ClaimKind.BROKEN: "{} is broken",
    ClaimKind.RANGE: "{} is affected",
    ClaimKind.PYTHON: "it shows on Python {}",
    ClaimKind.REPRODUCED: "{} was reproduced",
}


def claimed(claim: JudgedClaim) -> str:
    """What is claimed, as one says it."""
    return _CLAIMS[claim.kind].format(claim.subject)


def lines(places: Sequence[Place]) -> str:
    """Where on the page: "line 4", "lines 4, 19"; empty where it is nowhere."""
    numbers = [str(each) for each in sorted({each.line for each in places})]
    if not numbers:
        return ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def about(page: AuditedPage) -> str:
    """What a page is about."""
    issue = f"issue #{page.issue}" if page.issue is not None else "no issue"
    return f"{page.package or 'no package'}, {issue}"


def evidence(page: AuditedPage) -> str:
    """What its claims were held against."""
    if page.case is None:
        return "no case is about this issue"
    runs = ", ".join(
        f"{each.kind} of {each.ended:%Y-%m-%d} ({each.status}, {each.run})" for each in page.runs
    )
    return f"held against case {page.case}: {runs or 'nothing that ran tells'}"


def summary(pages: Sequence[AuditedPage]) -> str:
    """How many pages came to what, in a line."""
    parts = []
    for verdict in Verdict:
        number = sum(each.verdict is verdict for each in pages)
        if number:
            parts.append(f"{number} {verdict}")
    return f"{len(pages)} page{'s' if len(pages) != 1 else ''}: {', '.join(parts)}"
