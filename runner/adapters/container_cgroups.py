"""What the kernel counts of a container, if its engine runs on this machine.

Where it can be (version 1, and an engine that makes cgroups without systemd), a container's cgroup
is made within one of ours, which outlasts it: nothing is lost at its end, which engines tell late.
Elsewhere the container's own is read while it is there.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.cgroups import V1, V2, Cgroup, Cgroups
from runner.sandbox import Limits

ROOT = Path("/sys/fs/cgroup")
PARENT = "fixproof-containers"
MARGIN = 1
"""MiB that the engine allows beyond the limit of our cgroup: the first to be hit is told of it."""


@dataclass
class Counters:
    """What the kernel said of one container; None where it never did."""

    group: Cgroup | None = None
    oom_events: int | None = None
    """A descriptor that counts how often our own cgroup was out of memory."""
    ooms: int | None = None
    peak_mib: float | None = None
    cpu_seconds: float | None = None

    def read(self) -> Counters:
        """Look again; what was seen last stays where the place is gone."""
        if self.group is None:
            return self
        with suppress(OSError):  # Going away while it is read has several errors.
            self.ooms = max(self.ooms or 0, self.group.oom_kills() + self._new_events())
            self.peak_mib = self.group.peak_mib() or self.peak_mib
            self.cpu_seconds = self.group.cpu_seconds() or self.cpu_seconds
        return self

    def _new_events(self) -> int:
        if self.oom_events is None:
            return 0
        try:
            return int(struct.unpack("Q", os.read(self.oom_events, 8))[0])
        except BlockingIOError:
            return 0


@dataclass(frozen=True)
class Nest:
    """A cgroup of ours that a container's own is made in."""

    parent: str
    """As the engine is told."""
    group: Cgroup
    oom_events: int

    def counters(self) -> Counters:
        return Counters(self.group, self.oom_events)

    def was_used(self) -> bool:
        return bool(self.group.peak_mib())

    def first_process(self, container: str) -> int | None:
        """The container's init; None where it is over, or another machine's."""
        procs = self.group.folders["memory"] / container / "cgroup.procs"
        with suppress(OSError):
            return min(map(int, procs.read_text(encoding="ascii").split()), default=None)
        return None

    def kill(self) -> None:
        """End all that is in it, where no engine is there to do so."""
        with suppress(OSError, KeyError):  # A fork bomb is faster, unless it may fork no more.
            (self.group.folders["pids"] / "pids.max").write_text("0", encoding="ascii")
        for procs in self.group.folders["memory"].glob("*/cgroup.procs"):
            with suppress(OSError):
                for pid in map(int, procs.read_text(encoding="ascii").split()):
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Nests:
    """Where such cgroups can be made."""

    groups: Cgroups

    @contextmanager
    def made(self, limits: Limits) -> Iterator[Nest | None]:
        """A new one, gone afterwards; None where none can be.

        Raises:
            SandboxTrouble: it could be neither made nor removed.
        """
        with self.groups.made(limits) as group, ExitStack() as stack:
            if group is None:
                yield None
                return
            memory = group.folders["memory"]
            events = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            stack.callback(os.close, events)
            control = os.open(memory / V1.oom, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, control)
            (memory / "cgroup.event_control").write_text(f"{events} {control}", encoding="ascii")
            yield Nest(f"/{PARENT}/{memory.name}", group, events)

    def sweep(self) -> None:
        """Remove what dead processes left; their containers must be gone by then."""
        self.groups.sweep()


def find_nests(driver: str, version: str, root: Path = ROOT) -> Nests:
    """Where nests can be made for an engine of this cgroup driver and version; nowhere, at worst.

    In all hierarchies, version 2 beside them, too: the engine makes folders in all of them, and
    leaves ours to us.
    """
    usable = (driver, version) == ("cgroupfs", "1")
    event_control = root / "memory" / "cgroup.event_control"
    if not usable or not os.access(event_control, os.W_OK):
        return Nests(Cgroups(V1, {}))
    parents = {}
    for hierarchy in sorted(root.iterdir()):
        if (hierarchy / "cgroup.procs").exists() and not hierarchy.is_symlink():
            parent = hierarchy / PARENT
            with suppress(OSError):
                parent.mkdir(exist_ok=True)
                parents[hierarchy.name] = parent
    return Nests(Cgroups(V1, parents if "memory" in parents else {}))


def group_of(container: str, pid: int, root: Path = ROOT) -> Cgroup | None:
    """The cgroup of a container by its first process; None where that is none of this machine.

    The id is the proof: another machine's engine names processes that are strangers here.
    """
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    places = sorted({line.split(":", 2)[2].lstrip("/") for line in lines if container in line})
    found = (_unified(root / place) or _by_controller(place, root) for place in places)
    return next((group for group in found if group is not None), None)


def _unified(folder: Path) -> Cgroup | None:
    there = (folder / "memory.events").exists()
    return Cgroup(V2, dict.fromkeys(V2.controllers, folder)) if there else None


def _by_controller(place: str, root: Path) -> Cgroup | None:
    folders = {name: root / name / place for name in V1.controllers}
    there = {name: folder for name, folder in folders.items() if folder.is_dir()}
    return Cgroup(V1, there) if "memory" in there else None
