"""What no sandbox is asked, refused in one place before any of them does anything."""

from __future__ import annotations

from collections.abc import Iterator

from runner.errors import SandboxTrouble
from runner.sandbox import RunRequest


def refuse_nul(request: RunRequest) -> None:
    """Refuse what no process can be started with.

    Raises:
        SandboxTrouble: the request has a NUL in it.
    """
    # bwrap parts its words at NULs: one within a word would let a case add options of its own.
    if any("\0" in word for word in _words(request)):
        message = "a NUL cannot stand in a command, an environment variable or a path"
        raise SandboxTrouble(f"{request.id}: {message}")


def _words(request: RunRequest) -> Iterator[str]:
    yield from request.command
    for name, value in request.env.items():
        yield from (name, value)
    for mount in request.mounts:
        yield from (mount.source, mount.target)
