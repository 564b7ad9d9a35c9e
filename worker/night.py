"""A night of the service: runs are asked of workers, many at a time, behind what is on demand."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from runner.errors import BrokerTrouble, Interrupted, NotConcluded, WrongUsage
from runner.nightly.keeping import NightStore
from runner.options import Options
from runner.queues import ANY, Capability, Priority
from runner.releases import History
from runner.report import Report
from runner.running import Watcher, report_of
from runner.store import Run
from runner.wiring import Program
from runner.work import Broker, Ticket
from worker.broker import CeleryBroker
from worker.questions import Question
from worker.submitting import asked_before, begin, take_back, unserved

AT_A_TIME = 100
"""Cases that are looked at together; each has a few attempts to make at a time."""
_EVERY = 0.5
"""Seconds between two looks at a run that is waited for."""
_UNSERVED = 10.0
"""Seconds without a worker that would take a run, after which an ended night takes it back."""


def ground(program: Program, options: Options, listener: Watcher) -> ServiceGround:
    """What a night stands on, if the broker lets us in.

    Raises:
        BrokerTrouble: it does not.
    """
    broker = CeleryBroker(program.settings.broker_url)
    broker.check()
    return ServiceGround(program, options, listener, broker)


class ServiceGround:
    """What a night stands on where there are workers; fulfils `at_night.NightGround`."""

    def __init__(
        self, program: Program, options: Options, listener: Watcher, broker: Broker
    ) -> None:
        self._program = program
        self._options = options
        self._listener = listener
        self._broker = broker
        self._over = threading.Event()
        self.nights: NightStore = program.store.nights
        self.now = program.now
        self.hands: Executor = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="look")
        self.at_a_time = AT_A_TIME

    def history(self, package: str) -> History:
        self._listener.doing(f"asking the package index for {package}")
        return self._program.index.history(package)

    def verify(
        self,
        case_id: str,
        *,
        fresh: bool,
        also: tuple[str, ...],
        purpose: str,
        until: datetime | None,
        again: str | None = None,
    ) -> Report:
        asked = {"fresh": fresh, "still": True, "also": also}
        sandbox = self._program.settings.sandbox
        question = Question(
            kind="verify",
            options=self._options.model_copy(update=asked),
            priority=Priority.NIGHTLY,
            needed=Capability(sandbox=ANY if sandbox == "auto" else sandbox),
            purpose=purpose,
        )
        run = asked_before(self._program, case_id, question)
        if run is None:
            avoid = next(iter(self.made_by(again)), None) if again is not None else None
            run, item = begin(self._program, case_id, question, avoid=avoid)
            with suppress(BrokerTrouble):  # it is in the database: workers will find it
                self._broker.send([Ticket(item.id, item.queue)])
        served = time.monotonic()
        while not self._program.store.runs.has_ended(run.id):
            if self._over.wait(_EVERY):
                raise Interrupted(f"the night ended before {case_id} did", case=case_id)
            if until is None or self.now() < until or self._is_served(run):
                served = time.monotonic()
            elif time.monotonic() - served > _UNSERVED:
                self._take_back(run)
        return report_of(self._program, run.id)

    def _is_served(self, run: Run) -> bool:
        """Whether a worker is there that goes on with a run; its queue changes once it begins."""
        return unserved(self._broker, self._program.stored(run.id)) is None

    def _take_back(self, run: Run) -> None:
        """Leave nothing behind that nobody carries out.

        Raises:
            NotConcluded: always, unless it has ended just now.
        """
        with suppress(WrongUsage):
            take_back(self._program, run.id)
            sandbox = self._program.settings.sandbox
            wanted = "" if sandbox == "auto" else f" in the sandbox {sandbox}"
            raise NotConcluded(f"no worker takes runs{wanted}", case=run.case_id)

    def made_by(self, run_id: str) -> tuple[str, ...]:
        return self._program.store.work.made_by(run_id)

    def note(self, what: str) -> None:
        self._listener.note(what)

    def leave(self) -> None:
        """Wait for nothing any more; workers finish what was asked of them."""
        self._over.set()
        self.hands.shutdown(wait=True, cancel_futures=True)
