"""Interpreters, environments and images of bases: for each port, what Docker attempts need of it.

A base made from this machine's interpreter is, path for path and byte for byte, that interpreter:
its trees are made on this machine, at once. All others are made in a container of their base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from runner.adapters.containers import Image
from runner.adapters.docker_bases import Base, Bases, Purpose
from runner.candidate import Build
from runner.environment import (
    Building,
    Environment,
    Environments,
    Failure,
    Interpreter,
    Interpreters,
    Lock,
    Wanted,
    unheard,
)
from runner.errors import EnvironmentTrouble, SandboxUnavailable
from runner.sandbox import RunRequest
from runner.value import digest


class BaseInterpreters:
    """Those of the bases that are there; of every other Python, the one to make its base from."""

    def __init__(self, machine: Interpreters, bases: Bases) -> None:
        self._machine = machine
        self._bases = bases

    def at_hand(
        self, *, fresh: bool = False, looking: Callable[[], None] = lambda: None
    ) -> tuple[Interpreter, ...]:
        """One for each X.Y, lowest first."""
        found: dict[str, Interpreter] = {}
        with suppress(EnvironmentTrouble):  # A machine without any may have bases that were pulled.
            machine = self._machine.at_hand(fresh=fresh, looking=looking)
            found = {each.python: each for each in machine}
        found |= {base.interpreter.python: base.interpreter for base in self._bases.at_hand()}
        if not found:
            raise EnvironmentTrouble(
                "there is neither a base nor an interpreter to make one from",
                hint="fixproof base build 3.11",
            )
        return tuple(sorted(found.values(), key=lambda each: _order(each.python)))


class BaseEnvironments:
    """Trees made by the interpreter of the base that they are for."""

    def __init__(
        self,
        machine: Interpreters,
        host: Environments,
        bases: Bases,
        inside: Callable[[Base], Environments],
    ) -> None:
        self._machine = machine
        self._host = host
        self._bases = bases
        self._make = inside
        self._made: dict[str, Environments] = {}

    def resolve(
        self, wanted: Wanted, *, fresh: bool = False, building: Building = unheard
    ) -> Lock | Failure:
        """The lock for what is wanted, as the base's own interpreter resolves it."""
        return self._for(wanted.interpreter).resolve(wanted, fresh=fresh, building=building)

    def wheel_of(self, wanted: Wanted) -> Build | Failure:
        """The wheel of the candidate that is wanted, built with the base's own interpreter."""
        return self._for(wanted.interpreter).wheel_of(wanted)

    def install(self, lock: Lock, interpreter: Interpreter) -> Environment | Failure:
        """The tree of a lock."""
        return self._for(interpreter).install(lock, interpreter)

    def stop(self) -> None:
        """End what runs; it and every later call raises `Interrupted`."""
        for each in (self._host, *self._made.values()):
            each.stop()

    def _for(self, interpreter: Interpreter) -> Environments:
        if interpreter in self._machine.at_hand():
            return self._host
        base = self._bases.ensure(interpreter.python)
        if base.interpreter != interpreter:
            message = f"{base.name} has another Python {interpreter.python} than was planned with"
            raise EnvironmentTrouble(message, hint="It was made anew meanwhile; start again.")
        return self._made.setdefault(base.image, self._make(base))


class BaseImages:
    """The base of each attempt's interpreter, out of those of one plan."""

    def __init__(
        self,
        bases: Bases,
        pythons: Callable[[], Sequence[str]],
        purpose: Purpose = Purpose.RUN,
    ) -> None:
        self._bases = bases
        self._purpose = purpose
        self._pythons = pythons

    def of(self, request: RunRequest) -> Image:
        """The base whose interpreter the command starts, or that a mount is of."""
        command = request.command[0]
        programs = {command}
        if Path(command).is_symlink():
            programs.add(str(Path(command).readlink()))
        targets = {mount.target for mount in request.mounts}
        bases = self._all()
        for base in bases:
            if base.interpreter.executable in programs:
                return base.as_image()
        for base in bases:
            if base.interpreter.prefix in targets:
                return base.as_image()
        raise SandboxUnavailable(f"{request.id}: no base has the interpreter of {command}")

    def digest(self) -> str:
        """The image's own where there is one; of several, a digest of all."""
        images = [base.image for base in self._all()]
        return images[0] if len(images) == 1 else f"sha256:{digest('bases/1', *images)}"

    def _all(self) -> tuple[Base, ...]:
        return tuple(self._bases.ensure(python, self._purpose) for python in self._pythons())


def _order(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))
