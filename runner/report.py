"""The report of a run, `fixproof.report/1`: a contract, documented in docs/verdicts.md.

It arranges what was found and decides nothing that `outcome` has not decided.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from packaging.version import Version
from pydantic import Field

from runner.affected import Upgrade
from runner.answers import answer
from runner.attempt import Facts, Loaded
from runner.boundaries import Boundaries, FixedIn
from runner.candidate_report import CandidateReport, candidate_report
from runner.case import Case
from runner.claims import ClaimResult, claim_results
from runner.environment import Difference, Failure, Lock, Wanted
from runner.findings import (
    CellFindings,
    Conclusion,
    ConfirmationResult,
    Search,
    SeriesFindings,
    Skipped,
)
from runner.headline import headline, nothing_tested
from runner.matrix import Role, Universe, wanted
from runner.metadata import Claims
from runner.outcome import Decision, Mode, Outcome, Status, decide, weakest, worst
from runner.releases import History, in_order
from runner.sandbox import Ending, Limits, SandboxDescription
from runner.value import Value
from runner.verdict import Counts, Observation, Reason, Verdict


class ReportCase(Value):
    """Which case, and which state of it."""

    id: str
    package: str
    sha256: str
    title: str
    issue: str | None
    fix: str | None
    signature: str
    reads_version: bool = False
    """Whether the script asks for the version of a release: it may decide by the number."""


class Measured(Value):
    """What a series, or all affected ones alike, say of the bug's history."""

    first_fixed: str | None = None
    fixed_in: FixedIn | None = None
    last_broken: str | None = None
    first_broken: str | None = None
    affected: tuple[dict[str, str], ...] | None = None
    """Ranges as OSV events; from a sweep only."""
    tested: tuple[str, ...] = ()
    assumes: str | None = None
    """What a bisection takes for granted."""
    confidence: float
    attempts: int
    """Of all cells, controls and confirmations too."""


class ConfirmationReport(Value):
    """Whether boundaries hold with one set of dependencies on both sides."""

    result: ConfirmationResult
    differs: tuple[Difference, ...]
    follows: Difference | None


class AttemptReport(Value):
    """One attempt."""

    ending: Ending
    observation: Verdict
    reason: Reason | None
    seconds: float
    peak_mib: float | None
    cpu_seconds: float | None
    ran: datetime
    reused: bool
    log: str
    """Name of its logs: `fixproof report RUN --log NAME` prints them."""


class CellReport(Value):
    """One cell."""

    id: str
    version: str
    python: str
    variant: str | None
    roles: tuple[Role, ...]
    verdict: Verdict
    reason: Reason | None
    detail: str | None
    """Where no environment could be made: what the resolver said."""
    counts: Counts
    loaded: Loaded | None
    as_of: datetime | None
    lock_sha256: str | None
    dependencies: tuple[str, ...]
    """What was installed beside the package, as name==version."""
    yanked: bool
    attempts: tuple[AttemptReport, ...]


class SeriesReport(Value):
    """One series."""

    python: str
    variant: str | None
    mode: Mode
    status: Status
    outcome: Outcome | None
    summary: str
    note: str | None
    measured: Measured
    confirmation: ConfirmationReport | None
    window: tuple[str, ...] = ()
    """Of a sweep or a bisection: the releases that it is about, lowest first."""
    broken_in: FixedIn | None = None
    """Where the bug came, as a range; of these too."""
    upgrade_to: tuple[Upgrade, ...] = ()
    """What it means for users; of these too."""
    search: Search | None = None
    """Of a bisection."""


class SandboxReport(Value):
    """Where the attempts ran."""

    kind: str
    base: str | None
    network: Literal["none", "host"]
    isolated: bool
    unenforced: tuple[str, ...]
    runtime: str | None = None
    """The OCI runtime, where it is not runc."""
    limits: Limits


class Host(Value):
    """The machine, as far as it can matter."""

    arch: str
    kernel: str
    fixproof: str
    uv: str


class Report(Value):
    """What one run of one case found: everything a page needs."""

    schema_: Literal["fixproof.report/1"] = Field(default="fixproof.report/1", alias="schema")
    run: str
    kind: str
    case: ReportCase
    mode: Mode
    status: Status
    outcome: Outcome
    summary: str
    """The answer, in a sentence."""
    ran: datetime | None
    """When the oldest attempt relied on ran; None if there is none."""
    claims: tuple[ClaimResult, ...]
    measured: Measured
    series: tuple[SeriesReport, ...]
    cells: tuple[CellReport, ...]
    skipped: tuple[Skipped, ...]
    candidate: CandidateReport | None = None
    """None: it was about releases alone."""
    sandbox: SandboxReport
    host: Host
    again: str
    """The command that runs it again."""

    def document(self) -> str:
        """As JSON."""
        return self.model_dump_json(by_alias=True)


class Ground(Value):
    """What a report says of where a run took place."""

    run: str
    kind: str
    again: str
    confidence: float
    limits: Limits
    sandbox: SandboxDescription
    host: Host


class InShort(NamedTuple):
    """What a run comes to, as its report begins."""

    status: Status
    outcome: Outcome
    summary: str


_Found = list[tuple[SeriesFindings, Decision]]


def in_short(universe: Universe, conclusion: Conclusion) -> InShort:
    """What was concluded, without all that it rests on."""
    return _in_short(universe, conclusion, _decided(universe, conclusion))


def _decided(universe: Universe, conclusion: Conclusion) -> _Found:
    return [(each, decide(each, universe.history)) for each in conclusion.series]


def _counted(found: _Found) -> _Found:
    return [pair for pair in found if pair[1].status is not Status.UNTESTED]


def _in_short(universe: Universe, conclusion: Conclusion, found: _Found) -> InShort:
    counted = _counted(found)
    status = worst([decision.status for _, decision in found])
    leading = next((pair for pair in _affected(counted) if pair[1].status is status), None)
    leading = leading or next((pair for pair in counted if pair[1].status is status), None)
    if leading is None:
        return InShort(status, Outcome.UNRESOLVED, nothing_tested(conclusion.series))
    summary = headline(leading, counted, universe.history)
    return InShort(status, leading[1].outcome or Outcome.UNRESOLVED, summary)


def build(case: Case, universe: Universe, conclusion: Conclusion, ground: Ground) -> Report:
    """Arrange what was concluded as a report."""
    found = _decided(universe, conclusion)
    counted, told = _counted(found), _in_short(universe, conclusion, found)
    cells = tuple(_cell(case, universe, each, cell) for each, _ in found for cell in each.cells)
    return Report(
        run=ground.run,
        kind=ground.kind,
        case=_case(case),
        mode=weakest([decision.mode for _, decision in _affected(counted)]),
        status=told.status,
        outcome=told.outcome,
        summary=told.summary,
        ran=min((each.ran for cell in cells for each in cell.attempts), default=None),
        claims=tuple(
            result
            for each, decision in found
            for result in claim_results(each, decision, universe.history)
        ),
        measured=_agreed(
            [_measured(each, ground) for each, _ in _affected(counted)], cells, ground
        ),
        series=tuple(_series(each, decision, universe.history, ground) for each, decision in found),
        cells=cells,
        skipped=_skipped(universe.history, conclusion.series),
        candidate=candidate_report(universe, conclusion),
        sandbox=SandboxReport(**ground.sandbox.model_dump(), limits=ground.limits),
        host=ground.host,
        again=ground.again,
    )


def _case(case: Case) -> ReportCase:
    return ReportCase(
        id=case.id,
        package=case.package,
        sha256=case.sha256,
        title=case.metadata.title,
        issue=case.metadata.issue,
        fix=case.metadata.fix,
        signature=case.metadata.signature,
        reads_version=case.reads_version,
    )


def _series(
    findings: SeriesFindings, decision: Decision, history: History, ground: Ground
) -> SeriesReport:
    return SeriesReport(
        python=findings.series.python,
        variant=findings.series.variant,
        mode=decision.mode,
        status=decision.status,
        outcome=decision.outcome,
        summary=answer(findings, decision, history),
        note=findings.series.note,
        measured=_measured(findings, ground),
        confirmation=_confirmation(findings),
        window=findings.window,
        broken_in=findings.broken_in,
        upgrade_to=findings.upgrades,
        search=findings.search,
    )


def _measured(findings: SeriesFindings, ground: Ground) -> Measured:
    return Measured(
        **_stated(findings.boundaries),
        affected=findings.affected,
        assumes=findings.assumes,
        confidence=ground.confidence,
        attempts=sum(len(each.facts.attempts) for each in findings.cells),
    )


def _stated(stated: Boundaries) -> dict[str, object]:
    return {name: getattr(stated, name) for name in Boundaries.model_fields}


def _affected(found: _Found) -> _Found:
    """The series that are claimed to have the bug; all, where none is."""
    return [pair for pair in found if pair[0].series.claims.affected] or found


def _agreed(measured: list[Measured], cells: tuple[CellReport, ...], ground: Ground) -> Measured:
    """Boundaries at the top only where all series agree; what was run is counted in any case."""
    whole = Measured(
        tested=in_order(version for each in measured for version in each.tested),
        confidence=ground.confidence,
        attempts=sum(len(each.attempts) for each in cells),
    )
    run = {"tested": whole.tested, "attempts": whole.attempts}
    stated = [each.model_copy(update=run) for each in measured]
    return stated[0] if stated and all(each == stated[0] for each in stated) else whole


def _confirmation(findings: SeriesFindings) -> ConfirmationReport | None:
    """The worst of a series' confirmations; most have one."""
    order = (ConfirmationResult.DIFFERS, ConfirmationResult.IMPOSSIBLE, ConfirmationResult.SAME)
    ranked = sorted(findings.confirmations, key=lambda each: order.index(each.result))
    if not ranked:
        return None
    shown = ranked[0]
    return ConfirmationReport(result=shown.result, differs=shown.differs, follows=shown.follows)


def _cell(
    case: Case, universe: Universe, findings: SeriesFindings, found: CellFindings
) -> CellReport:
    release = None if found.cell.candidate else universe.history.find(found.cell.version)
    interpreter = findings.series.interpreter
    lock = found.facts.lock if isinstance(found.facts.lock, Lock) else None
    failure = found.facts.lock if isinstance(found.facts.lock, Failure) else None
    return CellReport(
        id=found.cell.id,
        version=found.cell.version,
        python=interpreter.version if interpreter else findings.series.python,
        variant=findings.series.variant,
        roles=found.roles,
        verdict=found.judgement.verdict,
        reason=found.judgement.reason,
        detail=failure.detail if failure else None,
        counts=found.judgement.counts,
        loaded=found.facts.loaded,
        as_of=_as_of(case, universe, findings, found),
        lock_sha256=lock.sha256 if lock else None,
        dependencies=_dependencies(case, lock),
        yanked=bool(release and release.yanked),
        attempts=_attempts(found.facts, found.judgement.observations),
    )


def _as_of(
    case: Case, universe: Universe, findings: SeriesFindings, found: CellFindings
) -> datetime | None:
    if found.cell.borrowed or found.cell.control:
        return None
    asked = wanted(case, universe, findings.series, found.cell, {})
    return asked.as_of if isinstance(asked, Wanted) else None


def _dependencies(case: Case, lock: Lock | None) -> tuple[str, ...]:
    others = lock.without(case.package).wheels if lock else ()
    return tuple(f"{each.name}=={each.version}" for each in others)


def _attempts(facts: Facts, observations: tuple[Observation, ...]) -> tuple[AttemptReport, ...]:
    return tuple(
        AttemptReport(
            ending=each.ending,
            observation=observed.says,
            reason=observed.reason,
            seconds=round(each.seconds, 3),
            peak_mib=each.peak_mib,
            cpu_seconds=each.cpu_seconds,
            ran=each.ran.astimezone(UTC),
            reused=each.reused,
            log=each.id,
        )
        for each, observed in zip(facts.attempts, observations, strict=True)
    )


def _skipped(history: History, series: tuple[SeriesFindings, ...]) -> tuple[Skipped, ...]:
    """Releases that were left out: of a window, or right below a claimed fix."""
    if any(each.kind != "verify" for each in series):
        return tuple(dict.fromkeys(skipped for each in series for skipped in each.skipped))
    return _skipped_below(history, [each.series.claims for each in series])


def _skipped_below(history: History, claims: list[Claims]) -> tuple[Skipped, ...]:
    """Releases between a claimed fix and its predecessor, which nobody could be told to take."""
    found: dict[str, str] = {}
    for version in in_order(fixed for each in claims for fixed in each.fixed):
        before = history.predecessor(version, apart_from=[f for each in claims for f in each.fixed])
        lower = before.parsed if before else None
        for release in history.releases:
            if (lower is None or release.parsed > lower) and release.parsed < Version(version):
                found[release.version] = "yanked" if release.yanked else "pre-release"
    return tuple(Skipped(version=each, why=found[each]) for each in in_order(found))
