"""Supervision of one container: its output, its limits, its end, as its engine and kernel see them.

What is in the container, and what was asked to run there, is not known here.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from runner.adapters.container_cgroups import Counters, Nest, group_of
from runner.adapters.container_engine import (
    GONE_HINT,
    SECONDS,
    Attached,
    Engine,
    Witness,
    asking,
    closing,
)
from runner.adapters.demultiplexing import Demultiplexer
from runner.adapters.metering import Meter
from runner.adapters.supervision import CHUNK, GRACE, StopSwitch
from runner.errors import SandboxTrouble
from runner.sandbox import Ending, EndingKind, Limits, OnOutput, Stream, ending_of

_OF_KILLS = (128 + signal.SIGKILL, 128 + signal.SIGTERM)
"""Exit codes of containers that somebody had the engine end; scripts may end so, too."""
QUIET = 0.01
"""Seconds without output after which nothing more is on its way."""


@dataclass(frozen=True)
class Seen:
    """How a container went."""

    ending: Ending
    stdout: Stream
    stderr: Stream
    seconds: float
    peak_mib: float | None
    cpu_seconds: float | None


@dataclass(frozen=True)
class Watched:
    """A container that was created, to be started and watched."""

    engine: Engine
    id: str
    name: str
    """The attempt's, for messages."""
    limits: Limits
    stop: StopSwitch
    witness: Witness
    """Of the engine that it was created by."""
    nest: Nest | None
    """Where its cgroup is; None for a place of the engine's own choice."""


def supervise(watched: Watched, watch: OnOutput | None) -> Seen:
    """Start a container and watch it to its end, which is ours where it breaks a limit.

    Raises:
        Interrupted: the switch was thrown; the container may still run.
        SandboxTrouble: the engine failed; the container may still run.
    """
    return _Supervisor(watched, watch).run()


class _Supervisor:
    """Watches one container; used once."""

    def __init__(self, watched: Watched, watch: OnOutput | None) -> None:
        self._of = watched
        self._counters = watched.nest.counters() if watched.nest else Counters()
        self._meter = Meter(watched.limits, watch, lambda: self._counters.read().ooms)
        self._frames = Demultiplexer()
        self._seconds = 0.0
        self._ended: float | None = None
        """When it was first seen that it is over."""

    def run(self) -> Seen:
        with _attached(self._of) as attached, _exit_status(self._of) as status:
            with self._started() as end, selectors.DefaultSelector() as selector:
                selector.register(attached, selectors.EVENT_READ, self._read)
                selector.register(self._of.stop, selectors.EVENT_READ, self._interrupted)
                if end is not None:
                    selector.register(end, selectors.EVENT_READ, self._see_end)
                cause = self._until_the_end(selector)
                self._see_end(end)
            if cause is not None:
                self._drain(attached)
            ending = Ending(kind=cause) if cause else self._own_ending(status)
        if (decisive := self._meter.broken_for_good()) is not None:
            ending = Ending(kind=decisive)
        stdout, stderr = self._meter.streams()
        counters = self._counters
        peak, cpu = counters.peak_mib, counters.cpu_seconds
        return Seen(ending, stdout, stderr, self._seconds, peak, cpu)

    @contextmanager
    def _started(self) -> Iterator[int | None]:
        """The container runs; a descriptor that tells its end, if it is of this machine.

        The kernel tells before the engine does, which by then took the counters away.
        """
        with asking(f"to start {self._of.name}"):
            self._of.engine.api.start(self._of.id)
        self._meter.begin()
        pid = self._first_process() or 0
        with _end_of(pid) as end:
            if self._counters.group is None:
                self._counters = Counters(group_of(self._of.id, pid))
            yield end if self._counters.group is not None else None

    def _first_process(self) -> int | None:
        if self._of.nest is not None:
            return self._of.nest.first_process(self._of.id)
        return int(self._state().get("Pid") or 0)

    def _until_the_end(self, selector: selectors.BaseSelector) -> EndingKind | None:
        while True:
            for key, _ in selector.select(self._patience()):
                if not key.data(key.fileobj):
                    selector.unregister(key.fileobj)
                    if key.data == self._read:
                        return None
            if self._ended is None and (cause := self._meter.broken_limit()) is not None:
                return cause

    def _patience(self) -> float:
        if self._ended is None:
            return self._meter.patience()
        left = self._ended + SECONDS - time.monotonic()
        if left < 0:
            message = f"{self._of.name} ended, and the container engine does not notice"
            raise SandboxTrouble(message, hint=GONE_HINT)
        return left

    def _interrupted(self, stop: StopSwitch) -> bool:
        stop.refuse_if_thrown(self._of.name)
        return True

    def _see_end(self, _end: object) -> bool:
        """Look at the counters for the last time; what comes after is the engine's own time."""
        if self._ended is None:
            self._counters.read()
            self._seconds = self._meter.seconds()
            self._ended = time.monotonic()
        return False

    def _read(self, attached: Attached) -> bool:
        """Take what there is; False once there will be no more."""
        for piece in attached.read(CHUNK):
            if not piece:
                return False
            for stream, data in self._frames.feed(piece):
                self._meter.hear(stream, data)
        return True

    def _drain(self, attached: Attached) -> None:
        """Read what was on its way when a limit was broken.

        Nothing is ended yet: an engine asked to kill waits for its output to be taken.
        """
        deadline = time.monotonic() + GRACE
        with selectors.DefaultSelector() as selector:
            selector.register(attached, selectors.EVENT_READ)
            while time.monotonic() < deadline and selector.select(QUIET):
                if self._meter.broken_for_good() or not self._read(attached):
                    return

    def _own_ending(self, status: _Status) -> Ending:
        """How the container ended by itself, if it was by itself."""
        code = status.read()
        self._of.engine.assert_same(self._of.witness)
        state = self._state()
        if state.get("OOMKilled"):
            return Ending(kind=EndingKind.MEMORY)
        if code in _OF_KILLS:
            self._of.engine.assert_not_killed(self._of.id, state, self._of.name)
        return ending_of(code)

    def _state(self) -> dict[str, Any]:
        with asking(f"about {self._of.name}"):
            return cast(
                "dict[str, Any]", self._of.engine.api.inspect_container(self._of.id)["State"]
            )


@contextmanager
def _end_of(pid: int) -> Iterator[int | None]:
    """A descriptor that becomes readable when the process ends; None where there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Status:
    """The exit status that was asked for before the start; the answer comes with the end."""

    def __init__(self, answer: Any, name: str) -> None:
        self._answer = answer
        self._name = name

    def read(self) -> int:
        with asking(f"how {self._name} ended"):
            try:
                said = json.loads(self._answer.content)
            except ValueError as error:
                message = f"{self._name}: the container engine ended before it did"
                raise SandboxTrouble(message, hint="Nothing was concluded; try again.") from error
        if said.get("Error"):
            raise SandboxTrouble(f"{self._name}: {said['Error']['Message']}")
        return int(said["StatusCode"])


@contextmanager
def _attached(watched: Watched) -> Iterator[Attached]:
    with asking(f"for the output of {watched.name}"):
        attached = watched.engine.attach(watched.id)
    try:
        yield attached
    finally:
        attached.close()


@contextmanager
def _exit_status(watched: Watched) -> Iterator[_Status]:
    with asking(f"to wait for {watched.name}"):
        path = f"/containers/{watched.id}/wait"
        answer = watched.engine.post(path, condition="next-exit")
    with closing(answer):
        yield _Status(answer, watched.name)
