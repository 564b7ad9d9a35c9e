"""The sandboxes of this machine itself: bubblewrap, and, not isolated, a plain process."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.bubblewrap import Bubblewrap, Channels, find_bubblewrap, open_channels
from runner.adapters.cgroup_hierarchies import find_cgroups
from runner.adapters.cgroups import Cgroup, Cgroups
from runner.adapters.launching import SHELL, Launch
from runner.adapters.supervision import Seen, StopSwitch, converse, supervise
from runner.errors import SandboxTrouble, SandboxUnavailable
from runner.sandbox import (
    Ending,
    Limits,
    Mount,
    OnOutput,
    RunRequest,
    RunResult,
    SandboxDescription,
    SandboxKind,
    ending_of,
)

COULD_NOT_EXECUTE = (126, 127)
"""Exit codes of a shell, env or setpriv that could not execute its command; a script's, too."""


@dataclass(frozen=True)
class _Ground:
    """What this machine offers to a bubblewrap sandbox."""

    bwrap: Bubblewrap
    groups: Cgroups

    def channels(self) -> AbstractContextManager[Channels]:
        """What bwrap reads and writes, for one attempt."""
        return open_channels(self.bwrap.seccomp)


class BubblewrapSandbox:
    """Namespaces, no network, a read-only root, a uid of nobody, and a cgroup where one can be.

    The process finds `/tmp` and `/dev/shm` to write to, and `PWD` beside the environment asked for.
    Nothing is looked for before the first run, or whatever else needs to know; `find` does it.
    """

    def __init__(self, find: Callable[[], Bubblewrap] = find_bubblewrap) -> None:
        self._find = find
        self._stop = StopSwitch()
        self._lock = threading.Lock()
        self._ground: _Ground | None = None
        self._tried = False

    def check(self) -> None:
        """Find out, once, whether this sandbox works here.

        Raises:
            SandboxUnavailable: bwrap is not there, or the kernel refuses what it asks for.
        """
        self._ready()

    def run(self, request: RunRequest, watch: OnOutput | None = None) -> RunResult:
        """Run one process to its end; afterwards nothing of it is left.

        Raises:
            SandboxUnavailable: as `check`, at the first run.
            SandboxTrouble: the process could not be started, or not be ended.
            Interrupted: `stop` was called.
        """
        self._stop.refuse_if_thrown(request.id)
        ground = self._ready()
        result = self._attempt(ground, request, watch)
        if result.ending.code in COULD_NOT_EXECUTE:
            self._assert_executable(ground, request)
        return result

    def shell(self, request: RunRequest) -> int:
        """Run an interactive command on the caller's terminal, without time limit."""
        self._stop.refuse_if_thrown(request.id)
        ground = self._ready()
        with ground.groups.made(request.limits) as group, ground.channels() as channels:
            launch = _launch(ground, request, group, channels, on_terminal=True)
            status = converse(launch, name=request.id, stop=self._stop)
            code = channels.reported().get("exit-code")
        if code is None:
            raise SandboxTrouble(f"{request.id}: bwrap ended with status {status}")
        return code

    def describe(self) -> SandboxDescription:
        """Say what this sandbox is; needs bwrap to be there, and does not try it yet."""
        ground = self._found()
        held = {
            "memory": "memory" in ground.groups.parents,
            "processes": "pids" in ground.groups.parents or ground.bwrap.holds_processes(),
            "disk": ground.bwrap.sized,
            "system_calls": ground.bwrap.seccomp is not None,
        }
        return SandboxDescription(
            kind=SandboxKind.BUBBLEWRAP,
            network="none",
            isolated=True,
            unenforced=tuple(name for name, holds in held.items() if not holds),
        )

    def stop(self) -> None:
        """End all running processes; every later `run` raises `Interrupted`."""
        self._stop.throw()

    def _ready(self) -> _Ground:
        ground = self._found()
        with self._lock:
            if not self._tried:
                ground.groups.sweep()
                self._try(ground)
                self._tried = True
        return ground

    def _found(self) -> _Ground:
        with self._lock:
            if self._ground is None:
                self._ground = _Ground(self._find(), find_cgroups())
            return self._ground

    def _try(self, ground: _Ground) -> None:
        request = RunRequest(id="check", command=(SHELL, "-c", ":"), limits=Limits(timeout=20))
        try:
            ending = self._attempt(ground, request, None).ending
        except SandboxTrouble as error:
            hint = "namespaces must be allowed: as root, or by the kernel's settings for users"
            raise SandboxUnavailable(f"bwrap cannot work here: {error}", hint=hint) from error
        if ending != ending_of(0):
            raise SandboxUnavailable(f"a shell does not run under bwrap here: {ending}")

    def _attempt(self, ground: _Ground, request: RunRequest, watch: OnOutput | None) -> RunResult:
        with ground.groups.made(request.limits) as group, ground.channels() as channels:
            launch = _launch(ground, request, group, channels, on_terminal=False)
            seen = supervise(launch, name=request.id, stop=self._stop, watch=watch)
            ending = _ending_by(channels.reported(), seen, request)
            return _result(request, seen, ending, group)

    def _assert_executable(self, ground: _Ground, request: RunRequest) -> None:
        """Ask the sandbox itself if the command is there: what a script says proves nothing."""
        test = 'test -f "$1" && test -x "$1"'
        question = (SHELL, "-c", test, SHELL, request.command[0])
        asked = request.model_copy(update={"command": question, "limits": Limits()})
        if self._attempt(ground, asked, None).ending != ending_of(0):
            raise _not_executable(request)


class ProcessSandbox:
    """A process of this machine, limited but not isolated: it sees and may do what the caller may.

    Mounts cannot be honoured: where a part of the command, or an item of a value of the
    environment (items stand between colons), begins with the target of a mount, the mount's source
    is put in its place. The working directory is a fresh one, gone afterwards.
    Where no cgroup can be made, a child that made a session of its own may survive.
    """

    def __init__(self) -> None:
        self._stop = StopSwitch()
        self._lock = threading.Lock()
        self._groups: Cgroups | None = None

    def run(self, request: RunRequest, watch: OnOutput | None = None) -> RunResult:
        """Run one process to its end; afterwards nothing of it is left.

        Raises:
            SandboxTrouble: the process could not be started, or not be ended.
            Interrupted: `stop` was called.
        """
        with self._place(request) as launch:
            seen = supervise(launch, name=request.id, stop=self._stop, watch=watch)
            _assert_begun(launch, request, seen)
            status = seen.status if seen.status >= 0 else 128 - seen.status
            ending = Ending(kind=seen.cause) if seen.cause else ending_of(status)
            return _result(request, seen, ending, launch.group)

    def shell(self, request: RunRequest) -> int:
        """Run an interactive command on the caller's terminal, without time limit."""
        with self._place(request) as launch:
            status = converse(launch, name=request.id, stop=self._stop)
            return status if status >= 0 else 128 - status

    def describe(self) -> SandboxDescription:
        """Say what this sandbox is, once and for all attempts."""
        parents = self._ready().parents
        held = {"memory": "memory" in parents, "processes": "pids" in parents, "disk": False}
        return SandboxDescription(
            kind=SandboxKind.PROCESS,
            network="host",
            isolated=False,
            unenforced=tuple(name for name, holds in held.items() if not holds),
        )

    def stop(self) -> None:
        """End all running processes; every later `run` raises `Interrupted`."""
        self._stop.throw()

    def _ready(self) -> Cgroups:
        with self._lock:
            if self._groups is None:
                self._groups = find_cgroups()
                self._groups.sweep()
            return self._groups

    @contextmanager
    def _place(self, request: RunRequest) -> Iterator[Launch]:
        """A launch in a fresh directory and cgroup, both gone afterwards."""
        command = tuple(_on_host(part, request.mounts) for part in request.command)
        if not (Path(command[0]).is_file() and os.access(command[0], os.X_OK)):
            raise _not_executable(request)
        groups = self._ready()
        fresh = tempfile.TemporaryDirectory(prefix="fixproof-", ignore_cleanup_errors=True)
        with fresh as folder, groups.made(request.limits) as group:
            work = Path(folder) / "work"
            work.mkdir()
            yield Launch(
                # Through env, because a shell may add variables to those it was given.
                command=("/usr/bin/env", "-i", *_assignments(request), *command),
                limits=request.limits,
                group=group,
                cwd=str(work),
                begun=str(Path(folder) / "begun"),
            )


def _launch(
    ground: _Ground,
    request: RunRequest,
    group: Cgroup | None,
    channels: Channels,
    *,
    on_terminal: bool,
) -> Launch:
    command = ground.bwrap.command_line(request, channels, on_terminal=on_terminal)
    inherited = channels.inherited()
    return Launch(command, request.limits, group, env={}, descriptors=inherited)


def _ending_by(reported: dict[str, int], seen: Seen, request: RunRequest) -> Ending:
    """How the command ended, by what its supervisor and bwrap saw, never by what it printed."""
    if seen.cause is not None and "child-pid" in reported:
        return Ending(kind=seen.cause)
    if "exit-code" not in reported:
        raise SandboxTrouble(f"{request.id}: {_last_words(seen)}")
    return ending_of(reported["exit-code"])


def _assert_begun(launch: Launch, request: RunRequest, seen: Seen) -> None:
    if launch.begun is not None and not Path(launch.begun).exists():
        raise SandboxTrouble(f"{request.id}: {_last_words(seen)}")


def _last_words(seen: Seen) -> str:
    """The last line of what the sandbox said, for a message to a human being only."""
    lines = (seen.stderr.head + seen.stderr.tail).decode(errors="replace").splitlines()
    return lines[-1] if lines else f"the sandbox ended with status {seen.status}"


def _not_executable(request: RunRequest) -> SandboxTrouble:
    message = f"{request.id}: {request.command[0]} cannot be executed in the sandbox"
    return SandboxTrouble(message, hint="its file must be in a mount and open to every user")


def _result(request: RunRequest, seen: Seen, ending: Ending, group: Cgroup | None) -> RunResult:
    return RunResult(
        request=request,
        ending=ending,
        stdout=seen.stdout,
        stderr=seen.stderr,
        seconds=seen.seconds,
        peak_mib=group.peak_mib() if group else None,
        cpu_seconds=group.cpu_seconds() if group else None,
    )


def _assignments(request: RunRequest) -> tuple[str, ...]:
    values = {
        name: ":".join(_on_host(item, request.mounts) for item in value.split(":"))
        for name, value in request.env.items()
    }
    return tuple(f"{name}={value}" for name, value in values.items())


def _on_host(text: str, mounts: tuple[Mount, ...]) -> str:
    """`text` with a leading target of a mount, the longest that fits, replaced by its source."""
    for mount in sorted(mounts, key=lambda mount: len(mount.target), reverse=True):
        target = mount.target.rstrip("/")
        if text == target or text.startswith(f"{target}/"):
            return mount.source.rstrip("/") + text[len(target) :]
    return text
