"""Real workers, Redis and PostgreSQL for tests: to be started, watched, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from runner.adapters.sql_store import SqlStore
from runner.errors import StoreTrouble
from tests.servers import Postgres, Redis, wait_for
from tests.service.beating import NAMES, ended, write_corpus
from tests.service.corpus import CORPUS
from tests.service.pretence import Pretended, submit
from tests.service.simulation import Service, essence, report_of
from worker.broker import CeleryBroker

REPO = Path(__file__).parents[2]
PATIENCE = 900.0
"""Seconds in which runs must end, whatever happened to anybody, and however busy the machine is."""


@dataclass
class Worker:
    """One worker process with its pool."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def pool(self) -> list[int]:
        """The processes of its pool."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(each) for each in listed.split()]

    def pool_if_alive(self) -> list[int]:
        return self.pool if self.process.poll() is None else []

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return "ready" in self.output.read_text()

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        self.process.kill()
        self.process.wait()

    def kill_one_of_its_pool(self) -> None:
        os.kill(self.pool[0], signal.SIGKILL)

    def stop(self, within: float = 300) -> int:
        """Tell it to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(within)


@dataclass
class RealService:
    """A database, a broker, workers that pretend, and runs of known behaviours."""

    folder: Path
    database: str
    redis: Redis
    how: Pretended = field(default_factory=Pretended)
    workers: list[Worker] = field(default_factory=list)
    beats: list[subprocess.Popen[bytes]] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)
    """Behaviours by run."""
    env: dict[str, str] = field(default_factory=dict)
    """Settings of workers that are started from now on, beside the usual ones."""
    _serial: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database)
        self.broker = CeleryBroker(self.redis.address())

    def start(self, processes: int = 2, *, grace: float = 30, home: str = "home") -> Worker:
        """Start a worker, and wait until it is ready."""
        output = self.folder / f"worker-{next(self._serial)}.log"
        words = ["-m", "tests.service.pretence", str(processes), str(grace), self.how.word]
        own = {
            "FIXPROOF_HOME": str(self.folder / home),
            "FIXPROOF_DATABASE_URL": self.database,
            "FIXPROOF_BROKER_URL": self.redis.address(),
            "PYTHONUNBUFFERED": "1",
        }
        (self.folder / home).mkdir(exist_ok=True)
        with output.open("wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, *words],
                cwd=REPO,
                env=os.environ | own | self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        worker = Worker(process, output)
        self.workers.append(worker)
        wait_for(worker.is_ready, "a worker does not get ready")
        return worker

    def beat(self, began: float, nights: int) -> subprocess.Popen[bytes]:
        """Start a beat, which keeps so many nights of the corpus, or sees that somebody does."""
        own = {
            "FIXPROOF_HOME": str(self.folder / "home-of-beats"),
            "FIXPROOF_DATABASE_URL": self.database,
            "FIXPROOF_BROKER_URL": self.redis.address(),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(REPO),
        }
        if not (self.folder / "repros").exists():
            write_corpus(self.folder)
        with (self.folder / f"beat-{next(self._serial)}.log").open("wb") as log:
            words = ["-m", "tests.service.beating", str(began), str(nights)]
            beat = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, *words],
                cwd=self.folder,
                env=os.environ | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.beats.append(beat)
        return beat

    def submit(self, *names: str, nightly: bool = False) -> list[str]:
        """Ask for runs of behaviours; their ids."""
        runs = []
        for name in names:
            run = f"run-{len(self.asked):03}"
            self.asked[run] = name
            self.broker.send([submit(self.store, name, run, nightly=nightly)])
            runs.append(run)
        return runs

    def outcome(self, run: str) -> str | None:
        """How a run ended, as far as anybody can tell now."""
        try:
            found = self.store.runs.run(run)
        except StoreTrouble:
            return None
        return found.outcome if found else None

    def attempts(self, run: str) -> int:
        """How many attempts a run has."""
        return sum(len(each.attempts) for each in self.store.runs.facts(run).values())

    def wait(self, within: float = PATIENCE) -> None:
        """Wait until all runs have ended."""
        wait_for(self.all_ended, f"runs did not end: {self.open()}", within)

    def all_ended(self) -> bool:
        return not self.open()

    def open(self) -> list[str]:
        return [each for each in self.asked if self.outcome(each) is None]

    def has_begun(self, run: str, attempts: int = 1) -> bool:
        """Whether a run has some of its attempts."""
        return self.attempts(run) >= attempts

    def assert_undisturbed(self) -> None:
        """Each run ended as if nothing had happened, each attempt has one result, nothing is left."""
        for run, name in self.asked.items():
            assert essence(report_of(self.store, run)) == usual(name), (run, name)
            facts = self.store.runs.facts(run)
            kept = [each.id for every in facts.values() for each in every.attempts]
            assert len(kept) == len(set(kept))
        wait_for(lambda: not self.left(), f"left: {self.left()}")

    def assert_nights(self, most: int) -> None:
        """All beats ended by themselves, and each night found of each case what is usual."""
        for each in self.beats:
            assert each.wait(PATIENCE) in (0, -signal.SIGKILL), f"a beat ended: {self.folder}"
        found = ended(self.store)
        assert len(found) >= most
        moments = [each.night for each in found]
        assert len(moments) == len(set(moments))
        for night in found:
            stood = {each.case: each.standing for each in night.entries}
            assert stood.keys() == {*NAMES}, night
            for name, standing in stood.items():
                expected = usual(name)
                assert (standing.status, standing.outcome) == (
                    expected["status"],
                    expected["outcome"],
                )
        runs = [every.run for each in found for entry in each.entries for every in entry.rounds]
        assert len(runs) == len(set(runs))
        assert self.store.nights.open() is None

    def left(self) -> dict[str, Any]:
        """Items of work, and leases."""
        begun = Counter(each.state for each in self.store.work.begun())
        return dict(self.store.work.queued()) | dict(begun)

    def ran(self) -> list[str]:
        """Names of attempts, as often as they were begun."""
        log = Path(self.how.log)
        return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []


@contextmanager
def a_service(
    folder: Path, postgres: Postgres, redis: Redis, how: Pretended | None = None
) -> Iterator[RealService]:
    """A service whose workers are gone afterwards, and whose messages are its own."""
    redis.client().flushall()
    service = RealService(folder, postgres.database(), redis, how or Pretended())
    try:
        yield service
    finally:
        for beat in service.beats:
            beat.kill()
            beat.wait()
        for each in service.workers:
            for process in [*each.pool_if_alive(), each.process.pid]:
                _kill(process)
            each.process.wait()
        service.store.close()


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


_USUAL: dict[str, dict[str, Any]] = {}


def usual(name: str) -> dict[str, Any]:
    """What a behaviour comes to if nothing happens to anybody."""
    if name not in _USUAL:
        service = Service("sqlite://", CORPUS[name][0])
        service.submit(CORPUS[name][1])
        service.drain()
        _USUAL[name] = essence(service.report())
        service.close()
    return _USUAL[name]
