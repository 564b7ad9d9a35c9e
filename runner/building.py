"""Builds the candidate of a plan before anything runs: a build that fails answers nothing."""

from __future__ import annotations

from datetime import datetime

from runner.candidate import Build, Candidate
from runner.environment import Environments, Failure, FailureKind, Interpreter
from runner.errors import BrokenCandidate
from runner.matrix import Universe, candidate_cell, wanted_naturally
from runner.runs import Listener, Plan


def build_candidate(environments: Environments, plan: Plan, listener: Listener) -> Candidate:
    """The candidate of a plan as its wheel describes it, which is kept for each interpreter.

    Where some interpreter cannot have it, that series says so.

    Raises:
        BrokenCandidate: no interpreter of the plan can have it.
    """
    candidate = plan.universe.candidate
    if candidate is None:
        raise AssertionError("a plan without a candidate has none to build")
    at_hand = plan.universe.interpreters
    if not any(candidate.allows(each.version, each.platform) for each in at_hand):
        raise BrokenCandidate(
            f"the candidate {candidate.file} is not for any Python at hand",
            hint=f"At hand are {', '.join(each.python for each in at_hand)}.",
        )
    listener.doing(f"building the candidate {candidate.file}")
    made = list(_made(environments, plan, candidate).values())
    good = next((each for each in made if isinstance(each, Build)), None)
    if good is not None:
        return candidate.built_as(good)
    failed = next((each for each in made if isinstance(each, Failure)), None)
    if failed is not None:
        message, _, hint = failed.detail.partition(": ")
        raise BrokenCandidate(message, hint=hint)
    if candidate.version is None:
        raise BrokenCandidate(
            f"no interpreter at hand can build the candidate {candidate.file}",
            hint=next((each.note for each in plan.series if each.note), None),
        )
    return candidate


def _made(
    environments: Environments, plan: Plan, candidate: Candidate
) -> dict[Interpreter, Build | Failure]:
    made: dict[Interpreter, Build | Failure] = {}
    for series in plan.series:
        cell = candidate_cell(plan.case, series, plan.universe.as_of)
        interpreter = series.interpreter
        if cell is None or interpreter is None or interpreter in made:
            continue
        if candidate.allows(interpreter.version, interpreter.platform):
            wanted = wanted_naturally(plan.case, plan.universe, series, interpreter, cell)
            day = {"as_of": _build_day(plan.universe)}
            made[interpreter] = environments.wheel_of(wanted.model_copy(update=day))
        else:
            made[interpreter] = _not_for(candidate, interpreter)
    return made


def _build_day(universe: Universe) -> datetime | None:
    """As of when its build requirements are: today, unless the user says otherwise.

    A cut-off that the script names is about what it runs with, and says nothing of builds.
    """
    if isinstance(universe.as_of, datetime):
        return universe.as_of
    return universe.today if universe.history.dated else None


def _not_for(candidate: Candidate, interpreter: Interpreter) -> Failure:
    return Failure(
        kind=FailureKind.PYTHON_NOT_ALLOWED,
        detail=f"the candidate {candidate.file} is not for Python {interpreter.version} on "
        f"{interpreter.platform}: name another by --python, or a build for this one",
    )
