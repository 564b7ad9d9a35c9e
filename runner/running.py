"""Carries out a run on this machine: begins it or goes on with it, drives it, reports it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

from runner.adapters.disk_space import require_space
from runner.asking import prepared_plan
from runner.attempt import EPOCH, Facts
from runner.errors import UnknownRun
from runner.findings import Conclusion, Need, Progress
from runner.options import Kind, Options
from runner.plans.kinds import AnyPlan, parse, progress_of, so_far, step
from runner.report import Ground, Report
from runner.reporting import build
from runner.runs import Listener, Runs
from runner.store import Run
from runner.value import digest
from runner.wiring import Program, make_home, naming

RESUMED_FOR = timedelta(days=1)
"""An interrupted run is gone on with for so long; then the world may have changed."""


class Watcher(Listener, Protocol):
    """A listener that is also told how far a search is."""

    def searching(self, found: tuple[Progress, ...]) -> None:
        """How far a sweep or a bisection is, series by series."""
        ...


def carry_out(
    program: Program, kind: Kind, named: str, options: Options, listener: Watcher
) -> Report:
    """Carry out a run, or go on with an interrupted one; the report of it."""
    options = options.model_copy(update={"named": named})
    make_home(program.settings)
    require_space(*program.settings.disks, least=program.settings.min_free)
    with ThreadPoolExecutor(1) as beside:  # planning waits for the index
        store = beside.submit(lambda: program.store)
        plan = prepared_plan(program, kind, named, options, listener)
        store.result()
    with naming(plan.case):
        run, plan = _begin_or_resume(program, plan, options)
        try:
            return _drive(program, run, plan, options, listener)
        finally:
            program.locks.release(run.id)


def report_of(program: Program, run_id: str, *, unfinished: bool = False) -> Report:
    """The report of a stored run, drawn up anew from what is stored.

    Args:
        unfinished: of a bisection that did not end, the best answer so far will do.
    """
    run = program.stored(run_id)
    run.require_conclusion()
    if not run.plan:
        raise _no_report(run, f"fixproof {run.kind} {run.case_id}")
    plan = parse(run.plan)
    ground = Ground.model_validate_json(run.ground)
    facts = program.runs.facts(run.id)
    asked = step(plan, facts)
    best = so_far(plan, facts) if unfinished and facts else None
    ended = run.queue is None or run.ended is not None
    conclusion = asked if ended and isinstance(asked, Conclusion) else best
    if conclusion is None:
        raise _no_report(run, ground.again.removesuffix(" --fresh"))
    return build(plan.case, plan.universe, conclusion, ground)


def _no_report(run: Run, again: str) -> UnknownRun:
    if run.queue is not None and run.ended is None:
        return UnknownRun(
            f"run {run.id} has not ended, so it has no report", hint="The service carries it out."
        )
    return UnknownRun(
        f"run {run.id} did not end, so it has no report", hint=f"Go on with it: {again}"
    )


def _begin_or_resume(program: Program, plan: AnyPlan, options: Options) -> tuple[Run, AnyPlan]:
    """An interrupted run of the same question that nobody carries out, or a new one."""
    asked = digest(
        f"{plan.kind}/1",
        plan.case.sha256,
        program.settings.sandbox,
        options.model_dump_json(exclude={"jobs", "named"}),
        program.sandbox.describe().model_dump_json(),
        program.host.arch,
        str(EPOCH),
        plan.universe.candidate.sha256 if plan.universe.candidate else "",
        *(each.interpreter.sha256 for each in plan.series if each.interpreter),
    )
    for each in program.runs.unfinished(asked, since=program.now() - RESUMED_FOR):
        if program.locks.take(each.id):
            return each, parse(each.plan)
    run_id = f"{program.now():%Y%m%d-%H%M%S}-{plan.case.id}-{program.new_id()[:4]}"
    run = Run(
        id=run_id,
        kind=plan.kind,
        case_id=plan.case.id,
        inputs_sha256=asked,
        plan=plan.model_dump_json(),
        ground=program.job(run_id, plan.kind, plan.case, options).ground.model_dump_json(),
        began=program.now(),
        case_sha256=plan.case.sha256,
    )
    program.locks.take(run_id)
    program.runs.begin(run)
    return run, plan


def _drive(
    program: Program, run: Run, plan: AnyPlan, options: Options, listener: Watcher
) -> Report:
    from runner.local_driver import LocalDriver

    def asked(facts: Mapping[str, Facts]) -> Need | Conclusion:
        outcome = step(plan, facts)
        if plan.kind != "verify":
            listener.searching(progress_of(plan, facts))
        return outcome

    job = program.job(run.id, plan.kind, plan.case, options)
    service = Runs(program, job, plan, listener)
    driver = LocalDriver(
        runs=service,
        step=asked,
        stop=program.backend.stop,
        listener=listener,
        jobs=options.jobs,
    )
    return service.report(driver.drive(program.runs.facts(run.id)))
