"""Launching: a process started through a shell that sets its limits, and its sure end.

A shell, because code of ours between fork and exec is not safe beside other threads.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from shlex import quote

from runner.adapters.cgroups import PATIENCE, Cgroup
from runner.errors import SandboxTrouble, SandboxUnavailable
from runner.sandbox import Limits

SHELL = "/bin/sh"


@dataclass(frozen=True)
class Launch:
    """A process to start."""

    command: tuple[str, ...]
    limits: Limits
    group: Cgroup | None = None
    """Where it runs; None for no cgroup of its own."""
    env: Mapping[str, str] | None = None
    """The whole environment; None for that of the caller."""
    cwd: str = "/"
    begun: str | None = None
    """A file that comes to be when all is set and the command takes over."""
    descriptors: tuple[int, ...] = ()
    """What of ours it inherits beside its three streams."""

    def words(self) -> tuple[str, ...]:
        """The command behind the shell that prepares for it."""
        steps = [
            "set -e",
            *([self.group.entry()] if self.group else []),
            "ulimit -c 0",
            f"ulimit -n {_descriptors(self.limits)}",
            *([f": > {quote(self.begun)}"] if self.begun else []),
            'exec "$@"',
        ]
        return (SHELL, "-c", "; ".join(steps), SHELL, *self.command)


@dataclass(frozen=True)
class Running:
    """A process that was started."""

    process: subprocess.Popen[bytes]
    end: int
    """A descriptor that becomes readable when it ends."""


@contextmanager
def started(launch: Launch, *, on_terminal: bool) -> Iterator[Running]:
    """A running process, with pipes and a session of its own unless it has the terminal.

    Nothing of it is left afterwards.

    Raises:
        SandboxTrouble: it cannot be started, or not be ended.
    """
    process = _spawned(launch, on_terminal=on_terminal)
    with process.stdout or nullcontext(), process.stderr or nullcontext():
        try:
            with _end_of(process) as end:
                yield Running(process, end)
        finally:
            end_all(process, launch.group)


def end_all(process: subprocess.Popen[bytes], group: Cgroup | None) -> None:
    """Kill a process, its process group if it leads one, and its cgroup; reap it.

    Raises:
        SandboxTrouble: something cannot be ended.
    """
    if process.returncode is None:
        # Until it is reaped, nobody else can have its number.
        # What may not be killed is not reaped either, and that is told.
        with suppress(ProcessLookupError, PermissionError):
            leads = os.getpgid(process.pid) == process.pid
            (os.killpg if leads else os.kill)(process.pid, signal.SIGKILL)
        _reap(process)
    if group is not None:
        group.kill()


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise SandboxTrouble(f"process {process.pid} cannot be ended") from error


def _spawned(launch: Launch, *, on_terminal: bool) -> subprocess.Popen[bytes]:
    null, pipe = (None, None) if on_terminal else (subprocess.DEVNULL, subprocess.PIPE)
    try:
        return subprocess.Popen(
            launch.words(),
            env=launch.env,
            cwd=launch.cwd,
            pass_fds=launch.descriptors,
            stdin=null,
            stdout=pipe,
            stderr=pipe,
            start_new_session=not on_terminal,
        )
    except OSError as error:
        raise SandboxTrouble(f"no process can be started: {error}") from error


@contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[int]:
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError as error:
        hint = "Linux 5.3 or later is needed"
        raise SandboxUnavailable(f"processes cannot be watched: {error}", hint=hint) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _descriptors(limits: Limits) -> int:
    """The limit asked for, or the lower one that we are under ourselves."""
    own = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return limits.descriptors if own == resource.RLIM_INFINITY else min(limits.descriptors, own)
