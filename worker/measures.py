"""What the processes of a worker count and time: attempts, and what comes before them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Protocol

from runner.attempt import Attempt, Facts
from runner.desk import Silent
from runner.environment import Environment
from runner.matrix import Cell
from runner.plans.kinds import AnyPlan
from runner.runs import Job, Ports, Runs
from runner.sandbox import OnOutput
from runner.store import CellKeys
from runner.verdict import Observation, observe

_SHORT = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Seconds; an attempt takes 60 at most where nothing else is said, a build 600."""


class Measures(Protocol):
    """Told what was done, and how many seconds it took."""

    def resolved(self, seconds: float) -> None:
        """A cell was resolved anew, builds not counted."""
        ...

    def built(self, seconds: float) -> None:
        """From the begin of the first build for a cell until that is resolved."""
        ...

    def installed(self, seconds: float) -> None:
        """An environment was there, made or found, and looked into."""
        ...

    def ran(self, seconds: float, observation: Observation) -> None: ...


class MeasuredRuns(Runs):
    """Runs whose steps are timed."""

    def __init__(self, ports: Ports, job: Job, plan: AnyPlan, measures: Measures) -> None:
        self._marks = _Marks()
        super().__init__(ports, job, plan, self._marks)
        self._case = plan.case
        self._measures = measures

    def find(
        self, cell: Cell, facts: Mapping[str, Facts], *, ahead: bool = False
    ) -> tuple[CellKeys, Facts]:
        self._marks.forget()
        found = super().find(cell, facts, ahead=ahead)
        began, building, now = self._marks.resolving_since, self._marks.building_since, _now()
        if began is not None:  # else a lock was there
            self._measures.resolved((building or now) - began)
        if building is not None:
            self._measures.built(now - building)
        return found

    def enter(self, cell: Cell, facts: Facts) -> tuple[Environment | None, Facts]:
        began = _now()
        found = super().enter(cell, facts)
        self._measures.installed(_now() - began)
        return found

    def once(
        self,
        cell: Cell,
        environment: Environment,
        *,
        doubled: bool = False,
        name: str | None = None,
        watch: OnOutput | None = None,
    ) -> Attempt:
        attempt = super().once(cell, environment, doubled=doubled, name=name, watch=watch)
        self._measures.ran(attempt.seconds, observe(self._case, attempt))
        return attempt


class _Marks(Silent):
    """When something was begun."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.resolving_since: float | None = None
        self.building_since: float | None = None

    def resolving(self, cell: Cell) -> None:  # noqa: ARG002 - of the port
        self.resolving_since = _now()

    def building(self, cell: Cell, what: str) -> None:  # noqa: ARG002 - of the port
        self.building_since = self.building_since or _now()


def _now() -> float:
    return time.monotonic()


class Unmeasured:
    """Where nobody asks."""

    def resolved(self, seconds: float) -> None: ...

    def built(self, seconds: float) -> None: ...

    def installed(self, seconds: float) -> None: ...

    def ran(self, seconds: float, observation: Observation) -> None: ...


class PrometheusMeasures:
    """Counters and histograms in files that the processes of a worker share."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram

        def seconds(name: str, said: str) -> Histogram:
            return Histogram(f"fixproof_{name}_seconds", said, buckets=_SHORT)

        self._attempts = Counter(
            "fixproof_attempts", "Attempts that ran, by what they say.", ("observation", "reason")
        )
        self._run = seconds("run", "Time that an attempt ran.")
        self._resolve = seconds("resolve", "Time to resolve a cell anew, without builds.")
        self._build = seconds("build", "From the first build for a cell until it was resolved.")
        self._install = seconds("install", "Time until an environment was there and looked into.")

    def resolved(self, seconds: float) -> None:
        self._resolve.observe(seconds)

    def built(self, seconds: float) -> None:
        self._build.observe(seconds)

    def installed(self, seconds: float) -> None:
        self._install.observe(seconds)

    def ran(self, seconds: float, observation: Observation) -> None:
        self._attempts.labels(str(observation.says), str(observation.reason or "")).inc()
        self._run.observe(seconds)


@cache
def measures_of_this_process(*, asked_for: bool) -> Measures:
    """The one set of measures that a process has; to be made after the fork."""
    return PrometheusMeasures() if asked_for else Unmeasured()
