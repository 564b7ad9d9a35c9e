"""Supervision of one process: its pipes, its limits, its end. How it is isolated is not known here.

Everything is seen from outside: nothing that the process prints has a say in how it ended.
"""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from runner.adapters.launching import Launch, Running, end_all, started
from runner.errors import Interrupted
from runner.sandbox import EndingKind, OnOutput, Stream

CHUNK = 64 * 1024
GRACE = 0.25
"""Seconds that pipes are read on after the end, should something outlive it and hold them open."""
TICK = 0.5
"""Seconds between two looks at the counter of the out-of-memory killer."""


class Capture:
    """What is kept of one stream while it is read: never more than `kept` bytes and two chunks."""

    def __init__(self, kept: int) -> None:
        self._head_room = kept // 2
        self._tail_room = kept - kept // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def add(self, chunk: bytes) -> None:
        """Take the next piece, of any length."""
        self.total += len(chunk)
        room = self._head_room - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > self._tail_room + CHUNK:
            self._trim()

    def stream(self) -> Stream:
        """What was kept so far."""
        self._trim()
        omitted = self.total - len(self._head) - len(self._tail)
        if not omitted:
            return Stream(head=bytes(self._head + self._tail))
        return Stream(head=bytes(self._head), omitted=omitted, tail=bytes(self._tail))

    def _trim(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._tail_room)]


class StopSwitch:
    """Tells every supervisor that selects on it to stop, from any thread, once and for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self.thrown = False

    def throw(self) -> None:
        """Stop what runs and whatever would."""
        self.thrown = True
        os.eventfd_write(self.fileno(), 1)

    def fileno(self) -> int:
        """A descriptor that is readable from the throw on.

        It is made on first use: processes forked before that do not share it.
        """
        with self._lock:
            if self._descriptor is None:
                self._descriptor = os.eventfd(0)
                weakref.finalize(self, os.close, self._descriptor)
            return self._descriptor

    def refuse_if_thrown(self, name: str) -> None:
        """Raise Interrupted for the attempt `name` where the switch was thrown."""
        if self.thrown:
            raise Interrupted(f"{name} was interrupted")


@dataclass(frozen=True)
class Seen:
    """How a process went, as its supervisor saw it."""

    cause: EndingKind | None
    """Why the supervisor, or the kernel for lack of memory, ended it; None if it ended itself."""
    status: int
    """Exit status; negative for the signal that ended the process itself."""
    stdout: Stream
    stderr: Stream
    seconds: float


def supervise(
    launch: Launch, *, name: str, stop: StopSwitch, watch: OnOutput | None = None
) -> Seen:
    """Start a process, and see to it that it and all its children end; at once if need be.

    Raises:
        Interrupted: the switch was thrown.
        SandboxTrouble: it cannot be started, or not be ended.
    """
    stop.refuse_if_thrown(name)
    with started(launch, on_terminal=False) as running:
        return _Supervisor(launch, running, watch).run(name, stop)


def converse(launch: Launch, *, name: str, stop: StopSwitch) -> int:
    """Let a process talk with the caller's terminal until it ends; its exit status.

    Raises:
        Interrupted: the switch was thrown.
        SandboxTrouble: it cannot be started, or not be ended.
    """
    stop.refuse_if_thrown(name)
    with started(launch, on_terminal=True) as running, _deaf_to_keyboard():
        with selectors.DefaultSelector() as selector:
            selector.register(running.end, selectors.EVENT_READ)
            selector.register(stop, selectors.EVENT_READ)
            selector.select()
        stop.refuse_if_thrown(name)
        return running.process.wait()


class _Supervisor:
    """Watches one running process; used once."""

    def __init__(self, launch: Launch, running: Running, watch: OnOutput | None) -> None:
        self._process = running.process
        self._end = running.end
        self._group = launch.group
        self._limits = launch.limits
        self._watch = watch
        self._captures = {
            "stdout": Capture(launch.limits.kept),
            "stderr": Capture(launch.limits.kept),
        }
        self._begun = self._heard = time.monotonic()

    def run(self, name: str, stop: StopSwitch) -> Seen:
        with selectors.DefaultSelector() as selector:
            self._open(selector)
            selector.register(self._end, selectors.EVENT_READ, "end")
            selector.register(stop, selectors.EVENT_READ, "stop")
            cause = self._until_the_end(selector, name, stop)
            seconds = time.monotonic() - self._begun
            selector.unregister(self._end)
            selector.unregister(stop)
            end_all(self._process, self._group)
            self._drain(selector)
        if self._out_of_memory():
            cause = EndingKind.MEMORY
        elif self._too_much_output():
            cause = EndingKind.OUTPUT_LIMIT
        stdout, stderr = (capture.stream() for capture in self._captures.values())
        return Seen(cause, self._process.wait(), stdout, stderr, round(seconds, 4))

    def _open(self, selector: selectors.BaseSelector) -> None:
        for name, pipe in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, name)

    def _until_the_end(
        self, selector: selectors.BaseSelector, name: str, stop: StopSwitch
    ) -> EndingKind | None:
        while True:
            events = selector.select(self._patience())
            stop.refuse_if_thrown(name)
            for key, _ in events:
                self._read(selector, key)
            if any(key.data == "end" for key, _ in events):
                return None
            if (cause := self._broken_limit()) is not None:
                return cause

    def _read(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        if key.data not in self._captures:
            return
        try:
            chunk = os.read(key.fd, CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            selector.unregister(key.fileobj)
            return
        self._heard = time.monotonic()
        self._captures[key.data].add(chunk)
        if self._watch is not None:
            stream: Literal["stdout", "stderr"] = "stdout" if key.data == "stdout" else "stderr"
            self._watch(stream, chunk)

    def _drain(self, selector: selectors.BaseSelector) -> None:
        """Read what the dead left in the pipes, which one of them that escaped could hold open."""
        deadline = time.monotonic() + GRACE
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                self._read(selector, key)

    def _patience(self) -> float:
        """Seconds until the next limit could be broken."""
        now = time.monotonic()
        waits = [self._begun + self._limits.timeout - now]
        if self._limits.silence is not None:
            waits.append(self._heard + self._limits.silence - now)
        if self._group is not None:
            waits.append(TICK)
        return max(0.0, min(waits))

    def _broken_limit(self) -> EndingKind | None:
        now = time.monotonic()
        if self._out_of_memory():
            return EndingKind.MEMORY
        if self._too_much_output():
            return EndingKind.OUTPUT_LIMIT
        if now - self._begun >= self._limits.timeout:
            return EndingKind.TIMEOUT
        if self._limits.silence is not None and now - self._heard >= self._limits.silence:
            return EndingKind.SILENCE
        return None

    def _out_of_memory(self) -> bool:
        return self._group is not None and self._group.oom_kills() > 0

    def _too_much_output(self) -> bool:
        return sum(capture.total for capture in self._captures.values()) > self._limits.output


@contextmanager
def _deaf_to_keyboard() -> Iterator[None]:
    """Leave Ctrl-C to the process that has the terminal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
