"""What the service costs beside bare Celery: with the same broker, database and machine.

`python -m benchmarks.service [RUNS [BACKLOG]]` starts its own Redis and PostgreSQL, whose commits
are on the disk. Runs of ten attempts, in a sandbox that does nothing, are measured between two
halves of as many bare tasks that insert one row each; both wait when their worker of two processes
starts, and are measured from when it is ready. Bare tasks are then only carried out; of runs all is
made, and sent, that they come to need.
Memory of each process is compared between the first and the last thousand attempts. At last,
on-demand runs are asked for while nightly ones wait.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from celery import Celery

from tests.servers import Postgres, Redis, a_folder, wait_for
from tests.service.pretence import Pretended
from tests.service.workers import REPO, RealService, Worker, a_service
from worker.app import make_app

RUNS = 1_000
BACKLOG = 10_000
ATTEMPTS = 10
"""Of a run of this behaviour:"""
BEHAVIOUR = "holds"
PROCESSES = 2
THOUSAND = 1_000
SECONDS = 1.0
"""That an attempt takes where runs wait."""
URGENT = 5
"""On-demand runs, one after the other."""
MOMENT = 0.002
"""Seconds between two looks whether one was begun."""
GOAL = 0.5
FLAT = 1.1
"""Memory at the end, as a multiple of that after the first thousand attempts."""
PATIENCE = 1800.0
_QUEUE = "bare"
_BARE = "benchmarks.service.bare"
_BARE_TABLE = """CREATE TABLE bare (id text PRIMARY KEY, number int NOT NULL,
    made timestamptz NOT NULL DEFAULT clock_timestamp())"""


class Rate(NamedTuple):
    """So many in so many seconds."""

    count: int
    seconds: float
    busy: float
    """Seconds of a processor that worker, database and broker took for them."""

    @property
    def a_second(self) -> float:
        return self.count / self.seconds

    @property
    def cost(self) -> float:
        """Milliseconds of a processor that one takes."""
        return 1000 * self.busy / self.count


def main(runs: int, backlog: int) -> int:
    """Measure and print; 1 where a goal is missed."""
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(stack.enter_context(a_folder("redis"))))
        folder = stack.enter_context(a_folder("postgres"))
        postgres = stack.enter_context(Postgres(folder, durable=True))
        before = _bare(postgres, redis, runs * ATTEMPTS // 2)
        made, grown = _runs(postgres, redis, runs)
        after = _bare(postgres, redis, runs * ATTEMPTS // 2)
        bare = Rate(*(sum(each) for each in zip(before, after, strict=True)))
        ratio = made.a_second / bare.a_second
        print(f"bare tasks a second: {bare.a_second:.0f} ({_said(before, after)})")
        print(f"attempts a second:   {made.a_second:.0f}, ratio {ratio:.2f}, goal {GOAL}")
        print(f"ms of a processor:   {made.cost:.1f} an attempt, {bare.cost:.1f} a bare task")
        print(f"memory, last/first thousand: {', '.join(f'{each:.2f}' for each in grown)}")
        an_attempt = SECONDS + PROCESSES / made.a_second  # with what is done around it
        waited = max(_urgent(postgres, redis, backlog)) / an_attempt
        print(f"on demand behind {backlog} runs: begun after {waited:.2f} of an attempt")
    return int(ratio < GOAL or max(grown) > FLAT or waited > 1)


def _said(*rates: Rate) -> str:
    return ", ".join(f"{each.a_second:.0f}" for each in rates)


# Bare tasks


def _bare(postgres: Postgres, redis: Redis, count: int) -> Rate:
    """The rate of tasks that insert one row each."""
    redis.client().flushall()
    database = postgres.database()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_BARE_TABLE)
        app = make_app(redis.address())
        with app.producer_or_acquire() as producer:
            for number in range(count):
                app.send_task(_BARE, args=(number,), queue=_QUEUE, producer=producer)
        with _bare_worker(redis, database) as worker:
            _wait(connection, "SELECT count(*) FROM bare", 1)
            begun, busy = (
                _number(connection, "SELECT count(*) FROM bare"),
                _busy(worker, postgres, redis),
            )
            _wait(connection, "SELECT count(*) FROM bare", count)
            busy = (_busy(worker, postgres, redis) - busy) * count / (count - begun)
        query = "SELECT extract(epoch FROM max(made) - min(made)) FROM bare"
        return Rate(count, float(_number(connection, query)), busy)


def _busy(worker: subprocess.Popen[bytes], *servers: Postgres | Redis) -> float:
    """Seconds of a processor that they took so far, with those that they started."""
    processes = [worker, *(each.process for each in servers)]
    return sum(_time_of(each.pid) for each in processes if each)


def _time_of(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile: see its parent
        return 0.0
    own = sum(int(each) for each in told[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(_time_of(int(each)) for each in children)


@contextmanager
def _bare_worker(redis: Redis, database: str) -> Iterator[subprocess.Popen[bytes]]:
    words = ["-m", "benchmarks.service", _QUEUE, redis.address(), database]
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", sys.executable, *words], cwd=REPO)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def bare_worker(broker: str, database: str) -> None:
    """A worker with Celery's settings as the service has them, and nothing of the service."""
    app: Celery = make_app(broker, (_QUEUE,))
    connections: list[psycopg.Connection] = []

    def bare(number: int) -> None:
        if not connections:  # after the fork
            connections.append(psycopg.connect(database, autocommit=True))
        insert = "INSERT INTO bare (id, number) VALUES (%s, %s)"
        connections[0].execute(insert, (f"{os.getpid()}-{number}", number))

    app.task(bare, name=_BARE)
    app.Worker(
        pool="prefork",
        concurrency=PROCESSES,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
        quiet=True,
        optimization="fair",
    ).start()


# Runs


def _runs(postgres: Postgres, redis: Redis, runs: int) -> tuple[Rate, list[float]]:
    """The rate of attempts, and by how much each process grew."""
    with _service(postgres, redis, Pretended()) as service:
        service.submit(*[BEHAVIOUR] * runs)
        with psycopg.connect(service.database, autocommit=True) as connection:
            worker = service.start(PROCESSES)
            began, busy = time.monotonic(), _busy(worker.process, postgres, redis)
            early = int(_number(connection, "SELECT count(*) FROM attempts"))
            _wait(connection, "SELECT count(*) FROM attempts", THOUSAND)
            first = _memory(worker)
            _wait(connection, "SELECT count(*) FROM runs WHERE ended IS NOT NULL", runs)
            seconds = time.monotonic() - began
            busy = _busy(worker.process, postgres, redis) - busy
            last = _memory(worker)
            made = int(_number(connection, "SELECT count(*) FROM attempts"))
    assert made == runs * ATTEMPTS, made
    return Rate(made - early, seconds, busy), [last[each] / first[each] for each in first]


def _memory(worker: Worker) -> dict[int, int]:
    """KiB of each process that are its own."""
    return {each: _own(each) for each in (worker.process.pid, *worker.pool)}


def _own(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def _urgent(postgres: Postgres, redis: Redis, backlog: int) -> list[float]:
    """Seconds until runs were begun that could not wait, while many did."""
    with _service(postgres, redis, Pretended(seconds=SECONDS)) as service:
        service.submit(*[BEHAVIOUR] * backlog, nightly=True)
        service.start(PROCESSES)
        wait_for(lambda: service.has_begun("run-000"), "nothing was begun")
        return [_begun(service) for _ in range(URGENT)]


def _begun(service: RealService) -> float:
    began = time.monotonic()
    (run,) = service.submit(BEHAVIOUR)
    wait_for(lambda: _is_begun(service, run), "it was not begun", every=MOMENT)
    waited = time.monotonic() - began
    wait_for(lambda: service.outcome(run) is not None, "it did not end")
    return waited


def _is_begun(service: RealService, run: str) -> bool:
    """Whether a worker has it, or has planned it."""
    stored = service.store.runs.run(run)
    planned = stored is not None and bool(stored.plan)
    return planned or any(each.run == run for each in service.store.work.begun())


@contextmanager
def _service(postgres: Postgres, redis: Redis, how: Pretended) -> Iterator[RealService]:
    with tempfile.TemporaryDirectory(prefix="fixproof-service-") as folder:
        own = Pretended(seconds=how.seconds)
        with a_service(Path(folder), postgres, redis, own) as service:
            yield service


def _wait(connection: psycopg.Connection, query: str, count: int) -> None:
    """Wait until a query counts as many; it is asked so seldom that it costs nothing."""
    deadline = time.monotonic() + PATIENCE
    while _number(connection, query) < count:
        assert time.monotonic() < deadline, query
        time.sleep(0.25)


def _number(connection: psycopg.Connection, query: str) -> float:
    row = connection.execute(query).fetchone()
    assert row is not None
    return float(row[0])


if __name__ == "__main__":
    if sys.argv[1:2] == [_QUEUE]:
        bare_worker(*sys.argv[2:4])
    else:
        given = [int(each) for each in sys.argv[1:3]]
        sys.exit(main(*given, *(RUNS, BACKLOG)[len(given) :]))
