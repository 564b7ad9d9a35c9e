"""What became of pages, `fixproof.audit/1`: a contract, documented in docs/audit.md.

It puts findings and claims together, and decides what they come to; it reads and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field as Key

from runner.claims import Result
from runner.documents import Document, ErrorDocument
from runner.errors import FixproofError
from runner.outcome import Outcome, Status
from runner.pages.checks import ambiguous, check, unknown_package
from runner.pages.claimed import ClaimKind, claims
from runner.pages.finding import SETTLED_BY_CONFIRMED_FIX, Finding, Severity
from runner.pages.judgement import JudgedClaim, judge
from runner.pages.page import Page, Statement, shortened
from runner.pages.reading import Form
from runner.pages.searched import with_logs
from runner.pages.witness import Evidence, Lack
from runner.releases import History
from runner.value import Value


class Verdict(StrEnum):
    """What a page comes to; worst first."""

    FALSE = "false"
    """It says something that is not so."""
    DOUBT = "doubt"
    """Something is untested, or does not fit."""
    CLEAN = "clean"
    """Every claim is confirmed, and nothing is wrong."""


EXIT_CODES = {Verdict.FALSE: 1, Verdict.DOUBT: 3, Verdict.CLEAN: 0}
_USAGE, _TROUBLE = 2, 4


class ReliedOn(Value):
    """A stored run that claims were held against."""

    run: str
    kind: str
    ended: datetime
    series: tuple[str, ...]
    status: Status
    """Of the worst of these series."""
    outcome: Outcome | None


class AuditedPage(Value):
    """One page, and all that is to be said of it."""

    page: str
    """As the user named it."""
    form: Form
    encoding: str
    package: str | None
    repository: str | None
    issue: int | None
    """None where there is none, or more than one."""
    statements: tuple[Statement, ...]
    """What was found on it, each with its place; long values are shortened."""
    case: str | None
    """Id of the case that is about the issue."""
    runs: tuple[ReliedOn, ...]
    lack: Lack | None
    """Why there is no evidence; None where there is."""
    findings: tuple[Finding, ...]
    claims: tuple[JudgedClaim, ...]
    verdict: Verdict
    exit_code: int


class TroubledPage(Value):
    """A page of which nothing can be said, and why."""

    page: str
    error: ErrorDocument
    exit_code: int

    @classmethod
    def of(cls, page: str, error: FixproofError) -> TroubledPage:
        return cls(page=page, error=ErrorDocument.of(error), exit_code=error.exit_code)


class SkippedPage(Value):
    """A file of a folder that is no fix page."""

    page: str
    why: str


class AuditDocument(Document):
    """All pages that were named."""

    schema_: Literal["fixproof.audit/1"] = Key(default="fixproof.audit/1", alias="schema")
    pages: tuple[AuditedPage | TroubledPage, ...]
    skipped: tuple[SkippedPage, ...]
    exit_code: int


def audited(page: Page, history: History | None, evidence: Evidence, now: datetime) -> AuditedPage:
    """All that is to be said of a page.

    Args:
        history: what the index has of the page's package; None where it does not know it.
        evidence: what was measured of its case.
        now: UTC.
    """
    if ambiguous(page):
        evidence = evidence.model_copy(update={"lack": Lack.SEVERAL_FIXES})
    judged = judge(claims(page), evidence, history, page.name)
    findings = check(page, history, now)
    if history is None and page.package:
        findings = (unknown_package(page), *findings)
    findings = _settled(with_logs(page, findings, evidence), judged)
    verdict = _verdict(findings, judged)
    return AuditedPage(
        page=page.name,
        form=page.form,
        encoding=page.encoding,
        package=page.package,
        repository=page.repository,
        issue=page.issues[0] if len(page.issues) == 1 else None,
        statements=tuple(_short(each) for each in page.statements),
        case=evidence.case,
        runs=_relied_on(evidence),
        lack=evidence.lack,
        findings=findings,
        claims=judged,
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
    )


def document(
    pages: Sequence[AuditedPage | TroubledPage], skipped: Iterable[SkippedPage] = ()
) -> AuditDocument:
    """All pages in one document, with the exit code of the command."""
    return AuditDocument(pages=tuple(pages), skipped=tuple(skipped), exit_code=exit_code(pages))


def exit_code(pages: Iterable[AuditedPage | TroubledPage]) -> int:
    """The first of trouble (2, 4 and above), 1, 3, 0 that occurs."""
    codes = [each.exit_code for each in pages]
    trouble = [each for each in codes if each == _USAGE or each >= _TROUBLE]
    return next(iter(trouble), next((each for each in (1, 3) if each in codes), 0))


def _settled(findings: tuple[Finding, ...], judged: tuple[JudgedClaim, ...]) -> tuple[Finding, ...]:
    """Doubts about the first fixed release are none once it was measured to be that."""
    results = {each.result for each in judged if each.kind is ClaimKind.FIRST_FIXED}
    if results != {Result.CONFIRMED}:
        return findings
    return tuple(
        each.model_copy(
            update={
                "severity": Severity.NOTE,
                "said": f"{each.said} What was measured settles it: the page is right.",
            }
        )
        if each.kind in SETTLED_BY_CONFIRMED_FIX
        else each
        for each in findings
    )


def _verdict(findings: tuple[Finding, ...], judged: tuple[JudgedClaim, ...]) -> Verdict:
    severities = {each.severity for each in findings}
    results = {each.result for each in judged}
    if Severity.FALSE in severities or Result.CONTRADICTED in results:
        return Verdict.FALSE
    if Severity.DOUBT in severities or Result.UNTESTED in results:
        return Verdict.DOUBT
    return Verdict.CLEAN


def _relied_on(evidence: Evidence) -> tuple[ReliedOn, ...]:
    """The runs, each once; several of their series may be relied on."""
    by_run: dict[str, list[int]] = {}
    for at, each in enumerate(evidence.witnesses):
        by_run.setdefault(each.run, []).append(at)
    order = list(Status)
    found = []
    for run, places in by_run.items():
        of_run = [evidence.witnesses[at] for at in places]
        worst = min(of_run, key=lambda each: order.index(each.decision.status))
        found.append(
            ReliedOn(
                run=run,
                kind=worst.kind,
                ended=worst.ended,
                series=tuple(each.series for each in of_run),
                status=worst.decision.status,
                outcome=worst.decision.outcome,
            )
        )
    return tuple(found)


def _short(statement: Statement) -> Statement:
    return statement.model_copy(update={"value": shortened(statement.value)})
