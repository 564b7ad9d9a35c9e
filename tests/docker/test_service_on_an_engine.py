"""The service while things happen to its containers and to their engine; attempts pretend."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.container_engine import Engine
from runner.adapters.containers import remove, unleased
from runner.adapters.supervisors import for_lease, labels
from tests.docker.engines import OwnEngine
from tests.docker.sandboxes import base
from tests.servers import Postgres, Redis, wait_for
from tests.service.contained import containers, kill_one
from tests.service.pretence import Pretended
from tests.service.workers import RealService, a_service

pytestmark = [pytest.mark.docker, pytest.mark.postgres, pytest.mark.redis]
SLOW = 0.3
"""Seconds that an attempt takes."""


@pytest.fixture
def engine(own_engine: OwnEngine) -> Iterator[Engine]:
    found = Engine(host=own_engine.start())
    yield found
    found.close()


@pytest.fixture
def service(
    engine: Engine, tmp_path: Path, postgres: Postgres, redis: Redis
) -> Iterator[RealService]:
    how = Pretended(seconds=SLOW, log=str(tmp_path / "log"), image=base().name)
    with a_service(tmp_path, postgres, redis, how) as service:
        service.env["DOCKER_HOST"] = engine.address
        yield service


def test_containers_workers_and_the_engine_may_be_killed(
    service: RealService, engine: Engine, own_engine: OwnEngine
) -> None:
    first = service.start()
    runs = service.submit(*["holds"] * 3)
    for _ in range(2):
        wait_for(lambda: kill_one(engine), "nothing runs")
    wait_for(lambda: bool(containers(engine)), "nothing runs")
    first.kill()
    service.start()
    begun = len(service.ran())
    wait_for(lambda: len(service.ran()) > begun, "nothing goes on")
    own_engine.signal(signal.SIGKILL)
    wait_for(lambda: not own_engine.runs(), "it does not end")
    own_engine.start()
    service.wait()
    service.assert_undisturbed()
    assert [service.attempts(each) for each in runs] == [10] * 3
    wait_for(lambda: not containers(engine), "containers are left")


def test_a_container_is_left_if_nobody_has_the_lease_that_it_is_for(engine: Engine) -> None:
    api: Any = engine.api
    with for_lease("ours", "somebody"):
        labelled = labels("a-1")
    made = [
        api.create_container(base().name, "true", labels=each)["Id"]
        for each in (labelled, labels("of no lease"))
    ]
    assert list(unleased(engine, "ours", lambda: {"somebody"})) == []
    assert list(unleased(engine, "another's", set)) == []
    assert list(unleased(engine, "ours", lambda: {"somebody else"})) == made[:1]
    for each in made:
        remove(engine, each)
    assert list(unleased(engine, "ours", set)) == []
