"""What a worker stands on: the port of the carrier to its database, its machine and its queue."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from runner.attempt import Facts
from runner.avoidance import Present
from runner.errors import FixproofError
from runner.matrix import Cell
from runner.plans.kinds import AnyPlan
from runner.report import Ground
from runner.runs import Runs
from runner.store import Run
from runner.work import Item, Ticket, WorkStore


class Asked(NamedTuple):
    """What a run is to find out, and where."""

    plan: AnyPlan
    ground: Ground


class Desk(Protocol):
    """What a worker stands on."""

    @property
    def work(self) -> WorkStore: ...

    def now(self) -> datetime: ...

    def new_id(self) -> str: ...

    def sleep(self, seconds: float) -> None: ...

    def stored(self, run_id: str) -> Run:
        """A run as it is stored.

        Raises:
            UnknownRun: there is none of that id.
        """
        ...

    def plan(self, run: Run) -> tuple[Asked, str]:
        """Ask the index and this machine what a run is to do; with the queue of its items."""
        ...

    def service(self, run: Run, asked: Asked) -> Runs:
        """What makes and runs cells of a run that was planned; asked for each of them anew.

        Raises:
            EnvironmentTrouble: this worker has not what the run was planned with.
        """
        ...

    def met(self, item: Item, trouble: FixproofError) -> None:
        """Told of trouble of ours: whatever it was with may be made anew."""
        ...

    def holding(self, item: Item, owner: str) -> AbstractContextManager[None]:
        """Keep saying that the item is worked on; what runs is stopped when it is to be left."""
        ...

    def present(self) -> tuple[Present, ...]:
        """As `work.Broker.present`; none where the broker does not answer."""
        ...

    def send(self, tickets: Iterable[Ticket]) -> None:
        """As `work.Broker.send`."""
        ...


class Silent:
    """A listener that nobody watches: what a worker does is in the database."""

    def doing(self, what: str) -> None: ...

    def note(self, what: str) -> None: ...

    def resolving(self, cell: Cell) -> None: ...

    def building(self, cell: Cell, what: str) -> None: ...

    def installing(self, cell: Cell) -> None: ...

    def running(self, cell: Cell) -> None: ...

    def finished(self, cell: Cell, facts: Facts) -> None: ...
