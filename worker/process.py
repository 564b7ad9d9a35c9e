"""One process of a worker's pool: its carrier, its heart, and now and then a look around.

Everything here is made after the fork: neither connections nor threads survive one.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from runner.adapters.run_locks import RunLocks
from runner.carrier import Carrier
from runner.desk import Desk
from runner.errors import FixproofError
from runner.settings import Settings
from runner.sweeping import EVERY, Sweeper
from runner.work import Broker, WorkStore
from worker.heart import Heart
from worker.presence import name_of

LEAVE = signal.SIGUSR2
"""Tells a process to hand back what it works on."""
TIDY = 10.0
"""Seconds between two looks for what killed processes left."""
SWEEPER = "sweeper"
"""Name of the lock of the one process of a home that sweeps."""
_LOG = structlog.get_logger("fixproof.worker")


class Footing(Protocol):
    """What a process stands on: a database, and what attempts run in."""

    @property
    def work(self) -> WorkStore: ...

    def desk(self, broker: Broker, heart: Heart) -> Desk:
        """What its carrier works at."""
        ...

    def stop(self) -> None:
        """End whatever runs; what is needed afterwards is made anew."""
        ...

    def tidy(self) -> None:
        """Take away what killed processes left."""
        ...


MakeFooting = Callable[[Settings], Footing]


class Process:
    """What a message is handed to."""

    def __init__(self, settings: Settings, broker: Broker, make_footing: MakeFooting) -> None:
        self._settings = settings
        self._broker = broker
        self._make_footing = make_footing
        footing = make_footing(settings)
        self._heart = Heart(footing.work, footing.stop)
        name = f"{name_of(settings)}/{os.getpid()}"
        self._carrier = Carrier(footing.desk(broker, self._heart), name=name, clock=time.monotonic)

    def start(self) -> None:
        """Begin to beat and to look around."""
        self._heart.start()
        signal.signal(LEAVE, lambda *_: self._heart.tell_to_stop())
        threading.Thread(target=self._look_around, name="sweeper", daemon=True).start()

    def carry_out(self, item_id: str) -> None:
        """Do one item of work."""
        self._carrier.carry_out(item_id)

    def _look_around(self) -> None:
        """Sweep, if nobody else of this home does; a process that dies is followed by another."""
        locks = RunLocks(self._settings.locks)
        while not locks.take(SWEEPER):
            time.sleep(EVERY)
        footing, sweeper = self._begin_to_sweep()
        tidied = time.monotonic()
        while True:
            time.sleep(EVERY)
            try:
                sweeper.sweep()
                if time.monotonic() - tidied > TIDY:
                    tidied = time.monotonic()
                    footing.tidy()
            except FixproofError as trouble:
                _LOG.warning("nothing was swept", trouble=str(trouble))
            except Exception:  # noqa: BLE001 - without a sweeper, what is lost stays lost
                _LOG.exception("nothing was swept")

    def _begin_to_sweep(self) -> tuple[Footing, Sweeper]:
        """What sweeps, and what it stands on, as soon as the database answers."""
        while True:
            try:
                footing = self._make_footing(self._settings)
                desk, clock = footing.desk(self._broker, self._heart), time.monotonic
                own = Carrier(desk, name=SWEEPER, clock=clock)
                return footing, Sweeper(footing.work, self._broker, own, clock)
            except FixproofError as trouble:
                _LOG.warning("nothing was swept", trouble=str(trouble))
            except Exception:  # noqa: BLE001 - as above
                _LOG.exception("nothing was swept")
            time.sleep(EVERY)
