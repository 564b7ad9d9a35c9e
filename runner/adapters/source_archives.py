"""Sources of a candidate: packs a folder, and reads what an archive states, without running it."""

from __future__ import annotations

import os
import stat
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from packaging.version import InvalidVersion, Version

from runner.adapters.wheel_files import DAMAGED
from runner.errors import BrokenCandidate

ENDINGS = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".zip")
MOST_BYTES = 256 * 1024 * 1024
"""Of a candidate: of a wheel or an archive as it is, and of all that is packed of a folder."""
_MOST_UNPACKED = 1024 * 1024 * 1024
_MOST_FILES = 50_000
_MOST_METADATA = 1024 * 1024
_TOP = "source"

_LEFT_OUT = {
    *(".git", ".hg", ".svn", ".bzr", "__pycache__", "node_modules"),
    *(".tox", ".nox", ".venv", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    *(".hypothesis", ".cache", ".idea", ".vscode"),
}
"""Folders that are no part of a source, wherever they are."""
_LEFT_OUT_AT_THE_TOP = {"build", "dist"}
"""What builds leave; further down, a package may have such a name."""
_LEFT_OUT_FILES = (".pyc", ".pyo", ".swp")
"""By their endings; and what stands for a folder of version control that is elsewhere."""


class Stated(NamedTuple):
    """What a source says of itself; None where only its build tells."""

    name: str | None
    version: str | None
    requires_python: str


def pack(folder: Path, archive: IO[bytes]) -> None:
    """Pack a source folder, the same bytes for the same content.

    Caches, version control and what builds leave stay out, and so do links that lead out of it.

    Raises:
        BrokenCandidate: it is too large, or cannot be read.
    """
    total = count = 0
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as packed:
        for path in _files(folder):
            entry = _entry(path, folder)
            total, count = total + entry.size, count + 1
            if total > MOST_BYTES or count > _MOST_FILES:
                raise BrokenCandidate(
                    f"{folder} has more than {MOST_BYTES >> 20} MiB, or {_MOST_FILES} files",
                    hint="Build a wheel or a source distribution of it, and name that.",
                )
            if entry.issym():
                packed.addfile(entry)
                continue
            with _opened(path) as file:
                packed.addfile(entry, file)


def read(archive: Path, called: str) -> Stated:
    """What an archive states, which is read to its end.

    Raises:
        BrokenCandidate: it is damaged, or no source of a Python package.
    """
    try:
        with _members(archive) as members:
            return _stated(_found(members, called), called)
    except (*DAMAGED, tarfile.TarError) as error:
        raise BrokenCandidate(f"{called} is damaged, or no archive: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BrokenCandidate(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield file


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        here = Path(place)
        top = here == folder
        linked = [each for each in folders if (here / each).is_symlink()]
        folders[:] = sorted(
            each for each in folders if each not in linked and not _left_out(here / each, top=top)
        )
        for name in sorted((*names, *linked)):
            path = here / name
            if path.is_symlink():
                if _leads_inside(path, folder):
                    yield path
            elif path.is_file() and name != ".git" and path.suffix not in _LEFT_OUT_FILES:
                yield path


def _left_out(folder: Path, *, top: bool) -> bool:
    name = folder.name
    if name in _LEFT_OUT or name.endswith(".egg-info") or (folder / "pyvenv.cfg").exists():
        return True
    return top and name in _LEFT_OUT_AT_THE_TOP


def _leads_inside(link: Path, folder: Path) -> bool:
    target = link.readlink()
    whole = Path(os.path.normpath(link.parent / target))
    return not target.is_absolute() and whole.is_relative_to(folder)


def _entry(path: Path, folder: Path) -> tarfile.TarInfo:
    found = path.lstat()
    entry = tarfile.TarInfo(f"{_TOP}/{path.relative_to(folder).as_posix()}")
    if stat.S_ISLNK(found.st_mode):
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        return entry
    entry.size = found.st_size
    entry.mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
    return entry


class _Member(NamedTuple):
    name: str
    size: int
    data: bytes
    """Of the few files that are looked into; else empty."""


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            bad = zipped.testzip() if _unpacked(zipped) <= _MOST_UNPACKED else None
            if bad:
                raise zipfile.BadZipFile(f"{bad!r} in it is damaged")
            yield (
                _Member(each.filename, each.file_size, _zipped(zipped, each))
                for each in zipped.infolist()
            )
    else:
        with tarfile.open(archive) as tarred:
            yield (_Member(each.name, each.size, _tarred(tarred, each)) for each in tarred)


def _unpacked(archive: zipfile.ZipFile) -> int:
    return sum(each.file_size for each in archive.infolist())


def _zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        return file.read(_MOST_METADATA) if _is_looked_into(member.filename) else b""


def _tarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if _is_looked_into(member.name) else None
    return file.read(_MOST_METADATA) if file else b""


def _is_looked_into(name: str) -> bool:
    return _below_top(name) in ("pyproject.toml", "PKG-INFO")


def _below_top(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[1:])


def _found(members: Iterator[_Member], called: str) -> dict[str, bytes]:
    """The files right below the one folder of an archive."""
    total, tops, found = 0, set[str](), dict[str, bytes]()
    for each in members:
        total += each.size
        if total > _MOST_UNPACKED:
            raise BrokenCandidate(f"{called} unpacks to more than {_MOST_UNPACKED >> 30} GiB")
        parts = PurePosixPath(each.name).parts
        if ".." in parts or each.name.startswith("/"):
            raise BrokenCandidate(f"{called} has a file outside of itself, {each.name!r}")
        tops |= {*parts[:1]}
        found[_below_top(each.name)] = each.data
    if len(tops) != 1:
        raise BrokenCandidate(
            f"{called} has not one folder at its top",
            hint="A source distribution has one, NAME-VERSION, with everything in it.",
        )
    return found


def _stated(found: dict[str, bytes], called: str) -> Stated:
    if not {"pyproject.toml", "setup.py"} & found.keys():
        raise BrokenCandidate(
            f"{called} has neither a pyproject.toml nor a setup.py",
            hint="A candidate is a wheel, a source distribution, or the folder of a package.",
        )
    project = _project(found.get("pyproject.toml", b""), called)
    headers = BytesHeaderParser().parsebytes(found.get("PKG-INFO", b""))
    version = project.get("version") or headers["Version"]
    return Stated(
        name=_text(project.get("name")) or headers["Name"],
        version=_version(_text(version)),
        requires_python=_text(project.get("requires-python")) or headers["Requires-Python"] or "",
    )


def _project(pyproject: bytes, called: str) -> dict[str, object]:
    try:
        table = tomllib.loads(pyproject.decode())
    except ValueError as error:
        raise BrokenCandidate(f"the pyproject.toml of {called} is not TOML: {error}") from error
    project = table.get("project")
    return project if isinstance(project, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _version(stated: str | None) -> str | None:
    try:
        return str(Version(stated)) if stated else None
    except InvalidVersion:
        return None  # its build says what it makes of that
