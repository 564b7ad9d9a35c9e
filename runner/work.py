"""Items of work: what service runs still have to do, a task each; and the port to where they wait.

An item is there as long as it is to be done: what is done, withdrawn or given up is gone, and its
result, if it has one, is with the evidence. Messages carry ids of items and may be lost, or come
twice: whoever gets one takes the item under a lease, or finds nothing to take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from runner.attempt import Attempt, Facts
from runner.avoidance import Avoided, Present
from runner.matrix import Cell
from runner.store import CellKeys, Run
from runner.value import Value


class Task(StrEnum):
    """What is done in one task."""

    PLAN = "plan"
    """Ask the index and the machine, and make the plan of a run."""
    PREPARE = "prepare"
    """Resolve a cell ahead of its need, and install it unless enough is known of it already."""
    FIRST = "first"
    """Prepare a cell that is wanted, and make its first attempt unless there are some already."""
    ATTEMPT = "attempt"


class State(StrEnum):
    """Where an item is."""

    QUEUED = "queued"
    """A message of it is on its way, or was lost."""
    DELAYED = "delayed"
    """Trouble of ours met it; it is queued again when its delay is over."""
    LEASED = "leased"
    """A worker has it, and says so again and again."""
    GIVEN_UP = "given_up"
    """Trouble of ours met it too often. It was to be done ahead; if it comes to be wanted, its run
    ends with that trouble."""
    REVOKED = "revoked"
    """A worker has it and is to leave it: its run has ended."""


class Item(Value):
    """One piece of work of a run, for one task."""

    id: str
    """As `id_of_item` makes it."""
    run: str
    task: Task
    queue: str
    cell: Cell | None = None
    """None for a plan."""
    doubled: bool = False
    tries: int = 0
    """How often it was taken, this time included."""
    avoid: str | None = None
    """The worker that should not take it, if there is another."""


class Ticket(NamedTuple):
    """What a message says: an item, and through which queue it goes."""

    item: str
    queue: str


class Waiting(NamedTuple):
    """An item that is there, as its run looks at it."""

    id: str
    task: Task
    cell: str | None
    doubled: bool
    begun: bool
    """Whether a worker has it."""
    trouble: str | None = None
    """Why it was given up."""


class Glance(NamedTuple):
    """An item that somebody has, or that waits for its delay, as the sweeper looks at it."""

    id: str
    run: str
    queue: str
    state: State
    owner: str | None
    beats: int
    """Raised again and again by whoever has it."""
    tries: int
    delay: float
    """Seconds, of a delayed one."""


class RunNow(NamedTuple):
    """A run at the moment in which its lock is held."""

    id: str
    version: int
    """Raised each time: what is linked to the run now bears it."""
    ended: bool
    queue: str
    avoid: str | None


class Kept(NamedTuple):
    """An attempt that was kept in a turn of its own."""

    version: int
    """Of the run since then."""
    more: bool | None
    """Whether items of the run remain to be done; None where that is to be asked."""


class News(NamedTuple):
    """What became known of a run since some version."""

    version: int
    cells: Mapping[str, Facts]
    """Cells that were linked, without attempts."""
    attempts: tuple[tuple[str, Attempt], ...]
    """With the ids of their cells."""


EVERYTHING = -1
"""The version since which all of a run is news: its row, too."""


class Taken(NamedTuple):
    """An item that was leased, and what was asked for with it."""

    item: Item
    run: Run | None = None
    """Its run, where everything was."""
    news: News | None = None
    """What became known of the run, where that was."""


class Turn(Protocol):
    """One transaction under the lock of a run: what came of an item, and what follows from it."""

    @property
    def run(self) -> RunNow: ...

    @property
    def settled(self) -> bool:
        """Whether the item that the turn began with was taken away; see `settle`."""
        ...

    def settle(self, item_id: str, owner: str) -> bool:
        """Take an item away; False if this owner has it no more, and its result does not count."""
        ...

    def give_up(self, item_id: str, owner: str, trouble: str) -> bool:
        """Let an item be, with the reason; whether this owner still had it."""
        ...

    def keep_plan(self, plan: str, ground: str, queue: str, *, by: str) -> None:
        """Keep what a worker planned; one that was to be avoided had to, and does the rest too."""
        ...

    def keep_cell(self, cell_id: str, keys: CellKeys, facts: Facts) -> None:
        """Keep what is loaded in a cell, and link it with the attempts that are taken over."""
        ...

    def keep_attempt(self, cell_id: str, key: str, attempt: Attempt, *, by: str) -> None: ...

    def news(self, since: int) -> News:
        """What earlier turns kept after that version."""
        ...

    def waiting(self) -> tuple[Waiting, ...]:
        """All items of the run."""
        ...

    def add(self, items: Iterable[Item], made: datetime, heir: str | None = None) -> None:
        """Queue new items; the first is leased at once where somebody goes on with it."""
        ...

    def withdraw(self, item_ids: Iterable[str]) -> None:
        """Take items away that nobody has."""
        ...

    def finish(self, *, ended: datetime, status: str | None, outcome: str, summary: str) -> None:
        """Write down how the run ended."""
        ...

    def revoke(self) -> None:
        """Take all items away; of those begun, let whoever has them know."""
        ...


class WorkStore(Protocol):
    """Service runs, and what they still have to do. Raises as `store.EvidenceStore`."""

    def submit(self, run: Run, case: bytes, item: Item) -> None:
        """Begin a run, with a packed copy of its case and its first item."""
        ...

    def case(self, sha256: str) -> bytes | None:
        """The packed copy of a case."""
        ...

    def take(
        self, item_id: str, owner: str, *, avoided: bool = False, since: int | None = None
    ) -> Taken | None:
        """Lease a queued item; None if there is none of that id to take.

        Args:
            item_id: as messages say it.
            owner: who takes it: the name of a worker, and more after a slash.
            avoided: take it even if that worker should not have it.
            since: also tell what was kept of its run after this version, as `news` does.
        """
        ...

    def avoiding(self, item_id: str, owner: str) -> Avoided | None:
        """A queued item that its worker should not have; None if it is not there, or may be had."""
        ...

    def pass_on(self, item_id: str, owner: str) -> str | None:
        """The queue of an item that its worker should not have, and is the first to find."""
        ...

    def beat(self, item_id: str, owner: str) -> bool:
        """Say that the owner is alive; False if the item is no longer its own."""
        ...

    def hand_back(self, item_id: str, owner: str) -> bool:
        """Queue a leased item again, as if it had not been taken."""
        ...

    def postpone(self, item_id: str, owner: str, *, delay: float, trouble: str) -> bool:
        """Let a leased item wait; whether the owner still had it."""
        ...

    def keep_attempt(
        self, item: Item, owner: str, cell_id: str, key: str, attempt: Attempt
    ) -> Kept | None:
        """A turn in which nothing but the result of an item is kept.

        Returns:
            None if this owner has the item no more, or the run has ended, and its result does not
            count.
        """
        ...

    def made_by(self, run_id: str) -> tuple[str, ...]:
        """The workers that made attempts of a run; who made most of them comes first."""
        ...

    def busy(self, run_id: str) -> bool:
        """Whether items of a run remain to be done."""
        ...

    def turn(
        self, run_id: str, done: tuple[str, str] | None = None
    ) -> AbstractContextManager[Turn]:
        """Hold the lock of a run for a while.

        Args:
            run_id: of which run.
            done: an item to take away first, and its owner.

        Raises:
            UnknownRun: there is none of that id.
        """
        ...

    def news(self, run_id: str, since: int) -> News:
        """What was kept of a run after that version; a little of it may be told again later."""
        ...

    def begun(self) -> tuple[Glance, ...]:
        """All items that somebody has, or that wait for their delay."""
        ...

    def queued(self) -> Mapping[str, int]:
        """How many items are queued, by queue."""
        ...

    def requeue(self, seen: Glance) -> bool:
        """Queue what is still as it was seen; whether it was."""
        ...

    def forget(self, seen: Glance) -> None:
        """Take a revoked item away that is still as it was seen."""
        ...

    def resend(self, queue: str, count: int) -> tuple[str, ...]:
        """Ids of so many queued items of a queue, those first that were sent the least."""
        ...

    def stalled(self) -> tuple[str, ...]:
        """Ids of service runs that did not end and have nothing to do."""
        ...


class Broker(Protocol):
    """Carries messages to workers; it may lose them, and deliver them twice.

    Raises:
        BrokerTrouble: it does not answer.
    """

    def send(self, tickets: Iterable[Ticket]) -> None: ...

    def waiting(self, queue: str) -> int:
        """How many messages are in a queue."""
        ...

    def present(self) -> tuple[Present, ...]:
        """Workers that are alive, as far as they have said so of late."""
        ...


def id_of_item(run_id: str, version: int, number: int) -> str:
    """The id of an item; it tells its run, and what became of that before."""
    return f"{run_id}/{version}.{number}"


def made_in(item_id: str) -> tuple[str, int]:
    """The run of an item, and the version of the turn that made it; 0 if the id is no such id."""
    run_id, _, rest = item_id.rpartition("/")
    version = rest.partition(".")[0]
    return run_id, int(version) if version.isdecimal() else 0


def worker_of(owner: str) -> str:
    """The name of the worker."""
    return owner.partition("/")[0]


def merged(facts: Mapping[str, Facts], news: News) -> dict[str, Facts]:
    """Facts with what became known; told twice is told once."""
    found = dict(facts)
    for cell_id, told in news.cells.items():
        attempts = found[cell_id].attempts if cell_id in found else ()
        found[cell_id] = told.model_copy(update={"attempts": attempts})
    for cell_id, attempt in news.attempts:
        known = found[cell_id]
        if all(each.id != attempt.id for each in known.attempts):
            attempts = tuple(
                sorted((*known.attempts, attempt), key=lambda each: (each.ran, each.id))
            )
            found[cell_id] = known.model_copy(update={"attempts": attempts})
    return found
