"""Drives a run on this machine with threads: attempts run while others are resolved and installed.

It decides nothing of what runs: it asks the plan again after what became known.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial

from runner.attempt import Facts
from runner.environment import BuildPutOff, Environment, Failure
from runner.errors import FixproofError, Interrupted
from runner.findings import Conclusion, Need, Want
from runner.matrix import Cell
from runner.runs import Listener, Runs
from runner.verdict import loaded_as_planned

Step = Callable[[Mapping[str, Facts]], Need | Conclusion]
_PREPARING = 4
"""Cells that are resolved or installed at a time: mostly waiting, for index and disk."""
_NICER = 10
_ALIKE = 1.1
"""Attempts take about as long as each other: so many times what the last one took."""
_SHARE = 0.1
"""As much of the time is spent on asking the plan, which takes a while for long tables."""


@dataclass
class _Answer:
    """What the plan said when it was last asked, and what was done about it since."""

    outcome: Need | Conclusion
    not_before: float
    """When it may be asked again, as long as something runs."""
    begun: Counter[str]
    """Attempts by cell that the plan did not know of: they ran then, or were started since."""
    held: set[str] = field(default_factory=set)
    """Cells of which something became known that the plan may think differently after."""
    stale: bool = False
    soon: float = 0.0
    """When attempts that run should be over, by how long the last one took: what they say comes
    together with what others said, and there is nothing else to do."""

    def hold(self, cell: Cell, facts: Facts) -> None:
        """Begin no attempt of a cell that came with some, or that none can help."""
        loaded = facts.loaded
        wrong = loaded and not cell.control and not loaded_as_planned(cell.version, loaded)
        if facts.attempts or wrong or isinstance(facts.lock, Failure):
            self.held.add(cell.id)

    @property
    def due(self) -> bool:
        return self.stale and self.patience == 0

    @property
    def patience(self) -> float | None:
        """How long something may be waited for before the plan is to be asked; None: for ever."""
        if not self.stale:
            return None
        return max(0.0, max(self.not_before, self.soon) - time.monotonic())

    @property
    def idle(self) -> bool:
        """Whether free slots would stay free: nothing that is urgent is about to need them."""
        return time.monotonic() >= self.soon

    @property
    def all_begun(self) -> bool:
        """Whether nothing urgent is left to be begun."""
        wants = self.outcome.wants if isinstance(self.outcome, Need) else ()
        return not any(self.left(each) for each in wants if not each.patient)

    def left(self, want: Want) -> int:
        """Attempts that are wanted of a cell and not begun."""
        if want.cell.id in self.held or not isinstance(self.outcome, Need):
            return 0
        left = want.attempts - self.begun[want.cell.id]
        budget = self.outcome.left
        return left if budget is None else min(left, budget - self.begun.total())


def _give_way() -> None:
    """Have this thread, and what it starts, leave the processors to attempts.

    Linux counts niceness by thread.
    """
    os.nice(_NICER)


Change = Callable[[_Answer], None]
"""What a finished job makes known; applied by the one thread that knows the state."""


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
        self._begun: dict[Future[Change], float] = {}
        """When the attempts that run were begun."""
        self._pending: set[Future[Change]] = set()
        self._ahead: dict[Future[Change], str] = {}
        """Those of `pending` that nothing waits for, with their cells."""
        self._given_up: set[str] = set()
        """Cells that could not be prepared ahead: if they come to be wanted, it is told why."""

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
            ThreadPoolExecutor(_PREPARING, "prepare", _give_way) as prepare,
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
        answer = self._ask()
        while True:
            nothing_runs = self._pending == self._ahead.keys()
            if answer.due or (answer.stale and nothing_runs):
                answer = self._ask()
            if isinstance(answer.outcome, Conclusion):
                if nothing_runs:  # else what still runs counts too: all attempts are kept
                    return answer.outcome
            else:
                self._serve(answer.outcome, answer, prepare, attempt)
            self._await(answer)

    def _ask(self) -> _Answer:
        began = time.monotonic()
        outcome = self._step(self._facts)
        now = time.monotonic()
        return _Answer(outcome, now + (now - began) / _SHARE, Counter(self._running))

    def _serve(
        self, need: Need, answer: _Answer, prepare: ThreadPoolExecutor, attempt: ThreadPoolExecutor
    ) -> None:
        free = self._jobs - self._running.total()
        for want in need.wants:
            if free == 0 and self._prepares_enough:
                break
            if want.cell.id in answer.held or self._prepare(want.cell, prepare):
                continue
            if want.patient and not answer.idle:
                continue
            for _ in range(min(answer.left(want), free)):
                free -= 1
                answer.begun[want.cell.id] += 1
                self._running[want.cell.id] += 1
                future = attempt.submit(self._attempt, want, self._facts[want.cell.id])
                self._pending.add(future)
                self._begun[future] = time.monotonic()
        for cell in need.ahead:
            if cell.id not in self._given_up:
                self._prepare(cell, prepare, ahead=True)
        if not self._pending and not answer.stale:
            raise AssertionError(f"the plan wants what cannot be started: {need}")

    @property
    def _prepares_enough(self) -> bool:
        return len(self._preparing) >= _PREPARING

    def _await(self, answer: _Answer) -> None:
        """Wait for something to be finished, or until the plan may be asked again."""
        done, self._pending = wait(self._pending, answer.patience, return_when=FIRST_COMPLETED)
        now = time.monotonic()
        for each in done:
            answer.stale = True
            begun = self._begun.pop(each, None)
            if begun is not None:  # those that were begun with it should be over soon, too
                others = self._begun.values() if answer.all_begun else ()
                answer.soon = max((other + _ALIKE * (now - begun) for other in others), default=0.0)
            ahead = self._ahead.pop(each, None)
            try:
                change = each.result()
            except Interrupted:
                raise
            except (FixproofError, BuildPutOff):
                if ahead is None:
                    raise
                self._given_up.add(ahead)
                self._preparing.discard(ahead)
            else:
                change(answer)

    def _prepare(self, cell: Cell, prepare: ThreadPoolExecutor, *, ahead: bool = False) -> bool:
        """See to it that a cell gets its environment; False if it has one.

        Nothing waits in line: the first cells are to be installed before the last are resolved.
        """
        known = self._facts.get(cell.id, Facts())
        if cell.id in self._preparing or isinstance(known.lock, Failure):
            return True
        if cell.id in self._environments:
            return False
        if self._prepares_enough:
            return True
        if known.lock is None:
            job = partial(self._resolve, cell, dict(self._facts), ahead=ahead)
        else:
            job = partial(self._install, cell, known)
        self._preparing.add(cell.id)
        future = prepare.submit(job)
        self._pending.add(future)
        if ahead:
            self._ahead[future] = cell.id
        return True

    def _resolve(self, cell: Cell, facts: Mapping[str, Facts], *, ahead: bool) -> Change:
        found = self._runs.resolve(cell, facts, ahead=ahead)

        def change(answer: _Answer) -> None:
            self._preparing.discard(cell.id)
            self._learn(cell, found)
            answer.hold(cell, found)

        return change

    def _install(self, cell: Cell, known: Facts) -> Change:
        environment, found = self._runs.install(cell, known)

        def change(answer: _Answer) -> None:
            self._preparing.discard(cell.id)
            if environment is not None:
                self._environments[cell.id] = environment
            self._learn(cell, found)
            if found.loaded != known.loaded:
                answer.hold(cell, found)

        return change

    def _attempt(self, want: Want, known: Facts) -> Change:
        cell = want.cell
        environment = self._environments[cell.id]
        made = self._runs.attempt(cell, known, environment, doubled=want.doubled)

        def change(_answer: _Answer) -> None:
            self._running[cell.id] -= 1
            so_far = self._facts[cell.id]
            attempts = sorted((*so_far.attempts, made), key=lambda each: (each.ran, each.id))
            self._learn(cell, so_far.model_copy(update={"attempts": tuple(attempts)}))

        return change

    def _learn(self, cell: Cell, facts: Facts) -> None:
        self._facts[cell.id] = facts
        self._listener.finished(cell, facts)
