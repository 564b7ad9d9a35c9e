"""Collects what is kept no longer, in the database and on the disk, and says what that was.

In this order: what a deleted run needed is needed no more when the rest is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.adapters.sql_retention import Before, Rows
from runner.adapters.store_sweeping import Files, Sweep
from runner.documents import Collected, CollectedDocument
from runner.errors import NoSpace, WrongUsage
from runner.running import RESUMED_FOR
from runner.runs import EXPIRES
from runner.value import Value
from runner.wiring import Program

MARGIN = timedelta(days=1)
"""Beyond the age at which evidence expires: clocks differ, and a run may have begun with it."""
_LOCK = "gc"


class Keep(Value):
    """How long things are kept."""

    environments: timedelta
    """What can be made again, after it was used last."""
    runs: timedelta
    """Runs and nights, after they ended."""


def collect(program: Program, keep: Keep, *, dry_run: bool) -> CollectedDocument:
    """Delete what is kept no longer, or say what would be.

    Raises:
        WrongUsage: another process is at it, or runs are to be deleted before what they showed
            expires.
        StoreTrouble: the database does not answer.
        NoSpace: the disk cannot be read or written.
    """
    least = EXPIRES + MARGIN
    if keep.runs < least:
        raise WrongUsage(
            f"runs are kept for {least.days} days at least, not {keep.runs.days}",
            hint=f"What they showed counts for {EXPIRES.days} days.",
        )
    store = program.store
    if not program.locks.take(_LOCK):
        raise WrongUsage("another fixproof gc is at work in this home")
    try:
        return _Collection(program, keep, dry_run=dry_run).document()
    except OSError as error:
        raise NoSpace(f"the store cannot be looked through: {error}") from error
    finally:
        program.locks.release(_LOCK)
        store.close()


class _Collection:
    """One go."""

    def __init__(self, program: Program, keep: Keep, *, dry_run: bool) -> None:
        now = program.now()
        self._retention = program.store.retention
        self._settings = program.settings
        self._dry_run = dry_run
        self._unused = (now - keep.environments).timestamp()
        self._before = Before(
            runs=now - keep.runs,
            evidence=now - EXPIRES - MARGIN,
            resumable=now - RESUMED_FOR - MARGIN,
        )
        self._left: list[str] = []

    def document(self) -> CollectedDocument:
        """What was deleted, and what was left."""
        collected = (*self._rows(), *self._files())
        return CollectedDocument(dry_run=self._dry_run, collected=collected, left=tuple(self._left))

    def _rows(self) -> Iterator[Collected]:
        for each in self._retention.collect(self._before, dry_run=self._dry_run):
            yield _collected(each)
        undated = self._retention.collect_undated(self._before, dry_run=self._dry_run)
        if undated is None:
            run = self._retention.going_on(self._before) or "a run"
            self._left.append(
                f"locks, loads and cases, as {run} goes on: call it again when it has ended; "
                f"fixproof cancel {run} ends it, where no worker will"
            )
        for each in undated or ():
            yield _collected(each)

    def _files(self) -> Iterator[Collected]:
        for each in self._swept():
            yield _collected(each)

    def _swept(self) -> Iterator[Files]:
        settings, before = self._settings, self._unused
        sweep = Sweep(settings.store, dry_run=self._dry_run)
        yield sweep.trees(before)
        downloads = sweep.downloads()
        if downloads is None:
            self._left.append("downloads: uv was busy all the time")
        else:
            yield downloads
        yield sweep.bytecode(before)
        wheels = sweep.old_wheels(before)
        needed = self._retention.hashes_in_locks(wheels.keys())
        yield sweep.wheels(path for sha256, path in wheels.items() if sha256 not in needed)
        named = self._retention.hashes_in_locks(sweep.candidate_names())
        yield sweep.candidates(before, self._retention.candidates() | named)
        yield sweep.case_copies(settings.cases, before, self._retention.open_cases())
        yield sweep.documents(settings.cache, before)
        yield sweep.remnants(settings.cases)


def _collected(found: Files | Rows) -> Collected:
    return Collected(what=found.what, count=found.number, bytes=found.bytes)
