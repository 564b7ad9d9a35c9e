"""Cgroups: one for each attempt, of version 1 or 2, so that the kernel counts and ends it as one.

Where the machine lets them be made is found elsewhere, in `cgroup_hierarchies`.
A cgroup is named by the process that made it, so that one whose maker is dead can be swept.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from runner.adapters.last_watch import stand_watch
from runner.errors import SandboxTrouble
from runner.sandbox import Limits

MIB = 1024 * 1024
PATIENCE = 5.0
"""Seconds that killed processes are given to be gone."""

_serial = itertools.count(1)


@dataclass(frozen=True)
class Dialect:
    """The file names of one version of cgroups."""

    controllers: tuple[str, ...]
    memory_limits: tuple[str, ...]
    """Files that take the limit in bytes, in the order in which the kernel accepts them."""
    swap_limit: str | None
    """A file that takes the swap allowed beyond that, where this is counted separately."""
    oom: str
    peak: str
    cpu: str
    cpu_key: str | None
    """The key in `cpu`; None where the file is the number alone."""
    cpu_unit: float


V1 = Dialect(
    controllers=("memory", "pids", "cpuacct"),
    memory_limits=("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    swap_limit=None,
    oom="memory.oom_control",
    peak="memory.max_usage_in_bytes",
    cpu="cpuacct.usage",
    cpu_key=None,
    cpu_unit=1e-9,
)
V2 = Dialect(
    controllers=("memory", "pids"),
    memory_limits=("memory.max",),
    swap_limit="memory.swap.max",
    oom="memory.events",
    peak="memory.peak",
    cpu="cpu.stat",
    cpu_key="usage_usec",
    cpu_unit=1e-6,
)


@dataclass(frozen=True)
class Cgroup:
    """The cgroup of one attempt: a folder in each hierarchy, or one folder for all (version 2)."""

    dialect: Dialect
    folders: Mapping[str, Path]
    """By controller."""

    @property
    def places(self) -> tuple[Path, ...]:
        """Each folder once."""
        return tuple(dict.fromkeys(self.folders.values()))

    def entry(self) -> str:
        """The shell words that put the shell itself in, and so all that it starts."""
        return "; ".join(f"echo 0 > {quote(str(place / 'cgroup.procs'))}" for place in self.places)

    def oom_kills(self) -> int:
        """How many processes of it the kernel ended for lack of memory."""
        return int(self._number("memory", self.dialect.oom, "oom_kill") or 0)

    def peak_mib(self) -> float | None:
        """The most memory used at a time; None where the kernel does not keep it."""
        peak = self._number("memory", self.dialect.peak, None)
        return None if peak is None else round(peak / MIB, 2)

    def cpu_seconds(self) -> float | None:
        """User and system time of all that ever was in it; None where nobody counted."""
        holder = "cpuacct" if self.dialect is V1 else "memory"
        used = self._number(holder, self.dialect.cpu, self.dialect.cpu_key)
        return None if used is None else round(used * self.dialect.cpu_unit, 4)

    def kill(self) -> None:
        """End all that is in it, and come back when nothing is.

        Raises:
            SandboxTrouble: something cannot be ended.
        """
        if not self._members():
            return
        self._end_forks()
        deadline = time.monotonic() + PATIENCE
        while members := self._members():
            for pid in members:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                message = f"processes {sorted(members)} of an attempt cannot be ended"
                raise SandboxTrouble(message, hint="the kernel holds them; look at its log")
            time.sleep(0.001)

    def remove(self) -> None:
        """Take it away, with what may be left in it.

        Raises:
            SandboxTrouble: it cannot be removed.
        """
        self.kill()
        for place in self.places:
            _remove(place)

    def limit(self, limits: Limits) -> None:
        """Set what the attempt may use; what no controller was found for is left out."""
        if "memory" in self.folders:
            for name in self.dialect.memory_limits:
                self._write_if_there("memory", name, limits.memory * MIB)
            if self.dialect.swap_limit:
                self._write_if_there("memory", self.dialect.swap_limit, 0)
            # Version 1 knows no such thing: there the supervisor ends what the kernel left.
            self._write_if_there("memory", "memory.oom.group", 1)
        if "pids" in self.folders:
            self._write_if_there("pids", "pids.max", limits.processes)

    def _end_forks(self) -> None:
        # A fork bomb is faster than any loop over its processes, unless it may fork no more.
        if "pids" in self.folders:
            self._write_if_there("pids", "pids.max", 0)
        if self.dialect is V2:
            self._write_if_there("memory", "cgroup.kill", 1)

    def _members(self) -> set[int]:
        found: set[int] = set()
        for place in self.places:
            with suppress(OSError):  # Gone, or half made: nothing is in it.
                found.update(int(line) for line in (place / "cgroup.procs").read_text().split())
        # A process of a foreign PID namespace reads as 0, and killing 0 would end ourselves.
        return found - {0}

    def _number(self, controller: str, name: str, key: str | None) -> float | None:
        if controller not in self.folders:
            return None
        try:
            words = (self.folders[controller] / name).read_text().split()
        except FileNotFoundError:
            return None
        return float(words[0] if key is None else words[words.index(key) + 1])

    def _write_if_there(self, controller: str, name: str, value: int) -> None:
        file = self.folders[controller] / name
        if file.exists():
            file.write_text(str(value))


@dataclass(frozen=True)
class Cgroups:
    """Where cgroups can be made on this machine."""

    dialect: Dialect
    parents: Mapping[str, Path]
    """By controller; empty where none can be made."""

    @contextmanager
    def made(self, limits: Limits) -> Iterator[Cgroup | None]:
        """A new cgroup, removed at the end with all that is in it; None where none can be made.

        Raises:
            SandboxTrouble: it could be neither made nor removed.
        """
        if not self.parents:
            yield None
            return
        stand_watch(_maker(), tuple(dict.fromkeys(map(str, self.parents.values()))))
        name = f"{_maker()}-{next(_serial)}"
        group = Cgroup(self.dialect, {key: place / name for key, place in self.parents.items()})
        try:
            _make(group, limits)
            yield group
        finally:
            group.remove()

    def sweep(self) -> None:
        """Remove what dead processes of this PID namespace left; what a living one made stays."""
        for name in {place.name for parent in self.parents.values() for place in _in(parent)}:
            if _is_orphan(name):
                folders = {key: parent / name for key, parent in self.parents.items()}
                # What the kernel holds on to is in nobody's way, and no reason not to start.
                with suppress(SandboxTrouble):
                    Cgroup(self.dialect, folders).remove()


def _make(group: Cgroup, limits: Limits) -> None:
    try:
        for place in group.places:
            place.mkdir()
        group.limit(limits)
    except OSError as error:
        raise SandboxTrouble(f"no cgroup could be made: {error}") from error


def _remove(place: Path) -> None:
    for inside in _in(place):  # of an engine that was killed before it could
        _remove(inside)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            place.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            # The last process may be gone for its parent, but not yet for its cgroup.
            if time.monotonic() > deadline:
                raise SandboxTrouble(f"a cgroup cannot be removed: {error}") from error
            time.sleep(0.002)


def _in(parent: Path) -> list[Path]:
    return [place for place in parent.iterdir() if place.is_dir()] if parent.is_dir() else []


def _maker() -> str:
    return f"{_pid_namespace()}-{os.getpid()}-{_started(os.getpid())}"


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _started(pid: int) -> str | None:
    """When a process started, in ticks since boot; None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def _is_orphan(name: str) -> bool:
    parts = name.split("-")
    if len(parts) != 4 or not parts[1].isdigit() or parts[0] != _pid_namespace():  # noqa: PLR2004 - as _maker writes them
        return False
    return _started(int(parts[1])) != parts[2]
