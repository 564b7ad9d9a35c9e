"""Says of an item, again and again, that it is worked on; and hears when it is to be left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import structlog

from runner.errors import FixproofError
from runner.sweeping import HEARTBEAT
from runner.work import Item

LONGEST = 4 * 60 * 60.0
"""Seconds that an item may take at most: no build, no attempt and no index takes that long."""
_LOG = structlog.get_logger("fixproof.worker")


class Beating(Protocol):
    """Where it is said that somebody is alive; see `work.WorkStore`."""

    def beat(self, item_id: str, owner: str) -> bool: ...


class _Held(NamedTuple):
    item: str
    owner: str
    until: float


class Heart:
    """One for each process, with a thread of its own."""

    def __init__(
        self, work: Beating, stop: Callable[[], None], *, every: float = HEARTBEAT
    ) -> None:
        """Be ready.

        Args:
            work: who is told.
            stop: ends whatever runs; it is called from the thread, and more than once.
            every: seconds between two heartbeats.
        """
        self._work = work
        self._stop = stop
        self._every = every
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._told = threading.Event()

    def start(self) -> None:
        """Begin to beat, for as long as the process lives."""
        threading.Thread(target=self._beat_on, name="heart", daemon=True).start()

    def tell_to_stop(self) -> None:
        """End what runs now, and whatever is begun from now on; may be called by a signal."""
        self._told.set()

    @contextmanager
    def holding(self, item: Item, owner: str) -> Iterator[None]:
        """Beat for an item as long as the block runs."""
        with self._lock:
            self._held = _Held(item.id, owner, time.monotonic() + LONGEST)
        try:
            yield
        finally:
            with self._lock:
                self._held = None

    def _beat_on(self) -> None:
        """Whatever happens, there is another beat: nobody else hears, or ends what hangs."""
        while True:
            told = self._told.wait(self._every)
            held = self._held
            try:
                if held is not None and (told or not self._beat(held)):
                    self._leave(held)
            except FixproofError as trouble:
                _LOG.warning("a heartbeat was missed", trouble=str(trouble))
            except Exception:  # noqa: BLE001 - a heart that stops is a worker that is lost
                _LOG.exception("a heartbeat was missed")
            if told:
                time.sleep(self._every / 10)

    def _beat(self, held: _Held) -> bool:
        """Whether the item is still to be worked on."""
        if time.monotonic() > held.until:  # what hangs is as good as lost, and is found so
            os.kill(os.getpid(), signal.SIGKILL)
        return self._work.beat(held.item, held.owner)

    def _leave(self, held: _Held) -> None:
        with self._lock:
            if self._held is held:
                self._stop()
