"""Which trees of the store somebody uses right now, so that none is taken away under an attempt.

Each process keeps a file of its own with their names, and a lock on it that the kernel gives back
when the process is gone, however it ended. Whoever takes a tree away looks at all of them, with
everybody else kept from saying more for that moment.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from runner.errors import NoSpace

_GATE = ".gate"
_MOST_BYTES = 64 * 1024 * 1024
GONE = ".gone-"
"""How the name of a tree begins that was taken away, and is still to be deleted."""


class _Held(NamedTuple):
    """A file that this process has locked."""

    path: Path
    handle: int


class TreeUses:
    """What this process uses, and what others do; names are those of folders in `envs`."""

    def __init__(self, store: Path) -> None:
        self._folder = store / "uses"
        self._trees = store / "envs"
        self._mutex = threading.Lock()
        self._file: _Held | None = None
        self._names: set[str] = set()

    def use(self, name: str) -> None:
        """From now on nobody takes this tree away, be it there or still to be made.

        Raises:
            NoSpace: the store cannot be written.
        """
        with self._mutex:
            if name in self._names:
                return
            try:
                with self._gate(fcntl.LOCK_SH):
                    if self._file is None:
                        self._file = self._own_file()
                    os.write(self._file.handle, f"{name}\n".encode())
            except OSError as error:
                raise NoSpace(f"the store cannot be written: {error}") from error
            self._names.add(name)

    def leave(self) -> None:
        """What was used so far is not used any more."""
        with self._mutex:
            if self._file is not None:
                self._file.path.unlink(missing_ok=True)
                os.close(self._file.handle)
                self._file = None
                self._names.clear()

    def in_use(self) -> frozenset[str]:
        """Names that some process uses; files of those that are gone are deleted."""
        with self._gate(fcntl.LOCK_EX):
            return self._in_use()

    def take_away(self, name: str) -> bool:
        """Delete a tree, unless somebody uses it; whether it is gone."""
        grave = self._trees / f"{GONE}{uuid.uuid4().hex}"
        with self._gate(fcntl.LOCK_EX):
            if name in self._in_use():
                return False
            (self._trees / name).rename(grave)
        shutil.rmtree(grave)
        return True

    @contextmanager
    def _gate(self, how: int) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / _GATE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)

    def _own_file(self) -> _Held:
        path = self._folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        handle = os.open(path, flags, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        return _Held(path, handle)

    def _in_use(self) -> frozenset[str]:
        found: set[str] = set()
        for path in self._folder.iterdir():
            if path.name == _GATE:
                continue
            try:
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:  # somebody has just left
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)  # nobody has it any more
            except BlockingIOError:
                found.update(os.read(handle, _MOST_BYTES).decode("ascii").split())
            finally:
                os.close(handle)
        return frozenset(found)
