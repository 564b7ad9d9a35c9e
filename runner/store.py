"""The port to what is kept: runs, locks, attempts. The truth is here, never in a queue."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from runner.attempt import Attempt, Facts, Loaded
from runner.environment import Failure, Lock
from runner.errors import NotConcluded
from runner.value import Value

TROUBLE = "trouble"
"""Outcome of a run that trouble of ours kept from a conclusion; its status is INCONCLUSIVE."""
CANCELLED = "cancelled"
"""Outcome of a run that nobody wants any more; it has no status."""


class Run(Value):
    """One plan carried out for one case."""

    id: str
    kind: str
    case_id: str
    inputs_sha256: str
    """Of what was asked: an unfinished run of the same question is gone on with."""
    plan: str
    """The plan as JSON: with the facts of its cells, the whole state of the run. Empty until a
    worker made it."""
    ground: str
    """Where it takes place, as JSON of `report.Ground`; empty as long as there is no plan."""
    began: datetime
    ended: datetime | None = None
    status: str | None = None
    outcome: str | None = None
    summary: str | None = None
    case_sha256: str | None = None
    """Of a service run: which copy of the case runs, whatever becomes of its file."""
    asked: str | None = None
    """Of a service run: what was asked, as JSON; None where a process here carries it out."""
    queue: str | None = None
    """Of a service run: where its items of work go."""
    version: int = 0
    """Of a service run: raised with each turn."""
    avoid: str | None = None
    """Of a service run: the worker that should not carry it out, if there is another."""

    def require_conclusion(self) -> None:
        """Say why a run has no conclusion, if it ended without one.

        Raises:
            NotConcluded: it was cancelled, or trouble of ours kept it from one.
        """
        if self.outcome == CANCELLED:
            raise NotConcluded(f"run {self.id} was cancelled", case=self.case_id)
        if self.outcome == TROUBLE:
            raise NotConcluded(
                f"run {self.id} could not be carried out: {self.summary}",
                hint="Ask for it again when that has passed.",
                case=self.case_id,
            )


class CellKeys(Value):
    """Under which names the facts of a cell are kept; content decides them, not the run."""

    lock: str
    loaded: str = ""
    attempts: str = ""


class EvidenceStore(Protocol):
    """Locks and attempts, by content.

    Raises:
        StoreTrouble: nothing can be read or written.
        NoSpace: the disk is full.
    """

    def lock(self, key: str, *, failures_since: datetime) -> Lock | Failure | None:
        """A kept resolution; a failure only if it is not older than that."""
        ...

    def keep_lock(self, key: str, lock: Lock | Failure, at: datetime) -> Lock | Failure:
        """Keep a resolution; what is kept now: another may have been first with a lock."""
        ...

    def keep_loaded(self, key: str, loaded: Loaded) -> None: ...

    def known(
        self, keys: CellKeys, *, since: datetime
    ) -> tuple[Loaded | None, tuple[Attempt, ...]]:
        """What is loaded, and all attempts that are not older than that, oldest first."""
        ...

    def adopt(
        self, keys: CellKeys, lock: Lock, at: datetime, *, since: datetime
    ) -> tuple[Lock, Loaded | None, tuple[Attempt, ...]]:
        """Keep a lock, and find what is known of its content, as `known` does.

        Where another lock was there first, that one alone: the keys are not of its content.
        """
        ...

    def keep_attempt(self, key: str, attempt: Attempt) -> None: ...


class RunStore(Protocol):
    """Runs, and which evidence each relies on. Raises as `EvidenceStore`."""

    def has_ended(self, run_id: str) -> bool:
        """Whether a run has, with or without a conclusion; True of one that is unknown."""
        ...

    def begin(self, run: Run) -> None: ...

    def finish(
        self, run_id: str, *, ended: datetime, status: str | None, outcome: str, summary: str
    ) -> None:
        """Write down how a run ended."""
        ...

    def run(self, run_id: str) -> Run | None: ...

    def recent(self, limit: int) -> tuple[Run, ...]:
        """Runs, the newest first."""
        ...

    def concluded(self, inputs_sha256: str, *, since: datetime) -> tuple[Run, ...]:
        """The same, of runs that ended with a conclusion."""
        ...

    def unfinished(self, inputs_sha256: str, *, since: datetime) -> tuple[Run, ...]:
        """Runs of the same question that did not end, the newest first."""
        ...

    def link_cell(
        self, run_id: str, cell_id: str, keys: CellKeys, attempts: tuple[Attempt, ...] = ()
    ) -> None:
        """Say under which keys a cell of a run finds its facts; again to say more.

        Args:
            attempts: on which it relies, as `link_attempts`; all is kept, or nothing.
        """
        ...

    def link_attempts(self, run_id: str, cell_id: str, attempts: tuple[Attempt, ...]) -> None:
        """Say that a run relies on these attempts."""
        ...

    def facts(self, run_id: str) -> dict[str, Facts]:
        """All that a run knows of its cells, by id."""
        ...

    def attempt(self, attempt_id: str) -> Attempt | None: ...
