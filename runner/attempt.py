"""One attempt as it is kept: what the supervisor saw, and what was loaded; no conclusion."""

from __future__ import annotations

from datetime import datetime

from runner.environment import Failure, Lock
from runner.sandbox import Ending, Stream
from runner.value import Value

EPOCH = 1
"""Raised when attempts made by an older fixproof can no longer be compared with new ones."""


class Attempt(Value):
    """One run of one cell."""

    id: str
    ran: datetime
    """When it started, UTC."""
    ending: Ending
    stdout: Stream
    stderr: Stream
    seconds: float
    peak_mib: float | None = None
    cpu_seconds: float | None = None
    doubled: bool = False
    """Run with twice the limit of time, to tell a hang from slowness."""
    reused: bool = False
    """Taken over from an earlier run of the same content."""


class Loaded(Value):
    """The distribution under test as it is found inside an environment."""

    version: str | None
    """None if it is not there."""
    location: str | None
    """File that importing it would execute first."""


class Facts(Value):
    """All that is known of a cell so far."""

    lock: Lock | Failure | None = None
    """None: not resolved yet."""
    loaded: Loaded | None = None
    attempts: tuple[Attempt, ...] = ()
    """In the order in which they began: the order in which they ended is an accident."""

    def __hash__(self) -> int:
        """Quick, since what was judged once is looked up again and again."""
        return hash((len(self.attempts), self.attempts[-1].id if self.attempts else self.loaded))
