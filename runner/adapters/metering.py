"""Meters one attempt from outside: its output and its time, and which limit it broke first.

How it is run, read and ended is not known here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from runner.adapters.supervision import TICK, Capture
from runner.sandbox import EndingKind, Limits, OnOutput, Stream


class Meter:
    """Begins to count when it is made; used once.

    `ooms` says how many processes the kernel ended for lack of memory; None where nobody knows.
    """

    def __init__(
        self, limits: Limits, watch: OnOutput | None, ooms: Callable[[], int | None]
    ) -> None:
        self._limits = limits
        self._watch = watch
        self._ooms = ooms
        self._captures = {"stdout": Capture(limits.kept), "stderr": Capture(limits.kept)}
        self._begun = self._heard = time.monotonic()

    def begin(self) -> None:
        """Count from now on: what was before is not the attempt's own time."""
        self._begun = self._heard = time.monotonic()

    def hear(self, stream: Literal["stdout", "stderr"], chunk: bytes) -> None:
        """Take the next piece of output."""
        self._heard = time.monotonic()
        self._captures[stream].add(chunk)
        if self._watch is not None:
            self._watch(stream, chunk)

    def seconds(self) -> float:
        return round(time.monotonic() - self._begun, 4)

    def streams(self) -> tuple[Stream, Stream]:
        """What was kept of standard output and standard error."""
        return self._captures["stdout"].stream(), self._captures["stderr"].stream()

    def patience(self) -> float:
        """Seconds until the next limit could be broken."""
        now = time.monotonic()
        waits = [self._begun + self._limits.timeout - now, TICK]
        if self._limits.silence is not None:
            waits.append(self._heard + self._limits.silence - now)
        return max(0.0, min(waits))

    def broken_limit(self) -> EndingKind | None:
        """The limit that ends the attempt now; None while there is none."""
        now = time.monotonic()
        if (over := self.broken_for_good()) is not None:
            return over
        if now - self._begun >= self._limits.timeout:
            return EndingKind.TIMEOUT
        if self._limits.silence is not None and now - self._heard >= self._limits.silence:
            return EndingKind.SILENCE
        return None

    def broken_for_good(self) -> EndingKind | None:
        """What decides the ending even where the process ended by itself."""
        if (self._ooms() or 0) > 0:
            return EndingKind.MEMORY
        if sum(capture.total for capture in self._captures.values()) > self._limits.output:
            return EndingKind.OUTPUT_LIMIT
        return None
