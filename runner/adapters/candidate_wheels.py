"""The wheel of a candidate: the one that came, or one that is built once for each interpreter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from runner.adapters.candidate_files import archive_name
from runner.adapters.wheel_builder import Prepare, Source, WheelBuilder
from runner.adapters.wheel_files import check
from runner.candidate import Build, Candidate, CandidateKind
from runner.environment import Failure, FailureKind, Lock, Wanted
from runner.errors import NoSpace


class CandidateWheels:
    """Wheels in folders named by their content, beside the sources they were made of."""

    def __init__(self, kept: Path, builder: WheelBuilder | None) -> None:
        self._kept = kept
        self._builder = builder

    def wheel_of(self, wanted: Wanted, prepare: Prepare) -> Build | Failure:
        """The wheel of the candidate that is wanted, built with what its build needs as of then."""
        candidate = _candidate_of(wanted)
        package = candidate.package
        if candidate.kind is CandidateKind.WHEEL:
            claimed = check(candidate.file, self._folder(candidate) / candidate.file, package)
            return Build(file=candidate.file, sha256=candidate.sha256, **claimed._asdict())
        note = self._folder(candidate) / f"built-{wanted.interpreter.sha256[:16]}.json"
        if note.is_file():
            return Build.model_validate_json(note.read_text(encoding="utf-8"))
        if self._builder is None:
            return Failure(
                kind=FailureKind.BUILD_FAILED,
                detail="nothing is built where nothing is isolated: name a wheel as the candidate",
            )
        source = Source(
            package=package,
            version=None,
            archive=self._folder(candidate) / archive_name(candidate.file),
            cannot=f"the candidate {candidate.file} cannot be built",
        )
        made = self._builder.make(source, wanted, prepare)
        return made if isinstance(made, Failure) else self._keep(note, package, *made)

    def path(self, build: Build) -> Path:
        """Where a wheel is."""
        return self._kept / build.sha256 / build.file

    def folders(self, lock: Lock) -> Iterable[Path]:
        """Where those wheels of a lock are that are a candidate's, for `--find-links`."""
        places = (self._kept / each.sha256 for each in lock.wheels)
        return (each for each in places if each.is_dir())

    def _folder(self, candidate: Candidate) -> Path:
        return self._kept / candidate.sha256

    def _keep(self, note: Path, package: str, name: str, data: bytes) -> Build:
        sha256 = hashlib.sha256(data).hexdigest()
        build = Build(file=name, sha256=sha256, **check(name, data, package)._asdict())
        try:
            self.path(build).parent.mkdir(exist_ok=True)
            _write(self.path(build), data)
            _write(note, build.model_dump_json().encode())
        except OSError as error:
            raise NoSpace(f"the store cannot be written: {error}") from error
        return build


def _candidate_of(wanted: Wanted) -> Candidate:
    if wanted.candidate is None:
        raise AssertionError(f"no candidate is wanted by {wanted.requirements}")
    return wanted.candidate


def _write(path: Path, data: bytes) -> None:
    new = path.with_name(f".new-{path.name}")
    new.write_bytes(data)
    new.replace(path)
