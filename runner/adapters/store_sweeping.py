"""What the store and the home keep no longer: trees, downloads, wheels, copies, remnants.

Everything here can be made again. A tree that somebody uses stays (`tree_uses`); what is linked
into a tree stays with it; uv's cache is touched only under uv's own lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from runner.adapters.tree_uses import GONE, TreeUses

_MAKING = ".making-"
_REMNANT = 24 * 60 * 60.0
"""Age in seconds at which what is unfinished is nobody's any more: no build takes so long."""
_PATIENCE = 30.0
_LOOKS_EVERY = 0.1

Links = Counter[int]
"""How many names of a file, by its inode, are in trees that are taken away."""


class Files(NamedTuple):
    """What is deleted of one kind."""

    what: str
    number: int
    bytes: int
    """That are free afterwards: a file that has another name stays."""


class Sweep:
    """One look over the store of a home, and what it deletes."""

    def __init__(self, store: Path, *, dry_run: bool) -> None:
        self._store = store
        self._dry_run = dry_run
        self._uses = TreeUses(store)
        self._links: Links = Counter()

    def trees(self, before: float) -> Files:
        """Trees that were not used since then, in seconds since 1970; to be swept first."""
        in_use = self._uses.in_use()
        trees = _entries(self._store / "envs")
        doomed = [each for each in trees if each.name not in in_use and _is(each, before)]
        size = sum(_weigh(each, self._links) for each in doomed)
        count = len(doomed)
        if not self._dry_run:
            count = sum(self._uses.take_away(each.name) for each in doomed)
            self._links.clear()
        return Files("environments", count, size)

    def downloads(self) -> Files | None:
        """Unpacked wheels in uv's cache that no tree has; None where uv is busy all the time."""
        cache = self._store / "uv-cache"
        if not cache.is_dir():
            return Files("downloads", 0, 0)
        with _alone(cache / ".lock") as alone:
            if not alone:
                return None
            past = time.time() - _REMNANT
            archives = (each for each in cache.glob("archive-v*/*") if _mtime(each) < past)
            remnants = [each for each in cache.glob(".tmp*") if _mtime(each) < past]
            doomed = [each for each in archives if _linked_nowhere_else(each, self._links)]
            return self._deleted("downloads", [*doomed, *remnants])

    def bytecode(self, before: float) -> Files:
        """Bytecode that no tree has, made before that."""
        kept = (each for each in (self._store / "bytecode").glob("*/*") if _mtime(each) < before)
        return self._deleted("bytecode", [e for e in kept if _linked_nowhere_else(e, self._links)])

    def old_wheels(self, before: float) -> dict[str, Path]:
        """Wheels that were built and not used since then, by their hash."""
        found = (each for each in (self._store / "built").glob("*/*.whl") if _mtime(each) < before)
        return {hashlib.sha256(each.read_bytes()).hexdigest(): each for each in found}

    def wheels(self, doomed: Iterable[Path]) -> Files:
        """Of those, the ones that no lock names."""
        return self._deleted("built_wheels", doomed)

    def candidate_names(self) -> list[str]:
        """Digests of all candidates, and of wheels that were built of them."""
        return [each.name for each in _entries(self._store / "candidates")]

    def candidates(self, before: float, kept: Collection[str]) -> Files:
        """Candidates of an earlier time, but those that are kept, and what was built of these."""
        folder = self._store / "candidates"
        notes = (note for each in kept for note in (folder / each).glob("built-*.json"))
        built = {json.loads(each.read_text(encoding="utf-8"))["sha256"] for each in notes}
        return self._deleted("candidates", _old_and_not(folder, before, {*kept, *built}))

    def case_copies(self, folder: Path, before: float, kept: Collection[str]) -> Files:
        """Copies of cases of an earlier time of which no run goes on."""
        return self._deleted("case_copies", _old_and_not(folder, before, kept))

    def documents(self, folder: Path, before: float) -> Files:
        """Index metadata and the like that was not written anew since then."""
        return self._deleted("documents", [e for e in _entries(folder) if _mtime(e) < before])

    def remnants(self, *folders: Path) -> Files:
        """What processes left unfinished that were killed."""
        past = time.time() - _REMNANT
        places = (self._store, *(self._store / each for each in ("candidates", "inside")), *folders)
        found = [each for place in places for each in _entries(place) if _is_unfinished(each)]
        found += (self._store / "built").glob("*/.new-*")
        return self._deleted("remnants", [each for each in found if _mtime(each) < past])

    def _deleted(self, what: str, doomed: Iterable[Path]) -> Files:
        listed = list(doomed)
        size = sum(_weigh(each, self._links) for each in listed)
        if not self._dry_run:
            for each in listed:
                _delete(each)
        return Files(what, len(listed), size)


def _is(tree: Path, before: float) -> bool:
    """Whether a tree that nobody uses is to be taken away."""
    unfinished = tree.name.startswith((GONE, _MAKING))
    return unfinished or _mtime(tree) < before


def _is_unfinished(path: Path) -> bool:
    return path.name.startswith((".new-", ".asked-", ".source-"))


def _old_and_not(folder: Path, before: float, kept: Collection[str]) -> list[Path]:
    finished = (each for each in _entries(folder) if not each.name.startswith("."))
    return [each for each in finished if each.name not in kept and _mtime(each) < before]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _mtime(path: Path) -> float:
    """When it was made or last used; what is gone meanwhile is as young as can be."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _files(path: Path) -> Iterator[os.stat_result]:
    """All plain files of a tree, or the one that it is."""
    if not path.is_dir() or path.is_symlink():
        yield path.lstat()
        return
    for folder, _, names in os.walk(path):
        for name in names:
            yield (Path(folder) / name).lstat()


def _weigh(path: Path, links: Links) -> int:
    """Bytes that are free when a tree is gone, and all that was weighed before it."""
    total = 0
    for each in _files(path):
        links[each.st_ino] += 1
        if links[each.st_ino] >= each.st_nlink:
            total += each.st_blocks * 512
    return total


def _linked_nowhere_else(path: Path, links: Links) -> bool:
    """Whether no tree that stays has a file of it."""
    plain = (each for each in _files(path) if stat.S_ISREG(each.st_mode))
    return all(each.st_nlink <= 1 + links[each.st_ino] for each in plain)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _alone(lock: Path) -> Iterator[bool]:
    """Whether no uv runs, and none will as long as the block does; it waits a while for that."""
    handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        yield _locked(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOKS_EVERY)
        else:
            return True
