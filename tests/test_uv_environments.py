"""What uv is asked of an index whose pages it read before: pages are believed, their gaps are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.interpreters import MachineInterpreters
from runner.adapters.uv_environments import UvEnvironments
from runner.backends import uv_program
from runner.environment import Environment, Interpreter, Lock, Wanted
from runner.errors import NoSpace
from tests.attempts import INTERPRETER
from tests.disks import fill, small_disk
from tests.index_server import IndexServer, Offered
from tests.wheels import wheel

LONG_AGO = datetime(2024, 3, 1, tzinfo=UTC)
"""When all releases say that they were uploaded, whenever the index came to have them."""


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    cache = CachedDocuments(tmp_path_factory.mktemp("cache"))
    at_hand = MachineInterpreters(cache).at_hand()
    return next(each for each in at_hand if each.executable == str(INTERPRETER))


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    with IndexServer().serving() as server:
        monkeypatch.setenv("UV_DEFAULT_INDEX", server.address())
        monkeypatch.setenv("UV_NO_CONFIG", "1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


def offer(index: IndexServer, version: str) -> None:
    index.offer(Offered(wheel("thing", version, files={"thing.py": "\n"}), LONG_AGO))


def wanted(interpreter: Interpreter, version: str) -> Wanted:
    as_of = datetime(2024, 6, 1, tzinfo=UTC)
    return Wanted(requirements=(f"thing=={version}",), interpreter=interpreter, as_of=as_of)


def workers(folder: Path) -> tuple[UvEnvironments, UvEnvironments]:
    """Two, each with a store of its own."""
    first, second = (UvEnvironments(folder / each, uv_program()) for each in ("one", "two"))
    return first, second


def test_what_another_worker_resolved_is_installed_though_a_page_of_before_lacks_it(
    index: IndexServer, interpreter: Interpreter, tmp_path: Path
) -> None:
    first, second = workers(tmp_path)
    offer(index, "1.0")
    assert isinstance(second.resolve(wanted(interpreter, "1.0")), Lock)
    offer(index, "1.1")
    lock = first.resolve(wanted(interpreter, "1.1"))
    assert isinstance(lock, Lock)
    assert isinstance(second.install(lock, interpreter), Environment)


def test_a_release_that_a_page_of_before_lacks_is_resolved(
    index: IndexServer, interpreter: Interpreter, tmp_path: Path
) -> None:
    environments, _ = workers(tmp_path)
    offer(index, "1.0")
    assert isinstance(environments.resolve(wanted(interpreter, "1.0")), Lock)
    offer(index, "1.1")
    lock = environments.resolve(wanted(interpreter, "1.1"))
    assert isinstance(lock, Lock), lock
    assert lock.versions() == {"thing": "1.1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk")
def test_a_disk_that_is_full_while_a_wheel_is_unpacked_says_nothing_of_the_wheel(
    index: IndexServer, interpreter: Interpreter, tmp_path: Path
) -> None:
    """Uv says so of the file that it cannot extract, as it does where the file is broken."""
    large = {"thing.py": "\n" * 10_000_000}
    index.offer(Offered(wheel("thing", "1.0", files=large), LONG_AGO))
    with small_disk(tmp_path / "disk", 60) as disk:
        environments = UvEnvironments(disk, uv_program())
        lock = environments.resolve(wanted(interpreter, "1.0"))
        assert isinstance(lock, Lock)
        fill(disk, 5_000_000)
        with pytest.raises(NoSpace):
            environments.install(lock, interpreter)
