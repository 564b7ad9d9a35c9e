"""Candidates in files: checks what the user named, and keeps a copy of exactly what is used."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from packaging.utils import canonicalize_name

from runner.adapters.source_archives import ENDINGS, MOST_BYTES, Stated, pack, read
from runner.adapters.wheel_files import Refused, check
from runner.candidate import Candidate, CandidateKind
from runner.errors import BrokenCandidate, NoSpace

_PIECE = 1024 * 1024


class CandidateFiles:
    """Keeps each candidate in a folder of its own, named by its content."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    def load(self, named: str, package: str) -> Candidate:
        """What the user named, of which a copy is kept.

        Raises:
            BrokenCandidate: it is not there, cannot be read, or is of another package.
        """
        path = Path(named)
        if not named.strip():
            raise BrokenCandidate("the path of the candidate is empty", hint=_WHAT)
        if path.is_dir():
            return self._folder(path.resolve(), package)
        if not path.is_file():
            raise BrokenCandidate(f"there is no candidate at {named}", hint=_WHAT)
        if path.name.endswith(".whl"):
            return self._wheel(path, package)
        if path.name.endswith(ENDINGS):
            return self._archive(path, package)
        raise BrokenCandidate(f"{named} is neither a wheel nor an archive of a source", hint=_WHAT)

    def _wheel(self, path: Path, package: str) -> Candidate:
        with self._copy(path.name, _reader(path)) as (copy, sha256):
            try:
                claimed = check(path.name, copy, package, whole=True)
            except Refused as error:
                raise BrokenCandidate(f"{path.name} cannot be the candidate: {error}") from error
            self._keep(copy, sha256)
        return Candidate(
            package=package,
            kind=CandidateKind.WHEEL,
            file=path.name,
            sha256=sha256,
            version=claimed.version,
            requires_python=claimed.requires_python,
        )

    def _archive(self, path: Path, package: str) -> Candidate:
        with self._copy(archive_name(path.name), _reader(path)) as (copy, sha256):
            stated = read(copy, path.name)
            self._keep(copy, sha256)
        return _candidate(CandidateKind.SDIST, path.name, sha256, stated, package)

    def _folder(self, path: Path, package: str) -> Candidate:
        if not any((path / each).is_file() for each in ("pyproject.toml", "setup.py")):
            raise BrokenCandidate(f"{path} has neither a pyproject.toml nor a setup.py", hint=_WHAT)
        with self._copy(archive_name(""), lambda file: pack(path, file)) as (copy, sha256):
            stated = read(copy, path.name)
            self._keep(copy, sha256)
        return _candidate(CandidateKind.FOLDER, path.name, sha256, stated, package)

    @contextmanager
    def _copy(self, name: str, write: Callable[[IO[bytes]], None]) -> Iterator[tuple[Path, str]]:
        """A file beside the kept ones, with its digest; gone afterwards if it was not kept."""
        try:
            self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)  # it may be nobody's business
            with tempfile.TemporaryDirectory(dir=self._kept, prefix=".new-") as folder:
                copy = Path(folder) / name
                with copy.open("wb") as file:
                    write(file)
                with copy.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                yield copy, sha256
        except OSError as error:
            raise NoSpace(f"the candidate cannot be copied: {error}") from error

    def _keep(self, copy: Path, sha256: str) -> None:
        folder = self._kept / sha256
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # a build is another user
        copy.chmod(0o644)
        copy.replace(folder / copy.name)


_WHAT = "A candidate is a wheel, a source distribution, or the folder of a package's source."


def archive_name(name: str) -> str:
    """Under which name a source is kept: its ending tells how it is packed."""
    return "source.zip" if name.endswith(".zip") else "source.tar"


def _reader(path: Path) -> Callable[[IO[bytes]], None]:
    def write(target: IO[bytes]) -> None:
        total = 0
        try:
            with path.open("rb") as source:
                while piece := source.read(_PIECE):
                    total += len(piece)
                    if total > MOST_BYTES:
                        raise BrokenCandidate(f"{path} has more than {MOST_BYTES >> 20} MiB")
                    target.write(piece)
        except PermissionError as error:
            raise BrokenCandidate(f"{path} cannot be read: {error.strerror}") from error

    return write


def _candidate(
    kind: CandidateKind, file: str, sha256: str, stated: Stated, package: str
) -> Candidate:
    if stated.name and canonicalize_name(stated.name) != canonicalize_name(package):
        raise BrokenCandidate(
            f"{file} cannot be the candidate: it is of the package {stated.name!r}",
            hint=f"The case is about {package}.",
        )
    return Candidate(
        package=package,
        kind=kind,
        file=file,
        sha256=sha256,
        version=stated.version,
        requires_python=stated.requires_python,
    )
