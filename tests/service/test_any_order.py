"""The simulated service under whatever Hypothesis comes up with, in any order."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from runner.adapters.sql_store import SqlStore
from runner.errors import SandboxTrouble
from runner.plans.kinds import AnyPlan
from tests.builders import World, a_case, a_history, a_plan, a_universe, broken_in
from tests.service.simulation import Service, essence

RUNS = ("run-1", "run-2")
MOST_DEATHS = 4
"""One item may meet all of them, and must not be given up."""


def the_plan(case_id: str) -> AnyPlan:
    universe = a_universe(a_history("1.0", "1.1", "1.2", "1.3"))
    return a_plan(a_case(case_id, fixed="1.2"), universe)


class AnyOrder(RuleBasedStateMachine):
    """Two runs, two sweepers; at the end both have come to the usual conclusion."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="fixproof-any-")
        self.files = iter(Path(self.folder.name) / f"{number}" for number in range(9))
        self.empty = next(self.files)
        SqlStore(f"sqlite:///{self.empty}").close()
        self.expected = self.undisturbed()
        self.service = self.a_service()
        self.deaths = 0

    def a_service(self) -> Service:
        file = next(self.files)
        shutil.copyfile(self.empty, file)
        return Service(f"sqlite:///{file}", World(broken_in("1.0", "1.1")), sweepers=2)

    def undisturbed(self) -> dict[str, Any]:
        service = self.a_service()
        service.submit(the_plan("demo"))
        service.drain()
        service.close()
        return essence(service.report())

    @initialize()
    def two_runs(self) -> None:
        for number, name in enumerate(RUNS):
            self.service.submit(the_plan(f"demo-{number}"), name)

    @rule(times=st.integers(1, 6))
    def deliver(self, times: int) -> None:
        for _ in range(times):
            self.service.deliver()

    @rule()
    def deliver_twice(self) -> None:
        item = self.service.post.next()
        for _ in range(2 if item else 0):
            self.service.hand(item or "")

    @rule()
    def lose_a_message(self) -> None:
        self.service.post.next()

    @rule(seconds=st.sampled_from([1.0, 1.0, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.service.tick(seconds)

    @rule(hours=st.sampled_from([-1, 1, -25]))
    def the_clock_jumps(self, hours: int) -> None:
        self.service.clock.wall += timedelta(hours=hours)

    @rule(after=st.integers(1, 30))
    def a_worker_dies(self, after: int) -> None:
        if self.deaths < MOST_DEATHS:
            self.deaths += 1
            self.service.points.last = self.service.points.passed + after

    @rule()
    def a_worker_dies_with_an_item(self) -> None:
        item = self.service.post.next() if self.deaths < MOST_DEATHS else None
        if item is not None:
            self.deaths += 1
            self.service.store.work.take(item, f"dead-{self.deaths}")

    @rule(empty=st.booleans(), seconds=st.integers(1, 30))
    def the_broker_is_away(self, seconds: int, *, empty: bool) -> None:
        self.service.post.answers = False
        for _ in range(seconds):
            self.service.tick()
        if empty:
            self.service.post.queues.clear()
        self.service.post.answers = True

    @rule()
    def the_engine_fails(self) -> None:
        if self.deaths < MOST_DEATHS:
            self.deaths += 1
            self.service.machine.troubles.append(SandboxTrouble("the engine is away"))

    def teardown(self) -> None:
        try:
            self.service.drain()
            for name in RUNS:
                assert essence(self.service.report(name)) == self.expected
                kept = [
                    each.id
                    for facts in self.service.store.runs.facts(name).values()
                    for each in facts.attempts
                    if not each.reused
                ]
                assert len(kept) == len(set(kept)) <= 10
            assert self.service.left() == 0
        finally:
            self.service.close()
            self.folder.cleanup()


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
TestAnyOrder = AnyOrder.TestCase
