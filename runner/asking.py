"""Asks what a run is to find out: of a case, the index and the machine it makes a plan."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, assert_never

from runner.building import build_candidate
from runner.candidate import Candidate
from runner.case import Case
from runner.errors import WrongUsage
from runner.matrix import Universe, pinned_names, series_of
from runner.options import Kind, Options, only
from runner.plans.bisection import BisectionPlan
from runner.plans.kinds import AnyPlan
from runner.plans.sweep import SweepPlan
from runner.plans.verify import VerifyPlan
from runner.releases import History, Release
from runner.runs import Listener
from runner.wiring import Program, naming


def plan_of(
    program: Program,
    kind: Kind,
    named: str,
    options: Options,
    listener: Listener,
    built: Candidate | None = None,
) -> AnyPlan:
    """The plan of a run of any kind.

    Args:
        built: the candidate, as its build describes it; else what its source states.
    """
    case, _ = program.cases.load(named)
    with naming(case):
        candidate = built or _candidate(program, kind, case, options)
        question = _question(program, case, options, listener, candidate)
        match kind:
            case "verify":
                verify = VerifyPlan(
                    **question, latest=options.latest, still=options.still, also=options.also
                )
                return only(verify, options.only)
            case "sweep":
                return only(SweepPlan(**question), options.only)
            case "bisect":
                plan = BisectionPlan(**question, budget=options.budget, width=options.jobs)
                return only(plan, options.only)
            case _:
                assert_never(kind)


def prepared_plan(
    program: Program, kind: Kind, named: str, options: Options, listener: Listener
) -> AnyPlan:
    """The plan, with all that its interpreters need; it may turn out that these are others.

    A candidate is built first: only its wheel says for sure what it is, and what it allows.
    """
    plan_with = partial(plan_of, program, kind, named, options, listener)
    plan = _with_interpreters(program, plan_with)
    listener.note(f"sandbox: {program.backend.kind} ({program.backend.why})")
    for note in filter(None, (plan.case.window_note, plan.case.echo_note)):
        listener.note(note)
    if plan.universe.candidate is None:
        return plan
    with naming(plan.case):
        built = build_candidate(program.environments, plan, listener)
        if built != plan.universe.candidate:
            plan = _with_interpreters(program, partial(plan_with, built))
            build_candidate(program.environments, plan, listener)
    return plan


def _with_interpreters(program: Program, make: Callable[[], AnyPlan]) -> AnyPlan:
    """A plan whose interpreters have all that they need."""
    plan, backend = make(), program.backend
    with naming(plan.case):
        if backend.prepare(each.interpreter for each in plan.series if each.interpreter):
            plan = make()
            backend.prepare(each.interpreter for each in plan.series if each.interpreter)
    return plan


def _candidate(program: Program, kind: Kind, case: Case, options: Options) -> Candidate | None:
    if options.candidate is None:
        return None
    if kind != "verify":
        raise WrongUsage(f"--candidate is of verify, and not of {kind}")
    return program.candidates.load(options.candidate, case.package)


def _question(
    program: Program,
    case: Case,
    options: Options,
    listener: Listener,
    candidate: Candidate | None,
) -> dict[str, Any]:
    """What plans of all kinds have: see `plans.question.Question`."""
    universe = _universe(program, case, options, listener)
    universe = universe.model_copy(update={"candidate": candidate})
    return {
        "case": case,
        "universe": universe,
        "series": series_of(case, universe, options.pythons),
        "confidence": options.confidence,
    }


def _universe(program: Program, case: Case, options: Options, listener: Listener) -> Universe:
    def ask(package: str) -> History:
        asking = partial(listener.doing, f"asking the package index for {package}")
        return program.index.history(package, fresh=options.fresh, asking=asking)

    find_interpreters = partial(
        program.backend.interpreters.at_hand,
        fresh=options.fresh,
        looking=partial(listener.doing, "looking for interpreters on this machine"),
    )
    with ThreadPoolExecutor(1) as beside:  # both mostly wait: for the index, and for interpreters
        interpreters = beside.submit(find_interpreters)
        history = ask(case.package)
        pinned: dict[str, dict[str, Release]] = {}
        for name, pinned_version in pinned_names(case).items():
            release = ask(name).find(pinned_version)
            pinned[name] = {pinned_version: release} if release else {}
    return Universe(
        history=history,
        pinned=pinned,
        interpreters=interpreters.result(),
        as_of=options.as_of,
        index=program.index.identity(),
        today=program.now().replace(hour=0, minute=0, second=0, microsecond=0),
    )
