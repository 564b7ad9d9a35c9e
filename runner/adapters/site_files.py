"""The folder of a site: what was written there and of what, so that the rest can be left alone."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from runner.errors import NoSpace, WrongUsage
from runner.publish.rows import Row
from runner.value import Value, digest

MANIFEST = ".fixproof-site.json"


class Written(Value):
    """One file of a site."""

    content: str
    """Digest of what is in it."""
    inputs: str = ""
    """Digest of what it was made of, where it can be told without making it."""


class BuiltCase(Value):
    """One case of a site."""

    inputs: str
    row: Row
    files: dict[str, Written]


class Manifest(Value):
    """What a site is made of."""

    cases: dict[str, BuiltCase] = {}
    files: dict[str, Written] = {}
    """Those that are of no case."""

    def all_files(self) -> dict[str, Written]:
        of_cases = (each.files for each in self.cases.values())
        return {path: one for files in (*of_cases, self.files) for path, one in files.items()}


class SiteFiles:
    """Writes a site."""

    def __init__(self, folder: Path) -> None:
        """Have the folder at hand.

        Raises:
            WrongUsage: there is something in it that is no site of ours.
        """
        self._folder = folder
        self.before = self._manifest()
        self._known = self.before.all_files()
        self.wrote = 0

    def is_there(self, path: str) -> bool:
        return path in self._known and (self._folder / path).is_file()

    def kept(self, path: str, inputs: str) -> Written | None:
        """The file as it is, if it was made of the same; None if it must be made."""
        known = self._known.get(path)
        return known if known and known.inputs == inputs and self.is_there(path) else None

    def put(self, path: str, text: str, inputs: str = "") -> Written:
        """Write a file, but for one that has this content already: that is not touched."""
        data = text.encode("utf-8", "replace")
        made = Written(content=digest(data), inputs=inputs)
        known = self._known.get(path)
        if known is None or known.content != made.content or not self.is_there(path):
            self._write(path, data)
            self.wrote += 1
        return made

    def finish(self, manifest: Manifest) -> None:
        """Remove what is no part of the site any more, and write down what is."""
        for path in self._known.keys() - manifest.all_files().keys():
            (self._folder / path).unlink(missing_ok=True)
        if manifest != self.before or not (self._folder / MANIFEST).is_file():
            self._write(MANIFEST, manifest.model_dump_json().encode())

    def _manifest(self) -> Manifest:
        path = self._folder / MANIFEST
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                if any(self._folder.iterdir()):
                    raise WrongUsage(
                        f"{self._folder} has files that are no site of fixproof's",
                        hint="Name an empty folder, or one that is to be made.",
                    )
                self._write(MANIFEST, Manifest().model_dump_json().encode())
            return Manifest.model_validate_json(path.read_bytes())
        except ValidationError:
            return Manifest()  # of another fixproof: everything is made again
        except OSError as error:
            raise NoSpace(f"{self._folder} cannot be written: {error.strerror}") from error

    def _write(self, path: str, data: bytes) -> None:
        target = self._folder / path
        made = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(data)
            made.replace(target)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise NoSpace(f"{target} cannot be written: {error.strerror}") from error
