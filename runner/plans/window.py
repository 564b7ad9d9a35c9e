"""Which releases a sweep or a bisection of a series looks at, and which it leaves out and why."""

from __future__ import annotations

from functools import cached_property, lru_cache

from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from runner.environment import Interpreter
from runner.findings import Skipped
from runner.matrix import Cell, Series
from runner.plans.lines import parallel_lines, ways
from runner.plans.question import Question, claimed_roles
from runner.releases import File, Release, satisfies
from runner.value import Value

_NO_PEP_440 = "no version that PEP 440 can order can be read from its name"


class Window(Value):
    """The releases between the ends that a case names, lowest first."""

    releases: tuple[Release, ...]
    """All that can be run, yanked ones too."""
    skipped: tuple[Skipped, ...]
    outside: tuple[str, ...]
    """Releases beyond the ends that could be offered, too; they are not run unless claimed."""
    late: tuple[tuple[str, ...], ...] = ()
    """Of each line that was worked on beside a newer one what came then, newest first."""
    ways: tuple[tuple[str, ...], ...] = ()
    """How candidates and claimed releases follow upon each other, up to each last one."""

    @cached_property
    def candidates(self) -> tuple[Release, ...]:
        """Those that somebody could be told to take."""
        return tuple(each for each in self.releases if not each.yanked)

    @cached_property
    def offered(self) -> frozenset[str]:
        """What a boundary may be stated of: candidates, and what is beyond the ends."""
        return frozenset((*(each.version for each in self.candidates), *self.outside))

    @property
    def yanked(self) -> tuple[Skipped, ...]:
        """Those that were withdrawn, as what a bisection leaves out."""
        return tuple(
            Skipped(version=each.version, why="yanked") for each in self.releases if each.yanked
        )


class Survey(Question):
    """A question about a window of releases, and not just about claims."""

    def window(self, series: Series) -> Window:
        return self._windows[series.name]

    def cells(self, series: Series) -> dict[str, Cell]:
        """The cells of all releases of the window that can be run, by version, lowest first."""
        return self._cells[series.name]

    @cached_property
    def _cells(self) -> dict[str, dict[str, Cell]]:
        return {
            series.name: {
                each.version: self.cell(series, each.version)
                for each in self.window(series).releases
            }
            for series in self.series
        }

    @cached_property
    def _windows(self) -> dict[str, Window]:
        return {each.name: _window_of(self, each) for each in self.series}


def _window_of(question: Question, series: Series) -> Window:
    inside = SpecifierSet(question.case.metadata.versions)
    history = question.universe.history
    kept, outside = [], []
    skipped = [Skipped(version=each, why=_NO_PEP_440) for each in history.unread]
    for release in history.releases:
        why = _why_not(question, series, release)
        if not inside.contains(release.parsed, prereleases=True):
            outside += [] if why or release.yanked else [release.version]
        elif why is None:
            kept.append(_as_offered(release, series.interpreter))
        else:
            skipped.append(Skipped(version=release.version, why=why))
    candidates = [each for each in kept if not each.yanked]
    searched = (*(each.version for each in candidates), *claimed_roles(question, series))
    return Window(
        releases=tuple(kept),
        skipped=tuple(skipped),
        outside=tuple(outside),
        late=parallel_lines(history, candidates),
        ways=ways(history, searched),
    )


def _why_not(question: Question, series: Series, release: Release) -> str | None:
    """Why a release of the window is no cell of this series; None if it is one."""
    if not release.final and not question.case.metadata.prereleases:
        return "pre-release"
    python = series.interpreter
    if python is None:
        return None
    if not release.allows(python.version):
        return f"does not allow Python {python.version}"
    if not _fitting(release, python):
        return f"no file for Python {python.python} on {python.platform}"
    return None


def _as_offered(release: Release, python: Interpreter | None) -> Release:
    """The release as an interpreter sees it: yanked where all files that fit it are (PEP 592)."""
    if python is None or not all(each.yanked for each in _fitting(release, python)):
        return release
    files = (each.model_copy(update={"yanked": True}) for each in release.files)
    return release.model_copy(update={"files": tuple(files)})


def _fitting(release: Release, python: Interpreter) -> list[File]:
    """The files that an interpreter could install, or build."""
    allowed = [each for each in release.files if satisfies(python.version, each.requires_python)]
    return [each for each in allowed if _fits(each, python)]


def _fits(file: File, python: Interpreter) -> bool:
    """Whether an interpreter could install a file, or build it; one that is no wheel can be.

    That a wheel asks for a newer C library is left to the resolver.
    """
    if not file.name.endswith(".whl"):
        return True
    try:
        tags = parse_wheel_filename(file.name)[3]
    except InvalidWheelFilename:
        return True
    possible = _possible(python.python)
    system, _, rest = python.platform.partition("-")
    return any(
        (each.interpreter, each.abi) in possible and _same_machine(each.platform, system, rest)
        for each in tags
    )


_NO_MALLOC_FLAG = (3, 8)
"""Since then the tag of CPython's ABI has no "m"."""


@lru_cache
def _possible(python: str) -> frozenset[tuple[str, str]]:
    """Tags of interpreter and ABI that CPython X.Y can install."""
    version = (Version(python).major, Version(python).minor)
    name = f"cp{version[0]}{version[1]}"
    abis = (f"{name}m",) if version < _NO_MALLOC_FLAG else (name,)
    native = cpython_tags(version, abis, ["any"])
    return frozenset(
        (each.interpreter, each.abi) for each in (*native, *compatible_tags(version, name, ["any"]))
    )


def _same_machine(tag: str, system: str, rest: str) -> bool:
    machine = rest.rpartition("-")[0].replace("-", "_")
    return tag == "any" or (system in tag and tag.endswith(f"_{machine}"))
