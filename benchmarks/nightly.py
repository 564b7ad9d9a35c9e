"""What a quiet night costs: a thousand cases of ten packages, all with unexpired evidence.

`python -m benchmarks.nightly [CASES]` prints the time of the whole command, a case. Nothing may
run. The goal is about the time of its processor: on a machine with nothing else to do that is the
time on the clock but for the index's answers; on a busy one the clock measures the others.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.case_files import CaseFiles
from runner.adapters.corpus_files import CorpusFiles
from runner.adapters.package_index import UvPackageIndex
from runner.adapters.sql_store import SqlStore
from runner.matrix import Role
from runner.nightly.due import Cause, Why
from runner.nightly.night import Entry, drawn_up
from runner.nightly.noise import Noise
from runner.nightly.standing import CellStanding, Listed, Standing, newest_upload, offers
from runner.outcome import Outcome, Status
from runner.releases import History
from runner.verdict import Verdict
from tests.e2e.command import Cases, Package
from tests.index_server import IndexServer

PACKAGES = 10
RELEASES = 60
NIGHTS = 3
GOAL_MS = 3.0


def main(cases: int) -> int:
    """Measure and print; 1 where the goal is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="fixproof-night-") as folder,
        IndexServer().serving() as index,
    ):
        os.environ |= {"UV_DEFAULT_INDEX": index.address(), "UV_NO_CONFIG": "1"}
        home, corpus = Path(folder) / "home", Path(folder) / "repros"
        corpus.mkdir()
        packages = [_package(index, number) for number in range(PACKAGES)]
        for number in range(cases):
            Cases(corpus, packages[number % PACKAGES]).write(name=f"case-{number}", fixed="1.30")
        _stand(home, corpus)
        cold, *warm = (_night(home, corpus.parent) for _ in range(NIGHTS + 1))
    print(f"whole command over {cases} cases, ms a case: processor (clock)")
    print(f"first night, every file read: {_said([cold], cases)}")
    print(f"quiet night:                  {_said(warm, cases)}, goal {GOAL_MS}")
    return int(1000 * statistics.median(each.processor for each in warm) / cases > GOAL_MS)


class Taken(NamedTuple):
    """Seconds of one night."""

    processor: float
    clock: float


def _said(taken: list[Taken], cases: int) -> str:
    """The medians."""
    processor, clock = (1000 * statistics.median(each) / cases for each in zip(*taken, strict=True))
    return f"{processor:.2f} ({clock:.2f})"


def _package(index: IndexServer, number: int) -> Package:
    made = Package(index, f"quiet{number}")
    for minor in range(RELEASES):
        made.release(f"1.{minor}")
    return made


def _stand(home: Path, corpus: Path) -> None:
    """Have a night behind all cases in which all was well."""
    documents, now = CachedDocuments(home / "cache"), datetime.now(tz=UTC)
    index = UvPackageIndex(documents)
    files = CorpusFiles(corpus, CaseFiles(repros=corpus, copies=home / "cases"), documents)
    listed = [each for each in files.listed() if isinstance(each, Listed)]
    for kept in (home / "cache").iterdir():  # the first night finds a cold cache
        kept.unlink()
    histories = {each: index.history(each) for each in {case.package for case in listed}}
    store = SqlStore(f"sqlite:///{home / 'fixproof.sqlite3'}")
    store.nights.begin("night-0", now, "me")
    entries = tuple(_entry(each, histories[each.package], now) for each in listed)
    for entry in entries:
        store.nights.keep(entry, "night-0")
    night = drawn_up(
        night="night-0",
        began=now,
        ended=now,
        cases=len(listed),
        due=len(listed),
        entries=entries,
        more=(),
        not_looked=(),
        left_out=(),
        quarantine=(),
        before=Noise(),
    )
    store.nights.end(night, "me")
    store.close()


def _entry(listed: Listed, history: History, now: datetime) -> Entry:
    standing = Standing(
        night="night-0",
        case=listed.id,
        package=listed.package,
        sha256=listed.sha256,
        run=f"run-{listed.id}",
        status=Status.PASS,
        outcome=Outcome.OK,
        summary="1.30 is the first fixed release",
        ran=now - timedelta(days=1),
        latest=f"1.{RELEASES - 1}",
        uploaded=newest_upload(history),
        releases=offers(("1.29", "1.30", f"1.{RELEASES - 1}"), history),
        cells=tuple(
            CellStanding(
                id=f"{listed.id}/{listed.package}-{version}/py3.11",
                version=version,
                roles=(role,),
                verdict=verdict,
                present=3 if verdict is Verdict.PRESENT else 0,
                absent=0 if verdict is Verdict.PRESENT else 5,
            )
            for version, role, verdict in (
                ("1.29", Role.BEFORE, Verdict.PRESENT),
                ("1.30", Role.FIXED, Verdict.ABSENT),
                (f"1.{RELEASES - 1}", Role.LATEST, Verdict.ABSENT),
            )
        ),
    )
    cause = Cause(why=Why.NEW, said="no night has looked at it yet")
    return Entry(
        case=listed.id,
        package=listed.package,
        causes=(cause,),
        rounds=(),
        changes=(),
        standing=standing,
    )


def _night(home: Path, folder: Path) -> Taken:
    """One night, in which nothing may be due."""
    words = [Path(sys.executable).parent / "fixproof", "nightly", "--json", "--home", home]
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=folder, capture_output=True, check=True)
    clock, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    night = json.loads(done.stdout)
    if night["due"] or night["attempts"] or night["changes"]:
        raise SystemExit(f"this night was not quiet: {night}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(processor, clock)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
