"""Behaviours of packages, one for each way in which a run can end."""

from __future__ import annotations

from typing import Any

from runner.plans.kinds import AnyPlan
from tests.builders import (
    CONTRADICTION,
    ERROR,
    GOOD,
    HANG,
    ODD,
    Behaviour,
    Said,
    Trial,
    World,
    a_case,
    a_failure,
    a_history,
    a_plan,
    a_universe,
    broken_in,
)

VERSIONS = ("0.9", "1.0", "1.1", "1.2", "1.3")


def the_plan(case_id: str = "demo", *pythons: str, **words: Any) -> AnyPlan:
    case = a_case(case_id, **{"fixed": "1.2", **words})
    return a_plan(case, a_universe(a_history(*VERSIONS), *pythons))


def hangs(trial: Trial) -> Said:
    if trial.version is None:
        return ODD
    return HANG if trial.version in ("1.0", "1.1") else Said(code=0, stdout=b"BUG point\n")


def says(**by_version: Said) -> Behaviour:
    """What each release does; `v1_2` stands for 1.2, and what is not named is good."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return by_version.get("v" + trial.version.replace(".", "_"), GOOD)

    return behave


def follows(trial: Trial) -> Said:
    """The bug comes with a dependency, and not with the package."""
    if trial.version is None:
        return ERROR
    return Said(code=1, stdout=b"BUG\n") if trial.dependencies["dep"] == "1.0" else GOOD


def new_dependency(version: str) -> dict[str, str]:
    return {"dep": "2.0" if version in ("1.2", "1.3") else "1.0"}


CORPUS: dict[str, tuple[World, AnyPlan]] = {
    "holds": (World(broken_in("0.9", "1.0", "1.1")), the_plan()),
    "two interpreters": (World(broken_in("1.0", "1.1")), the_plan("demo", python=["3.8", "3.9"])),
    "still broken": (World(broken_in("0.9", "1.0", "1.1", "1.2")), the_plan()),
    "fixed earlier": (World(broken_in("0.9")), the_plan()),
    "never there": (World(broken_in()), the_plan()),
    "vacuous": (World(lambda _: GOOD), the_plan()),
    "contradictory": (
        World(says(v1_2=CONTRADICTION, v1_1=Said(code=1, stdout=b"BUG"))),
        the_plan(),
    ),
    "unresolved": (World(says(v1_1=ODD)), the_plan()),
    "cannot be installed": (
        World(broken_in("1.0"), lambda v: a_failure() if v == "1.1" else {"dep": "1.0"}),
        the_plan(),
    ),
    "another version is loaded": (
        World(broken_in("1.0", "1.1"), loads=lambda _: "1.0"),
        the_plan(),
    ),
    "follows a dependency": (World(follows, new_dependency), the_plan()),
    "dependencies differ": (World(broken_in("1.0", "1.1"), new_dependency), the_plan()),
    "hangs": (World(hangs), the_plan(ends="timeout")),
    "no such release": (World(broken_in("1.0")), the_plan(fixed="7.7")),
}
