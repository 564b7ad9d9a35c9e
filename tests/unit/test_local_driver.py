"""When the local driver begins what, in a made-up workshop where one thing waits for another.

Nothing here is a matter of how fast a machine is: what must not wait is waited for by others.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import cast

import pytest

from runner.attempt import Attempt, Facts, Loaded
from runner.desk import Silent
from runner.environment import Environment
from runner.findings import Conclusion, Need, Want
from runner.local_driver import LocalDriver
from runner.matrix import Cell
from runner.runs import Runs
from tests.builders import GOOD, a_lock, an_attempt, an_interpreter
from tests.histories import Past

VERSIONS = tuple(f"1.{minor}" for minor in range(12))
PLAN = Past(VERSIONS, frozenset(), said_broken=("1.0",)).bisection()
CELLS = PLAN.cells(PLAN.series[0])
END = Conclusion(series=())
Step = Callable[[Mapping[str, Facts]], Need | Conclusion]


class Workshop:
    """Makes everything at once, but for what a test holds up until something else happened."""

    def __init__(self) -> None:
        self._happened: dict[str, threading.Event] = {}
        self._after: dict[str, str] = {}
        self._numbers = iter(range(1000))
        self.niceness: dict[str, int] = {}
        """At which things happen."""

    def hold(self, what: str, *, until: str) -> None:
        self._after[what] = until

    def resolve(self, cell: Cell, facts: Mapping[str, Facts], *, ahead: bool = False) -> Facts:
        del facts, ahead
        self.happens(f"{cell.version} is resolved")
        return Facts(lock=a_lock(pkg=cell.version))

    def install(self, cell: Cell, facts: Facts) -> tuple[Environment, Facts]:
        self.happens(f"{cell.version} is installed")
        loaded = Loaded(version=cell.version, location=None)
        environment = Environment(digest="", path="", interpreter=an_interpreter())
        return environment, facts.model_copy(update={"loaded": loaded})

    def attempt(
        self, cell: Cell, facts: Facts, environment: Environment, *, doubled: bool = False
    ) -> Attempt:
        del facts, environment
        self.happens(f"{cell.version} has run")
        return an_attempt(GOOD, number=next(self._numbers), doubled=doubled)

    def happens(self, what: str) -> None:
        if what in self._after:
            assert self._event(self._after[what]).wait(60), f"{what}: in vain"
        self.niceness[what] = os.getpriority(os.PRIO_PROCESS, 0)
        self._event(what).set()

    def _event(self, what: str) -> threading.Event:
        return self._happened.setdefault(what, threading.Event())


def drive(workshop: Workshop, step: Step, jobs: int = 2) -> None:
    runs = cast("Runs", workshop)
    driver = LocalDriver(runs=runs, step=step, stop=lambda: None, listener=Silent(), jobs=jobs)
    assert driver.drive({}) is END


def want(version: str, attempts: int = 1, *, patient: bool = False) -> Want:
    return Want(cell=CELLS[version], attempts=attempts, patient=patient)


def ran(facts: Mapping[str, Facts], version: str) -> int:
    known = facts.get(CELLS[version].id)
    return len(known.attempts) if known else 0


def test_what_can_wait_fills_the_slots_while_an_environment_is_made() -> None:
    workshop = Workshop()
    workshop.hold("1.1 is installed", until="1.0 has run")

    def step(facts: Mapping[str, Facts]) -> Need | Conclusion:
        if ran(facts, "1.1"):
            return END
        return Need(wants=(want("1.1"), want("1.0", patient=True)))

    drive(workshop, step, jobs=1)


def test_an_attempt_that_takes_long_holds_up_nothing() -> None:
    workshop = Workshop()
    workshop.hold("1.1 has run", until="1.2 has run")

    def step(facts: Mapping[str, Facts]) -> Need | Conclusion:
        if ran(facts, "1.2") and ran(facts, "1.1"):
            return END
        if ran(facts, "1.0"):
            return Need(wants=(want("1.1"), want("1.2")))
        return Need(wants=(want("1.0"), want("1.1")))

    drive(workshop, step)


def test_the_first_releases_run_before_the_last_are_resolved() -> None:
    workshop = Workshop()
    for each in VERSIONS[4:]:
        workshop.hold(f"{each} is resolved", until="1.0 has run")

    def step(facts: Mapping[str, Facts]) -> Need | Conclusion:
        wants = tuple(want(each) for each in VERSIONS if not ran(facts, each))
        return Need(wants=wants) if wants else END

    drive(workshop, step)


@pytest.mark.parametrize("nicer", [0, 15])
def test_what_is_prepared_leaves_the_processors_to_attempts(nicer: int) -> None:
    """Also where all of it does so already: only root may take niceness back."""
    workshop = Workshop()
    seen: list[int] = []

    def act() -> None:
        seen.append(os.nice(nicer))
        drive(workshop, lambda facts: END if ran(facts, "1.0") else Need(wants=(want("1.0"),)))

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    assert workshop.niceness["1.0 has run"] == seen[0]
    assert workshop.niceness["1.0 is resolved"] == workshop.niceness["1.0 is installed"] > seen[0]
