"""Attempts of pretended workers as real containers, which say what they are told to say."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from docker.errors import APIError

from runner.adapters.container_engine import Engine
from runner.adapters.containers import Image, leftovers, remove, unleased
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.sandbox import RunRequest, RunResult
from tests.attempts import INTERPRETER

SERVICE = "pretended"
SAYS = """
import base64, os, sys, time
time.sleep(float(sys.argv[1]))
os.write(1, base64.b64decode(sys.argv[2]))
os._exit(int(sys.argv[3]))
"""


@dataclass
class Contained:
    """One sandbox after the other, on the engine of DOCKER_HOST; as `DockerBackend` does it."""

    image: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sandbox: DockerSandbox | None = None

    def run(self, request: RunRequest, seconds: float, said: bytes, code: int) -> RunResult:
        """What becomes of a container that says this after a while, and exits."""
        words = (str(seconds), base64.b64encode(said).decode(), str(code))
        command = (str(INTERPRETER), "-I", "-S", "-c", SAYS, *words)
        asked = RunRequest(id=request.id, command=command, limits=request.limits)
        found = self._current().run(asked)
        return found.model_copy(update={"request": request})

    def stop(self) -> None:
        """End what runs; what runs afterwards does so in another sandbox."""
        with self._lock:
            sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.stop()

    def tidy(self, owners: Callable[[], Collection[str]]) -> None:
        engine = Engine()
        for each in {*leftovers(engine), *unleased(engine, SERVICE, owners)}:
            remove(engine, each)
        engine.close()

    def _current(self) -> DockerSandbox:
        with self._lock:
            if self._sandbox is None:
                self._sandbox = DockerSandbox(OneImage(lambda: Image(self.image)))
            return self._sandbox


def containers(engine: Engine) -> list[dict[str, Any]]:
    """All that an engine has, whatever state they are in."""
    api: Any = engine.api
    found: list[dict[str, Any]] = api.containers(all=True)
    return found


def kill_one(engine: Engine, choose: Callable[[list[str]], str] = random.choice) -> bool:
    """Kill one that runs, as its engine's user may; whether there was one."""
    api: Any = engine.api
    running = [each["Id"] for each in api.containers()]
    if not running:
        return False
    with suppress(APIError):  # it has just ended by itself
        api.kill(choose(running))
        return True
    return False
