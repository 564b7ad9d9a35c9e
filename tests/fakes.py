"""Stand-ins for the ports: scripted, and loud when they are asked for more than their script."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runner.errors import FixproofError, Interrupted
from runner.sandbox import (
    Ending,
    Limits,
    OnOutput,
    RunRequest,
    RunResult,
    SandboxDescription,
    SandboxKind,
    Stream,
    ending_of,
)

A_DESCRIPTION = SandboxDescription(kind=SandboxKind.BUBBLEWRAP, network="none", isolated=True)


@dataclass(frozen=True)
class Act:
    """One scripted attempt: how it ends, and what it prints before."""

    ending: Ending = ending_of(0)  # noqa: RUF009 - a frozen value
    stdout: bytes = b""
    stderr: bytes = b""
    seconds: float = 0.1

    def result(self, request: RunRequest) -> RunResult:
        """The result of `request` that this act is."""
        return RunResult(
            request=request,
            ending=self.ending,
            stdout=_kept(self.stdout, request.limits.kept),
            stderr=_kept(self.stderr, request.limits.kept),
            seconds=self.seconds,
        )


Scene = Act | FixproofError | Callable[[RunRequest], Act]
"""What happens at one run: an act, an error to raise, or what makes an act of the request."""


class ScriptedSandbox:
    """A sandbox that plays its scenes in order and runs nothing; it remembers what was asked."""

    def __init__(
        self, *script: Scene, description: SandboxDescription = A_DESCRIPTION, shell: int = 0
    ) -> None:
        self._script = deque(script)
        self._description = description
        self._shell = shell
        self._lock = threading.Lock()
        self._stopped = False
        self.requests: list[RunRequest] = []

    def run(self, request: RunRequest, watch: OnOutput | None = None) -> RunResult:
        """Play the next scene; an AssertionError if there is none."""
        scene = self._next(request)
        if isinstance(scene, FixproofError):
            raise scene
        act = scene if isinstance(scene, Act) else scene(request)
        said: tuple[tuple[Literal["stdout", "stderr"], bytes], ...]
        said = (("stdout", act.stdout), ("stderr", act.stderr))
        for stream, output in said:
            if watch is not None and output:
                watch(stream, output)
        return act.result(request)

    def shell(self, request: RunRequest) -> int:
        """Return the exit code it was made with."""
        self._refuse_if_stopped(request)
        self.requests.append(request)
        return self._shell

    def describe(self) -> SandboxDescription:
        """Return the description it was made with."""
        return self._description

    def stop(self) -> None:
        """Refuse every later run."""
        self._stopped = True

    def _next(self, request: RunRequest) -> Scene:
        self._refuse_if_stopped(request)
        with self._lock:
            self.requests.append(request)
            if not self._script:
                message = f"nothing is scripted for run {len(self.requests)}, {request.id}"
                raise AssertionError(message)
            return self._script.popleft()

    def _refuse_if_stopped(self, request: RunRequest) -> None:
        if self._stopped:
            raise Interrupted(f"{request.id} was interrupted")


def a_request(*command: str, limits: Limits | None = None, id: str = "a-1") -> RunRequest:  # noqa: A002 - its key
    """A request that asks for nothing in particular."""
    return RunRequest(id=id, command=command or ("/bin/true",), limits=limits or Limits())


def _kept(output: bytes, kept: int) -> Stream:
    if len(output) <= kept:
        return Stream(head=output)
    head, tail = kept // 2, len(output) - (kept - kept // 2)
    return Stream(head=output[:head], omitted=tail - head, tail=output[tail:])
