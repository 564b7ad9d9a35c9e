"""The sandbox of a container engine: one fresh container for each attempt, gone afterwards."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from runner.adapters import podman
from runner.adapters.container_cgroups import Nest, Nests, find_nests
from runner.adapters.container_engine import Engine, Witness, asking
from runner.adapters.container_supervision import Watched, supervise
from runner.adapters.containers import Fashion, Image, leftovers, options, profile_for, remove
from runner.adapters.refusal import refuse_nul
from runner.adapters.supervision import StopSwitch
from runner.errors import FixproofError, SandboxTrouble, SandboxUnavailable
from runner.sandbox import (
    Limits,
    OnOutput,
    RunRequest,
    RunResult,
    SandboxDescription,
    SandboxKind,
    ending_of,
)

_USUAL_RUNTIME = "runc"
SHELL = "/bin/sh"
COULD_NOT_EXECUTE = (126, 127)
"""Exit codes of a container's init that could not execute its command; a script's, too."""


class Images(Protocol):
    """Which image an attempt runs in.

    Raises:
        SandboxUnavailable: there is none, and none can be made.
    """

    def of(self, request: RunRequest) -> Image:
        """The image for one attempt."""
        ...

    def digest(self) -> str:
        """What a report says of all of them."""
        ...


class OneImage:
    """The same image for every attempt."""

    def __init__(self, find: Callable[[], Image]) -> None:
        self._find = find

    def of(self, request: RunRequest) -> Image:  # noqa: ARG002 - the port has it
        return self._find()

    def digest(self) -> str:
        return self._find().id


class DockerSandbox:
    """Containers without network, capabilities or a writable root, under a uid that owns nothing.

    The process finds `/tmp` and `/dev/shm` to write to. Nothing is asked of the engine before the
    first run, or whatever else needs to know.
    """

    def __init__(
        self, images: Images, *, engine: Engine | None = None, fashion: Fashion | None = None
    ) -> None:
        self._images = images
        self._engine = engine or Engine()
        self._fashion = fashion or Fashion()
        self._stop = StopSwitch()
        self._lock = threading.Lock()
        self._nests: Nests | None = None
        self._owed: set[str] = set()

    def check(self) -> None:
        """Find out whether an engine is there; what earlier supervisors left is taken away.

        Raises:
            SandboxUnavailable: no engine answers.
        """
        self._ready()

    def run(self, request: RunRequest, watch: OnOutput | None = None) -> RunResult:
        """Run one process to its end; afterwards nothing of it is left.

        Raises:
            SandboxUnavailable: there is no engine, or no image.
            SandboxTrouble: the engine failed, or the process could not be started; or the request
                has a NUL in it, and nothing was asked.
            Interrupted: `stop` was called.
        """
        self._stop.refuse_if_thrown(request.id)
        refuse_nul(request)
        witness = self._ready()
        result = self._attempt(request, witness, watch)
        if result.ending.code in COULD_NOT_EXECUTE:
            self._assert_executable(request, witness)
        return result

    def shell(self, request: RunRequest) -> int:
        """Run an interactive command on the caller's terminal, without time limit.

        Raises:
            SandboxUnavailable: the engine's own command line is not there to hold the terminal.
        """
        self._stop.refuse_if_thrown(request.id)
        refuse_nul(request)
        self._ready()
        program = shutil.which("docker")
        if program is None:
            message = "a shell in a container needs the program docker, which is not there"
            raise SandboxUnavailable(message, hint="Use --sandbox bubblewrap, or install it.")
        with self._container(request, interactive=True) as (container, _):
            address = ("--host", self._engine.address)
            words = [program, *address, "start", "--attach", "--interactive", container]
            status = subprocess.run(words, check=False).returncode
            self._stop.refuse_if_thrown(request.id)
        return status

    def describe(self) -> SandboxDescription:
        """Say what this sandbox is; the engine says what this machine's kernel cannot hold."""
        info = self._engine.info
        held = {
            "memory": info.get("MemoryLimit", True),
            "swap": info.get("SwapLimit", True),
            "processes": info.get("PidsLimit", True),
            "system_calls": profile_for(self._engine, self._fashion.profiles) is not None,
        }
        runtime = self._fashion.runtime or info.get("DefaultRuntime")
        return SandboxDescription(
            kind=SandboxKind.DOCKER,
            base=self._images.digest(),
            network="none",
            isolated=True,
            unenforced=tuple(name for name, holds in held.items() if not holds),
            runtime=None if runtime == _USUAL_RUNTIME else runtime,
        )

    def stop(self) -> None:
        """End all running processes; every later `run` raises `Interrupted`."""
        self._stop.throw()

    def sweep(self) -> None:
        """Take away the containers of supervisors that are dead.

        Raises:
            SandboxTrouble: the engine does not.
        """
        for container in leftovers(self._engine):
            remove(self._engine, container)

    def close(self) -> None:
        """Give the connections to the engine back."""
        self._engine.close()

    def _ready(self) -> Witness:
        with self._lock:
            info = self._engine.info
            if self._engine.is_podman:
                podman.refuse_runtime(self._fashion.runtime, info.get("DefaultRuntime", ""))
            witness = self._engine.watch()
            if self._nests is None:
                self.sweep()
                driver, version = info.get("CgroupDriver", ""), info.get("CgroupVersion", "")
                # Podman puts a process of its own beside the container's, which outlasts it.
                self._nests = find_nests("" if self._engine.is_podman else driver, version)
                self._nests.sweep()
            for container in tuple(self._owed):
                remove(self._engine, container)
                self._owed.discard(container)
        return witness

    def _attempt(self, request: RunRequest, witness: Witness, watch: OnOutput | None) -> RunResult:
        with self._container(request) as (container, nest):
            watched = Watched(
                engine=self._engine,
                id=container,
                name=request.id,
                limits=request.limits,
                stop=self._stop,
                witness=witness,
                nest=nest,
            )
            seen = supervise(watched, watch)
        return RunResult(
            request=request,
            ending=seen.ending,
            stdout=seen.stdout,
            stderr=seen.stderr,
            seconds=seen.seconds,
            peak_mib=seen.peak_mib,
            cpu_seconds=seen.cpu_seconds,
        )

    @contextmanager
    def _container(
        self, request: RunRequest, *, interactive: bool = False
    ) -> Iterator[tuple[str, Nest | None]]:
        """A created container, gone afterwards; if it cannot be removed now, then later."""
        image = self._images.of(request)
        with self._nest(request.limits) as nest:
            api = self._engine.api
            with asking(f"to create {request.id}"):
                made = options(
                    self._engine, request, image, self._fashion, nest=nest, interactive=interactive
                )
                container = str(api.create_container(**made)["Id"])
            try:
                yield container, nest
            except BaseException:
                # What went wrong before tells more than that its remains are still there.
                with suppress(FixproofError):
                    self._take_away(container, nest)
                raise
            self._take_away(container, nest)

    @contextmanager
    def _nest(self, limits: Limits) -> Iterator[Nest | None]:
        with (self._nests or find_nests("", "")).made(limits) as nest:
            yield nest
            if nest is not None and not nest.was_used():
                self._nests = find_nests("", "")  # The engine is on another machine.

    def _take_away(self, container: str, nest: Nest | None) -> None:
        try:
            remove(self._engine, container)
        except FixproofError:
            self._owed.add(container)
            if nest is not None:
                nest.kill()
            raise

    def _assert_executable(self, request: RunRequest, witness: Witness) -> None:
        """Ask the sandbox itself if the command is there: what a script says proves nothing."""
        test = 'test -f "$1" && test -x "$1"'
        question = (SHELL, "-c", test, SHELL, request.command[0])
        asked = request.model_copy(update={"command": question, "limits": Limits()})
        if self._attempt(asked, witness, None).ending != ending_of(0):
            message = f"{request.id}: {request.command[0]} cannot be executed in the sandbox"
            hint = "its file must be in a mount, or in the image, and open to every user"
            raise SandboxTrouble(message, hint=hint)
