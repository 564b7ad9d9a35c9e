"""Which process carries out a run: a lock that the kernel gives back when the process is gone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from runner.errors import NoSpace


class RunLocks:
    """Locks by run id; a lock is held until the process ends or `release` is called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def take(self, run_id: str) -> bool:
        """Whether this process now holds the run; False if another one does."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder / run_id, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise NoSpace(f"{self._folder} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._held[run_id] = handle
        return True

    def release(self, run_id: str) -> None:
        """Give a run back."""
        handle = self._held.pop(run_id, None)
        if handle is not None:
            (self._folder / run_id).unlink(missing_ok=True)
            os.close(handle)

    def held(self, run_id: str) -> bool:
        """Whether some process carries out the run now."""
        if not (self._folder / run_id).exists() or not self.take(run_id):
            return (self._folder / run_id).exists()
        self.release(run_id)
        return False
