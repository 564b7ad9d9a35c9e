"""Starts a worker: looks whether it can do anything, then serves its queues until told to stop."""

from __future__ import annotations

import gc
import os
import platform
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from celery import signals
from celery.apps.worker import install_worker_term_handler
from celery.platforms import SecurityWarning

from runner import __version__
from runner.adapters.sql_store import SqlStore
from runner.errors import FixproofError, SandboxUnavailable
from runner.queues import Capability, queues_for
from runner.sandbox import SandboxKind
from runner.settings import Settings
from runner.sweeping import EVERY
from runner.wiring import Program, make_home
from worker.app import WORK, Unacknowledged, make_app
from worker.broker import CeleryBroker
from worker.desk import ProgramFooting
from worker.intake import Intake
from worker.logs import configure
from worker.metrics import telling
from worker.presence import Presence
from worker.process import LEAVE, MakeFooting, Process

_LOG = structlog.get_logger("fixproof.worker")
_process: Process | None = None
"""This process of the pool; made after the fork."""


def serve(
    settings: Settings, *, processes: int, grace: float, make_footing: MakeFooting = ProgramFooting
) -> int:
    """Serve until told to stop (SIGTERM); the exit code.

    Args:
        settings: as `fit` returned them.
        processes: attempts at a time.
        grace: seconds for which a worker that was told to stop finishes what it has; then it
            hands that back.
        make_footing: called in each process of the pool.
    """
    configure(settings)
    here = Capability(arch=platform.machine(), sandbox=settings.sandbox)
    app = make_app(str(settings.broker_url), queues_for(here))
    app.task(_work, name=WORK, Request=Unacknowledged)
    signals.worker_process_init.connect(_starter(settings, make_footing), weak=False)
    intake, presence = Intake(settings, here), Presence(settings, here)
    signals.worker_ready.connect(_ready(settings, intake, presence), weak=False)
    warnings.simplefilter("ignore", SecurityWarning)  # what strangers wrote never runs as root
    worker = app.Worker(
        hostname=f"fixproof@{platform.node()}.{os.getpid()}",
        pool="prefork",
        concurrency=processes,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
        quiet=True,
        optimization="fair",
    )
    signals.worker_shutting_down.connect(_leaver(worker, grace, presence), weak=False)
    with telling(settings, lambda: intake.paused):
        worker.start()
    return int(worker.exitcode or 0)


def fit(settings: Settings) -> Settings:
    """Settings with the sandbox that is really there, once and for all.

    Raises:
        WrongUsage: there is no broker's address.
        BrokerTrouble: the broker does not let us in.
        StoreTrouble: the database cannot be used.
        SandboxUnavailable: there is none that isolates, or the engine does not answer.
    """
    if settings.sandbox == SandboxKind.PROCESS:
        raise SandboxUnavailable(
            "a worker runs what strangers wrote: not in plain processes",
            hint="Use --sandbox docker or bubblewrap.",
        )
    CeleryBroker(settings.broker_url).check()
    make_home(settings)
    SqlStore(settings.database_url).close()  # no connection may be there when the pool is forked
    backend = Program(settings).backend
    backend.check()
    found = settings.model_copy(update={"sandbox": str(backend.kind)})
    backend.stop()
    return found


def _work(item_id: str) -> None:
    """Carry out one item; what it is about is in the database."""
    if _process is None:
        raise AssertionError("the pool was started without us")
    _process.carry_out(item_id)


def _starter(settings: Settings, make_footing: MakeFooting) -> Any:
    def start(**_: object) -> None:
        global _process  # noqa: PLW0603 - a process of the pool has nothing else to keep it in
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker to tell
        with _or_ending():
            _process = Process(settings, CeleryBroker(settings.broker_url), make_footing)
            _process.start()
        gc.freeze()  # what is there stays there: none of it need be looked at again and again

    return start


@contextmanager
def _or_ending() -> Iterator[None]:
    """End this process where it cannot begin: another follows it, and may be luckier.

    Celery would keep one that can do nothing, and hand it messages forever.
    """
    try:
        yield
    except FixproofError as trouble:
        _LOG.warning("a process could not begin", trouble=str(trouble))
    except Exception:  # noqa: BLE001 - whatever it is, such a process is of no use
        _LOG.exception("a process could not begin")
    else:
        return
    time.sleep(EVERY)
    os._exit(1)


def _ready(settings: Settings, intake: Intake, presence: Presence) -> Any:
    def ready(sender: Any, **_: object) -> None:
        install_worker_term_handler(sender, verbose=False)  # it prints; `_leaver` logs
        _LOG.info("ready", sandbox=settings.sandbox, home=str(settings.home), fixproof=__version__)
        intake.watch(sender)
        presence.begin()

    return ready


def _leaver(worker: Any, grace: float, presence: Presence) -> Any:
    """Celery lets what runs finish when it is told to stop; after a while we tell it to leave."""

    def leave() -> None:
        pool = getattr(worker.pool, "_pool", None)
        for each in getattr(pool, "_pool", ()):
            if each.is_alive():
                os.kill(each.pid, LEAVE)

    def say() -> None:  # not from within a signal: that may have come in the middle of a line
        _LOG.info("told to stop", grace=grace)

    def told(**_: object) -> None:
        presence.leave()
        for seconds, act in ((0.0, say), (grace, leave)):
            timer = threading.Timer(seconds, act)
            timer.daemon = True
            timer.start()

    return told
