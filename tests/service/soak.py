"""A bounded soak of the service, part of `make soak`: random faults at random moments.

`python -m tests.service.soak [ROUNDS [SEED]]`: each round asks workers for runs over a Redis and
a PostgreSQL of its own, does things to all of them, and wants the conclusions of an undisturbed
run, one result for each attempt, and nothing left. What a round does follows from its seed, which
is printed; that seed alone, `… soak 1 SEED`, does it again, as far as machines repeat themselves.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from tests.servers import Postgres, Redis, a_folder
from tests.service.corpus import CORPUS
from tests.service.pretence import Pretended
from tests.service.workers import RealService, Worker, a_service

ROUNDS = 100
SEED = 20261121
RUNS = 5
SECONDS = 0.1
"""That an attempt takes."""
AWAY = 3.0
"""Seconds that a server is away, at most."""
APART = 2.0
"""Seconds between two faults, at most."""
PATIENCE = 600.0
Fault = Callable[["Round"], None]


class Round:
    """One round: a service, and what is done to it."""

    def __init__(self, service: RealService, postgres: Postgres, seed: int) -> None:
        self.service = service
        self.postgres = postgres
        self.chance = random.Random(seed)
        self.done: list[str] = []
        self._homes = count()

    def carry_out(self) -> None:
        """Ask for runs, disturb them, and look at what came of it."""
        self.start()
        self.service.submit(*self.chance.choices(list(CORPUS), k=RUNS))
        for _ in range(self.chance.randint(1, 4)):
            self.rest(APART)
            fault = self.chance.choice(FAULTS)
            self.done.append(fault.__name__)
            fault(self)
        self.service.wait(PATIENCE)
        self.service.assert_undisturbed()
        for each in self.alive:
            code = each.stop()
            assert code == 0, f"a worker ended with {code}: {each.output.read_text()}"

    def start(self) -> None:
        self.service.start(self.chance.randint(1, 3), home=f"home-{next(self._homes)}")

    @property
    def alive(self) -> list[Worker]:
        return [each for each in self.service.workers if each.process.poll() is None]

    def rest(self, most: float) -> None:
        time.sleep(self.chance.uniform(0, most))


def kill_a_worker(at: Round) -> None:
    """With its pool; another comes."""
    at.chance.choice(at.alive).kill()
    at.start()


def kill_a_process(at: Round) -> None:
    at.chance.choice(at.alive).kill_one_of_its_pool()


def tell_a_worker_to_stop(at: Round) -> None:
    at.chance.choice(at.alive).process.terminate()
    at.start()


def lose_redis(at: Round) -> None:
    """It comes back empty."""
    at.service.redis.stop(signal.SIGKILL)
    at.rest(AWAY)
    at.service.redis.start()


def lose_all_messages(at: Round) -> None:
    at.service.redis.client().flushall()


def restart_postgres(at: Round) -> None:
    """Politely, or as if it had crashed."""
    at.postgres.stop(at.chance.choice([signal.SIGINT, signal.SIGQUIT]))
    at.rest(AWAY)
    at.postgres.start()


def jump_with_the_clock(at: Round) -> None:
    Path(at.service.how.clock).write_text(str(at.chance.choice([-3600, 3600, -86_400])))


FAULTS: tuple[Fault, ...] = (
    kill_a_worker,
    kill_a_process,
    tell_a_worker_to_stop,
    lose_redis,
    lose_all_messages,
    restart_postgres,
    jump_with_the_clock,
)


def main(rounds: int, seed: int) -> int:
    """Soak; 1 if any round went wrong."""
    wrong, did = [], Counter[str]()
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(stack.enter_context(a_folder("redis"))))
        postgres = stack.enter_context(Postgres(stack.enter_context(a_folder("postgres"))))
        for each in range(seed, seed + rounds):
            began, said, faults = time.monotonic(), "fine", list[str]()
            try:
                faults = _round(redis, postgres, each)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round may be fine
                said = f"WRONG: {error!r}"
                wrong.append(each)
            did.update(faults)
            took = time.monotonic() - began
            print(f"seed {each}: {', '.join(faults)}: {said}, {took:.0f} s", flush=True)  # noqa: T201 - to whoever soaks
    print(f"{rounds} rounds, {did.total()} faults: {dict(did)}; wrong: {wrong or 'none'}")  # noqa: T201
    return int(bool(wrong))


def _round(redis: Redis, postgres: Postgres, seed: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="fixproof-soak-") as folder:
        how = Pretended(
            seconds=SECONDS,
            log=f"{folder}/log",
            twice=random.Random(seed).random() < 0.3,
            clock=f"{folder}/clock",
        )
        with a_service(Path(folder), postgres, redis, how) as service:
            found = Round(service, postgres, seed)
            try:
                found.carry_out()
            except AssertionError as error:
                raise AssertionError(f"{found.done}: {error}") from error
            return found.done


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:3]]
    sys.exit(main(*given, *(ROUNDS, SEED)[len(given) :]))
