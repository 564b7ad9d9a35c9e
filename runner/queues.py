"""Queues: whose turn it is first, and what a worker must have; their names say both.

Sorted by name, queues are in the order in which a worker looks for work.
"""

from __future__ import annotations

from enum import StrEnum

from runner.value import Value


class Priority(StrEnum):
    """Whose turn it is first, in this order."""

    ON_DEMAND = "on-demand"
    NIGHTLY = "nightly"


ANY = "any"
"""A capability that every worker has."""


ARCHITECTURES = ("aarch64", "armv7l", "i686", "ppc64le", "riscv64", "s390x", "x86_64")
"""Those that a run may ask for, as `platform.machine()` names them."""


class Capability(Value):
    """What a run needs of a worker."""

    arch: str = ANY
    """As `platform.machine()` names it."""
    sandbox: str = ANY
    """A kind of sandbox."""


def queue_of(priority: Priority, needed: Capability) -> str:
    """The queue of what belongs to a run that was planned."""
    return f"{_rank(priority)}-{priority}.begun.{needed.arch}.{needed.sandbox}"


def intake_of(priority: Priority, needed: Capability) -> str:
    """The queue of runs that nobody has begun: what was begun goes before it."""
    return f"{_rank(priority)}-{priority}.new.{needed.arch}.{needed.sandbox}"


def priority_of(queue: str) -> Priority:
    """The priority of a queue, by its name."""
    return Priority(queue.partition(".")[0].partition("-")[2])


def queues_for(offered: Capability, *, intake: bool = True) -> tuple[str, ...]:
    """The queues that a worker serves, in the order in which it looks for work.

    Args:
        offered: what the worker has.
        intake: whether it begins new runs; if not, it only goes on with those begun.
    """
    fits = [
        Capability(arch=arch, sandbox=sandbox)
        for arch in (offered.arch, ANY)
        for sandbox in (offered.sandbox, ANY)
    ]
    found = []
    for priority in Priority:
        found.append(queue_of(priority, offered))
        found += [intake_of(priority, each) for each in fits] if intake else []
    return tuple(sorted(found))


def _rank(priority: Priority) -> int:
    return tuple(Priority).index(priority)
