"""A worker whose disk is nearly full begins nothing new, and goes on by itself when it has room."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.disks import fill, small_disk
from tests.servers import Postgres, Redis, wait_for
from tests.service.pretence import Pretended
from tests.service.workers import a_service
from worker.intake import is_paused

MIB = 1024 * 1024


@pytest.mark.parametrize("free", [100, 101, 1e12, math.inf])
def test_intake_goes_on_while_there_is_room(free: float) -> None:
    assert not is_paused(free, 100, was_paused=False)


@pytest.mark.parametrize("free", [0, 99])
def test_intake_is_paused_where_there_is_too_little(free: float) -> None:
    assert is_paused(free, 100, was_paused=False)


def test_intake_is_resumed_only_when_there_is_more_room_than_it_was_paused_for() -> None:
    assert is_paused(109, 100, was_paused=True)
    assert not is_paused(111, 100, was_paused=True)


def test_where_nothing_is_asked_of_the_disk_nothing_is_paused() -> None:
    assert not is_paused(0, 0, was_paused=False)
    assert not is_paused(0, 0, was_paused=True)


@pytest.mark.postgres
@pytest.mark.redis
def test_a_full_disk_pauses_what_is_new_and_not_what_was_begun(
    tmp_path: Path, postgres: Postgres, redis: Redis
) -> None:
    how = Pretended(seconds=0.3, log=str(tmp_path / "log"))
    with (
        small_disk(tmp_path / "disk", 64) as disk,
        a_service(tmp_path, postgres, redis, how) as service,
    ):
        service.env["FIXPROOF_MIN_FREE"] = "20M"
        worker = service.start(home="disk")
        (begun,) = service.submit("holds")
        wait_for(lambda: service.has_begun(begun), "nothing was begun")
        filler = fill(disk, 10 * MIB)
        wait_for(lambda: "intake paused" in worker.output.read_text(), "it takes no notice")
        (new,) = service.submit("holds")
        wait_for(lambda: service.outcome(begun) is not None, "what was begun does not go on")
        assert service.open() == [new]
        assert [*service.left().values()] == [1], "nobody has taken it"
        filler.unlink()
        service.wait()
        assert "intake resumed" in worker.output.read_text()
        service.assert_undisturbed()
