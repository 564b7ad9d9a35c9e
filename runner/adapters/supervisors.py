"""Says on each container whose it is, so that what was left behind can be told.

By the supervising process, which has one name for good; in the service also by the lease of the
item of work that it is for: no process can be seen from another machine, or another container.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

LABEL = "fixproof"
ATTEMPT = "fixproof.attempt"
SUPERVISOR = "fixproof.supervisor"
UNTIL = "fixproof.until"
"""Seconds since 1970 at which nothing can be waiting for it any more."""
LEASE = "fixproof.lease"
"""The service, and the owner of the lease, of an item of work."""
_PARTS = 4
_lease: ContextVar[str] = ContextVar("_lease", default="")


@contextmanager
def for_lease(service: str, owner: str) -> Iterator[None]:
    """What this thread has made meanwhile is for an item of work that is leased."""
    before = _lease.set(f"{service} {owner}")
    try:
        yield
    finally:
        _lease.reset(before)


def labels(attempt: str) -> dict[str, str]:
    """What every container of ours bears."""
    lease = {LEASE: _lease.get()} if _lease.get() else {}
    return {LABEL: "1", ATTEMPT: attempt, SUPERVISOR: this_supervisor(), **lease}


def owner_of(labelled: Mapping[str, str], service: str) -> str | None:
    """Who had the lease that a container is for; None where it is of no lease of that service."""
    of, _, owner = labelled.get(LEASE, "").partition(" ")
    return owner if of == service else None


def this_supervisor() -> str:
    """Boot, PID namespace, process and its start: no two processes ever have all four alike."""
    return f"{_boot()}/{_namespace()}/{os.getpid()}/{_started(os.getpid())}"


def is_leftover(supervisor: str, until: str | None, now: float) -> bool:
    """Whether a container's supervisor is known to be dead, or given up by its own deadline.

    One of another boot or PID namespace may be alive on another machine: only time tells.
    """
    parts = supervisor.split("/")
    if len(parts) == _PARTS and parts[2].isdigit() and parts[:2] == [_boot(), _namespace()]:
        return _started(int(parts[2])) != parts[3]
    return until is not None and until.isdigit() and int(until) < now


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _started(pid: int) -> str | None:
    """When a process started, in ticks since boot; None where there is none, or a dead one."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
