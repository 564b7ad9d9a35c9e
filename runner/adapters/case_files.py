"""Cases in files: finds one by id, file or folder, and keeps a copy of exactly what will run."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from runner.case import Case, parse, script_body
from runner.errors import BrokenCase, NoSpace
from runner.value import digest

SCRIPT = "repro.py"
_COPY = re.compile(r"(?P<id>[a-z0-9][a-z0-9._-]*)@(?P<sha256>[0-9a-f]{64})")
_LEFT_OUT = ("__pycache__", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache")
_MOST_BYTES = 32 * 1024 * 1024


class CaseFiles:
    """Reads cases, and copies them into `copies`: what runs cannot change while it runs."""

    def __init__(self, *, repros: Path, copies: Path) -> None:
        self._repros = repros
        self._copies = copies

    def load(self, named: str) -> tuple[Case, Path]:
        """The case, and the folder of its copy, in which its script is `repro.py`.

        Args:
            named: an id in the corpus, a script, a folder with a `repro.py`, or a copy that was
                kept, as `ID@SHA256`.

        Raises:
            BrokenCase: there is no such case, or it breaks the contract.
        """
        kept = _COPY.fullmatch(named)
        if kept:
            return self._kept(kept["id"], kept["sha256"])
        script = self._find(named)
        case_id = script.parent.name if script.name == SCRIPT else script.stem
        files = _files_of(script)
        case = _parsed(case_id, files)
        return case, self._keep(case.sha256, files)

    def pack(self, case: Case) -> bytes:
        """The copy of a case, for a machine that has none."""
        from runner.adapters.packed_files import pack

        return pack(_files_of(self.folder(case) / SCRIPT))

    def unpack(self, sha256: str, packed: bytes) -> None:
        """Keep the copy of a case that was packed elsewhere.

        Raises:
            BrokenCase: it is not what was packed.
        """
        from runner.adapters.packed_files import unpack

        files = unpack(packed)
        if _digest(files) != sha256:
            raise BrokenCase(f"the packed case {sha256} is not what was packed")
        self._keep(sha256, files)

    def has(self, sha256: str) -> bool:
        """Whether there is a copy."""
        return (self._copies / sha256 / SCRIPT).is_file()

    def folder(self, case: Case) -> Path:
        """Where the copy of a case is, or would be."""
        return self._copies / case.sha256

    def _kept(self, case_id: str, sha256: str) -> tuple[Case, Path]:
        folder = self._copies / sha256
        if not self.has(sha256):
            raise BrokenCase(f"there is no copy {sha256} of the case", case=case_id)
        case = _parsed(case_id, _files_of(folder / SCRIPT))
        if case.sha256 != sha256:
            raise BrokenCase(
                f"the copy of the case in {folder} was changed",
                hint="Remove that folder; it is made again.",
                case=case_id,
            )
        return case, folder

    def _find(self, named: str) -> Path:
        """An id names something in the corpus; anything else is a path."""
        places = [self._repros / f"{named}.py", self._repros / named / SCRIPT]
        if os.sep in named or named.endswith(".py") or named in (".", ".."):
            path = Path(named).absolute()
            places = [path / SCRIPT if path.is_dir() else path]
        found = [place for place in places if place.is_file()]
        here = Path(named).absolute() / SCRIPT
        found = found or [place for place in (here,) if place.is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            raise BrokenCase(f"{named} is both a script and a folder in {self._repros}")
        raise BrokenCase(f"there is no case {named!r}", hint=self._where_cases_are(named, places))

    def _where_cases_are(self, named: str, places: list[Path]) -> str:
        known = [each.stem for each in self._repros.glob("[!_.]*")]
        nearest = difflib.get_close_matches(named, known, n=1)
        meant = f"Did you mean {nearest[0]!r}? " if nearest else ""
        looked = " or ".join(str(each) for each in places)
        return (
            f"{meant}Looked for {looked}. A case is an id in {self._repros}, a script, or a folder "
            f"with a {SCRIPT}."
        )

    def _keep(self, sha256: str, files: dict[str, bytes]) -> Path:
        folder = self._copies / sha256
        if folder.is_dir():
            with suppress(PermissionError):  # another user's, which is used all the same
                os.utime(folder)  # what was not used for long is taken away one day
            return folder
        try:
            self._copies.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._copies, prefix=".new-") as temporary:
                copy = Path(temporary) / "case"
                for name, data in files.items():
                    _write(copy / name, data)
                copy.rename(folder)
        except OSError as error:
            if folder.is_dir():  # another process was faster
                return folder
            raise NoSpace(f"the case cannot be copied: {error}") from error
        return folder


def _parsed(case_id: str, files: dict[str, bytes]) -> Case:
    text = _decode(files[SCRIPT], case_id)
    others = sorted(name for name in files if name != SCRIPT)
    body = digest(script_body(text), *(part for name in others for part in (name, files[name])))
    return parse(case_id, text, sha256=_digest(files), body_sha256=body)


def _digest(files: dict[str, bytes]) -> str:
    return digest(*(part for name in sorted(files) for part in (name, files[name])))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o644)


def _files_of(script: Path) -> dict[str, bytes]:
    """The files of a case by their name below /case; a plain script is one file."""
    try:
        if script.name != SCRIPT:
            return {SCRIPT: script.read_bytes()}
        return {str(path.relative_to(script.parent)): path.read_bytes() for path in _walk(script)}
    except OSError as error:
        raise BrokenCase(f"{script} cannot be read: {error.strerror}") from error


def _walk(script: Path) -> list[Path]:
    found, total = [], 0
    for folder, folders, names in os.walk(script.parent):
        folders[:] = sorted(each for each in folders if each not in _LEFT_OUT)
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_symlink() or not path.is_file():
                raise BrokenCase(f"{path} is no plain file", hint="A case has no links or devices.")
            total += path.stat().st_size
            found.append(path)
    if total > _MOST_BYTES:
        raise BrokenCase(f"{script.parent} has {total >> 20} MiB; a case has at most 32")
    return found


def _decode(script: bytes, case_id: str) -> str:
    try:
        return script.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenCase(f"its script is not UTF-8: {error}", case=case_id) from error
