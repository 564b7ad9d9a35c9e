"""What a user may ask of a run, and how to ask it again."""

from __future__ import annotations

import os
import shlex
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from runner.case import Case
from runner.errors import WrongUsage
from runner.evidence import DEFAULT_CONFIDENCE
from runner.matrix import AsOf
from runner.plans.kinds import AnyPlan, planned
from runner.value import Value

Kind = Literal["verify", "sweep", "bisect"]
"""What a run is to find out: also the name of the command that asks it."""


class Options(Value):
    """What the command line may say of a run."""

    named: str = ""
    """The case as the user named it."""
    jobs: int = 1
    pythons: tuple[str, ...] = ()
    only: str | None = None
    as_of: AsOf | datetime = AsOf.RELEASE
    confidence: float = DEFAULT_CONFIDENCE
    fresh: bool = False
    latest: bool = False
    """Of a verify: also judge the newest release."""
    still: bool = False
    """Of a verify: the newest release too, on interpreters that it allows; nights ask so."""
    also: tuple[str, ...] = ()
    """Of a verify: more releases to judge; nights ask so about what came since."""
    candidate: str | None = None
    """Of a verify: the path of a build that stands in for the claimed fix, as the user named it."""
    budget: int | None = None
    """Of a bisection: attempts at most."""


def default_jobs() -> int:
    """As many attempts at a time as there are processors for this process."""
    return len(os.sched_getaffinity(0))


def again(kind: Kind, case: Case, options: Options, sandbox: str) -> str:
    """The command that asks the same again, and relies on nothing that was made before."""
    told = {
        "--sandbox": None if sandbox == "auto" else sandbox,
        "--candidate": options.candidate,
        "--only": options.only,
        "--as-of": None if options.as_of is AsOf.RELEASE else _day(options.as_of),
        "--confidence": None
        if options.confidence == DEFAULT_CONFIDENCE
        else str(options.confidence),
        "--budget": None if options.budget is None else str(options.budget),
    }
    words = ["fixproof", kind, options.named or case.id]
    for python in options.pythons:
        words += ["--python", python]
    for flag, value in told.items():
        words += [flag, value] if value else []
    return shlex.join([*words, *(["--latest"] if options.latest else []), "--fresh"])


def _day(as_of: AsOf | datetime) -> str:
    return f"{as_of:%Y-%m-%d}" if isinstance(as_of, datetime) else str(as_of)


def only(plan: AnyPlan, pattern: str | None) -> AnyPlan:
    """The series of which some planned cell has an id like the pattern."""
    if pattern is None:
        return plan
    kept = tuple(
        series
        for series in plan.series
        if any(fnmatchcase(cell.id, pattern) for cell in planned(plan, series))
    )
    if not kept:
        raise WrongUsage(
            f"no cell is like {pattern!r}",
            hint="fixproof plan lists them.",
            case=plan.case.id,
        )
    return plan.model_copy(update={"series": kept})
