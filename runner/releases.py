"""Releases of a package as the index lists them: order, windows, lines, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import Protocol

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from runner.value import Value


class File(Value):
    """One file of a release."""

    name: str
    uploaded: datetime | None
    """UTC; None where the index does not say."""
    yanked: bool = False
    requires_python: str = ""


class Release(Value):
    """One release: what the index offers under one version."""

    version: str
    """Normalised as in PEP 440."""
    files: tuple[File, ...]

    @cached_property
    def parsed(self) -> Version:
        return Version(self.version)

    @property
    def uploaded(self) -> datetime | None:
        """When its first file came; None where the index does not say."""
        return min((each.uploaded for each in self.files if each.uploaded), default=None)

    @property
    def yanked(self) -> bool:
        return bool(self.files) and all(each.yanked for each in self.files)

    @property
    def final(self) -> bool:
        return not self.parsed.is_prerelease

    def allows(self, python: str) -> bool:
        """Whether some file of it allows this interpreter, X.Y.Z; what cannot be read does."""
        return any(satisfies(python, each.requires_python) for each in self.files)


class History(Value):
    """All releases of one package, lowest first."""

    package: str
    releases: tuple[Release, ...]
    fetched: datetime
    dated: bool = True
    """Whether uv, too, finds upload times: without them nothing can be resolved as of a day."""
    unread: tuple[str, ...] = ()
    """Names of files from which no version can be read that PEP 440 can order: of no release."""

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of each version, the lowest first."""
        return {each.version: place for place, each in enumerate(self.releases)}

    @cached_property
    def _by_version(self) -> dict[str, Release]:
        return {each.version: each for each in self.releases}

    def find(self, version: str) -> Release | None:
        """The release that a version names, however it is spelt (1.0 is 1.0.0)."""
        try:
            wanted = Version(version)
        except InvalidVersion:
            return None
        exact = self._by_version.get(str(wanted))
        return exact or next((each for each in self.releases if each.parsed == wanted), None)

    @cached_property
    def offered(self) -> tuple[Release, ...]:
        """The final releases that are not yanked: what somebody could be told to install."""
        return tuple(each for each in self.releases if each.final and not each.yanked)

    def predecessor(self, version: str, *, apart_from: Iterable[str] = ()) -> Release | None:
        """The highest final, unyanked release below `version`, whether that one exists or not.

        Below a pre-release it may be one too. Fixes of other lines, `apart_from`, are passed over.
        """
        others = {Version(each) for each in apart_from}
        below = self.below(version)
        if Version(version).is_prerelease:
            bound = Version(version)
            any_kind = (each for each in reversed(self.releases) if not each.yanked)
            below = tuple(each for each in any_kind if each.parsed < bound)
        return next((each for each in below if each.parsed not in others), None)

    def below(self, version: str) -> tuple[Release, ...]:
        """The offered releases below `version`, highest first."""
        bound = Version(version)
        return tuple(each for each in reversed(self.offered) if each.parsed < bound)

    def line_of(self, version: str) -> tuple[int, ...]:
        """Names the line of a release: epoch, major and minor number, 1.2 for 1.2.3.

        Of a package whose versions have but two numbers, the first one is the line.
        """
        parsed = Version(version)
        return parsed.epoch, *((*parsed.release, 0)[: self._line_length])

    @cached_property
    def _line_length(self) -> int:
        return 2 if any(len(each.parsed.release) > 2 for each in self.releases) else 1  # noqa: PLR2004 - major.minor.patch

    def came_before(self, one: str, other: str) -> bool:
        """Whether a release is known to have come before another, whatever their order."""
        times = [found.uploaded if (found := self.find(each)) else None for each in (one, other)]
        return times[0] is not None and times[1] is not None and times[0] < times[1]

    def came_after(self, one: str, other: str) -> bool | None:
        """Whether a release came after one below it; None where nothing tells.

        Without upload times that is known within a line alone.
        """
        if self.came_before(one, other):
            return False
        alike = self.line_of(one) == self.line_of(other)
        return True if alike or self.came_before(other, one) else None

    def latest(self) -> Release | None:
        """The newest release that somebody would get today."""
        return self.offered[-1] if self.offered else None


class PackageIndex(Protocol):
    """Tells what releases a package has.

    Raises:
        UnknownPackage: the index answers, and does not have the package.
        IndexUnreachable: it does not answer, or not with something that can be read.
    """

    def history(
        self, package: str, *, fresh: bool = False, asking: Callable[[], None] = lambda: None
    ) -> History:
        """All releases; metadata a few minutes old will do unless `fresh`.

        `asking` is called before anything is asked over the network.
        """
        ...


def satisfies(python: str, specifier: str) -> bool:
    """Whether an interpreter satisfies a Requires-Python; one that cannot be read is no bar."""
    try:
        return SpecifierSet(specifier).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def same_line(one: str, other: str) -> bool:
    """Whether two releases belong to one line: all but the last part of the shorter agree."""
    a, b = Version(one), Version(other)
    shared = max(1, min(len(a.release), len(b.release)) - 1)
    return (a.epoch, a.release[:shared]) == (b.epoch, b.release[:shared])


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Versions in PEP 440 order, each once."""
    return tuple(sorted(set(versions), key=Version))
