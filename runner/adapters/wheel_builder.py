"""Builds wheels of source distributions, each alone in a throwaway sandbox without network.

What is needed to build is resolved and installed before, as for any environment: wheels only, by
uv alone. The sandbox sees that tree and the source, read-only, has a /tmp of its own, and can hand
out bytes on a pipe, which are believed only if they are the wheel that was asked for.
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from runner.adapters.uv_explanations import Lacking
from runner.adapters.wheel_files import Refused, check
from runner.candidate import UNKNOWN
from runner.environment import (
    Building,
    Environment,
    Failure,
    FailureKind,
    Interpreter,
    Wanted,
    pins,
    unheard,
)
from runner.errors import NoSpace
from runner.sandbox import EndingKind, Limits, Mount, RunRequest, RunResult, Sandbox, Stream

FIRST_BACKENDS = datetime(2019, 3, 1, tzinfo=UTC)
"""When the first usable build back ends had appeared: nothing is built with older ones."""
LIMITS = Limits(
    timeout=600,
    memory=4096,
    processes=512,
    disk=2048,
    kept=256 * 1024 * 1024,
    output=192 * 1024 * 1024,
)
_FAILURES_KEPT = 3600
"""Seconds in which a build that failed is not tried again: each cell of a window may ask for it."""
_MOST_METADATA = 1024 * 1024
_LAST_LINES = 30
_REFUSED = "what the build handed out was refused"
_FOLDER = "/fixproof"
_SOURCE = "/source"


class Recipe(NamedTuple):
    """What a source distribution says of its build (PEP 518), read without running any of it."""

    requires: tuple[str, ...]
    backend: str
    paths: tuple[str, ...]


LEGACY = Recipe(("setuptools>=40.8.0", "wheel"), "setuptools.build_meta:__legacy__", ())


class Source(NamedTuple):
    """What is built."""

    package: str
    version: str | None
    """None: the build tells it."""
    archive: Path
    """Alone in its folder, or beside what the build may see as well."""
    cannot: str
    """How a message begins that says why it cannot be built."""


class Sources(Protocol):
    """Where source distributions come from.

    Raises:
        IndexUnreachable: the index did not answer.
    """

    def newest_source(
        self, package: str, python: str, before: datetime | None, within: SpecifierSet
    ) -> str | None:
        """The newest of some final releases with a source distribution, as of a time."""
        ...

    def tools_until(self, package: str, version: str) -> datetime | None:
        """As of when the tools of a release's build are taken; None where nobody knows."""
        ...

    def fetch_source(self, package: str, version: str, folder: Path) -> Path | None:
        """The source distribution of a release, checked against its hash; None if it has none."""
        ...


Prepare = Callable[[Wanted], Environment | Failure]
"""Makes the environment of a build."""


class WheelBuilder:
    """Makes one wheel at a time, and keeps it for the interpreter it was made with."""

    def __init__(
        self,
        *,
        store: Path,
        sandbox: Callable[[], Sandbox],
        sources: Sources,
        inside: str,
        limits: Limits = LIMITS,
    ) -> None:
        self._built = store / "built"
        self._sandbox = sandbox
        self._sources = sources
        self._inside = inside
        self._limits = limits
        self._one_at_a_time = threading.Lock()
        self._failures: dict[tuple[object, ...], tuple[float, Failure]] = {}
        """When a build failed, and how."""

    def folder(self, interpreter: Interpreter) -> Path:
        """Where wheels built for an interpreter are, for `--find-links`."""
        return self._built / interpreter.sha256[:16]

    def build(
        self, lacking: Lacking, asked: Wanted, prepare: Prepare, building: Building = unheard
    ) -> Path | Failure:
        """The wheel that is missing for what was asked, built if it is not there.

        The release is the one that the requirements pin, or else the newest as of the cut-off of
        those that would do.
        """
        interpreter, package = asked.interpreter, lacking.package
        version = pins(asked.requirements).get(package) or self._sources.newest_source(
            package, interpreter.version, asked.as_of, lacking.within
        )
        if version is None:
            return _nothing(package, "as of that day")
        with self._one_at_a_time:
            kept = self._kept(interpreter, package, version)
            if kept is not None:
                return kept
            asked = self._of_its_day(package, version, asked)
            question = (interpreter.sha256, package, version, asked.as_of, asked.index)
            failed_at, failure = self._failures.get(question, (0.0, None))
            if failure and time.monotonic() - failed_at < _FAILURES_KEPT:
                return failure
            building(f"{package} {version}")
            made = self._make_from_source(package, version, asked, prepare)
            if isinstance(made, Failure):
                self._failures[question] = (time.monotonic(), made)
                return made
            return self._keep(interpreter, *made)

    def _of_its_day(self, package: str, version: str, asked: Wanted) -> Wanted:
        """With the tools of the day of what is built, so that it matters not who asked first."""
        if asked.as_of is None:
            return asked
        own = self._sources.tools_until(package, version)
        return asked.model_copy(update={"as_of": own or asked.as_of})

    def _kept(self, interpreter: Interpreter, package: str, version: str) -> Path | None:
        """The wheel, if it is there: another cell may have asked for it before."""
        for each in self.folder(interpreter).glob("*.whl"):
            if parse_wheel_filename(each.name)[:2] == (package, Version(version)):
                os.utime(each)  # what was not used for long is taken away one day
                return each
        return None

    def _keep(self, interpreter: Interpreter, name: str, data: bytes) -> Path:
        folder = self.folder(interpreter)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as file:
                file.write(data)
            return Path(file.name).replace(folder / name)
        except OSError as error:
            raise NoSpace(f"the store cannot be written: {error}") from error

    def _folder_for_engines(self) -> tempfile.TemporaryDirectory[str]:
        """In the store, which is at the same path for an engine: our /tmp may not be."""
        store = self._built.parent
        try:
            store.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(dir=store, prefix=".source-")
        except OSError as error:
            raise NoSpace(f"the store cannot be written: {error}") from error

    def _make_from_source(
        self, package: str, version: str, asked: Wanted, prepare: Prepare
    ) -> tuple[str, bytes] | Failure:
        with self._folder_for_engines() as temporary:
            folder = Path(temporary)
            folder.chmod(0o755)  # the build is another user
            sdist = self._sources.fetch_source(package, version, folder)
            if sdist is None:
                return _nothing(package, version)
            sdist.chmod(0o644)
            cannot = f"{package} {version} cannot be built from its source distribution"
            return self._make(Source(package, version, sdist, cannot), asked, prepare)

    def make(self, source: Source, asked: Wanted, prepare: Prepare) -> tuple[str, bytes] | Failure:
        """The wheel of a source that is at hand, by its file name; it is not kept here."""
        with self._one_at_a_time:
            return self._make(source, asked, prepare)

    def _make(self, source: Source, asked: Wanted, prepare: Prepare) -> tuple[str, bytes] | Failure:
        recipe = read_recipe(source.archive)
        environment = prepare(_for_build(asked, recipe.requires))
        if isinstance(environment, Failure):
            return _failed(source, f"its build requirements: {environment.detail}")
        result = self._run("requires", source, recipe, environment)
        more = _requirements(result)
        if more is None:
            return _failed(source, _last_words(result))
        if more:
            environment = prepare(_for_build(asked, (*recipe.requires, *more)))
            if isinstance(environment, Failure):
                return _failed(source, f"its build requirements: {environment.detail}")
        result = self._run("wheel", source, recipe, environment)
        if result.ending.kind is not EndingKind.EXIT or result.ending.code != 0:
            return _failed(source, _last_words(result))
        return check_wheel(source, result.stdout)

    def _run(
        self, mode: str, source: Source, recipe: Recipe, environment: Environment
    ) -> RunResult:
        prefix = environment.interpreter.prefix
        return self._sandbox().run(
            RunRequest(
                id=f"build/{source.package}-{source.version or UNKNOWN}/{mode}",
                command=(
                    *(environment.python, f"{_FOLDER}/build_wheel.py", mode),
                    *(f"{_SOURCE}/{source.archive.name}", recipe.backend, *recipe.paths),
                ),
                env={
                    "PATH": f"{environment.path}/bin:/usr/local/bin:/usr/bin:/bin",
                    "HOME": "/tmp",  # noqa: S108 - the build's own
                    "LANG": "C.UTF-8",
                    "SOURCE_DATE_EPOCH": str(int(FIRST_BACKENDS.timestamp())),
                },
                mounts=(
                    Mount(source=prefix, target=prefix),
                    Mount(source=environment.path, target=environment.path),
                    Mount(source=str(source.archive.parent), target=_SOURCE),
                    Mount(source=self._inside, target=_FOLDER),
                ),
                limits=self._limits,
            )
        )


def read_recipe(sdist: Path) -> Recipe:
    """What `pyproject.toml` says of the build; what cannot be read is built the old way."""
    try:
        table = tomllib.loads(_pyproject(sdist).decode()).get("build-system")
    except (OSError, ValueError, KeyError, tarfile.TarError, zipfile.BadZipFile, StopIteration):
        return LEGACY
    if not isinstance(table, dict) or "requires" not in table:
        return LEGACY
    return Recipe(
        tuple(map(str, table["requires"])),
        str(table.get("build-backend", LEGACY.backend)),
        tuple(str(each) for each in table.get("backend-path", ())),
    )


def check_wheel(source: Source, handed_out: Stream) -> tuple[str, bytes] | Failure:
    """The file name and bytes of a wheel, if they are the one that was asked for."""
    name, _, data = handed_out.head.partition(b"\n")
    if handed_out.omitted:
        return _failed(source, f"{_REFUSED}: it is too large")
    try:
        check(name.decode("utf-8", "replace"), data, source.package, source.version)
    except Refused as error:
        return _failed(source, f"{_REFUSED}: {error}")
    return name.decode(), data


def _pyproject(sdist: Path) -> bytes:
    """The file of that name in the one folder of an archive, without unpacking it."""
    if sdist.suffix == ".zip":
        with zipfile.ZipFile(sdist) as archive:
            name = next(each for each in archive.namelist() if _is_pyproject(each))
            return archive.open(name).read(_MOST_METADATA)
    with tarfile.open(sdist) as archive:
        member = next(each for each in archive if _is_pyproject(each.name) and each.isfile())
        file = archive.extractfile(member)
        return file.read(_MOST_METADATA) if file else b""


def _is_pyproject(name: str) -> bool:
    parts = name.removeprefix("./").split("/")
    return parts[1:] == ["pyproject.toml"]


def _nothing(package: str, version: str) -> Failure:
    return Failure(
        kind=FailureKind.NO_WHEEL,
        detail=f"{package} has neither a wheel that fits nor a source distribution, {version}",
    )


def _for_build(asked: Wanted, requires: tuple[str, ...]) -> Wanted:
    as_of = None if asked.as_of is None else max(asked.as_of, FIRST_BACKENDS)
    return Wanted(requirements=requires, interpreter=asked.interpreter, as_of=as_of)


def _requirements(result: RunResult) -> tuple[str, ...] | None:
    """What the build asks for beside what it names; None if it did not get so far."""
    try:
        said = json.loads(result.stdout.head)
    except ValueError:
        return None
    good = result.ending.code == 0 and isinstance(said, list)
    return tuple(map(str, said)) if good else None


def _failed(source: Source, why: str) -> Failure:
    return Failure(kind=FailureKind.BUILD_FAILED, detail=f"{source.cannot}: {why}")


def _last_words(result: RunResult) -> str:
    said = (result.stderr.head + result.stderr.tail).decode("utf-8", "replace").splitlines()
    return "\n".join([f"{result.ending}; its last lines:", *said[-_LAST_LINES:]])
