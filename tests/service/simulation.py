"""A service without processes: workers, sweepers, messages and time, all moved by the test.

A worker may die at any point: before and after each statement and commit, each message, each
attempt. It leaves what it held, and its message is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from runner.adapters.sql_store import SqlStore
from runner.attempt import Loaded
from runner.avoidance import Present
from runner.candidate import Build
from runner.carrier import Carrier
from runner.desk import Asked, Silent
from runner.environment import (
    Building,
    Environment,
    Failure,
    Interpreter,
    Lock,
    Wanted,
    pins,
    unheard,
)
from runner.errors import BrokerTrouble, EnvironmentTrouble, FixproofError, StoreTrouble, UnknownRun
from runner.plans.kinds import AnyPlan, parse
from runner.queues import Capability, Priority, intake_of, queue_of, queues_for
from runner.report import Ground, Report
from runner.reporting import build
from runner.runs import Job, Runs
from runner.sandbox import Ending as SandboxEnding
from runner.sandbox import (
    OnOutput,
    RunRequest,
    RunResult,
    SandboxDescription,
    Stream,
)
from runner.store import EvidenceStore, Run, RunStore
from runner.sweeping import Sweeper
from runner.work import Item, Task, Ticket, WorkStore
from tests.builders import LATER, Said, Trial, World, a_ground
from tests.fakes import A_DESCRIPTION

HERE = Capability(arch="x86_64", sandbox="bubblewrap")
SWEEP = 1.0
MOST_TICKS = 3000


class Died(BaseException):
    """A worker was killed."""


@dataclass
class Points:
    """Where a worker may die: the points that it passes are counted, and one may be its last."""

    passed: int = 0
    last: int | None = None
    ending: BaseException = field(default_factory=Died)
    """What happens at that point."""
    within: bool = False
    """Whether somebody is at work who may die, and not the test itself."""

    def reach(self, *, statement: bool = False) -> None:
        if not self.within or not (statement or isinstance(self.ending, Died)):
            return
        self.passed += 1
        if self.passed == self.last:
            raise self.ending

    @contextmanager
    def mortal(self) -> Iterator[None]:
        """Count as long as the block runs."""
        before, self.within = self.within, True
        try:
            yield
        finally:
            self.within = before


@dataclass
class Clock:
    """Time as a machine has it: one clock that only goes forward, and one that may be set."""

    monotonic: float = 1000.0
    wall: datetime = LATER

    def pass_by(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += timedelta(seconds=seconds)


@dataclass
class Machine:
    """What runs are made of here: environments and a sandbox of a simulated world."""

    world: World
    points: Points
    during: Callable[[], None] = lambda: None
    """Called while an attempt runs."""
    ran: list[str] = field(default_factory=list)
    """Names of the attempts that were run, whatever became of them."""
    troubles: deque[FixproofError | None] = field(default_factory=deque)
    """What the next attempts and resolutions meet."""
    never: set[str] = field(default_factory=set)
    """Releases of which the resolution always meets trouble."""
    _locks: dict[str, Lock] = field(default_factory=dict)

    def resolve(
        self,
        wanted: Wanted,
        *,
        fresh: bool = False,  # noqa: ARG002 - of the port
        building: Building = unheard,  # noqa: ARG002 - the port has it
    ) -> Lock | Failure:
        self._meet_trouble()
        if pins(wanted.requirements).get("pkg") in self.never:
            raise EnvironmentTrouble("there is no uv")
        return self.world.resolve(wanted)

    def wheel_of(self, wanted: Wanted) -> Build | Failure:
        raise AssertionError(f"there is no candidate to build for {wanted}")

    def install(self, lock: Lock, interpreter: Interpreter) -> Environment:
        self._locks[lock.sha256] = lock
        path = f"/envs/{lock.sha256}"
        return Environment(digest=lock.sha256, path=path, interpreter=interpreter)

    def run(self, request: RunRequest, watch: OnOutput | None = None) -> RunResult:  # noqa: ARG002 - the port has it
        self.points.reach()
        self._meet_trouble()
        lock = self._locks[request.command[0].split("/")[2]]
        version = lock.versions().get("pkg")
        if request.id.endswith("#loaded"):
            loaded = Loaded(version=version and self.world.loads(version), location=None)
            return self._result(request, 0, loaded.model_dump_json().encode())
        self.ran.append(request.id)
        self.during()
        trial = Trial(
            version=version,
            dependencies=lock.without("pkg").versions(),
            variant=None,
            number=0,
            doubled=False,
            cell=request.id.partition("#")[0],
        )
        found = self.happen(request, self.world.behave(trial))
        self.points.reach()
        return found

    def happen(self, request: RunRequest, said: Said) -> RunResult:
        """What comes of an attempt that says this."""
        ending = SandboxEnding(kind=said.kind, code=said.code)
        stdout = Stream(head=said.stdout)
        return RunResult(request=request, ending=ending, stdout=stdout, stderr=Stream(), seconds=1)

    def shell(self, request: RunRequest) -> int:
        raise NotImplementedError

    def describe(self) -> SandboxDescription:
        return A_DESCRIPTION

    def stop(self) -> None:
        """Nothing runs on its own."""

    def _meet_trouble(self) -> None:
        trouble = self.troubles.popleft() if self.troubles else None
        if trouble is not None:
            raise trouble

    def _result(self, request: RunRequest, code: int, stdout: bytes) -> RunResult:
        ending = SandboxEnding(kind="exit", code=code)
        output = Stream(head=stdout)
        return RunResult(request=request, ending=ending, stdout=output, stderr=Stream(), seconds=0)


@dataclass
class Post:
    """Messages, by queue; it delivers the oldest of the most urgent queue."""

    points: Points
    queues: dict[str, deque[str]] = field(default_factory=dict)
    answers: bool = True
    twice: bool = False
    """Whether every message is delivered again."""
    alive: tuple[str, ...] = ()
    """Names of workers that say that they are."""

    def send(self, tickets: Iterable[Ticket]) -> None:
        for each in tickets:
            self.points.reach()
            if not self.answers:
                raise BrokerTrouble("it does not answer")
            for _ in range(2 if self.twice else 1):
                self.queues.setdefault(each.queue, deque()).append(each.item)
            self.points.reach()

    def waiting(self, queue: str) -> int:
        if not self.answers:
            raise BrokerTrouble("it does not answer")
        return len(self.queues.get(queue, ()))

    def present(self) -> tuple[Present, ...]:
        return tuple(Present(each, HERE) for each in self.alive)

    def next(self) -> str | None:
        if self.answers:
            for queue in queues_for(HERE):
                if self.queues.get(queue):
                    return self.queues[queue].popleft()
        return None


@dataclass
class SimulatedDesk:
    """What simulated workers stand on; fulfils `desk.Desk` and `runs.Ports`."""

    store: SqlStore
    machine: Machine
    post: Post
    clock: Clock
    plans: dict[str, AnyPlan]
    """By the id of their case."""
    held: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)
    probe_folder: str = "/probe"
    serial: Iterator[int] = field(default_factory=count)
    fresh: bool = False

    @property
    def work(self) -> WorkStore:
        return self.store.work

    @property
    def runs(self) -> RunStore:
        return self.store.runs

    @property
    def evidence(self) -> EvidenceStore:
        return self.store.evidence

    @property
    def environments(self) -> Machine:
        return self.machine

    @property
    def sandbox(self) -> Machine:
        return self.machine

    def now(self) -> datetime:
        return self.clock.wall

    def new_id(self) -> str:
        return str(next(self.serial))

    def sleep(self, seconds: float) -> None:
        self.clock.pass_by(seconds)

    def stored(self, run_id: str) -> Run:
        run = self.store.runs.run(run_id)
        if run is None:
            raise UnknownRun(run_id)
        return run

    def plan(self, run: Run) -> tuple[Asked, str]:
        self.machine._meet_trouble()
        ground = a_ground(run=run.id, sandbox=A_DESCRIPTION)
        return Asked(self.plans[run.case_id], ground), queue_of(Priority.ON_DEMAND, HERE)

    def service(self, run: Run, asked: Asked) -> Runs:
        job = Job(run=run.id, ground=asked.ground, folder="/case", fresh=self.fresh)
        return Runs(self, job, asked.plan, Silent())

    def met(self, item: Item, trouble: FixproofError) -> None:
        self.troubles.append((item.id, trouble.kind))

    @contextmanager
    def holding(self, item: Item, owner: str) -> Iterator[None]:
        mine = (item.id, owner)
        self.held.append(mine)
        try:
            yield
        finally:
            self.held.remove(mine)

    def present(self) -> tuple[Present, ...]:
        return self.post.present()

    def send(self, tickets: Iterable[Ticket]) -> None:
        self.post.send(tickets)


class Service:
    """Workers that take turns, and sweepers that look after them."""

    def __init__(self, url: str, world: World, *, sweepers: int = 1) -> None:
        self.points = Points()
        self.clock = Clock()
        self.store = SqlStore(url)
        self.machine = Machine(world, self.points)
        self.post = Post(self.points)
        self.plans: dict[str, AnyPlan] = {}
        self.desk = SimulatedDesk(self.store, self.machine, self.post, self.clock, self.plans)
        self.died = 0
        self._serial = count()
        self.carrier = self._worker()
        self.sweepers = [self._sweeper() for _ in range(sweepers)]
        _watch(self.store, self.points)

    def close(self) -> None:
        self.store.close()

    def submit(self, plan: AnyPlan, run_id: str = "run-1", avoid: str | None = None) -> None:
        """Ask for a run, as `fixproof submit` does."""
        self.plans[plan.case.id] = plan
        queue = intake_of(Priority.ON_DEMAND, Capability())
        run = Run(
            id=run_id,
            kind=plan.kind,
            case_id=plan.case.id,
            inputs_sha256="asked",
            plan="",
            ground="",
            began=self.clock.wall,
            case_sha256=plan.case.sha256,
            asked="{}",
            queue=queue,
            avoid=avoid,
        )
        item = Item(id=f"{run_id}/0", run=run_id, task=Task.PLAN, queue=queue, avoid=avoid)
        with self.points.mortal():
            self.store.work.submit(run, b"packed", item)
            self.post.send([Ticket(item.id, queue)])

    def deliver(self) -> bool:
        """Give a worker the next message; False if there is none."""
        item = self.post.next()
        if item is None:
            return False
        self.hand(item)
        return True

    def hand(self, item: str) -> None:
        """Give a worker a message of this item."""
        self._mortal(lambda: self.carrier.carry_out(item))

    def tick(self, seconds: float = SWEEP) -> None:
        """Time passes; workers that are alive say so, and sweepers look around."""
        self.clock.pass_by(seconds)
        for item, owner in self.desk.held:
            self.store.work.beat(item, owner)
        for number in range(len(self.sweepers)):
            with suppress(StoreTrouble):  # the next sweep may be luckier
                self._mortal(self.sweepers[number].sweep)

    def drain(self) -> None:
        """Go on until every run has ended; an AssertionError if that takes too long."""
        for _ in range(MOST_TICKS):
            while self.deliver():
                pass
            if not self.unfinished():
                return
            self.tick()
        raise AssertionError(f"{self.unfinished()} did not end")

    def unfinished(self) -> list[str]:
        return [each.id for each in self.store.runs.recent(100) if each.ended is None]

    def report(self, run_id: str = "run-1") -> Report:
        """The report of a run, drawn up anew."""
        return report_of(self.store, run_id)

    def left(self) -> int:
        """How many items of work there are."""
        return len(self.store.work.begun()) + sum(self.store.work.queued().values())

    def _worker(self) -> Carrier:
        name = f"worker-{next(self._serial)}"
        return Carrier(self.desk, name=name, clock=self._now)

    def _now(self) -> float:
        return self.clock.monotonic

    def _sweeper(self) -> Sweeper:
        clock = self._now
        own = Carrier(self.desk, name="sweeper", clock=clock)
        return Sweeper(self.store.work, self.post, own, clock)

    def _mortal(self, action: Callable[[], Any]) -> None:
        try:
            with self.points.mortal():
                action()
        except Died:
            self.died += 1
            self.desk.held.clear()
            self.carrier = self._worker()
            self.sweepers = [self._sweeper() for _ in self.sweepers]


def report_of(store: SqlStore, run_id: str) -> Report:
    from runner.findings import Conclusion
    from runner.plans.kinds import step

    run = store.runs.run(run_id)
    assert run is not None
    plan, ground = parse(run.plan), Ground.model_validate_json(run.ground)
    conclusion = step(plan, store.runs.facts(run_id))
    assert isinstance(conclusion, Conclusion), conclusion
    return build(plan.case, plan.universe, conclusion, ground)


def essence(report: Report) -> dict[str, Any]:
    """What a report concludes, whatever the order in which things were found out.

    How many attempts were made is left out: it depends on which side was quicker, in any driver.
    """
    claims = [(each.kind, each.version, each.python, each.result) for each in report.claims]
    boundaries = {"first_fixed", "fixed_in", "last_broken", "first_broken", "affected"}
    return {
        "status": report.status,
        "outcome": report.outcome,
        "claims": claims,
        "measured": report.measured.model_dump(include=boundaries),
        "series": [
            (each.python, each.status, each.outcome, each.measured.model_dump(include=boundaries))
            for each in report.series
        ],
    }


def _watch(store: SqlStore, points: Points) -> None:
    """Every statement and every commit is a point at which a worker may die."""
    engine = store._database._engine

    def reach(*_args: object) -> None:
        points.reach(statement=True)

    sa.event.listen(engine, "before_cursor_execute", reach)
    sa.event.listen(engine, "commit", reach)
