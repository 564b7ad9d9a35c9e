"""Cases in files: finds one by id, file or folder, and keeps a copy of exactly what will run."""

from __future__ import annotations

import difflib
import os
import tempfile
from pathlib import Path

from runner.case import Case, parse, script_body
from runner.errors import BrokenCase, NoSpace
from runner.value import digest

SCRIPT = "repro.py"
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
            named: an id in the corpus, a script, or a folder with a `repro.py`.

        Raises:
            BrokenCase: there is no such case, or it breaks the contract.
        """
        script = self._find(named)
        case_id = script.parent.name if script.name == SCRIPT else script.stem
        files = _files_of(script)
        text = _decode(files[SCRIPT], case_id)
        names = sorted(files)
        case = parse(
            case_id,
            text,
            sha256=digest(*(part for name in names for part in (name, files[name]))),
            body_sha256=digest(
                script_body(text),
                *(part for name in names if name != SCRIPT for part in (name, files[name])),
            ),
        )
        return case, self._keep(case, files)

    def folder(self, case: Case) -> Path:
        """Where the copy of a case is, or would be."""
        return self._copies / case.sha256

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

    def _keep(self, case: Case, files: dict[str, bytes]) -> Path:
        folder = self.folder(case)
        if folder.is_dir():
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
            raise NoSpace(f"the case cannot be copied: {error}", case=case.id) from error
        return folder


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
