"""Puts the parts together: which adapter stands behind which port, and how a command uses them."""

from __future__ import annotations

import platform
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runner import __version__
from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.case_files import CaseFiles
from runner.adapters.package_index import UvPackageIndex
from runner.adapters.run_locks import RunLocks
from runner.attempt import EPOCH, Facts
from runner.backends import INSIDE, Backend, find_backend
from runner.case import Case
from runner.environment import Environment, Environments, Failure
from runner.errors import FixproofError, NoSpace, UnknownRun, WrongUsage
from runner.findings import Conclusion
from runner.matrix import Cell, Universe, cell_of, pinned_names, series_of, suffix_of
from runner.options import Options, again, only
from runner.plans.verify import VerifyPlan, step
from runner.releases import History, Release
from runner.report import Ground, Host, Report, build
from runner.runs import Job, Listener, Runs, limits_of
from runner.sandbox import Sandbox
from runner.settings import Settings, repros
from runner.store import Run
from runner.value import digest

if TYPE_CHECKING:
    from runner.adapters.docker_bases import Base
    from runner.adapters.sql_store import SqlStore

RESUMED_FOR = timedelta(days=1)
"""An interrupted run is gone on with for so long; then the world may have changed."""
LEAST_FREE = 256 * 1024 * 1024
"""Bytes that must be free on the disk of fixproof's home before a run starts."""


class Program:
    """One fixproof, with one home; parts are made when they are needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.locks = RunLocks(settings.locks)
        self.probe_folder = str(INSIDE)

    def now(self) -> datetime:
        return datetime.now(tz=UTC)

    def new_id(self) -> str:
        return uuid.uuid4().hex[:8]

    @cached_property
    def cases(self) -> CaseFiles:
        return CaseFiles(repros=repros(), copies=self.settings.cases)

    @cached_property
    def documents(self) -> CachedDocuments:
        return CachedDocuments(self.settings.cache)

    @cached_property
    def index(self) -> UvPackageIndex:
        return UvPackageIndex(self.documents)

    @cached_property
    def backend(self) -> Backend:
        return find_backend(self.settings, self.index)

    @property
    def environments(self) -> Environments:
        return self.backend.environments

    @property
    def sandbox(self) -> Sandbox:
        return self.backend.sandbox

    @cached_property
    def runs(self) -> SqlStore:
        from runner.adapters.sql_store import SqlStore

        _make_home(self.settings)
        return SqlStore(self.settings.database_url)

    @property
    def evidence(self) -> SqlStore:
        return self.runs

    def plan(self, named: str, options: Options, listener: Listener) -> VerifyPlan:
        """The plan of a verify; of the world outside it asks for index metadata alone."""
        case, _ = self.cases.load(named)
        with _naming(case):
            universe = self._universe(case, options, listener)
            series = series_of(case, universe, options.pythons)
            plan = VerifyPlan(
                case=case,
                universe=universe,
                series=series,
                latest=options.latest,
                confidence=options.confidence,
            )
            return only(plan, options.only)

    def verify(self, named: str, options: Options, listener: Listener) -> Report:
        """Carry out a verify, or go on with an interrupted one; the report of it."""
        options = options.model_copy(update={"named": named})
        _require_space(self.settings)
        plan = self._prepared_plan(named, options, listener)
        with _naming(plan.case):
            run, plan = self._begin_or_resume(plan, options)
            try:
                return self._drive(run, plan, options, listener)
            finally:
                self.locks.release(run.id)

    def _prepared_plan(self, named: str, options: Options, listener: Listener) -> VerifyPlan:
        """The plan, with all that its interpreters need; it may turn out that these are others."""
        plan = self.plan(named, options, listener)
        listener.note(f"sandbox: {self.backend.kind} ({self.backend.why})")
        with _naming(plan.case):
            if self.backend.prepare(each.interpreter for each in plan.series if each.interpreter):
                plan = self.plan(named, options, listener)
                self.backend.prepare(each.interpreter for each in plan.series if each.interpreter)
        return plan

    def report(self, run_id: str) -> Report:
        """The report of a stored run, drawn up anew from what is stored."""
        run = self.stored(run_id)
        plan = VerifyPlan.model_validate_json(run.plan)
        ground = Ground.model_validate_json(run.ground)
        conclusion = step(plan, self.runs.facts(run.id))
        if not isinstance(conclusion, Conclusion):
            raise UnknownRun(
                f"run {run.id} did not end, so it has no report",
                hint=f"Go on with it: {ground.again.removesuffix(' --fresh')}",
            )
        return build(plan.case, plan.universe, conclusion, ground)

    def section(self, report: Report) -> str:
        """The Verified Execution section of a report, as Markdown."""
        from jinja2 import FileSystemBytecodeCache

        from runner.render.section import markdown

        folder = self.settings.cache / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        return markdown(
            report,
            self.runs.attempt,
            compiled=FileSystemBytecodeCache(str(folder)),
            user_home=str(Path.home()),
        )

    def build_bases(self, pythons: tuple[str, ...]) -> Iterator[Base]:
        """Make both bases of each Python; of all at hand if none is named."""
        from runner.adapters.docker_bases import Purpose
        from runner.backends import DockerBackend

        backend = DockerBackend(self.settings, self.index, "asked for")
        at_hand = (each.python for each in backend.interpreters.at_hand())
        for python in pythons or tuple(at_hand):
            for purpose in (Purpose.RUN, Purpose.BUILD):
                yield backend.bases.ensure(python, purpose)

    def stored(self, run_id: str) -> Run:
        run = self.runs.run(run_id)
        if run is None:
            raise UnknownRun(f"there is no run {run_id!r}", hint="fixproof runs lists them.")
        return run

    def one(self, named: str, release: str, options: Options, listener: Listener) -> Prepared:
        """Everything to run one release of a case once, as its author asks for it."""
        plan = self._prepared_plan(named, options, listener)
        found = plan.universe.history.find(release)
        if found is None:
            raise WrongUsage(
                f"the package index has no release {release} of {plan.case.package}",
                hint=f"The newest one is {_newest(plan.universe.history)}.",
                case=plan.case.id,
            )
        series = next((each for each in plan.series if each.interpreter), None)
        if series is None:
            wanted = " or ".join(dict.fromkeys(each.python for each in plan.series))
            here = ", ".join(each.python for each in plan.universe.interpreters)
            raise WrongUsage(
                f"Python {wanted} is not at hand",
                hint=f"At hand are {here}; another is found on PATH or where pyenv and uv put it.",
                case=plan.case.id,
            )
        cell = cell_of(plan.case, series, found.version, suffix_of(plan.universe.as_of))
        return Prepared(program=self, plan=plan, cell=cell, options=options)

    @cached_property
    def host(self) -> Host:
        return Host(
            arch=platform.machine(),
            kernel=platform.release(),
            fixproof=__version__,
            uv=version("uv"),
        )

    def job(self, run_id: str | None, case: Case, options: Options) -> Job:
        ground = Ground(
            run=run_id or "by hand",
            kind="verify",
            again=again(case, options, self.settings.sandbox),
            confidence=options.confidence,
            limits=limits_of(case),
            sandbox=self.sandbox.describe(),
            host=self.host,
        )
        folder = str(self.cases.folder(case))
        return Job(run=run_id, ground=ground, folder=folder, fresh=options.fresh)

    def _universe(self, case: Case, options: Options, listener: Listener) -> Universe:
        def ask(package: str) -> History:
            asking = partial(listener.doing, f"asking the package index for {package}")
            return self.index.history(package, fresh=options.fresh, asking=asking)

        history = ask(case.package)
        pinned: dict[str, dict[str, Release]] = {}
        for name, pinned_version in pinned_names(case).items():
            release = ask(name).find(pinned_version)
            pinned[name] = {pinned_version: release} if release else {}
        return Universe(
            history=history,
            pinned=pinned,
            interpreters=self.backend.interpreters.at_hand(
                fresh=options.fresh,
                looking=partial(listener.doing, "looking for interpreters on this machine"),
            ),
            as_of=options.as_of,
            index=self.index.identity(),
            today=self.now().replace(hour=0, minute=0, second=0, microsecond=0),
        )

    def _begin_or_resume(self, plan: VerifyPlan, options: Options) -> tuple[Run, VerifyPlan]:
        """An interrupted run of the same question that nobody carries out, or a new one."""
        asked = digest(
            "verify/1",
            plan.case.sha256,
            self.settings.sandbox,
            options.model_dump_json(exclude={"jobs", "named"}),
            self.sandbox.describe().model_dump_json(),
            self.host.arch,
            str(EPOCH),
            *(each.interpreter.sha256 for each in plan.series if each.interpreter),
        )
        for each in self.runs.unfinished(asked, since=self.now() - RESUMED_FOR):
            if self.locks.take(each.id):
                return each, VerifyPlan.model_validate_json(each.plan)
        run_id = f"{self.now():%Y%m%d-%H%M%S}-{plan.case.id}-{self.new_id()[:4]}"
        run = Run(
            id=run_id,
            kind="verify",
            case_id=plan.case.id,
            inputs_sha256=asked,
            plan=plan.model_dump_json(),
            ground=self.job(run_id, plan.case, options).ground.model_dump_json(),
            began=self.now(),
        )
        self.locks.take(run_id)
        self.runs.begin(run)
        return run, plan

    def _drive(self, run: Run, plan: VerifyPlan, options: Options, listener: Listener) -> Report:
        from runner.local_driver import LocalDriver

        job = self.job(run.id, plan.case, options)
        service = Runs(self, job, plan, listener)
        driver = LocalDriver(
            runs=service,
            step=partial(step, plan),
            stop=self.backend.stop,
            listener=listener,
            jobs=options.jobs,
        )
        return service.report(driver.drive(self.runs.facts(run.id)))


Installed = tuple[Runs, Environment, Facts]
"""A service that runs things in an environment, and what is known of it."""


class Prepared(NamedTuple):
    """One cell, ready to be installed and run by hand; nothing of it is kept."""

    program: Program
    plan: VerifyPlan
    cell: Cell
    options: Options

    def install(self, listener: Listener) -> Installed:
        """The service that runs things, its environment, and what is known of it.

        Raises:
            WrongUsage: no environment can be made; the message says what the resolver said.
        """
        job = self.program.job(None, self.plan.case, self.options)
        service = Runs(self.program, job, self.plan, listener)
        facts = service.resolve(self.cell, {})
        if isinstance(facts.lock, Failure):
            raise WrongUsage(
                f"{self.cell.id} cannot be installed ({facts.lock.kind})",
                hint=facts.lock.detail,
                case=self.plan.case.id,
            )
        return service, *service.install(self.cell, facts)


def _newest(history: History) -> str:
    latest = history.latest()
    return latest.version if latest else "none"


def _make_home(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoSpace(
            f"{settings.home} cannot be made: {error.strerror}",
            hint="Name another folder by --home or FIXPROOF_HOME.",
        ) from error


def _require_space(settings: Settings) -> None:
    """A disk that fills up in the middle costs more than one that is refused at once."""
    _make_home(settings)
    free = shutil.disk_usage(settings.home).free
    if free < LEAST_FREE:
        raise NoSpace(
            f"{free >> 20} MiB are free where {settings.home} is; a run needs {LEAST_FREE >> 20}",
            hint="Free some disk space, or name another folder by --home or FIXPROOF_HOME.",
        )


@contextmanager
def _naming(case: Case) -> Iterator[None]:
    """Errors from below say which case they are about."""
    try:
        yield
    except FixproofError as error:
        error.case = error.case or case.id
        raise
