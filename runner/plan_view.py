"""A plan for a reader: every cell that is known beforehand, its command and limits."""

from __future__ import annotations

from runner.documents import PlanDocument, PlannedCase, PlannedCell, PlannedSeries
from runner.environment import Wanted
from runner.matrix import Cell, Role, Series, wanted
from runner.plans.kinds import AnyPlan, planned
from runner.plans.question import missing
from runner.runs import SCRIPT, limits_of

_LATER = {
    "verify": (
        "Further cells follow from what these show: a confirmation where dependencies differ, and "
        "up to 8 older releases where all agree."
    ),
    "sweep": (
        "Further cells follow from what these show: a confirmation of each change where "
        "dependencies differ."
    ),
    "bisect": (
        "Further cells follow from what these show: those of the search between releases that "
        "disagree, and confirmations where dependencies differ."
    ),
}


def plan_document(plan: AnyPlan) -> PlanDocument:
    """As `fixproof.plan/1`."""
    case = plan.case
    return PlanDocument(
        kind=plan.kind,
        case=PlannedCase(id=case.id, package=case.package, sha256=case.sha256),
        limits=limits_of(case),
        candidate=plan.universe.candidate,
        series=tuple(_series(plan, each) for each in plan.series),
    )


def plan_text(plan: AnyPlan) -> str:
    """As lines to read."""
    limits = limits_of(plan.case)
    lines = [
        f"{plan.case.id}: {plan.case.metadata.title}",
        f"  command: python {SCRIPT}",
        f"  limits: {limits.timeout:g} s, {limits.memory} MiB, {limits.processes} processes",
    ]
    notes = filter(None, (plan.case.window_note, plan.case.echo_note))
    lines += [f"  note: {each}" for each in notes]
    candidate = plan.universe.candidate
    if candidate:
        lines.append(f"  candidate: {candidate.kind} {candidate.file}, sha256 {candidate.sha256}")
    for series in plan_document(plan).series:
        lines += ["", f"  {series.name}: {series.interpreter or 'untested'}"]
        lines += [f"    {series.note}"] if series.note else []
        lines += [f"    there is no release {each}" for each in series.missing]
        for cell in series.cells:
            as_of = f", dependencies as of {cell.as_of.isoformat()}" if cell.as_of else ""
            lines.append(f"    {cell.id}  ({', '.join(cell.roles)}{as_of})")
            lines += [f"      {' '.join(cell.requirements)}"] if cell.requirements else []
    return "\n".join([*lines, "", f"  {_LATER[plan.kind]}", ""])


def _series(plan: AnyPlan, series: Series) -> PlannedSeries:
    interpreter = series.interpreter
    note = series.note or (None if interpreter else f"Python {series.python} is not at hand")
    return PlannedSeries(
        name=series.name,
        python=series.python,
        variant=series.variant,
        interpreter=f"Python {interpreter.version}" if interpreter else None,
        note=note,
        missing=missing(plan, series),
        cells=tuple(_cell(plan, series, *each) for each in planned(plan, series).items()),
    )


def _requirements(resolved: Wanted) -> tuple[str, ...]:
    """What is asked of the resolver; of a candidate's package, its file and no version."""
    package, *others = resolved.requirements
    candidate = resolved.candidate
    return (f"{candidate.package} @ {candidate.file}" if candidate else package, *others)


def _cell(plan: AnyPlan, series: Series, cell: Cell, roles: tuple[Role, ...]) -> PlannedCell:
    asked = None
    if series.interpreter and not cell.control:
        asked = wanted(plan.case, plan.universe, series, cell, {})
    resolved = asked if isinstance(asked, Wanted) else None
    return PlannedCell(
        id=cell.id,
        roles=roles,
        version=cell.version,
        command=("python", SCRIPT),
        env=plan.case.variant(series.variant).env,
        requirements=_requirements(resolved) if resolved else (),
        as_of=resolved.as_of if resolved else None,
    )
