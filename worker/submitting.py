"""Asks the service for runs, waits for them, and takes them back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from runner.attempt import Facts
from runner.avoidance import others
from runner.case import Case
from runner.endings import cancel
from runner.errors import BrokerTrouble, Interrupted, StoreTrouble, WrongUsage
from runner.matrix import Cell
from runner.queues import intake_of
from runner.report import Report
from runner.running import RESUMED_FOR, report_of
from runner.runs import Listener
from runner.sandbox import SandboxKind
from runner.store import CANCELLED, Run
from runner.value import digest
from runner.wiring import Program
from runner.work import Broker, Item, Task, Ticket, merged
from worker.questions import Question

_Anything = TypeVar("_Anything")


class CheckedBroker(Broker, Protocol):
    """A broker that can be asked whether it is there."""

    def check(self) -> None: ...


_EVERY = 0.3
"""Seconds between two looks at a run that is waited for."""
_ALONE = 10.0
"""Seconds after which it is said that no worker has taken a run yet."""
_AWAY = 300.0
"""Seconds for which a database may be away, while a run is waited for."""
_AGAIN = 2.0
"""Seconds until it is asked again."""
_LEAVING = 20.0
"""Seconds in which workers leave a cancelled run."""


def submit(program: Program, broker: CheckedBroker, named: str, question: Question) -> Run:
    """Ask for a run; it is in the database, and workers were told.

    Raises:
        BrokenCase: there is no such case.
        BrokerTrouble: workers could not be told; the run is there, and they will find it.
    """
    broker.check()
    run, item = begin(program, named, question)
    broker.send([Ticket(item.id, item.queue)])
    return run


def unserved(broker: Broker, run: Run) -> str | None:
    """What to say where no worker that is there now has what a run needs."""
    with suppress(BrokerTrouble):
        if not others(broker.present(), "", run.queue or ""):
            return (
                f"no worker that is there now can carry out run {run.id}: it waits until one comes "
                f"(fixproof cancel {run.id} ends it)"
            )
    return None


def begin(
    program: Program, named: str, question: Question, *, avoid: str | None = None
) -> tuple[Run, Item]:
    """Write down that a run is asked for; with its first item, that nobody was told of yet.

    Args:
        program: where.
        named: the case.
        question: what is asked of it.
        avoid: a worker that should not carry it out, if there is another.

    Raises:
        BrokenCase: there is no such case.
        WrongUsage: a candidate is asked about, which is here alone; or what no worker does.
    """
    if question.needed.sandbox == SandboxKind.PROCESS:
        raise WrongUsage(
            "no worker runs attempts in plain processes",
            hint="Leave --sandbox and FIXPROOF_SANDBOX out, or ask for docker or bubblewrap.",
        )
    if question.options.candidate is not None:
        raise WrongUsage("a candidate is a file of this machine: fixproof verify asks about it")
    case, _ = program.cases.load(named)
    queue = intake_of(question.priority, question.needed)
    asked = _written(named, question)
    run = Run(
        id=f"{program.now():%Y%m%d-%H%M%S}-{case.id}-{program.new_id()}",
        kind=question.kind,
        case_id=case.id,
        inputs_sha256=_inputs(case, asked),
        plan="",
        ground="",
        began=program.now(),
        case_sha256=case.sha256,
        asked=asked,
        queue=queue,
        avoid=avoid,
    )
    item = Item(id=f"{run.id}/0", run=run.id, task=Task.PLAN, queue=queue, avoid=avoid)
    program.store.work.submit(run, program.cases.pack(case), item)
    return run, item


def asked_before(program: Program, named: str, question: Question) -> Run | None:
    """A run of that very question, of the last day, that goes on or has a conclusion.

    Raises:
        BrokenCase: there is no such case.
    """
    case, _ = program.cases.load(named)
    inputs, since = _inputs(case, _written(named, question)), program.now() - RESUMED_FOR
    found = program.store.runs.concluded(inputs, since=since)
    found += program.store.runs.unfinished(inputs, since=since)
    return next(iter(found), None)


def _written(named: str, question: Question) -> str:
    options = question.options.model_copy(update={"named": named})
    return question.model_copy(update={"options": options}).model_dump_json()


def _inputs(case: Case, asked: str) -> str:
    return digest("service/1", case.sha256, asked)


def wait(program: Program, run_id: str, listener: Listener) -> Report:
    """Watch a run until it has a conclusion; its report.

    Raises:
        NotConcluded: it ended without one.
        Interrupted: somebody wants to wait no longer; it goes on.
        StoreTrouble: the database was away for minutes.
    """
    look = _Look(program, run_id, listener)
    try:
        listener.note(f"run {run_id}")
        while not _patiently(look, listener):
            time.sleep(_EVERY)
        return _patiently(lambda: report_of(program, run_id), listener)
    except KeyboardInterrupt as stopped:
        raise Interrupted(
            f"run {run_id} goes on without being waited for",
            hint=f"fixproof runs lists it; fixproof report {run_id} shows what came of it; "
            f"fixproof cancel {run_id} ends it.",
        ) from stopped


class _Look:
    """A look at a run, again and again: tells what is new, and whether it has a conclusion."""

    def __init__(self, program: Program, run_id: str, listener: Listener) -> None:
        self._program = program
        self._run = run_id
        self._listener = listener
        self._facts: dict[str, Facts] = {}
        self._version = -1
        self._began = time.monotonic()
        self._alone = False

    def __call__(self) -> bool:
        news = self._program.store.work.news(self._run, self._version)
        if news.version > self._version:
            changed = {*news.cells, *(cell for cell, _ in news.attempts)}
            self._facts, self._version = merged(self._facts, news), news.version
            for cell in changed:
                self._listener.finished(Cell(id=cell, version="", series=""), self._facts[cell])
        run = self._program.stored(self._run)
        if run.ended is not None:
            run.require_conclusion()
            return True
        if not run.plan and not self._alone and time.monotonic() - self._began > _ALONE:
            self._alone = True
            self._listener.doing("waiting: no worker has taken it yet")
        return False


def _patiently(look: Callable[[], _Anything], listener: Listener) -> _Anything:
    """What the database says, as soon as it does: a run does not end because it is restarted."""
    since: float | None = None
    while True:
        try:
            return look()
        except StoreTrouble as trouble:
            since = since or time.monotonic()
            if time.monotonic() - since > _AWAY:
                raise
            listener.doing(f"the database does not answer, and is asked again: {trouble.message}")
            time.sleep(_AGAIN)


def take_back(program: Program, run_id: str) -> bool:
    """Cancel a run; whether all workers that were busy with it said that they left it.

    Raises:
        UnknownRun: there is no such run.
        WrongUsage: it has ended, or a process of this machine carries it out.
    """
    run = program.stored(run_id)
    if run.ended is not None:
        raise WrongUsage(f"run {run_id} has ended already", case=run.case_id)
    if run.queue is None:
        return _take_back_here(program, run)
    with program.store.work.turn(run_id) as turn:
        if not turn.run.ended:
            cancel(turn, program.now())
    deadline = time.monotonic() + _LEAVING
    while any(each.run == run_id for each in program.store.work.begun()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_EVERY)
    return True


def _take_back_here(program: Program, run: Run) -> bool:
    """A run that some process here carried out, and was stopped."""
    if not program.locks.take(run.id):
        raise WrongUsage(
            f"run {run.id} is carried out by a process of this machine",
            hint="Stop it there by Ctrl-C, then cancel it.",
            case=run.case_id,
        )
    program.runs.finish(
        run.id, ended=program.now(), status=None, outcome=CANCELLED, summary="cancelled"
    )
    program.locks.release(run.id)
    return True
