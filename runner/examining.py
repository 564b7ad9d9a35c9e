"""Looks at all that runs stand on, one thing after the other, and says what is wrong with it.

It changes nothing: no table is moved, no image made, nothing put right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from runner.adapters.disk_space import free_bytes, require_space, size
from runner.adapters.interpreters import MachineInterpreters
from runner.adapters.sql_database import look, require_known
from runner.adapters.sql_tables import SCHEMA
from runner.backends import DockerBackend, LocalBackend, engine_address
from runner.documents import Check, CheckName, CheckState, DoctorDocument
from runner.errors import ClockWrong, EnvironmentTrouble, FixproofError
from runner.sandbox import SandboxKind
from runner.wiring import Program, make_home

MOST_APART = timedelta(seconds=60)
"""How far clocks may be apart: headers tell whole seconds, and answers take a few."""

_KNOWN_FROM = {
    "sandbox": ("engine",),
    "interpreters": ("engine",),
    "clock": ("index", "database"),
}
"""What is looked at before something else, as that goes by it."""

CheckBroker = Callable[[], None]
"""Finds out whether the broker lets us in; raises BrokerTrouble if not."""


class _Found(NamedTuple):
    """What is to be said of something that was looked at."""

    said: str
    state: CheckState = CheckState.OK
    hint: str | None = None


def examine(
    program: Program, check_broker: CheckBroker, only: tuple[str, ...] = ()
) -> DoctorDocument:
    """Look at everything; what fails keeps nothing else from being looked at.

    Args:
        program: as it is set up.
        check_broker: asked where a broker is set up.
        only: names of checks; none for all.

    Raises:
        NoSpace: there can be no home.
    """
    make_home(program.settings)
    return DoctorDocument(checks=tuple(_Examination(program, check_broker).checks(only)))


class _Examination:
    """One look around; what is learnt early is used later."""

    def __init__(self, program: Program, check_broker: CheckBroker) -> None:
        self._program = program
        self._settings = program.settings
        self._check_broker = check_broker
        self._docker: DockerBackend | None = None
        """None where no engine answers, or none is wanted."""
        self._told: list[tuple[str, timedelta]] = []
        """By how much other clocks are ahead of ours."""

    def checks(self, only: tuple[str, ...]) -> Iterator[Check]:
        """In an order in which later ones know what earlier ones found."""
        ways: dict[CheckName, Callable[[], _Found]] = {
            "engine": self._engine,
            "sandbox": self._sandbox,
            "interpreters": self._interpreters,
            "index": self._index,
            "database": self._database,
            "broker": self._broker,
            "disk": self._disk,
            "clock": self._clock,
        }
        wanted = {*only} or {*ways}
        needed = wanted | {each for name in wanted for each in _KNOWN_FROM.get(name, ())}
        for name, look_at in ways.items():
            if name in needed:
                found = self._weighed(_check(name, look_at))
                if name in wanted:
                    yield found

    def _weighed(self, found: Check) -> Check:
        """Only where Docker was asked for by name does its absence keep runs from anything."""
        dispensable = found.name == "engine" and self._settings.sandbox == "auto"
        if found.state is CheckState.FAILED and dispensable:
            return found.model_copy(update={"state": CheckState.WARNING, "exit_code": 0})
        return found

    def _engine(self) -> _Found:
        wanted = self._settings.sandbox
        if wanted not in ("auto", SandboxKind.DOCKER):
            return _Found(f"attempts run in {wanted}", CheckState.UNUSED)
        if wanted == "auto" and engine_address(os.environ) is None:
            return _Found("there is none: attempts run in bubblewrap", CheckState.UNUSED)
        docker = DockerBackend(self._settings, self._program.index, "asked for")
        listed = ", ".join(each.interpreter.python for each in docker.bases.at_hand())
        self._docker = docker
        if not listed:
            return _Found(
                f"{docker.engine_name} answers; it has no bases yet",
                hint="The first run makes what it needs; fixproof base build does so ahead.",
            )
        return _Found(f"{docker.engine_name} answers; bases for Python {listed}")

    def _sandbox(self) -> _Found:
        if self._settings.sandbox == SandboxKind.PROCESS:
            return _Found(
                "attempts are plain processes: nothing isolates them",
                CheckState.WARNING,
                "Set FIXPROOF_SANDBOX to auto, docker or bubblewrap.",
            )
        if self._docker is None and self._settings.sandbox == SandboxKind.DOCKER:
            return _Found("not looked at: no engine answers", CheckState.UNUSED)
        backend = self._docker or self._bubblewrap()
        missing = backend.sandbox.describe().unenforced
        if missing:
            return _Found(
                f"{backend.kind}; not enforced here: {', '.join(missing)}",
                CheckState.WARNING,
                "docs/security.md says what each takes; take no cases of strangers meanwhile.",
            )
        return _Found(str(backend.kind))

    def _bubblewrap(self) -> LocalBackend:
        settings, index = self._settings, self._program.index
        backend = LocalBackend(settings, index, SandboxKind.BUBBLEWRAP, "asked for")
        backend.check()
        return backend

    def _interpreters(self) -> _Found:
        machine = MachineInterpreters(self._program.documents)
        try:
            found = {each.version for each in machine.at_hand(fresh=True)}
        except EnvironmentTrouble:
            if self._docker is None:
                raise
            found = set()
        if self._docker is not None:
            found |= {each.interpreter.version for each in self._docker.bases.at_hand()}
        listed = sorted(found, key=lambda each: tuple(map(int, each.split("."))))
        return _Found(f"CPython {', '.join(listed)}")

    def _index(self) -> _Found:
        told = self._program.index.knock()
        self._compare("the index", told)
        return _Found("answers")

    def _database(self) -> _Found:
        seen = look(self._settings.database_url)
        self._compare("the database", (seen.now,) if seen.now else ())
        require_known(seen.version)
        if seen.version == 0:
            return _Found("answers; its tables are made when they are needed")
        if seen.version < SCHEMA:
            return _Found(
                f"answers; its tables are of version {seen.version}, and the next command moves "
                f"them to {SCHEMA}",
                CheckState.WARNING,
                "Stop all workers, make a backup, then call any command: docs/operations.md.",
            )
        return _Found(f"answers; tables of version {seen.version}")

    def _broker(self) -> _Found:
        if self._settings.broker_url is None:
            return _Found("FIXPROOF_BROKER_URL is not set: there is no service", CheckState.UNUSED)
        self._check_broker()
        return _Found("lets us in")

    def _disk(self) -> _Found:
        require_space(*self._settings.disks, least=self._settings.min_free)
        free, least = free_bytes(*self._settings.disks), self._settings.min_free
        return _Found(f"{size(free)} are free; a run begins only with {size(least)}")

    def _clock(self) -> _Found:
        if not self._told:
            return _Found(
                "nobody answered who tells the time", CheckState.WARNING, "Put the others right."
            )
        who, apart = max(self._told, key=lambda each: abs(each[1]))
        if abs(apart) > MOST_APART:
            direction = "behind" if apart > timedelta(0) else "ahead of"
            raise ClockWrong(
                f"this machine's clock is {abs(apart).total_seconds():.0f} s {direction} that of "
                f"{who}: evidence would bear a wrong date, and expire on another day",
                hint="Have it set, by NTP for example: timedatectl set-ntp true.",
            )
        return _Found(f"within {MOST_APART.total_seconds():.0f} s of that of {who}")

    def _compare(self, who: str, told: Iterable[datetime]) -> None:
        now = self._program.now()
        self._told += [(who, each.astimezone(UTC) - now) for each in told]


def _check(name: CheckName, look_at: Callable[[], _Found]) -> Check:
    try:
        found = look_at()
    except FixproofError as error:
        return Check(
            name=name,
            state=CheckState.FAILED,
            said=error.message,
            hint=error.hint,
            exit_code=error.exit_code,
        )
    return Check(name=name, state=found.state, said=found.said, hint=found.hint)
