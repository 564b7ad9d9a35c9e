"""Small documents kept for a while in files: index metadata, the interpreters of this machine."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from runner.errors import NoSpace


class CachedDocuments:
    """Text by name, each with the age of its file; `clock` gives seconds since the epoch."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def get(self, name: str, *, seconds: float) -> str | None:
        """What was put under `name`, if that is not longer ago than `seconds`."""
        path = self._path(name)
        try:
            if not 0 <= self._clock() - path.stat().st_mtime <= seconds:
                return None
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def put(self, name: str, text: str) -> None:
        """Keep `text`; a reader sees the old one or the new one, never half of it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(self._path(name))
        except OSError as error:
            raise NoSpace(f"{self._folder} cannot be written: {error.strerror}") from error

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:32]
