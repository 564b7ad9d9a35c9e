"""Whether a worker does what another should rather do: second opinions are those of second workers.

Where another able worker is alive, it is waited for, for minutes: it may be busy. Where none is,
that one is waited for which has just been started: for a few messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runner.queues import Capability, queues_for

SENDS = 3
"""Times that an item is sent in the hope for another worker, where none is known to be alive."""
LONGEST = 300.0
"""Seconds that another one is waited for: it may be alive, and of no use."""
_MOST = 10_000
"""Items that are remembered."""


class Present(NamedTuple):
    """A worker that says that it is alive, and begins what is asked for."""

    worker: str
    offers: Capability


class Avoided(NamedTuple):
    """An item that its finder should rather leave to another worker."""

    queue: str
    sends: int
    """Messages of it so far."""


def others(present: Iterable[Present], worker: str, queue: str) -> frozenset[str]:
    """Names of workers that serve a queue, beside that one."""
    return frozenset(
        each.worker
        for each in present
        if each.worker != worker and queue in queues_for(each.offers)
    )


class Patience:
    """What one worker left to others, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def is_over(self, item_id: str, found: Avoided, *, another: bool, now: float) -> bool:
        """Whether that item may be done after all.

        Args:
            item_id: which,
            found: and how it waits.
            another: whether a worker that could do it is alive.
            now: seconds of a clock that only goes forward.
        """
        if len(self._since) >= _MOST:
            self._since = {}
        waited = now - self._since.setdefault(item_id, now)
        over = waited >= LONGEST if another else found.sends > SENDS
        if over:
            del self._since[item_id]
        return over
