"""A build of the package that is no release: what a verify asks about in place of the claimed fix.

It says what is known of such a build; it reads no file and builds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from runner.releases import satisfies
from runner.value import Value

UNKNOWN = "unknown"
"""Stands for the version of a candidate that only its build tells, where a plan is shown."""
_ABI_FLAG_UNTIL = (3, 8)
"""Before this Python, the name of the usual ABI ended in an m."""


class CandidateKind(StrEnum):
    """What the user named."""

    WHEEL = "wheel"
    SDIST = "sdist"
    FOLDER = "folder"


class Build(Value):
    """A wheel of a candidate: as it came, or as it was built for one interpreter."""

    file: str
    sha256: str
    version: str
    requires_python: str = ""


class Candidate(Value):
    """A build that is no release."""

    package: str
    """Normalised."""
    kind: CandidateKind
    file: str
    """The name of the wheel, the archive or the folder, as the user has it."""
    sha256: str
    """Of the file; of a folder: of what was packed of it."""
    version: str | None
    """As PEP 440 spells it; None where only the build tells it."""
    requires_python: str = ""

    @property
    def called(self) -> str:
        """Its version, for ids and sentences."""
        return self.version or UNKNOWN

    def built_as(self, build: Build) -> Candidate:
        """The same, with what its wheel says: that is what will be installed."""
        return self.model_copy(
            update={"version": build.version, "requires_python": build.requires_python}
        )

    def allows(self, version: str, platform: str) -> bool:
        """Whether it can be installed on an interpreter, as far as names and metadata tell.

        Args:
            version: of the interpreter, X.Y.Z.
            platform: as `Interpreter.platform`, for example `linux-x86_64-glibc2.36`.
        """
        if not satisfies(version, self.requires_python):
            return False
        if self.kind is not CandidateKind.WHEEL:
            return True
        major, minor = (int(each) for each in version.split(".")[:2])
        known = {(each.interpreter, each.abi) for each in _tags((major, minor))}
        return any(
            (tag.interpreter, tag.abi) in known and _is_of(tag.platform, platform)
            for tag in parse_wheel_filename(self.file)[3]
        )


def _tags(python: tuple[int, int]) -> Iterator[Tag]:
    """What CPython of this version installs, whatever the platform."""
    name = f"cp{python[0]}{python[1]}"
    abi = f"{name}m" if python < _ABI_FLAG_UNTIL else name
    yield from cpython_tags(python, abis=[abi], platforms=["any"])
    yield from compatible_tags(python, interpreter=name, platforms=["any"])


def _is_of(tag: str, platform: str) -> bool:
    """Whether a platform tag names this machine; how old its C library is, the installer checks."""
    if tag == "any":
        return True
    system, architecture, libc = platform.split("-", 2)
    foreign = "musllinux" if libc.startswith("glibc") else "manylinux"
    return system in tag and tag.endswith(f"_{architecture}") and not tag.startswith(foreign)
