"""The port to whatever runs a process isolated and limited; it does not say what a run proves."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Literal, Protocol

from runner.value import Value


class SandboxKind(StrEnum):
    """Where an attempt runs; `process` is not isolated and taken only when asked for by name."""

    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"
    PROCESS = "process"


class EndingKind(StrEnum):
    """How a process ended, as its supervisor saw it."""

    EXIT = "exit"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    SILENCE = "silence"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"


class Ending(Value):
    """How a process ended."""

    kind: EndingKind
    code: int | None = None
    """Exit code (`exit`) or signal number (`signal`); None for what the supervisor ended.

    A sandbox's init reports a signal as exit code 128 + number, and so do container engines;
    codes 129 to 192 are therefore read as signals by every sandbox alike.
    """

    def __str__(self) -> str:
        return self.kind if self.code is None else f"{self.kind} {self.code}"


def ending_of(status: int) -> Ending:
    """The ending that an exit status means, with 128 + number read as a signal."""
    first, last = 129, 192
    if first <= status <= last:
        return Ending(kind=EndingKind.SIGNAL, code=status - 128)
    return Ending(kind=EndingKind.EXIT, code=status)


class Limits(Value):
    """What one attempt may use. Enforced by the sandbox; what it could not is in `unenforced`."""

    timeout: float = 60.0
    """Seconds of wall time."""
    silence: float | None = None
    """Seconds without output; None for no such limit."""
    memory: int = 512
    """MiB, of all processes of the attempt together."""
    processes: int = 256
    descriptors: int = 1024
    disk: int = 256
    """MiB of each writable place (/tmp, /dev/shm)."""
    kept: int = 256 * 1024
    """Bytes kept of each stream: half from its head, half from its tail."""
    output: int = 64 * 1024 * 1024
    """Bytes of both streams together; more ends the attempt."""

    def doubled(self) -> Limits:
        """The same with twice the time: a hang is believed when it outlasts that too."""
        silence = None if self.silence is None else self.silence * 2
        return self.model_copy(update={"timeout": self.timeout * 2, "silence": silence})


class Stream(Value):
    """One stream of an attempt as read: bytes, never decoded, so that any bytes survive."""

    head: bytes = b""
    omitted: int = 0
    """Bytes left out between head and tail; 0 if `head` is all there was."""
    tail: bytes = b""

    def __len__(self) -> int:
        return len(self.head) + self.omitted + len(self.tail)


class Mount(Value):
    """A path of the host that the attempt may read, and nothing more."""

    source: str
    target: str


class RunRequest(Value):
    """One process to run: nothing of the host but `mounts` may be seen by it."""

    id: str
    """The attempt's readable id, for names and labels."""
    command: tuple[str, ...]
    """Its first part is an absolute path that a mount, or the sandbox's root, makes visible."""
    env: dict[str, str] = {}
    """The whole environment of the process."""
    mounts: tuple[Mount, ...] = ()
    limits: Limits = Limits()


class RunResult(Value):
    """What the supervisor saw of one process. It carries its request."""

    request: RunRequest
    ending: Ending
    stdout: Stream
    stderr: Stream
    seconds: float
    """Wall time from start to end."""
    peak_mib: float | None = None
    """Most memory used at a time, MiB; None where nothing could measure it."""
    cpu_seconds: float | None = None
    """User and system time of all processes; None where nothing could measure it."""


class SandboxDescription(Value):
    """What a report says of the sandbox: what holds, and what could not be enforced."""

    kind: SandboxKind
    base: str | None = None
    """Digest of the image; None where attempts see the host's own system libraries."""
    network: Literal["none", "host"]
    isolated: bool
    unenforced: tuple[str, ...] = ()
    """Names of limits that this machine gives no means to enforce."""
    runtime: str | None = None
    """The OCI runtime, where it is not runc: with `runsc`, for example, another kernel answers."""


OnOutput = Callable[[Literal["stdout", "stderr"], bytes], None]
"""Told of each piece of output as it comes, for a live view."""


class Sandbox(Protocol):
    """Runs processes isolated.

    Raises:
        SandboxTrouble: the sandbox itself failed; never turned into an ending.
        Interrupted: `stop` was called while the process ran.
    """

    def run(self, request: RunRequest, watch: OnOutput | None = None) -> RunResult:
        """Run one process to its end; afterwards nothing of it is left."""
        ...

    def shell(self, request: RunRequest) -> int:
        """Run an interactive command on the caller's terminal, without time limit."""
        ...

    def describe(self) -> SandboxDescription:
        """Say what this sandbox is, once and for all attempts."""
        ...

    def stop(self) -> None:
        """End all running processes; every later `run` raises `Interrupted`."""
        ...
