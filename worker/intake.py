"""Pauses a worker's intake of new runs while the disk is nearly full, and resumes it by itself.

What was begun goes on: it needs little more, and ending it frees what it holds. Tasks are not
refused but not asked for, so that another worker may have them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from runner.adapters.disk_space import free_bytes, size
from runner.errors import NoSpace
from runner.queues import Capability, queues_for
from runner.settings import Settings

EVERY = 2.0
"""Seconds between two looks at the disk."""
_ENOUGH = 1.1
"""Of what must be free before intake is resumed: else it would change its mind all the time."""
_LOG = structlog.get_logger("fixproof.worker")


def is_paused(free: float, least: float, *, was_paused: bool) -> bool:
    """Whether nothing new is to be begun, given what is free and what must be."""
    return free < least * (_ENOUGH if was_paused else 1)


class Intake:
    """Looks at the disks of a worker, and tells its consumer."""

    def __init__(self, settings: Settings, here: Capability) -> None:
        everything, begun = queues_for(here), queues_for(here, intake=False)
        self._queues = [each for each in everything if each not in begun]
        self._settings = settings
        self.paused = False

    def watch(self, consumer: Any) -> None:
        """Look again and again, from a thread of its own; Celery's loop does what follows."""

        def look_on() -> None:
            while True:
                self._look(consumer.call_soon, consumer)
                time.sleep(EVERY)

        threading.Thread(target=look_on, name="intake", daemon=True).start()

    def _look(self, soon: Callable[..., object], consumer: Any) -> None:
        try:
            free = free_bytes(*self._settings.disks)
        except NoSpace as trouble:
            _LOG.warning("the disk cannot be looked at", trouble=trouble.message)
            return
        paused = is_paused(free, self._settings.min_free, was_paused=self.paused)
        if paused is not self.paused:
            self.paused = paused
            _LOG.warning(
                "intake paused: the disk is nearly full" if paused else "intake resumed",
                free=size(free),
                least=size(self._settings.min_free),
            )
        soon(self._tell, consumer)

    def _tell(self, consumer: Any) -> None:
        """Consume from what is to be consumed from: after a lost connection, all begins anew."""
        if consumer.task_consumer is None:
            return
        for each in self._queues:
            if self.paused and consumer.task_consumer.consuming_from(each):
                consumer.cancel_task_queue(each)
            elif not self.paused and not consumer.task_consumer.consuming_from(each):
                consumer.add_task_queue(each)
