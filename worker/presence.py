"""Says again and again that a worker is alive, and which runs it could carry out."""

from __future__ import annotations

import platform
import threading
from contextlib import suppress

import structlog

from runner.avoidance import Present
from runner.errors import BrokerTrouble
from runner.queues import Capability
from runner.settings import Settings
from runner.value import digest
from worker.broker import CeleryBroker

EVERY = 5.0
"""Seconds between two times."""
LASTS = 20.0
"""Seconds for which a worker that said so counts as alive."""
_LOG = structlog.get_logger("fixproof.worker")


def name_of(settings: Settings) -> str:
    """The name of the worker of this home; a machine may have more than one."""
    return f"{platform.node()}-{digest('home/1', str(settings.home))[:4]}"


class Presence:
    """That of one worker, from a thread of its own."""

    def __init__(self, settings: Settings, here: Capability) -> None:
        self._broker = CeleryBroker(settings.broker_url)
        self._who = Present(name_of(settings), here)
        self._over = threading.Event()

    def begin(self) -> None:
        """Say so, for as long as the process lives or until it leaves."""
        threading.Thread(target=self._say_on, name="presence", daemon=True).start()

    def leave(self) -> None:
        """Say so no more."""
        self._over.set()

    def _say_on(self) -> None:
        while not self._over.is_set():
            try:
                self._broker.announce(self._who, LASTS)
            except BrokerTrouble:  # it is Celery that says so
                pass
            except Exception:  # noqa: BLE001 - who says nothing any more is taken for dead
                _LOG.exception("nobody was told that this worker is there")
            self._over.wait(EVERY)
        with suppress(BrokerTrouble):
            self._broker.withdraw(self._who)
