"""The corpus as a night sees it: each case in a few words, read again only where files changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.case_files import SCRIPT, CaseFiles
from runner.case import ID, Case
from runner.errors import BrokenCase
from runner.nightly.quarantine import FILE
from runner.nightly.standing import BrokenListing, Listed
from runner.value import Value

_KEPT_SECONDS = 400 * 24 * 3600
_NOT_CASES = ("__init__",)


class _Read(Value):
    """What was read of a case, and of which state of its files."""

    state: tuple[tuple[str, int, int], ...]
    """Of each file: its name, its size, when it was changed (in nanoseconds)."""
    listing: Listed | BrokenListing


_ADAPTER = TypeAdapter(dict[str, _Read])


class CorpusFiles:
    """All cases of a folder."""

    def __init__(self, repros: Path, cases: CaseFiles, cache: CachedDocuments) -> None:
        self._repros = repros
        self._cases = cases
        self._cache = cache

    def listed(self) -> tuple[Listed | BrokenListing, ...]:
        """All cases, by id."""
        name = f"corpus/1 {self._repros}"
        kept = self._cache.get(name, seconds=_KEPT_SECONDS)
        before = _ADAPTER.validate_json(kept) if kept else {}
        found = {}
        for case_id, script in self._scripts():
            state = tuple(_state(script))
            old = before.get(case_id)
            same = old is not None and old.state == state
            found[case_id] = old if old and same else self._read(case_id, state)
        if found != before:
            self._cache.put(name, _ADAPTER.dump_json(found).decode())
        return tuple(found[each].listing for each in sorted(found))

    def quarantine(self) -> str:
        """What the file beside the cases says of those that alarm nobody; empty without one."""
        try:
            return (self._repros / FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _scripts(self) -> Iterator[tuple[str, Path]]:
        for path in self._repros.iterdir():
            script = path / SCRIPT if path.is_dir() else path
            case_id = path.name if path.is_dir() else path.stem
            named = ID.fullmatch(case_id) and case_id not in _NOT_CASES
            if named and script.suffix == ".py" and script.is_file():
                yield case_id, script

    def _read(self, case_id: str, state: tuple[tuple[str, int, int], ...]) -> _Read:
        listing: Listed | BrokenListing
        try:
            listing = _listed(self._cases.load(case_id)[0])
        except BrokenCase as error:
            listing = BrokenListing(id=case_id, why=error.message)
        return _Read(state=state, listing=listing)


def _state(script: Path) -> Iterator[tuple[str, int, int]]:
    files = sorted(script.parent.rglob("*")) if script.name == SCRIPT else [script]
    for each in files:
        told = each.lstat()
        yield str(each), told.st_size, told.st_mtime_ns


def _listed(case: Case) -> Listed:
    claims = [case.claims(each) for each in case.variant_names()]
    return Listed(
        id=case.id,
        package=case.package,
        sha256=case.sha256,
        fixed=tuple(sorted({each for claim in claims for each in claim.fixed})),
        broken=tuple(sorted({each for claim in claims for each in claim.broken})),
    )
