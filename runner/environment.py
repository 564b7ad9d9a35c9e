"""What a cell needs to run, and the lock that was made of it; it resolves and installs nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import unquote

import tomli_w
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from runner.candidate import Build, Candidate
from runner.case import Case
from runner.metadata import UvSettings
from runner.releases import Release
from runner.value import Value, digest

ADMIT = timedelta(seconds=1)
"""uv's `exclude-newer` is strict: a cut-off one second later admits the upload itself."""
SETTLED = timedelta(days=1)
"""Age at which no upload can be missing on a page of an index that was read minutes ago."""


class Interpreter(Value):
    """A CPython found on this machine."""

    python: str
    """X.Y"""
    version: str
    """X.Y.Z"""
    executable: str
    """Its real path: no shim, no virtual environment."""
    prefix: str
    """Where its library and its shared objects are; the attempt must see this."""
    platform: str
    """Operating system, architecture and C library, for example `linux-x86_64-glibc2.36`."""
    sha256: str
    """Of executable, build and version: another build is another interpreter."""


class Wanted(Value):
    """What is asked of the resolver for one cell."""

    requirements: tuple[str, ...]
    interpreter: Interpreter
    as_of: datetime | None
    """Files uploaded at or after this are not seen; None sees all."""
    admitted: dict[str, datetime] = {}
    """Packages with a cut-off of their own: pinned releases count with all their files."""
    uv: UvSettings = UvSettings()
    index: str = ""
    """Names the indexes that are asked: another index may have other files of the same names."""
    exactly: dict[str, str] = {}
    """If not empty: the versions that must come out, and no others (a confirmation)."""
    candidate: Candidate | None = None
    """The build that is meant by its package, whatever the index has under that version."""

    def long_ago(self, now: datetime) -> bool:
        """Whether all that may be seen was there long before any page that is still relied on.

        Such a page is minutes old, and an index may take a while to show what it was given. What
        is asked as of its own day or of now has to be asked of the index itself.
        """
        seen = (self.as_of, *self.admitted.values())
        return self.as_of is not None and all(each < now - SETTLED for each in seen if each)

    def key(self) -> str:
        """Names this question: the same question has the same answer, which is kept."""
        return digest("wanted/2", self.model_dump_json(exclude={"interpreter": {"executable"}}))


class Wheel(Value):
    """One locked wheel."""

    name: str
    """Normalised."""
    version: str
    file: str
    sha256: str


class Difference(Value):
    """One dependency in which two locks differ; None where a side does not have it."""

    package: str
    older: str | None
    newer: str | None

    def __str__(self) -> str:
        return f"{self.package} {self.older or 'absent'} → {self.newer or 'absent'}"


class Lock(Value):
    """The wheels of an environment, sorted by name. Kept as `pylock.toml`, without addresses."""

    wheels: tuple[Wheel, ...]

    @cached_property
    def sha256(self) -> str:
        return digest("lock/1", *sorted(each.sha256 for each in self.wheels))

    def versions(self) -> dict[str, str]:
        return {each.name: each.version for each in self.wheels}

    def without(self, package: str) -> Lock:
        """The same, minus one distribution and nothing else: the negative control."""
        return Lock(wheels=tuple(each for each in self.wheels if each.name != package))

    def differences(self, newer: Lock, *, apart_from: str) -> tuple[Difference, ...]:
        """In what the other packages of two locks differ, by name."""
        mine, theirs = self.without(apart_from), newer.without(apart_from)
        ours = {each.name: each for each in mine.wheels}
        others = {each.name: each for each in theirs.wheels}
        return tuple(
            Difference(
                package=name,
                older=ours[name].version if name in ours else None,
                newer=others[name].version if name in others else None,
            )
            for name in sorted(ours.keys() | others.keys())
            if ours.get(name) != others.get(name)
        )

    def pylock(self) -> str:
        """As PEP 751 writes it, each wheel by its file name beside the lock."""
        packages = [
            {
                "name": each.name,
                "version": each.version,
                "wheels": [
                    {"name": each.file, "path": each.file, "hashes": {"sha256": each.sha256}}
                ],
            }
            for each in self.wheels
        ]
        document = {"lock-version": "1.0", "created-by": "fixproof", "packages": packages}
        return tomli_w.dumps(document)

    @classmethod
    def parse(cls, pylock: str) -> Lock:
        """Read a `pylock.toml` made for one interpreter; addresses are dropped.

        Raises:
            ValueError: a package has no wheel that fits.
        """
        packages = tomllib.loads(pylock).get("packages", [])
        return cls(wheels=tuple(sorted((_wheel(each) for each in packages), key=lambda w: w.name)))


def _wheel(package: Mapping[str, Any]) -> Wheel:
    """The one wheel of a package that is installed: of several that fit, the most specific."""
    offered = {_file_name(each): each["hashes"]["sha256"] for each in package.get("wheels", [])}
    if not offered:
        raise ValueError(f"{package.get('name')} has no wheel")
    file = max(offered, key=_specificity)
    name = canonicalize_name(package["name"])
    return Wheel(name=name, version=package["version"], file=file, sha256=offered[file])


def _file_name(wheel: Mapping[str, Any]) -> str:
    address = str(wheel.get("name") or wheel.get("path") or wheel["url"])
    return unquote(address.partition("#")[0].rpartition("/")[2])


def _specificity(file: str) -> tuple[object, ...]:
    """Orders wheels that all fit one interpreter as installers do.

    Made for this interpreter before the stable ABI before none; then for the newest Python, the
    newest C library; then the highest build number.
    """
    build, tags = parse_wheel_filename(file)[2:]
    abi = max(2 if tag.abi.startswith("cp") else int(tag.abi != "none") for tag in tags)
    python = max(_version_of(tag.interpreter) for tag in tags)
    return abi, python, max(_libc(tag.platform) for tag in tags), build or (), file


def _version_of(interpreter: str) -> tuple[int, int]:
    """`cp311` is (3, 11), `py3` is (3, 0)."""
    found = re.fullmatch(r"[a-z]+(\d)(\d*)", interpreter)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _libc(platform: str) -> tuple[int, int]:
    """The C library that a platform tag asks for, (0, 0) for none."""
    for old, plain in _LEGACY_MANYLINUX.items():
        platform = platform.replace(old, plain, 1)
    found = re.match(r"m(?:any|usl)linux_(\d+)_(\d+)_", platform)
    return (int(found[1]), int(found[2])) if found else (0, 0)


_LEGACY_MANYLINUX = {
    "manylinux1_": "manylinux_2_5_",
    "manylinux2010_": "manylinux_2_12_",
    "manylinux2014_": "manylinux_2_17_",
}
"""PEP 600: what the old names stand for."""


class FailureKind(StrEnum):
    """Why a cell can have no environment, as far as the release itself is the reason."""

    NO_SOLUTION = "no_solution"
    NO_WHEEL = "no_wheel"
    PYTHON_NOT_ALLOWED = "python_not_allowed"
    BUILD_FAILED = "build_failed"
    BAD_FILE = "bad_file"


class Failure(Value):
    """No environment can be made for a cell."""

    kind: FailureKind
    detail: str
    """What the resolver said, without addresses."""

    @property
    def headline(self) -> str:
        """What failed, without how: "thing 1.0 cannot be built from its source distribution"."""
        return self.detail.partition(":")[0]


class Environment(Value):
    """A tree in the store: an interpreter and the wheels of a lock."""

    digest: str
    path: str
    interpreter: Interpreter

    @property
    def python(self) -> str:
        return f"{self.path}/bin/python"


class BuildPutOff(Exception):
    """Raised by who is told of a build, so that it does not begin: it takes long, and may wait."""


Building = Callable[[str], None]
"""Told what is built, by name and release, when a build begins: it takes a while."""


def unheard(_what: str) -> None:
    """Nobody wants to know."""


class Environments(Protocol):
    """Resolves, and installs into the store, outside of any third-party code.

    Raises:
        IndexUnreachable, NoSpace, EnvironmentTrouble: says nothing about the release.
    """

    def resolve(
        self, wanted: Wanted, *, fresh: bool = False, building: Building = unheard
    ) -> Lock | Failure:
        """The lock for what is wanted, or why there is none.

        Unless `fresh`, pages of the index that are a few minutes old will do for what was long ago.
        """
        ...

    def wheel_of(self, wanted: Wanted) -> Build | Failure:
        """The wheel of the candidate that is wanted, built where it is none."""
        ...

    def install(self, lock: Lock, interpreter: Interpreter) -> Environment | Failure:
        """The tree of a lock; at once where it is in the store.

        A failure where a file of it is gone from the index, is another one than was locked, or
        cannot be unpacked.
        """
        ...

    def stop(self) -> None:
        """End what runs; it and every later call raises `Interrupted`."""
        ...


class Interpreters(Protocol):
    """Finds interpreters on this machine; it fetches none.

    Raises:
        EnvironmentTrouble: the finding itself failed.
    """

    def at_hand(
        self, *, fresh: bool = False, looking: Callable[[], None] = lambda: None
    ) -> tuple[Interpreter, ...]:
        """One for each X.Y, the newest of it, lowest first; a few minutes old unless `fresh`.

        `looking` is called before the machine is searched, which takes a while.
        """
        ...


def environment_digest(lock: Lock, interpreter: Interpreter) -> str:
    """Names a tree: sorted wheel hashes, interpreter and platform (design section 2)."""
    hashes = sorted(each.sha256 for each in lock.wheels)
    return digest("environment/1", interpreter.sha256, interpreter.platform, *hashes)


def requirement_name(requirement: str) -> str:
    """The normalised name in a requirement."""
    return str(canonicalize_name(Requirement(requirement).name))


def pins(requirements: tuple[str, ...]) -> dict[str, str]:
    """The releases that requirements pin with `==`, by normalised name."""
    found = {}
    for each in map(Requirement, requirements):
        for specifier in each.specifier:
            if specifier.operator in ("==", "===") and not specifier.version.endswith(".*"):
                found[str(canonicalize_name(each.name))] = specifier.version
    return found


def cutoff(pinned: tuple[Release, ...]) -> datetime | None:
    """As of when dependencies are resolved: one second after the latest of the first uploads.

    None where the index has no upload time for one of them: then nothing newer can be told.
    """
    uploads = [each.uploaded for each in pinned]
    known = [each for each in uploads if each is not None]
    return max(known) + ADMIT if known and len(known) == len(uploads) else None


def admitted_until(release: Release) -> datetime | None:
    """Admits all files of a release, whenever they were uploaded."""
    uploads = [each.uploaded for each in release.files if each.uploaded]
    return max(uploads) + ADMIT if uploads else None


def pinned_requirement(case: Case, version: str) -> str:
    """The script's own requirement of the package under test, at one release."""
    own = Requirement(case.requirement)
    extras = f"[{','.join(sorted(own.extras))}]" if own.extras else ""
    return f"{own.name}{extras}=={version}"
