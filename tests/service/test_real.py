"""Real workers on a real Redis and a real PostgreSQL, to which things happen; attempts pretend."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from runner.endings import cancel
from tests.attempts import becomes
from tests.builders import LATER
from tests.servers import Postgres, Redis, a_folder, wait_for
from tests.service.corpus import CORPUS
from tests.service.pretence import HERE, Pretended
from tests.service.workers import RealService, a_service

pytestmark = [pytest.mark.postgres, pytest.mark.redis]
MakeService = Callable[..., RealService]
SLOW = 0.2
"""Seconds that an attempt takes, where things happen to it."""


@pytest.fixture
def make(tmp_path: Path, postgres: Postgres, redis: Redis) -> Iterator[MakeService]:
    serial = count()
    with ExitStack() as stack:

        def service(own_postgres: Postgres | None = None, **how: object) -> RealService:
            folder = tmp_path / str(next(serial))
            folder.mkdir()
            pretended = Pretended(log=str(folder / "log"), **how)  # type: ignore[arg-type]  # each of its own type
            return stack.enter_context(
                a_service(folder, own_postgres or postgres, redis, pretended)
            )

        yield service


def test_all_behaviours_come_to_the_same_conclusions_as_here(make: MakeService) -> None:
    service = make()
    service.start()
    service.submit(*CORPUS)
    service.wait()
    service.assert_undisturbed()
    assert len(service.ran()) == len(set(service.ran()))


def test_a_worker_may_be_killed_and_another_goes_on(make: MakeService) -> None:
    service = make(seconds=SLOW)
    first = service.start()
    runs = service.submit(*["holds"] * 3)
    wait_for(lambda: service.has_begun(runs[0]), "nothing was begun")
    pool = first.pool
    first.kill()
    service.start()
    service.wait()
    service.assert_undisturbed()
    assert becomes(lambda: not any(Path(f"/proc/{each}").exists() for each in pool), within=50)
    assert [service.attempts(each) for each in runs] == [10, 10, 10]


def test_processes_of_the_pool_may_be_killed(make: MakeService) -> None:
    service = make(seconds=SLOW)
    worker = service.start()
    runs = service.submit(*["holds"] * 3)
    for number in range(3):
        wait_for(lambda n=number: len(service.ran()) > 3 * n + 2, "nothing goes on")  # type: ignore[misc] # a default
        worker.kill_one_of_its_pool()
    service.wait()
    service.assert_undisturbed()
    assert [service.attempts(each) for each in runs] == [10, 10, 10]
    assert len(service.ran()) <= 30 + 3


def test_redis_may_be_stopped_and_come_back_empty(make: MakeService, redis: Redis) -> None:
    service = make(seconds=SLOW)
    service.start()
    runs = service.submit(*["holds"] * 4)
    wait_for(lambda: service.has_begun(runs[0]), "nothing was begun")
    redis.stop(signal.SIGKILL)
    time.sleep(2)
    redis.start()
    service.wait()
    service.assert_undisturbed()
    assert [service.attempts(each) for each in runs] == [10] * 4


def test_postgres_may_be_restarted(make: MakeService) -> None:
    with a_folder("postgres") as folder, Postgres(folder) as own:
        service = make(own, seconds=SLOW)
        service.start()
        runs = service.submit(*["holds"] * 3)
        for how in (signal.SIGINT, signal.SIGQUIT):  # politely, and as if it had crashed
            begun = len(service.ran())
            wait_for(lambda b=begun: len(service.ran()) > b + 3, "nothing goes on")  # type: ignore[misc] # a default
            own.stop(how)
            time.sleep(1)
            own.start()
        service.wait()
        service.assert_undisturbed()
        assert [service.attempts(each) for each in runs] == [10] * 3


def test_a_restart_of_postgres_costs_no_attempt_and_its_worker_still_hears(
    make: MakeService,
) -> None:
    with a_folder("postgres") as folder, Postgres(folder) as own:
        service = make(own, seconds=13)  # longer than a lease
        service.start(1)
        (run,) = service.submit("holds")
        wait_for(lambda: len(service.ran()) == 1, "nothing was begun")
        own.stop()
        time.sleep(5)  # longer than two heartbeats are apart
        own.start()
        wait_for(lambda: len(service.ran()) == 2, "nothing goes on")
        assert service.outcome(run) is None
        assert service.attempts(run) == 1, "the attempt counts that was going on"
        assert len(set(service.ran())) == 2, "nothing was begun twice"
        with service.store.work.turn(run) as turn:
            cancel(turn, LATER)
        wait_for(lambda: not service.left(), "the worker did not leave it", 10)


def test_a_process_that_begins_while_the_database_is_away_works_when_it_is_back(
    make: MakeService,
) -> None:
    with a_folder("postgres") as folder, Postgres(folder) as own:
        service = make(own)
        worker = service.start(1)
        own.stop()
        before = worker.pool
        worker.kill_one_of_its_pool()
        wait_for(lambda: worker.pool not in ([], before), "no other process is begun")
        time.sleep(1)
        own.start()
        assert service.outcome("none") is None  # our own connection is of before, too
        service.submit("holds")
        service.wait()
        service.assert_undisturbed()
        assert worker.stop() == 0


def test_every_message_may_be_delivered_twice(make: MakeService) -> None:
    service = make(twice=True)
    service.start()
    runs = service.submit(*["holds"] * 3, *["dependencies differ"] * 2)
    service.wait()
    service.assert_undisturbed()
    assert [service.attempts(each) for each in runs[:3]] == [10] * 3
    assert len(service.ran()) == len(set(service.ran()))


def test_the_clock_may_jump_back_an_hour(make: MakeService, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    service = make(seconds=SLOW, clock=str(clock))
    worker = service.start()
    runs = service.submit(*["holds"] * 3)
    wait_for(lambda: service.has_begun(runs[0]), "nothing was begun")
    clock.write_text("-3600")
    worker.kill_one_of_its_pool()
    service.wait()
    service.assert_undisturbed()
    assert [service.attempts(each) for each in runs] == [10] * 3


def test_two_sweepers_do_nothing_twice(make: MakeService) -> None:
    service = make(seconds=SLOW)
    workers = [service.start(1, home=home) for home in ("one", "two")]
    runs = service.submit(*["holds"] * 3)
    wait_for(lambda: service.has_begun(runs[0]), "nothing was begun")
    service.redis.client().flushall()
    for each in workers:
        each.kill_one_of_its_pool()
    service.wait()
    service.assert_undisturbed()
    assert [service.attempts(each) for each in runs] == [10] * 3
    assert len(service.ran()) <= 30 + 2


def test_a_worker_that_is_told_to_stop_finishes_what_it_has(make: MakeService) -> None:
    service = make(seconds=2)
    worker = service.start()
    (run,) = service.submit("holds")
    wait_for(lambda: len(service.ran()) == 2, "nothing was begun")
    assert worker.stop() == 0
    assert service.attempts(run) == 2
    assert [*service.left()] == ["0-on-demand.begun.x86_64.bubblewrap"], "nothing is leased"


def test_a_worker_that_must_not_wait_hands_back_what_it_has(make: MakeService) -> None:
    service = make(seconds=60)
    worker = service.start(grace=0.5)
    (run,) = service.submit("holds")
    wait_for(lambda: len(service.ran()) == 2, "nothing was begun")
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 50, "it did not wait for attempts of a minute"
    assert service.attempts(run) == 0
    assert [*service.left()] == ["0-on-demand.begun.x86_64.bubblewrap"], "nothing is leased"


def test_a_cancelled_run_is_left_within_seconds(make: MakeService) -> None:
    service = make(seconds=60)
    service.start()
    (run,) = service.submit("holds")
    wait_for(lambda: len(service.ran()) == 2, "nothing was begun")
    with service.store.work.turn(run) as turn:
        cancel(turn, LATER)
    assert service.left() == {"revoked": 2}
    wait_for(lambda: not service.left(), "workers did not leave it", 50)
    (other,) = service.submit("no such release")
    wait_for(lambda: len(service.ran()) > 2, "the processes are not free")
    assert service.outcome(run) == "cancelled"
    assert service.attempts(run) == 0
    assert other in service.open()


def test_a_worker_says_that_it_is_there_until_it_is_told_to_stop(
    make: MakeService, redis: Redis
) -> None:
    service = make()
    service.env["FIXPROOF_LOG_FORMAT"] = "json"
    worker = service.start(1)
    wait_for(lambda: len(service.broker.present()) == 1, "it does not say so")
    (found,) = service.broker.present()
    assert found.offers == HERE
    redis.stop(signal.SIGKILL)
    redis.start()
    wait_for(lambda: service.broker.present() == (found,), "it does not say so again")
    assert worker.stop() == 0
    wait_for(lambda: service.broker.present() == (), "it still counts as alive", 10)
    events = [json.loads(line)["event"] for line in worker.output.read_text().splitlines()]
    assert (events[0], events[-1]) == ("ready", "told to stop")


def test_what_is_asked_on_demand_goes_first(make: MakeService) -> None:
    service = make(seconds=SLOW)
    nightly = service.submit(*["holds"] * 10, nightly=True)
    service.start(1)
    wait_for(lambda: service.has_begun(nightly[0], 2), "nothing was begun")
    (urgent,) = service.submit("holds")
    wait_for(lambda: service.outcome(urgent) is not None, "it did not end")
    assert sum(service.attempts(each) for each in nightly) <= 5
    assert len(service.open()) == 10
