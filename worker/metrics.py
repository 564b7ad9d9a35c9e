"""Tells Prometheus of a worker: what its processes measured, and how the service and disks stand.

What waits is read from the database when somebody asks; it is the same from each worker.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from runner.adapters.disk_space import free_bytes
from runner.adapters.sql_store import SqlStore
from runner.errors import FixproofError, WrongUsage
from runner.settings import Settings
from worker.broker import CeleryBroker

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.metrics_core import Metric

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks, when it is imported, for where processes keep what they count."""
_LOG = structlog.get_logger("fixproof.worker")


@contextmanager
def telling(settings: Settings, paused: Callable[[], bool]) -> Iterator[None]:
    """Answer Prometheus for as long as the block runs, if that was asked for.

    Args:
        settings: at which address, and of what.
        paused: whether the worker begins nothing new.

    Raises:
        WrongUsage: nobody can listen at that address.
    """
    if settings.metrics is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="fixproof-metrics-") as folder:
        os.environ[_FOLDER] = folder
        from prometheus_client import CollectorRegistry, start_http_server
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call] # its constructor has no types
        registry.register(Standing(settings, paused))
        host, port = settings.metrics
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise WrongUsage(
                f"metrics cannot be told at {host}:{port}: {error.strerror}",
                hint="FIXPROOF_METRICS is PORT or HOST:PORT; each worker needs its own.",
            ) from error
        _LOG.info("metrics", host=host, port=server.server_port)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Standing:
    """How the service stands at the moment; a collector of prometheus_client."""

    def __init__(self, settings: Settings, paused: Callable[[], bool]) -> None:
        self._settings = settings
        self._paused = paused

    def collect(self) -> Iterable[Metric]:
        """What is true now; what cannot be told is left out, and said to be so."""
        yield from self._disks()
        answers = _gauge("answers", "Whether a part answers: 1 or 0.", "part")
        for part, figures in (("database", self._waiting), ("broker", self._messages)):
            try:
                found = list(figures())
            except FixproofError:
                answers.add_metric([part], 0)
            else:
                answers.add_metric([part], 1)
                yield from found
        yield answers

    def describe(self) -> Iterable[Metric]:
        """Nothing: else all would be collected once before anybody asks."""
        return ()

    def _disks(self) -> Iterator[Metric]:
        free = _gauge("disk_free_bytes", "What is free for us on a disk.", "disk")
        for name, folder in (("home", self._settings.home), ("store", self._settings.store)):
            free.add_metric([name], free_bytes(folder))
        yield free
        least = _gauge("disk_least_free_bytes", "A run begins only where so much is free.")
        least.add_metric([], self._settings.min_free)
        yield least
        paused = _gauge("intake_paused", "Whether this worker begins nothing new: 1 or 0.")
        paused.add_metric([], self._paused())
        yield paused

    def _waiting(self) -> Iterator[Metric]:
        store = SqlStore(self._settings.database_url)
        try:
            queues, runs = store.figures.queues(), store.figures.open_runs()
            night = store.figures.last_night()
        finally:
            store.close()
        items = _gauge("queue_items", "Items of work, by where they are.", "queue", "state")
        age = _gauge("queue_age_seconds", "Age of the oldest of them.", "queue", "state")
        now = datetime.now(tz=UTC)
        for each in queues:
            items.add_metric([each.queue, each.state], each.items)
            age.add_metric([each.queue, each.state], (now - each.oldest).total_seconds())
        yield items
        yield age
        opened = _gauge("runs_open", "Runs of the service that have not ended.")
        opened.add_metric([], runs)
        yield opened
        if night is not None:
            ended = _gauge("last_night_timestamp_seconds", "When the last whole night ended.")
            ended.add_metric([], night.timestamp())
            yield ended

    def _messages(self) -> Iterator[Metric]:
        broker = CeleryBroker(self._settings.broker_url)
        broker.check()
        broker.app.close()
        yield from ()


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"fixproof_{name}", said, labels=labels)
