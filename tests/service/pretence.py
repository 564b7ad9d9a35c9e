"""A worker that is real but for what it runs: releases are broken or not because they are said to be.

python -m tests.service.pretence PROCESSES GRACE '{"seconds": 0.05, "log": "/…", "twice": false}'
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

from runner.adapters.sql_store import SqlStore
from runner.adapters.supervisors import for_lease
from runner.avoidance import Present
from runner.desk import Asked, Desk, Silent
from runner.errors import Interrupted
from runner.plans.kinds import AnyPlan
from runner.queues import Capability, Priority, intake_of, priority_of, queue_of
from runner.runs import Job, Runs
from runner.sandbox import EndingKind, RunRequest, RunResult
from runner.settings import Settings, read
from runner.store import EvidenceStore, Run, RunStore
from runner.work import Broker, Item, Task, Ticket, WorkStore
from tests.builders import Said, a_ground, sha_of
from tests.fakes import A_DESCRIPTION
from tests.service.contained import SERVICE, Contained
from tests.service.corpus import CORPUS
from tests.service.simulation import Machine, Points
from worker.desk import owners
from worker.heart import Heart
from worker.serving import serve

HERE = Capability(arch="x86_64", sandbox="bubblewrap")


@dataclass(frozen=True)
class Pretended:
    """How a worker pretends."""

    seconds: float = 0.0
    """That an attempt takes."""
    log: str = ""
    """A file that names each attempt that was begun."""
    twice: bool = False
    """Send every message twice."""
    clock: str = ""
    """A file with the seconds by which the clock is wrong, as soon as it is there."""
    image: str = ""
    """Of containers that attempts are run in; empty where nothing is run."""

    @property
    def word(self) -> str:
        return json.dumps(self.__dict__)


def submit(store: SqlStore, name: str, run_id: str, *, nightly: bool = False) -> Ticket:
    """A run of a behaviour of the corpus; no two runs share an attempt."""
    priority = Priority.NIGHTLY if nightly else Priority.ON_DEMAND
    queue = intake_of(priority, Capability())
    run = Run(
        id=run_id,
        kind="verify",
        case_id="demo",
        inputs_sha256="asked",
        plan="",
        ground="",
        began=datetime.now(tz=UTC),
        case_sha256=sha_of(name),
        asked=name,
        queue=queue,
    )
    item = Item(id=f"{run_id}/0", run=run_id, task=Task.PLAN, queue=queue)
    store.work.submit(run, b"", item)
    return Ticket(item.id, queue)


def plan_of(name: str, run_id: str) -> AnyPlan:
    """The plan of a behaviour, with a case and an index that no other run has."""
    plan = CORPUS[name][1]
    own = dict.fromkeys(("sha256", "body_sha256"), sha_of(run_id))
    case = plan.case.model_copy(update=own)
    universe = plan.universe.model_copy(update={"index": run_id})
    return plan.model_copy(update={"case": case, "universe": universe})


@dataclass
class SlowMachine(Machine):
    """Attempts take a while, and can be stopped."""

    how: Pretended = field(default_factory=Pretended)
    contained: Contained | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def happen(self, request: RunRequest, said: Said) -> RunResult:
        if self.how.log:
            with Path(self.how.log).open("a", encoding="utf-8") as log:
                log.write(f"{os.getpid()} {request.id}\n")
        if self.contained is not None and said.kind is EndingKind.EXIT:
            return self.contained.run(request, self.how.seconds, said.stdout, said.code or 0)
        self.stopped.clear()
        if self.how.seconds and self.stopped.wait(self.how.seconds):
            raise Interrupted(f"{request.id} was stopped")
        return super().happen(request, said)

    def stop(self) -> None:
        self.stopped.set()


class PretendedDesk:
    """What a pretended worker stands on; fulfils `desk.Desk` and `runs.Ports`."""

    probe_folder = "/probe"

    def __init__(self, store: SqlStore, how: Pretended) -> None:
        self._store = store
        self._how = how
        self._contained = Contained(how.image) if how.image else None
        self._machines = {
            name: SlowMachine(world, Points(), how=how, contained=self._contained)
            for name, (world, _) in CORPUS.items()
        }
        self._machine = next(iter(self._machines.values()))
        self._serial = count()

    @property
    def work(self) -> WorkStore:
        return self._store.work

    @property
    def runs(self) -> RunStore:
        return self._store.runs

    @property
    def evidence(self) -> EvidenceStore:
        return self._store.evidence

    @property
    def environments(self) -> SlowMachine:
        return self._machine

    @property
    def sandbox(self) -> SlowMachine:
        return self._machine

    def now(self) -> datetime:
        clock = Path(self._how.clock) if self._how.clock else None
        wrong = float(clock.read_text()) if clock and clock.exists() else 0.0
        return datetime.now(tz=UTC) + timedelta(seconds=wrong)

    def new_id(self) -> str:
        return f"{os.getpid()}-{next(self._serial)}-{uuid4().hex[:6]}"

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def stored(self, run_id: str) -> Run:
        run = self._store.runs.run(run_id)
        assert run is not None
        return run

    def plan(self, run: Run) -> tuple[Asked, str]:
        ground = a_ground(run=run.id, sandbox=A_DESCRIPTION)
        plan = plan_of(run.asked or "", run.id)
        return Asked(plan, ground), queue_of(priority_of(run.queue or ""), HERE)

    def service(self, run: Run, asked: Asked) -> Runs:
        self._machine = self._machines[run.asked or ""]
        job = Job(run=run.id, ground=asked.ground, folder="/case", fresh=False)
        return Runs(self, job, asked.plan, Silent())

    def met(self, item: Item, trouble: Exception) -> None:
        print(f"{item.id} met {trouble!r}", file=sys.stderr, flush=True)  # noqa: T201 - its log
        if self._contained is not None:
            self._contained.stop()

    @contextmanager
    def holding(self, item: Item, owner: str) -> Iterator[None]:
        with for_lease(SERVICE, owner), self._heart.holding(item, owner):
            yield

    def present(self) -> tuple[Present, ...]:
        return self._broker.present()

    def send(self, tickets: Iterable[Ticket]) -> None:
        self._broker.send([each for each in tickets for _ in range(2 if self._how.twice else 1)])

    def stop(self) -> None:
        for each in self._machines.values():
            each.stop()
        if self._contained is not None:
            self._contained.stop()

    # As `process.Footing`

    def desk(self, broker: Broker, heart: Heart) -> Desk:
        self._broker, self._heart = broker, heart
        return self

    def tidy(self) -> None:
        if self._contained is not None:
            self._contained.tidy(lambda: owners(self.work))


def main() -> None:
    how = Pretended(**json.loads(sys.argv[3]))

    def footing(settings: Settings) -> PretendedDesk:
        return PretendedDesk(SqlStore(settings.database_url), how)

    settings = read(sandbox=HERE.sandbox)
    SqlStore(settings.database_url).close()  # as `serving.fit` does: what it needs is there then
    processes, grace = int(sys.argv[1]), float(sys.argv[2])
    sys.exit(serve(settings, processes=processes, grace=grace, make_footing=footing))


if __name__ == "__main__":
    main()
