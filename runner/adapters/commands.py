"""Commands of this machine that are trusted: uv, and interpreters with nothing but our own code."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from runner.errors import EnvironmentTrouble, Interrupted


class Commands(Protocol):
    """Runs commands where environments are made: on this machine, or in a base.

    Raises:
        EnvironmentTrouble: a command did not run, or did not end in time.
        Interrupted: `stop` was called.
    """

    def run(
        self, command: Sequence[str], env: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with exactly this environment."""
        ...

    def stop(self) -> None:
        """End what runs; it and every later `run` raises `Interrupted`."""
        ...


def was_full(stderr: str) -> bool:
    """Whether a command says that it found no room on a disk."""
    return "No space left" in stderr or "Disk quota" in stderr


class HostCommands:
    """Commands as processes of this machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(
        self, command: Sequence[str], env: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with exactly this environment."""
        try:
            with self._started(command, env) as process:
                out, err = process.communicate(timeout=seconds)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentTrouble(f"{command[0]} did not run: {error}") from error
        return subprocess.CompletedProcess(list(command), process.returncode, out, err)

    def stop(self) -> None:
        """End what runs."""
        with self._lock:
            self._stopped = True
            for each in self._running:
                each.kill()

    @contextmanager
    def _started(
        self, command: Sequence[str], env: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[str]]:
        with self._lock:
            self._refuse_if_stopped()
            process = subprocess.Popen(
                command,
                env=dict(env),
                cwd="/",  # not where a project's own configuration could be found
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # A Ctrl-C is ours to handle. It stays in our session, though: Linux shares the
                # processors out among sessions, and attempts have theirs.
                process_group=0,
            )
            self._running.add(process)
        try:
            with process:
                try:
                    yield process
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
        finally:
            with self._lock:
                self._running.discard(process)
        self._refuse_if_stopped()

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise Interrupted("stopped while an environment was made")
