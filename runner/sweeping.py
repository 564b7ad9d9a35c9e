"""Finds what was lost: items whose worker is gone, and items whose message is.

It goes by what it sees with its own, monotonic clock, and never by the time that somebody wrote
down: clocks of machines differ, and jump. Whatever it does is done only if nobody did it meanwhile,
so that any number of sweepers may be at work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, Protocol

from runner.errors import BrokerTrouble
from runner.troubles import MOST_TRIES
from runner.work import Broker, Glance, State, Ticket, WorkStore

LEASE = 12.0
"""Seconds without a heartbeat after which a worker is believed to be gone."""
HEARTBEAT = 2.0
"""Seconds between two heartbeats."""
EVERY = 1.0
"""Seconds between two sweeps."""
SETTLING = 3.0
"""Seconds that messages must have been missing before they are sent again."""
STALL = 10.0
"""Seconds between two looks for runs that have nothing to do and did not end."""
AT_ONCE = 1000
"""Messages that are sent again in one sweep, at most."""


class Runs(Protocol):
    """What is done with a run as a whole; see `carrier.Carrier`."""

    def advance(self, run_id: str) -> None: ...

    def abandon(self, run_id: str, why: str) -> None: ...


class _Missing(NamedTuple):
    """Messages that a queue has less than items."""

    items: int
    """The fewest since then."""
    since: float


class Sweeper:
    """What one sweeper saw so far; call `sweep` again and again."""

    def __init__(
        self, work: WorkStore, broker: Broker, runs: Runs, clock: Callable[[], float]
    ) -> None:
        self._work = work
        self._broker = broker
        self._runs = runs
        self._clock = clock
        self._seen: dict[Glance, float] = {}
        self._missing: dict[str, _Missing] = {}
        self._looked: float = clock()

    def sweep(self) -> None:
        """Look at all items once, and send what was lost."""
        now = self._clock()
        for each in self._overdue(now):
            self._recover(each)
        try:
            self._send_what_is_missing(now)
        except BrokerTrouble:  # what it has is only known when it answers
            self._missing = {}
        if now - self._looked >= STALL:
            self._looked = now
            for run_id in self._work.stalled():
                self._runs.advance(run_id)

    def _overdue(self, now: float) -> list[Glance]:
        """Items of which nothing was heard for too long."""
        self._seen = {each: self._seen.get(each, now) for each in self._work.begun()}
        return [each for each, since in self._seen.items() if now - since >= _patience(each)]

    def _recover(self, item: Glance) -> None:
        if item.state is State.REVOKED:
            self._work.forget(item)
        elif self._work.requeue(item):
            if item.tries >= MOST_TRIES:
                why = f"a task of it was lost {item.tries} times, with the worker that had it"
                self._runs.abandon(item.run, why)
            else:
                self._send(Ticket(item.id, item.queue))

    def _send(self, ticket: Ticket) -> None:
        """A broker that does not answer has no message of it, which is found later."""
        with suppress(BrokerTrouble):
            self._broker.send([ticket])

    def _send_what_is_missing(self, now: float) -> None:
        missing = self._observe(self._work.queued(), now)
        for queue, seen in missing.items():
            if now - seen.since >= SETTLING:
                ids = self._work.resend(queue, min(seen.items, AT_ONCE))
                self._broker.send(Ticket(each, queue) for each in ids)
                del self._missing[queue]

    def _observe(self, queued: Mapping[str, int], now: float) -> dict[str, _Missing]:
        """How many messages each queue lacks, and has lacked since when."""
        found: dict[str, _Missing] = {}
        for queue, items in queued.items():
            count = items - self._broker.waiting(queue)
            if count > 0:
                before = self._missing.get(queue, _Missing(count, now))
                found[queue] = _Missing(min(count, before.items), before.since)
        self._missing = found
        return dict(found)


def _patience(item: Glance) -> float:
    return item.delay if item.state is State.DELAYED else LEASE
