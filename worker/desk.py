"""What a worker on this machine stands on; fulfils `desk.Desk`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from runner.adapters.disk_space import require_space
from runner.adapters.supervisors import for_lease
from runner.asking import prepared_plan
from runner.avoidance import Present
from runner.desk import Asked, Silent
from runner.environment import Interpreter
from runner.errors import (
    BrokenCase,
    BrokerTrouble,
    EnvironmentTrouble,
    FixproofError,
    SandboxTrouble,
    SandboxUnavailable,
)
from runner.matrix import Series
from runner.queues import Capability, priority_of, queue_of
from runner.runs import Job, Runs
from runner.settings import Settings
from runner.store import Run
from runner.value import digest
from runner.wiring import Program
from runner.work import Broker, Item, Ticket, WorkStore
from worker.heart import Heart
from worker.measures import MeasuredRuns, measures_of_this_process
from worker.questions import Question

_LOG = structlog.get_logger("fixproof.worker")


class ProgramFooting:
    """A program of its own, for one thread; fulfils `process.Footing`."""

    def __init__(self, settings: Settings) -> None:
        self._program = Program(settings)

    @property
    def work(self) -> WorkStore:
        return self._program.store.work

    def desk(self, broker: Broker, heart: Heart) -> WorkerDesk:
        return WorkerDesk(self._program, broker, heart)

    def stop(self) -> None:
        self._program.renew()

    def tidy(self) -> None:
        service = service_of(self._program.settings)
        self._program.backend.tidy(service, lambda: owners(self.work))


class WorkerDesk:
    """A program, a broker and a heart."""

    def __init__(self, program: Program, broker: Broker, heart: Heart) -> None:
        self._program = program
        self._broker = broker
        self._heart = heart
        asked_for = program.settings.metrics is not None
        self._measures = measures_of_this_process(asked_for=asked_for)

    @property
    def work(self) -> WorkStore:
        return self._program.store.work

    def now(self) -> datetime:
        return self._program.now()

    def new_id(self) -> str:
        return self._program.new_id()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def stored(self, run_id: str) -> Run:
        return self._program.stored(run_id)

    def plan(self, run: Run) -> tuple[Asked, str]:
        settings = self._program.settings
        require_space(*settings.disks, least=settings.min_free)
        question = Question.model_validate_json(run.asked or "{}")
        self._unpack(run.case_id, run.case_sha256 or "")
        named = f"{run.case_id}@{run.case_sha256}"
        plan = prepared_plan(self._program, question.kind, named, question.options, Silent())
        job = self._program.job(run.id, question.kind, plan.case, question.options)
        here = Capability(arch=self._program.host.arch, sandbox=self._program.backend.kind)
        return Asked(plan, job.ground), queue_of(priority_of(run.queue or ""), here)

    def service(self, run: Run, asked: Asked) -> Runs:
        plan, ground = asked
        self._unpack(plan.case.id, plan.case.sha256)
        self._require(plan.series)
        if self._program.sandbox.describe() != ground.sandbox:
            raise EnvironmentTrouble(
                "this worker's sandbox is not like the one that the run was planned with",
                hint="Another worker may have it, or the run may be asked for anew.",
            )
        fresh = Question.model_validate_json(run.asked or "{}").options.fresh
        folder = str(self._program.cases.folder(plan.case))
        job = Job(run=run.id, ground=ground, folder=folder, fresh=fresh)
        return MeasuredRuns(self._program, job, plan, self._measures)

    def met(self, item: Item, trouble: FixproofError) -> None:
        _LOG.warning("met trouble", kind=trouble.kind, trouble=str(trouble), tries=item.tries)
        if isinstance(trouble, (SandboxTrouble, SandboxUnavailable, EnvironmentTrouble)):
            self._program.renew()  # an engine that was restarted may have other images now

    @contextmanager
    def holding(self, item: Item, owner: str) -> Iterator[None]:
        began, service = time.monotonic(), service_of(self._program.settings)
        with (
            _speaking_of(item),
            for_lease(service, owner),
            self._heart.holding(item, owner),
        ):
            _LOG.info("began", tries=item.tries)
            try:
                yield
            finally:
                self._program.leave_trees()
            _LOG.info("ended", seconds=round(time.monotonic() - began, 3))

    def present(self) -> tuple[Present, ...]:
        try:
            return self._broker.present()
        except BrokerTrouble:
            return ()

    def send(self, tickets: Iterable[Ticket]) -> None:
        self._broker.send(tickets)

    def _unpack(self, case_id: str, sha256: str) -> None:
        """See to it that the case is here: not its file, but the copy that was asked about."""
        if self._program.cases.has(sha256):
            return
        packed = self.work.case(sha256)
        if packed is None:
            raise BrokenCase(f"the database has no copy {sha256} of it any more", case=case_id)
        self._program.cases.unpack(sha256, packed)

    def _require(self, series: tuple[Series, ...]) -> None:
        """See to it that this worker has the very interpreters that the run was planned with."""
        wanted = tuple(each.interpreter for each in series if each.interpreter)
        backend = self._program.backend
        there = {each.sha256 for each in backend.interpreters.at_hand()}
        missing = next((each for each in wanted if each.sha256 not in there), None)
        if missing is not None or backend.prepare(wanted):
            raise _another(missing or wanted[0])


def service_of(settings: Settings) -> str:
    """What containers of a service are labelled with: those of one home with one database."""
    database = settings.database_url.rpartition("@")[2]  # without its password
    return digest("service-of/1", str(settings.home), database)[:16]


def owners(work: WorkStore) -> frozenset[str]:
    """Whoever has an item of work now."""
    return frozenset(each.owner for each in work.begun() if each.owner is not None)


def _speaking_of(item: Item) -> AbstractContextManager[None]:
    """Have whatever is logged meanwhile say what it is about."""
    cell = {"cell": item.cell.id} if item.cell else {}
    return bound_contextvars(run=item.run, task=str(item.task), item=item.id, **cell)


def _another(interpreter: Interpreter) -> EnvironmentTrouble:
    return EnvironmentTrouble(
        f"this worker has not the Python {interpreter.version} that the run was planned with",
        hint="Another worker may have it, or the run may be asked for anew.",
    )
