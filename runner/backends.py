"""Backends: interpreters, environments and a sandbox that fit together, of one kind each."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.interpreters import MachineInterpreters
from runner.adapters.package_index import UvPackageIndex
from runner.adapters.tree_uses import TreeUses
from runner.environment import Environments, Interpreter, Interpreters
from runner.errors import FixproofError
from runner.sandbox import Sandbox, SandboxKind
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.adapters.docker_bases import Purpose

INSIDE = Path(__file__).parent / "inside"
"""Scripts that run in sandboxes and environments."""
_ENGINE_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")


class Backend(Protocol):
    """What one kind of sandbox needs around it."""

    kind: SandboxKind
    why: str
    """Why this one was taken, in a line."""

    uses: TreeUses
    """Which trees this process uses."""

    @property
    def inside(self) -> Path:
        """Our scripts for sandboxes, where these see them."""
        ...

    @property
    def interpreters(self) -> Interpreters: ...

    @property
    def environments(self) -> Environments: ...

    @property
    def sandbox(self) -> Sandbox: ...

    def prepare(self, interpreters: Iterable[Interpreter]) -> bool:
        """Make what attempts on these need; whether some of them is another one now."""
        ...

    def stop(self) -> None:
        """End all that runs; what is needed afterwards is made anew."""
        ...

    def tidy(self, service: str, owners: Callable[[], Collection[str]]) -> None:
        """Take away what supervisors left that were killed.

        Args:
            service: what leases of items of work are labelled with.
            owners: asks who has one.
        """
        ...

    def check(self) -> None:
        """Find out whether attempts can run here.

        Raises:
            SandboxUnavailable: they cannot.
        """
        ...


class LocalBackend:
    """The machine itself: its interpreters, and bubblewrap or, if asked for, plain processes."""

    def __init__(
        self, settings: Settings, index: UvPackageIndex, kind: SandboxKind, why: str
    ) -> None:
        self._settings = settings
        self._index = index
        self.kind = kind
        self.why = why
        self.inside = INSIDE
        self.uses = TreeUses(settings.store)
        self.interpreters = MachineInterpreters(CachedDocuments(settings.cache))

    @cached_property
    def environments(self) -> Environments:
        from runner.adapters.uv_environments import UvEnvironments
        from runner.adapters.wheel_builder import WheelBuilder

        builder = WheelBuilder(
            store=self._settings.store,
            sandbox=lambda: self.sandbox,
            sources=self._index,
            inside=str(INSIDE),
        )
        # Nothing is built where a build could touch what is shared.
        isolated = self.kind is not SandboxKind.PROCESS
        return UvEnvironments(
            self._settings.store,
            uv_program(),
            builder=builder if isolated else None,
            uses=self.uses,
        )

    @cached_property
    def sandbox(self) -> Sandbox:
        from runner.adapters.local_sandbox import BubblewrapSandbox, ProcessSandbox

        return ProcessSandbox() if self.kind is SandboxKind.PROCESS else BubblewrapSandbox()

    def prepare(self, interpreters: Iterable[Interpreter]) -> bool:  # noqa: ARG002 - of the port
        """Nothing is to be made: attempts see this machine's own interpreters."""
        return False

    def stop(self) -> None:
        """End all that runs."""
        _stop_and_forget(self, "sandbox", "environments")

    def tidy(self, service: str, owners: Callable[[], Collection[str]]) -> None:
        """Nothing is left: what bubblewrap started ends with whoever started it."""

    def check(self) -> None:
        """Find out whether bubblewrap works here; a plain process always does."""
        from runner.adapters.local_sandbox import BubblewrapSandbox

        sandbox = self.sandbox
        if isinstance(sandbox, BubblewrapSandbox):
            sandbox.check()


class DockerBackend:
    """A container engine: a base for each Python, and trees made by its interpreter."""

    def __init__(self, settings: Settings, index: UvPackageIndex, why: str) -> None:
        from runner.adapters.container_engine import Engine
        from runner.adapters.docker_bases import Bases
        from runner.adapters.docker_environments import BaseInterpreters

        self._settings = settings
        self._index = index
        self.kind = SandboxKind.DOCKER
        self.why = why
        self.uses = TreeUses(settings.store)
        self._engine = Engine(host=engine_address(os.environ))
        _ = self._engine.info  # an engine that does not answer says so at once
        self._machine = MachineInterpreters(CachedDocuments(settings.cache))
        self.bases = Bases(self._engine, self._machine.at_hand, uv_program())
        self.interpreters = BaseInterpreters(self._machine, self.bases)
        self._pythons: tuple[str, ...] = ()

    @cached_property
    def inside(self) -> Path:
        """Our scripts in the store: it is at the same path for the engine."""
        from runner.adapters.shared_scripts import shared

        return shared(INSIDE, self._settings.store)

    @property
    def engine_name(self) -> str:
        """What answers, with its version."""
        named = "Podman" if self._engine.is_podman else "Docker"
        return f"{named} {self._engine.info.get('ServerVersion', '')}".rstrip()

    @cached_property
    def environments(self) -> Environments:
        from runner.adapters.docker_bases import UV, Base
        from runner.adapters.docker_commands import InBase
        from runner.adapters.docker_environments import BaseEnvironments
        from runner.adapters.uv_environments import UvEnvironments
        from runner.adapters.wheel_builder import WheelBuilder

        store = self._settings.store
        builder = WheelBuilder(
            store=store,
            sandbox=lambda: self._build_sandbox,
            sources=self._index,
            inside=str(self.inside),
        )

        def inside(base: Base) -> Environments:
            commands = InBase(engine=self._engine, base=base, store=store)
            return UvEnvironments(
                store,
                UV,
                builder=builder,
                commands=commands,
                scripts=self.inside,
                uses=self.uses,
            )

        host = UvEnvironments(store, uv_program(), builder=builder, uses=self.uses)
        return BaseEnvironments(self._machine, host, self.bases, inside)

    @cached_property
    def sandbox(self) -> Sandbox:
        from runner.adapters.docker_bases import Purpose

        return self._sandbox_of(Purpose.RUN)

    @cached_property
    def _build_sandbox(self) -> Sandbox:
        """Bases with a compiler; made when the first source distribution asks for it."""
        from runner.adapters.docker_bases import Purpose

        return self._sandbox_of(Purpose.BUILD)

    def _sandbox_of(self, purpose: Purpose) -> Sandbox:
        from runner.adapters.containers import Fashion
        from runner.adapters.docker_environments import BaseImages
        from runner.adapters.docker_sandbox import DockerSandbox

        images = BaseImages(self.bases, lambda: self._pythons, purpose)
        fashion = Fashion(runtime=self._settings.oci_runtime, profiles=self._settings.store)
        return DockerSandbox(images, engine=self._engine, fashion=fashion)

    def prepare(self, interpreters: Iterable[Interpreter]) -> bool:
        """Make the bases of these interpreters, where they are not there."""
        wanted = tuple(interpreters)
        made = [self.bases.ensure(each.python).interpreter for each in wanted]
        self._pythons = tuple(dict.fromkeys(each.python for each in wanted))
        return made != list(wanted)

    def check(self) -> None:
        """Find out whether some base is there or can be made.

        Raises:
            SandboxUnavailable: there is none.
        """
        at_hand = self.interpreters.at_hand()
        self.bases.ensure(at_hand[-1].python)

    def stop(self) -> None:
        """End all that runs."""
        _stop_and_forget(self, "sandbox", "environments", "_build_sandbox")

    def tidy(self, service: str, owners: Callable[[], Collection[str]]) -> None:
        """Take away the containers of supervisors that are dead, or lost what they were for."""
        from runner.adapters.containers import leftovers, remove, unleased

        left = {*leftovers(self._engine), *unleased(self._engine, service, owners)}
        for container in left:
            remove(self._engine, container)


def find_backend(settings: Settings, index: UvPackageIndex) -> Backend:
    """The backend that was asked for; `auto` takes Docker where it can be had, else bubblewrap."""
    match settings.sandbox:
        case "process":
            return LocalBackend(settings, index, SandboxKind.PROCESS, "asked for")
        case "bubblewrap":
            return LocalBackend(settings, index, SandboxKind.BUBBLEWRAP, "asked for")
        case "docker":
            return DockerBackend(settings, index, "asked for")
        case _:
            return _best(settings, index)


def _best(settings: Settings, index: UvPackageIndex) -> Backend:
    why = "there is no container engine"
    if engine_address(os.environ) is not None:
        try:
            backend = DockerBackend(settings, index, "an engine answers")
            backend.check()
        except FixproofError as error:
            why = f"Docker cannot be used: {error.message}"
        else:
            return backend
    return LocalBackend(settings, index, SandboxKind.BUBBLEWRAP, why)


def engine_address(
    environ: Mapping[str, str], sockets: Iterable[str] = _ENGINE_SOCKETS
) -> str | None:
    """Where an engine is said to listen, or else seems to, as DOCKER_HOST says it."""
    there = (f"unix://{each}" for each in sockets if Path(each).exists())
    return environ.get("DOCKER_HOST") or next(there, None)


def _stop_and_forget(backend: Backend, *names: str) -> None:
    for name in names:
        part = backend.__dict__.pop(name, None)
        if part is not None:
            part.stop()


def uv_program() -> str:
    """The uv that was installed together with fixproof."""
    from uv import find_uv_bin

    return str(find_uv_bin())
