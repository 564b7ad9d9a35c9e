"""Puts the parts together: which adapter stands behind which port."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

from runner import __version__
from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.case_files import CaseFiles
from runner.adapters.package_index import UvPackageIndex
from runner.adapters.run_locks import RunLocks
from runner.backends import Backend, find_backend
from runner.case import Case
from runner.environment import Environments
from runner.errors import FixproofError, NoSpace, UnknownRun
from runner.options import Kind, Options, again
from runner.report import Ground, Host
from runner.runs import Job, limits_of
from runner.sandbox import Sandbox
from runner.settings import Settings, repros
from runner.store import EvidenceStore, Run, RunStore

if TYPE_CHECKING:
    from runner.adapters.candidate_files import CandidateFiles
    from runner.adapters.docker_bases import Base
    from runner.adapters.sql_store import SqlStore


def _utc_now() -> datetime:
    return datetime.now(tz=UTC)


class Program:
    """One fixproof, with one home; parts are made when they are needed."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = _utc_now,
        remembers: bool = False,
    ) -> None:
        """Have it at hand.

        Args:
            settings: where things are.
            clock: what time it is.
            remembers: whether the index is asked for each package but once in its life.
        """
        self.settings = settings
        self.now = clock
        self._remembers = remembers
        self.locks = RunLocks(settings.locks)

    def new_id(self) -> str:
        return uuid.uuid4().hex[:8]

    @cached_property
    def cases(self) -> CaseFiles:
        return CaseFiles(repros=repros(), copies=self.settings.cases)

    @cached_property
    def candidates(self) -> CandidateFiles:
        from runner.adapters.candidate_files import CandidateFiles

        make_home(self.settings)
        return CandidateFiles(self.settings.store / "candidates")

    @cached_property
    def documents(self) -> CachedDocuments:
        return CachedDocuments(self.settings.cache)

    @cached_property
    def index(self) -> UvPackageIndex:
        if self._remembers:
            from runner.adapters.remembered_index import RememberedIndex

            return RememberedIndex(self.documents)
        return UvPackageIndex(self.documents)

    @cached_property
    def backend(self) -> Backend:
        return find_backend(self.settings, self.index)

    def renew(self) -> None:
        """End what runs, and find the backend anew when it is needed again."""
        backend = self.__dict__.pop("backend", None)
        if backend is not None:
            backend.stop()
            backend.uses.leave()

    def leave_trees(self) -> None:
        """No tree that was installed so far is used any more."""
        if "backend" in self.__dict__:
            self.backend.uses.leave()

    @property
    def probe_folder(self) -> str:
        return str(self.backend.inside)

    @property
    def environments(self) -> Environments:
        return self.backend.environments

    @property
    def sandbox(self) -> Sandbox:
        return self.backend.sandbox

    @cached_property
    def store(self) -> SqlStore:
        from runner.adapters.sql_store import SqlStore

        make_home(self.settings)
        return SqlStore(self.settings.database_url)

    @property
    def runs(self) -> RunStore:
        return self.store.runs

    @property
    def evidence(self) -> EvidenceStore:
        return self.store.evidence

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

    @cached_property
    def host(self) -> Host:
        return Host(
            arch=platform.machine(),
            kernel=platform.release(),
            fixproof=__version__,
            uv=version("uv"),
        )

    def job(self, run_id: str | None, kind: Kind, case: Case, options: Options) -> Job:
        ground = Ground(
            run=run_id or "by hand",
            kind=kind,
            again=again(kind, case, options, self.settings.sandbox),
            confidence=options.confidence,
            limits=limits_of(case),
            sandbox=self.sandbox.describe(),
            host=self.host,
        )
        folder = str(self.cases.folder(case))
        return Job(run=run_id, ground=ground, folder=folder, fresh=options.fresh)


def make_home(settings: Settings) -> None:
    """Make the folder that everything is kept in."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoSpace(
            f"{settings.home} cannot be made: {error.strerror}",
            hint="Name another folder by --home or FIXPROOF_HOME.",
        ) from error


@contextmanager
def naming(case: Case) -> Iterator[None]:
    """Errors from below say which case they are about."""
    try:
        yield
    except FixproofError as error:
        error.case = error.case or case.id
        raise
