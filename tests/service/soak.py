"""A bounded soak of the service, part of `make soak`: random faults at random moments.

`python -m tests.service.soak [ROUNDS [SEED]]`: each round asks workers for runs over a Redis and
a PostgreSQL of its own, does things to all of them, and wants the conclusions of an undisturbed
run, one result for each attempt, and nothing left. In every third round attempts are containers, of
an engine of its own if there can be one; in another third two beats keep nights beside. What a
round does follows from its seed, which is printed; that seed alone, `… soak 1 SEED`, does it again,
as far as machines repeat themselves.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

from runner.adapters.container_engine import Engine
from tests.attempts import becomes
from tests.docker.engines import OwnEngine, another_engine, engine_of_the_session
from tests.docker.sandboxes import base
from tests.servers import Postgres, Redis, a_folder, wait_for
from tests.service.contained import containers, kill_one
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
OFTEN = 1 / 3
"""How often attempts are containers; how often beats are at work; how often messages come twice."""
MOST = 8
"""Faults in a round, at most."""
NIGHTS = 2
"""That beats keep in a round."""
Fault = Callable[["Round"], None]


class Round:
    """One round: a service, and what is done to it."""

    def __init__(
        self, service: RealService, postgres: Postgres, seed: int, own: OwnEngine | None
    ) -> None:
        self.service = service
        self.postgres = postgres
        self.chance = random.Random(seed)
        self.own = own
        """Of attempts that are containers."""
        self.began = time.time()
        self.done: list[str] = []
        self._homes = count()

    def carry_out(self) -> None:
        """Ask for runs, disturb them, and look at what came of it."""
        self.start()
        self.service.submit(*self.chance.choices(list(CORPUS), k=RUNS))
        beats = self.own is None and self.chance.random() < OFTEN
        for _ in range(2 if beats else 0):
            self.beat()
        sorts = [FAULTS, *([OF_ENGINES] if self.own else []), *([OF_BEATS] if beats else [])]
        for _ in range(self.chance.randint(1, MOST)):
            self.rest(APART)
            fault = self.chance.choice(self.chance.choice(sorts))  # of the rare sorts as many
            self.done.append(fault.__name__)
            fault(self)
        self.service.wait(PATIENCE)
        self.service.assert_nights(NIGHTS if beats else 0)
        self.service.assert_undisturbed()
        self.assert_no_container()
        for each in self.alive:
            code = each.stop()
            assert code == 0, f"a worker ended with {code}: {each.output.read_text()}"

    def start(self) -> None:
        self.service.start(self.chance.randint(1, 3), home=f"home-{next(self._homes)}")

    def beat(self) -> None:
        self.service.beat(self.began, NIGHTS)

    def assert_no_container(self) -> None:
        if self.own is not None:
            with closing(Engine(host=self.own.start())) as engine:
                wait_for(lambda: not containers(engine), "containers are left")

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


def kill_a_container(at: Round) -> None:
    """If one runs within a moment."""
    assert at.own is not None
    with closing(Engine(host=at.own.start())) as engine:
        becomes(lambda: kill_one(engine, at.chance.choice), within=APART)


def restart_the_engine(at: Round) -> None:
    """Politely, or as if it had crashed."""
    own = at.own
    assert own is not None
    own.signal(at.chance.choice([signal.SIGTERM, signal.SIGKILL]))
    wait_for(lambda: not own.runs(), "the engine does not end")
    at.rest(AWAY)
    own.start()


def kill_a_beat(at: Round) -> None:
    """If one is left; another comes."""
    beats = [each for each in at.service.beats if each.poll() is None]
    if beats:
        at.chance.choice(beats).kill()
        at.beat()


OF_ENGINES: tuple[Fault, ...] = (kill_a_container, restart_the_engine)
OF_BEATS: tuple[Fault, ...] = (kill_a_beat,)
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an engine outlives who is killed
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(stack.enter_context(a_folder("redis"))))
        postgres = stack.enter_context(Postgres(stack.enter_context(a_folder("postgres"))))
        own = stack.enter_context(_engine())
        for each in range(seed, seed + rounds):
            began, said, faults = time.monotonic(), "fine", list[str]()
            try:
                faults = _round(redis, postgres, each, own)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round may be fine
                said = f"WRONG: {error!r}"
                wrong.append(each)
            did.update(faults)
            took = time.monotonic() - began
            print(f"seed {each}: {', '.join(faults)}: {said}, {took:.0f} s", flush=True)  # noqa: T201 - to whoever soaks
    print(f"{rounds} rounds, {did.total()} faults: {dict(did)}; wrong: {wrong or 'none'}")  # noqa: T201 - a command
    return int(bool(wrong))


@contextmanager
def _engine() -> Iterator[OwnEngine | None]:
    """One that rounds may do anything to; None where there can be none."""
    with ExitStack() as stack:
        os.environ.setdefault("FIXPROOF_HOME", str(stack.enter_context(a_folder("soak-home"))))
        why = stack.enter_context(engine_of_the_session())
        if why is not None:
            print(f"without containers: {why}")  # noqa: T201 - to whoever soaks
            yield None
            return
        yield stack.enter_context(another_engine(Path(tempfile.mkdtemp(prefix="fixproof-engine-"))))


def _round(redis: Redis, postgres: Postgres, seed: int, own: OwnEngine | None) -> list[str]:
    chance = random.Random(seed)
    own = own if chance.random() < OFTEN else None
    with tempfile.TemporaryDirectory(prefix="fixproof-soak-") as folder:
        how = Pretended(
            seconds=SECONDS,
            log=f"{folder}/log",
            twice=chance.random() < OFTEN,
            clock=f"{folder}/clock",
            image=base().name if own else "",
        )
        with a_service(Path(folder), postgres, redis, how) as service:
            if own:
                service.env["DOCKER_HOST"] = own.start()
            found = Round(service, postgres, seed, own)
            try:
                found.carry_out()
            except AssertionError as error:
                raise AssertionError(f"{found.done}: {error}") from error
            return found.done


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:3]]
    sys.exit(main(*given, *(ROUNDS, SEED)[len(given) :]))
