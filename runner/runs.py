"""The service that carries out a run: what a plan asks for is made, run, kept, and linked to it.

It knows no plan from the inside and no way to run things at once: drivers do that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol, assert_never

from runner.attempt import EPOCH, Attempt, Facts, Loaded
from runner.case import FOLDER as CASE_FOLDER
from runner.case import Case
from runner.environment import (
    BuildPutOff,
    Environment,
    Environments,
    Failure,
    Interpreter,
    Lock,
    Wanted,
)
from runner.findings import Conclusion
from runner.matrix import Cell, Series, Universe, held_still, wanted
from runner.metadata import Runner
from runner.report import Ground, Report
from runner.reporting import build
from runner.sandbox import EndingKind, Limits, Mount, OnOutput, RunRequest, Sandbox
from runner.store import CellKeys, EvidenceStore, RunStore
from runner.value import Value, digest

EXPIRES = timedelta(days=30)
"""Age at which evidence is no longer relied on."""
FAILURES_KEPT = timedelta(days=1)
"""Age at which a failed resolution is tried again: a wheel may have been added."""
SCRIPT = f"{CASE_FOLDER}/repro.py"
PROBE_FOLDER = "/fixproof"


class Plan(Protocol):
    """What the service needs to see of a plan."""

    @property
    def case(self) -> Case: ...

    @property
    def universe(self) -> Universe: ...

    @property
    def series(self) -> tuple[Series, ...]: ...


class Listener(Protocol):
    """Told what happens, for whoever watches; from several threads at once."""

    def doing(self, what: str) -> None:
        """Something that takes time before there are cells."""
        ...

    def note(self, what: str) -> None:
        """Something to know, if only somebody looks."""
        ...

    def resolving(self, cell: Cell) -> None: ...

    def building(self, cell: Cell, what: str) -> None:
        """A source distribution that the cell needs, by name and release."""
        ...

    def installing(self, cell: Cell) -> None: ...

    def running(self, cell: Cell) -> None: ...

    def finished(self, cell: Cell, facts: Facts) -> None: ...


class Job(Value):
    """One run that is being carried out."""

    run: str | None
    """None: by hand, and nothing of it is kept."""
    ground: Ground
    folder: str
    """Where the copy of the case is."""
    fresh: bool = False
    """Nothing that was made before is relied on."""


class Ports(Protocol):
    """What the service acts through."""

    @property
    def runs(self) -> RunStore: ...

    @property
    def evidence(self) -> EvidenceStore: ...

    @property
    def environments(self) -> Environments: ...

    @property
    def sandbox(self) -> Sandbox: ...

    @property
    def probe_folder(self) -> str: ...

    def now(self) -> datetime: ...

    def new_id(self) -> str: ...


class Runs:
    """Makes, runs and keeps what one job needs, one cell at a time."""

    def __init__(self, ports: Ports, job: Job, plan: Plan, listener: Listener) -> None:
        self._ports = ports
        self._job = job
        self._plan = plan
        self._listener = listener
        self._series = {each.name: each for each in plan.series}

    def resolve(self, cell: Cell, facts: Mapping[str, Facts], *, ahead: bool = False) -> Facts:
        """The lock of a cell, and what was kept of exactly this content before.

        Raises:
            BuildPutOff: something has to be built, and the cell is resolved ahead of its need.
        """
        keys, found = self.find(cell, facts, ahead=ahead)
        if self._job.run is not None:
            self._ports.runs.link_cell(self._job.run, cell.id, keys, found.attempts)
        return found

    def find(
        self, cell: Cell, facts: Mapping[str, Facts], *, ahead: bool = False
    ) -> tuple[CellKeys, Facts]:
        """As `resolve`, with the keys of what was found, and nothing of it linked to the run."""
        asked = wanted(self._plan.case, self._plan.universe, self._of(cell), cell, _locks(facts))
        if isinstance(asked, Lock):
            return self._adopt(cell, _derived(asked), asked)
        key, now = asked.key(), self._ports.now()
        since = now - (timedelta(0) if self._job.fresh else FAILURES_KEPT)
        lock = self._ports.evidence.lock(key, failures_since=since)
        kept = lock is not None
        if lock is None:
            lock = self._resolve(cell, asked, ahead=ahead)
            if isinstance(lock, Failure) or cell.borrowed:
                lock, kept = self._ports.evidence.keep_lock(key, lock, now), True
        if isinstance(lock, Failure):  # it may be tried again one day; this run keeps its own
            keys = CellKeys(lock=f"{key}/{self._job.run}")
            return keys, Facts(lock=self._ports.evidence.keep_lock(keys.lock, lock, now))
        if cell.borrowed:
            still = held_still(self._plan.case, cell, _locks(facts))
            return self._adopt(cell, _derived(still), still)
        return self._adopt(cell, key, lock, kept=kept)

    def install(self, cell: Cell, facts: Facts) -> tuple[Environment | None, Facts]:
        """The environment of a cell, and the release that importing the package loads in it.

        Without an environment, the facts hold the failure in place of the lock.
        """
        environment, found = self.enter(cell, facts)
        if isinstance(found.lock, Failure):
            if self._job.run is not None:
                self._ports.runs.link_cell(self._job.run, cell.id, self.keep(cell, found.lock))
        elif found.lock is not None and found.loaded is not None and facts.loaded is None:
            keys = self._keys(cell, "", found.lock)
            self._ports.evidence.keep_loaded(keys.loaded, found.loaded)
        return environment, found

    def enter(self, cell: Cell, facts: Facts) -> tuple[Environment | None, Facts]:
        """As `install`, and nothing of it is kept."""
        if not isinstance(facts.lock, Lock):
            raise AssertionError(f"{cell.id} has no lock to install")
        self._listener.installing(cell)
        environment = self._ports.environments.install(facts.lock, self._interpreter(cell))
        if isinstance(environment, Failure):
            return None, Facts(lock=environment)
        if facts.loaded is not None:
            return environment, facts
        loaded = self._probe(cell, environment)
        return environment, facts.model_copy(update={"loaded": loaded})

    def keep(self, cell: Cell, failure: Failure) -> CellKeys:
        """Where a failure to install is kept: for this run alone, as another may fare better."""
        key = digest("unusable/1", self._job.run or "", cell.id)
        self._ports.evidence.keep_lock(key, failure, self._ports.now())
        return CellKeys(lock=key)

    def attempt(
        self, cell: Cell, facts: Facts, environment: Environment, *, doubled: bool = False
    ) -> Attempt:
        """Run a cell once, and keep what came of it before anything else can go wrong."""
        self._listener.running(cell)
        attempt = self.once(cell, environment, doubled=doubled)
        self._ports.evidence.keep_attempt(self.evidence_key(cell, facts), attempt)
        if self._job.run is not None:
            self._ports.runs.link_attempts(self._job.run, cell.id, (attempt,))
        return attempt

    def once(
        self,
        cell: Cell,
        environment: Environment,
        *,
        doubled: bool = False,
        name: str | None = None,
        watch: OnOutput | None = None,
    ) -> Attempt:
        """Run a cell once and keep nothing; the attempt gets a name of its own if it has none."""
        name = name or f"{cell.id}#{self._ports.new_id()}"
        ran = self._ports.now()
        request = self.request(cell, environment, name, doubled=doubled)
        result = self._ports.sandbox.run(request, watch)
        return Attempt(
            id=name,
            ran=ran,
            ending=result.ending,
            stdout=result.stdout,
            stderr=result.stderr,
            seconds=result.seconds,
            peak_mib=result.peak_mib,
            cpu_seconds=result.cpu_seconds,
            doubled=doubled,
        )

    def evidence_key(self, cell: Cell, facts: Facts) -> str:
        """Under which key attempts of a cell are kept."""
        if not isinstance(facts.lock, Lock):
            raise AssertionError(f"{cell.id} has no lock to run with")
        return self._keys(cell, "", facts.lock).attempts

    def request(
        self, cell: Cell, environment: Environment, name: str, *, doubled: bool = False
    ) -> RunRequest:
        """What the sandbox is asked to run for an attempt."""
        return RunRequest(
            id=name,
            command=(environment.python, *_arguments(self._plan.case)),
            env=self._env(cell, environment),
            mounts=self._mounts(environment),
            limits=self._job.ground.limits.doubled() if doubled else self._job.ground.limits,
        )

    def report(self, conclusion: Conclusion) -> Report:
        """The report of a concluded run; its end is written down."""
        report = build(self._plan.case, self._plan.universe, conclusion, self._job.ground)
        self._ports.runs.finish(
            report.run,
            ended=self._ports.now(),
            status=report.status,
            outcome=report.outcome,
            summary=report.summary,
        )
        return report

    def _resolve(self, cell: Cell, asked: Wanted, *, ahead: bool) -> Lock | Failure:
        def building(what: str) -> None:
            if ahead:
                raise BuildPutOff(what)
            self._listener.building(cell, what)

        self._listener.resolving(cell)
        return self._ports.environments.resolve(asked, fresh=self._job.fresh, building=building)

    def _adopt(
        self, cell: Cell, key: str, lock: Lock, *, kept: bool = False
    ) -> tuple[CellKeys, Facts]:
        """Take over all unexpired attempts of this content, whatever they say.

        Args:
            kept: whether the lock is in the database already.
        """
        keys, now, first = self._keys(cell, key, lock), self._ports.now(), lock
        if kept:
            loaded, attempts = self._ports.evidence.known(keys, since=now - EXPIRES)
        else:
            found = self._ports.evidence.adopt(keys, lock, now, since=now - EXPIRES)
            first, loaded, attempts = found
        if first != lock:
            return self._adopt(cell, key, first, kept=True)
        if self._job.fresh or self._job.run is None:
            return keys, Facts(lock=lock)
        return keys, Facts(lock=lock, loaded=loaded, attempts=attempts)

    def _keys(self, cell: Cell, lock_key: str, lock: Lock) -> CellKeys:
        """Content that decides what an attempt would show (design section 4, reuse)."""
        case, variant = self._plan.case, self._plan.case.variant(self._of(cell).variant)
        interpreter, sandbox = self._interpreter(cell), self._job.ground.sandbox
        content = (
            *(case.body_sha256, case.metadata.runner, json.dumps(variant.env, sort_keys=True)),
            *(lock.sha256, interpreter.sha256, interpreter.platform, self._job.ground.host.arch),
            *(sandbox.kind, sandbox.base or "", ",".join(sandbox.unenforced)),
            *([sandbox.runtime] if sandbox.runtime else []),
        )
        limits = self._job.ground.limits.model_dump_json()
        return CellKeys(
            lock=lock_key,
            loaded=_key("loaded/2", case.package, *content),
            attempts=_key(f"attempt/{EPOCH}", *content, limits),
        )

    def _probe(self, cell: Cell, environment: Environment) -> Loaded:
        """Ask inside, where the script would look, with nothing that the script could change."""
        request = RunRequest(
            id=f"{cell.id}#loaded",
            command=(
                environment.python,
                f"{PROBE_FOLDER}/loaded.py",
                CASE_FOLDER,
                self._plan.case.package,
            ),
            env=self._env(cell, environment),
            mounts=(
                *self._mounts(environment),
                Mount(source=self._ports.probe_folder, target=PROBE_FOLDER),
            ),
        )
        result = self._ports.sandbox.run(request)
        try:
            if result.ending.kind is EndingKind.EXIT and result.ending.code == 0:
                return Loaded.model_validate_json(result.stdout.head.splitlines()[-1])
        except (IndexError, ValueError):
            pass  # a wheel's own .pth speaks here too: what it spoils is not as planned
        return Loaded(version=None, location=None)

    def _env(self, cell: Cell, environment: Environment) -> dict[str, str]:
        variant = self._plan.case.variant(self._of(cell).variant)
        return {
            "PATH": f"{environment.path}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 - the attempt's own
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **variant.env,
        }

    def _mounts(self, environment: Environment) -> tuple[Mount, ...]:
        prefix = environment.interpreter.prefix
        return (
            Mount(source=prefix, target=prefix),
            Mount(source=environment.path, target=environment.path),
            Mount(source=self._job.folder, target=CASE_FOLDER),
        )

    def _of(self, cell: Cell) -> Series:
        return self._series[cell.series]

    def _interpreter(self, cell: Cell) -> Interpreter:
        interpreter = self._of(cell).interpreter
        if interpreter is None:
            raise AssertionError(f"{cell.id} has no interpreter and cannot be run")
        return interpreter


_key = lru_cache(maxsize=256)(digest)
"""Kept for a while: it is asked for again with each attempt of a cell."""


def _derived(lock: Lock) -> str:
    """Under which key a lock is kept that nobody resolved."""
    return f"derived/{lock.sha256}"


def _locks(facts: Mapping[str, Facts]) -> dict[str, Lock]:
    return {name: each.lock for name, each in facts.items() if isinstance(each.lock, Lock)}


def _arguments(case: Case) -> tuple[str, ...]:
    match case.metadata.runner:
        case Runner.PYTHON:
            return (SCRIPT,)
        case Runner.PYTEST:
            return ("-m", "pytest", "-p", "no:cacheprovider", SCRIPT)
        case _:
            assert_never(case.metadata.runner)


def limits_of(case: Case) -> Limits:
    """The limits that a case asks for, and the usual ones beside them."""
    own = case.metadata
    return Limits(timeout=own.timeout, silence=own.silence, memory=own.memory)
