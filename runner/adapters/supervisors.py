"""Names a supervising process for good, so that what it left behind can be told once it is dead."""

from __future__ import annotations

import os
from pathlib import Path

LABEL = "fixproof"
ATTEMPT = "fixproof.attempt"
SUPERVISOR = "fixproof.supervisor"
UNTIL = "fixproof.until"
"""Seconds since 1970 at which nothing can be waiting for it any more."""
_PARTS = 4


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
