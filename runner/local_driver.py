"""Drives a run on this machine with threads: attempts run while others are resolved and installed.

It decides nothing of what runs: it asks the plan again after each thing that became known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from runner.attempt import Attempt, Facts
from runner.environment import Environment
from runner.errors import Interrupted
from runner.findings import Conclusion, Need, Want
from runner.matrix import Cell
from runner.runs import Listener, Runs

Step = Callable[[Mapping[str, Facts]], Need | Conclusion]
Change = Callable[[], None]
"""What a finished job makes known; applied by the one thread that knows the state."""

_PREPARING = 2
"""Cells that are resolved or installed at a time: mostly waiting, for index and disk."""


class LocalDriver:
    """One run, `jobs` attempts at a time."""

    def __init__(
        self,
        *,
        runs: Runs,
        step: Step,
        stop: Callable[[], None],
        listener: Listener,
        jobs: int,
    ) -> None:
        self._runs = runs
        self._step = step
        self._stop = stop
        self._listener = listener
        self._jobs = jobs
        self._facts: dict[str, Facts] = {}
        self._environments: dict[str, Environment] = {}
        self._preparing: set[str] = set()
        self._running: Counter[str] = Counter()
        self._pending: set[Future[Change]] = set()

    def drive(self, facts: Mapping[str, Facts]) -> Conclusion:
        """Run until the plan concludes.

        Args:
            facts: what an interrupted run knew already.

        Raises:
            Interrupted: on Ctrl-C; every process is ended, what was finished is kept.
            FixproofError: what any part raised; the others are stopped.
        """
        self._facts.update(facts)
        with (
            ThreadPoolExecutor(_PREPARING, "prepare") as prepare,
            ThreadPoolExecutor(self._jobs, "attempt") as attempt,
        ):
            try:
                return self._loop(prepare, attempt)
            except KeyboardInterrupt:
                raise Interrupted(
                    "stopped; finished attempts are kept",
                    hint="The same command again goes on from here.",
                ) from None
            finally:
                if self._pending:
                    self._stop()
                for each in self._pending:
                    each.cancel()

    def _loop(self, prepare: ThreadPoolExecutor, attempt: ThreadPoolExecutor) -> Conclusion:
        while True:
            outcome = self._step(self._facts)
            if isinstance(outcome, Conclusion) and not self._pending:
                return outcome
            if isinstance(outcome, Need):  # else what still runs counts too: all attempts are kept
                for want in outcome.wants:
                    self._start(want, prepare, attempt)
            self._await()

    def _await(self) -> None:
        done, self._pending = wait(self._pending, return_when=FIRST_COMPLETED)
        for each in done:
            each.result()()

    def _start(self, want: Want, prepare: ThreadPoolExecutor, attempt: ThreadPoolExecutor) -> None:
        cell = want.cell
        known = self._facts.get(cell.id, Facts())
        if cell.id in self._preparing:
            return
        if known.lock is None:
            self._preparing.add(cell.id)
            self._pending.add(prepare.submit(self._resolve, cell, dict(self._facts)))
        elif cell.id not in self._environments:
            self._preparing.add(cell.id)
            self._pending.add(prepare.submit(self._install, cell, known))
        else:
            free = self._jobs - self._running.total()
            for _ in range(min(want.attempts - self._running[cell.id], free)):
                self._running[cell.id] += 1
                self._pending.add(attempt.submit(self._attempt, want, known))

    def _resolve(self, cell: Cell, facts: Mapping[str, Facts]) -> Change:
        found = self._runs.resolve(cell, facts)

        def change() -> None:
            self._preparing.discard(cell.id)
            self._facts[cell.id] = found
            self._listener.finished(cell, found)

        return change

    def _install(self, cell: Cell, known: Facts) -> Change:
        environment, found = self._runs.install(cell, known)

        def change() -> None:
            self._preparing.discard(cell.id)
            self._environments[cell.id] = environment
            self._facts[cell.id] = found
            self._listener.finished(cell, found)

        return change

    def _attempt(self, want: Want, known: Facts) -> Change:
        cell = want.cell
        environment = self._environments[cell.id]
        made = self._runs.attempt(cell, known, environment, doubled=want.doubled)

        def change() -> None:
            self._running[cell.id] -= 1
            self._add(cell, made)

        return change

    def _add(self, cell: Cell, attempt: Attempt) -> None:
        known = self._facts[cell.id]
        attempts = sorted((*known.attempts, attempt), key=lambda each: (each.ran, each.id))
        found = known.model_copy(update={"attempts": tuple(attempts)})
        self._facts[cell.id] = found
        self._listener.finished(cell, found)
