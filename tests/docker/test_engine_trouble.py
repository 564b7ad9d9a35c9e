"""An engine that is not there, goes in the middle, or comes back: trouble, and never an ending."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from runner.adapters.container_engine import Engine
from runner.adapters.containers import Image
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.errors import SandboxTrouble, SandboxUnavailable
from runner.sandbox import ending_of
from tests.attempts import a_script, becomes, is_alive, limits
from tests.docker.engines import OwnEngine
from tests.docker.sandboxes import base
from tests.service.contained import containers, kill_one

# Where an engine goes between two of its calls, the SDK leaves a socket to the garbage collector.
pytestmark = [
    pytest.mark.docker,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
WAITS = "import time; time.sleep(60)"


@pytest.fixture
def sandbox(own_engine: OwnEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerSandbox]:
    name = base().name
    monkeypatch.setenv("DOCKER_HOST", own_engine.start())
    made = DockerSandbox(OneImage(lambda: Image(name, own=base().as_image().own)))
    assert made.run(a_script("pass")).ending == ending_of(0)
    yield made
    made.close()
    gc.collect()


def test_no_engine_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    sandbox = DockerSandbox(OneImage(lambda: Image("none")))
    for asked in (sandbox.check, sandbox.describe, lambda: sandbox.run(a_script("pass"))):
        with pytest.raises(SandboxUnavailable, match=r"none\.sock: No such file") as caught:
            asked()
        assert "DOCKER_HOST" in (caught.value.hint or "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_an_engine_that_goes_in_the_middle_is_trouble(
    sandbox: DockerSandbox, own_engine: OwnEngine, number: signal.Signals
) -> None:
    mark = uuid4().hex
    caught: list[BaseException] = []

    def attempt() -> None:
        try:
            sandbox.run(a_script(WAITS, mark, limits=limits(timeout=50)))
        except SandboxTrouble as error:
            caught.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    assert becomes(lambda: is_alive(mark), within=10)
    own_engine.signal(number)
    thread.join(30)
    assert not thread.is_alive()
    assert [type(each) for each in caught] == [SandboxTrouble]
    assert becomes(lambda: not is_alive(mark), within=2)
    assert becomes(lambda: not own_engine.runs(), within=20)
    own_engine.start()
    assert sandbox.run(a_script("pass")).ending == ending_of(0)
    own_engine_has = Engine()
    assert own_engine_has.api.containers(all=True) == []
    own_engine_has.close()


def test_a_container_that_somebody_kills_is_trouble_and_no_ending(sandbox: DockerSandbox) -> None:
    engine = Engine()
    killer = threading.Thread(target=lambda: becomes(lambda: kill_one(engine), within=30))
    killer.start()
    with pytest.raises(SandboxTrouble, match="somebody killed its container"):
        sandbox.run(a_script(WAITS, limits=limits(timeout=50)))
    killer.join()
    assert containers(engine) == []
    engine.close()


def test_a_script_that_kills_itself_is_an_ending(sandbox: DockerSandbox) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert sandbox.run(a_script(kill)).ending == ending_of(128 + signal.SIGKILL)
