"""What a database keeps, and what it does not: embedded or on a server, one suite for both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from runner.adapters.sql_retention import Before
from runner.adapters.sql_store import SqlStore
from runner.attempt import Attempt, Loaded
from runner.queues import Capability, Priority, intake_of
from runner.records import Withdrawal
from runner.store import CANCELLED, CellKeys, Run
from runner.work import Item, Task
from tests.builders import BUG, a_lock, an_attempt, sha_of
from tests.test_nights_contract import a_night, an_entry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=500)
BEFORE = Before(
    runs=NOW - timedelta(days=400),
    evidence=NOW - timedelta(days=31),
    resumable=NOW - timedelta(days=2),
)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    made = SqlStore(database_url)
    yield made
    made.close()


def attempt(name: str, ran: datetime) -> Attempt:
    return an_attempt(BUG, number=1).model_copy(update={"id": name, "ran": ran})


def a_run(
    store: SqlStore,
    name: str,
    *,
    began: datetime = LONG_AGO,
    ended: datetime | None = LONG_AGO,
    case: str = "demo",
    kind: str = "verify",
    status: str | None = "PASS",
    again: str = "fixproof verify demo",
    evidence: str | None = None,
) -> str:
    """A stored run with one cell, its lock, and one attempt, all as old as its begin."""
    own = evidence or name
    run = Run(
        id=name,
        kind=kind,
        case_id=case,
        inputs_sha256=name,
        plan="{}",
        ground=f'{{"again": "{again}"}}',
        began=began,
        case_sha256=sha_of(name),
    )
    store.runs.begin(run)
    store.evidence.keep_lock(f"lock-{own}", a_lock(**{name: "1.0"}), began)
    store.evidence.keep_loaded(f"loaded-{own}", Loaded(version="1.0", location="there"))
    store.evidence.keep_attempt(f"key-{own}", attempt(f"attempt-{own}", began))
    keys = CellKeys(lock=f"lock-{own}", loaded=f"loaded-{own}", attempts=f"key-{own}")
    store.runs.link_cell(name, "cell", keys)
    store.runs.link_attempts(name, "cell", (attempt(f"attempt-{own}", began),))
    if ended is not None:
        store.runs.finish(name, ended=ended, status=status, outcome="ok", summary="so it was")
    return name


def stored(store: SqlStore) -> set[str]:
    return {each.id for each in store.runs.recent(1000)}


def collect(store: SqlStore, *, dry_run: bool = False) -> dict[str, int]:
    """How much was deleted of each kind."""
    rows = [*store.retention.collect(BEFORE, dry_run=dry_run)]
    rows += store.retention.collect_undated(BEFORE, dry_run=dry_run) or ()
    return {each.what: each.number for each in rows if each.number}


def test_old_runs_go_with_what_they_alone_relied_on(store: SqlStore) -> None:
    a_run(store, "old")
    a_run(store, "new", began=NOW, ended=NOW)
    before = store.runs.facts("new")
    assert collect(store) == {"runs": 1, "attempts": 1, "locks": 1, "loads": 1}
    assert stored(store) == {"new"}
    assert store.runs.facts("new") == before
    assert store.runs.attempt("attempt-old") is None
    assert store.evidence.lock("lock-old", failures_since=EVER) is None
    assert collect(store) == {}


def test_the_newest_run_of_a_case_stays_however_old_it_is(store: SqlStore) -> None:
    a_run(store, "first")
    a_run(store, "second", ended=LONG_AGO + timedelta(days=1))
    a_run(store, "sweep", kind="sweep")
    a_run(store, "other", case="other")
    before = store.runs.facts("second")
    assert collect(store)["runs"] == 1
    assert stored(store) == {"second", "sweep", "other"}
    assert store.runs.facts("second") == before
    (facts,) = before.values()
    assert facts.lock == a_lock(second="1.0")
    assert [each.id for each in facts.attempts] == ["attempt-second"]


@pytest.mark.parametrize("option", ["--only x", "--python 3.11", "--candidate ."])
def test_a_run_of_a_part_takes_no_whole_runs_place(store: SqlStore, option: str) -> None:
    a_run(store, "whole")
    a_run(store, "part", began=NOW, ended=NOW, again=f"fixproof verify demo {option} --fresh")
    assert collect(store) == {}
    assert stored(store) == {"whole", "part"}


def test_a_run_without_an_answer_takes_nobodys_place_and_is_not_kept(store: SqlStore) -> None:
    a_run(store, "answered")
    a_run(store, "cancelled", ended=LONG_AGO + timedelta(days=1), status=None)
    a_run(store, "interrupted", ended=None)
    assert collect(store)["runs"] == 2
    assert stored(store) == {"answered"}


def test_what_was_withdrawn_stays_withdrawn(store: SqlStore) -> None:
    a_run(store, "withdrawn")
    a_run(store, "new", began=NOW, ended=NOW)
    store.records.withdraw("withdrawn", Withdrawal(at=NOW, why="it was wrong"))
    assert collect(store) == {}
    assert stored(store) == {"withdrawn", "new"}


def test_evidence_that_a_kept_run_shares_stays(store: SqlStore) -> None:
    a_run(store, "old", evidence="shared")
    a_run(store, "new", began=NOW, ended=NOW, evidence="shared")
    assert collect(store) == {"runs": 1}
    (facts,) = store.runs.facts("new").values()
    assert [each.id for each in facts.attempts] == ["attempt-shared"]
    assert facts.lock is not None
    assert facts.loaded is not None


def test_evidence_stays_until_it_expires_whoever_made_it(store: SqlStore) -> None:
    """Nobody is linked to it, and whoever asks for the same may rely on it."""
    store.evidence.keep_attempt("key", attempt("young", NOW - timedelta(days=30)))
    store.evidence.keep_attempt("key", attempt("expired", NOW - timedelta(days=32)))
    store.evidence.keep_lock("young", a_lock(pkg="1.0"), NOW - timedelta(days=30))
    store.evidence.keep_lock("old", a_lock(pkg="1.0"), NOW - timedelta(days=32))
    assert collect(store) == {"attempts": 1, "locks": 1}
    keys = CellKeys(lock="", attempts="key")
    _, kept = store.evidence.known(keys, since=NOW - timedelta(days=30))
    assert [each.id for each in kept] == ["young"]
    assert store.evidence.lock("young", failures_since=EVER) == a_lock(pkg="1.0")


def test_while_a_run_goes_on_nothing_goes_that_it_could_be_about_to_rely_on(
    store: SqlStore,
) -> None:
    a_run(store, "old")
    a_run(store, "newer", ended=LONG_AGO + timedelta(days=1))
    queue = intake_of(Priority.ON_DEMAND, Capability())
    run = Run(
        id="going-on",
        kind="verify",
        case_id="demo",
        inputs_sha256="asked",
        plan="",
        ground="",
        began=LONG_AGO,
        case_sha256=sha_of("case"),
        asked="{}",
        queue=queue,
    )
    item = Item(id="going-on/0", run="going-on", task=Task.PLAN, queue=queue)
    store.work.submit(run, b"packed", item)
    assert store.retention.collect_undated(BEFORE, dry_run=False) is None
    assert store.retention.going_on(BEFORE) is not None
    assert collect(store) == {"runs": 1, "attempts": 1}
    assert store.evidence.lock("lock-old", failures_since=EVER) is not None
    assert store.work.case(sha_of("case")) == b"packed"
    assert store.retention.open_cases() == {sha_of("case")}
    store.runs.finish("going-on", ended=NOW, status=None, outcome=CANCELLED, summary="")
    assert collect(store) == {"locks": 1, "loads": 1}
    assert store.work.case(sha_of("case")) == b"packed", "a stored run is about it"


def test_a_run_that_was_interrupted_long_ago_holds_nothing_up(store: SqlStore) -> None:
    a_run(store, "left", began=NOW - timedelta(days=3), ended=None)
    a_run(store, "old")
    a_run(store, "newer", ended=LONG_AGO + timedelta(days=1))
    assert collect(store) == {"runs": 1, "attempts": 1, "locks": 1, "loads": 1}
    (facts,) = store.runs.facts("left").values()
    assert facts.lock is not None


def test_asking_what_would_go_deletes_nothing(store: SqlStore) -> None:
    a_run(store, "old")
    a_run(store, "new", began=NOW, ended=NOW)
    told = collect(store, dry_run=True)
    assert told == {"runs": 1, "attempts": 1, "locks": 1, "loads": 1}
    assert stored(store) == {"old", "new"}
    assert collect(store) == told


def test_locks_are_asked_which_files_they_name(store: SqlStore) -> None:
    lock = a_lock(pkg="1.0")
    store.evidence.keep_lock("key", lock, NOW)
    (named,) = {each.sha256 for each in lock.wheels}
    assert store.retention.hashes_in_locks({named, sha_of("nothing")}) == {named}
    assert store.retention.hashes_in_locks(()) == frozenset()


def test_of_nights_the_newest_look_at_each_case_stays(store: SqlStore) -> None:
    for number, cases in enumerate([("a", "b"), ("a",), ("a",)]):
        name, ended = f"night-{number}", LONG_AGO + timedelta(days=number)
        assert store.nights.begin(name, ended, "me")
        for each in cases:
            store.nights.keep(an_entry(each, name), name)
        night = a_night(name).model_copy(update={"ended": ended})
        store.nights.end(night, "me")
    before = store.nights.standings()
    told = collect(store, dry_run=True)
    assert told == {"nights": 1, "night_cases": 2}
    assert collect(store) == told
    assert store.nights.standings() == before
    assert store.nights.night("night-1") is None
    assert store.nights.night("night-0"), "the last that looked at b"
    last = store.nights.last()
    assert last
    assert last.night == "night-2"
    assert collect(store) == {}
