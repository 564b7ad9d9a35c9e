"""Engines of the tests' own: one for the session, where none is given, and others to be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.container_engine import Engine
from tests.docker import sandboxes

SCRIPTS = Path(__file__).parents[2] / "scripts"
DOCKER = SCRIPTS / "docker-engine.sh"
PODMAN = SCRIPTS / "podman-engine.sh"
KEPT = "/var/tmp/fixproof-engine"
SECONDS = 300


@dataclass(frozen=True)
class OwnEngine:
    """An engine that a test may do anything to."""

    folder: str
    script: Path = DOCKER
    options: tuple[str, ...] = ()
    """More words for the engine."""

    def start(self) -> str:
        """Start it; its address."""
        done = self._script("start", *self.options)
        if done.returncode != 0:
            pytest.fail(done.stderr)
        return done.stdout.strip()

    def stop(self) -> None:
        self._script("stop")

    def runs(self) -> bool:
        return self._script("status").returncode == 0

    def signal(self, number: signal.Signals) -> None:
        os.kill(int(Path(self.folder, "engine.pid").read_text()), number)

    def _script(self, word: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.script), word, self.folder, *options]
        # To files: what it starts would hold pipes open.
        with Path(os.devnull).open() as nothing:
            return subprocess.run(
                command, stdin=nothing, capture_output=True, text=True, timeout=SECONDS, check=False
            )


@contextmanager
def engine_of_the_session() -> Iterator[str | None]:
    """An engine is there, by DOCKER_HOST or started for the session; or else why not."""
    if os.environ.get("DOCKER_HOST"):
        yield sandboxes.no_docker()
        return
    if os.geteuid() != 0:
        yield "DOCKER_HOST is not set, and only root can start an engine"
        return
    own = OwnEngine(os.environ.get("FIXPROOF_TEST_ENGINE", KEPT))
    was_there = own.runs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", own.start())
        try:
            yield sandboxes.no_docker()
        finally:
            sandboxes.engine().close()
            if not was_there:
                own.stop()


@contextmanager
def another_engine(folder: Path, *options: str) -> Iterator[OwnEngine]:
    """One that may be killed: beside that of the session, whose base it has. The folder goes."""
    own = OwnEngine(str(folder), options=options)
    there: Any = sandboxes.engine().api
    pieces = there.get_image(sandboxes.base().name)
    other = Engine(host=own.start())
    here: Any = other.api
    try:
        here.load_image(b"".join(pieces))
        yield own
    finally:
        other.close()
        own.stop()
        shutil.rmtree(own.folder)


@contextmanager
def podman_of_the_session() -> Iterator[str | None]:
    """Podman's socket is there, whatever DOCKER_HOST says; or else why not."""
    if os.geteuid() != 0:
        yield "only root can start Podman for tests"
        return
    own = OwnEngine(sandboxes.PODMAN_FOLDER, PODMAN)
    was_there = own.runs()
    own.start()
    try:
        yield sandboxes.no_podman()
    finally:
        sandboxes.podman().close()
        if not was_there:
            own.stop()
