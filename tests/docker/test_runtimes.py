"""Which engine and which OCI runtime are taken, by setting and without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.docker_sandbox import DockerSandbox
from runner.adapters.package_index import UvPackageIndex
from runner.backends import engine_address, find_backend
from runner.settings import read
from tests.attempts import a_script
from tests.docker.conftest import OTHER_RUNTIME
from tests.docker.engines import OwnEngine
from tests.docker.sandboxes import base


@pytest.fixture
def environ(
    own_engine: OwnEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What a user sets."""
    monkeypatch.setenv("DOCKER_HOST", own_engine.start())
    return {"FIXPROOF_HOME": str(tmp_path), "FIXPROOF_SANDBOX": "docker"}


@contextmanager
def sandbox(environ: dict[str, str]) -> Iterator[DockerSandbox]:
    """What attempts of a user run in."""
    settings = read(environ)
    backend = find_backend(settings, UvPackageIndex(CachedDocuments(settings.cache)))
    backend.prepare([base().interpreter])
    found = backend.sandbox
    assert isinstance(found, DockerSandbox)
    yield found
    found.close()


@pytest.mark.docker
def test_the_runtime_that_was_set_runs_attempts(
    environ: dict[str, str], runtime_calls: Path
) -> None:
    with sandbox({**environ, "FIXPROOF_OCI_RUNTIME": OTHER_RUNTIME}) as other:
        assert other.run(a_script("print(1)")).stdout.head == b"1\n"
        assert " create " in runtime_calls.read_text()
        assert other.describe().runtime == OTHER_RUNTIME


@pytest.mark.docker
def test_without_one_the_usual_runtime_does(environ: dict[str, str], runtime_calls: Path) -> None:
    with sandbox(environ) as usual:
        assert usual.run(a_script("print(1)")).stdout.head == b"1\n"
        assert runtime_calls.read_text() == ""
        assert usual.describe().runtime is None


def test_the_engine_that_was_named_is_taken(tmp_path: Path) -> None:
    (tmp_path / "docker.sock").touch()
    named = {"DOCKER_HOST": "tcp://192.0.2.1:2376"}
    assert engine_address(named, [f"{tmp_path}/docker.sock"]) == "tcp://192.0.2.1:2376"


def test_where_none_was_named_the_first_socket_that_is_there_is_taken(tmp_path: Path) -> None:
    sockets = [f"{tmp_path}/{name}.sock" for name in ("docker", "podman")]
    assert engine_address({}, sockets) is None
    Path(sockets[1]).touch()
    assert engine_address({}, sockets) == f"unix://{sockets[1]}"
    Path(sockets[0]).touch()
    assert engine_address({}, sockets) == f"unix://{sockets[0]}"
