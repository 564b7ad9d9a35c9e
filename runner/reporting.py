"""Makes the report of a run, or says in short what it comes to, from what was concluded.

It arranges what was found and decides nothing that `outcome` has not decided.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from packaging.version import Version

from runner.answers import answer
from runner.attempt import Facts
from runner.boundaries import Boundaries
from runner.candidate_report import candidate_report
from runner.case import Case
from runner.claims import claim_results
from runner.environment import Failure, Lock, Wanted
from runner.findings import (
    CellFindings,
    Conclusion,
    ConfirmationResult,
    SeriesFindings,
    Skipped,
)
from runner.headline import headline, nothing_tested
from runner.matrix import Universe, wanted
from runner.metadata import Claims
from runner.outcome import Decision, Outcome, Status, decide, weakest, worst
from runner.releases import History, in_order
from runner.report import (
    AttemptReport,
    CellReport,
    ConfirmationReport,
    Ground,
    Measured,
    Report,
    ReportCase,
    SandboxReport,
    SeriesReport,
)
from runner.verdict import Observation


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
