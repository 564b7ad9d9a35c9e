"""What every database has to do with records: one suite for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from runner.adapters.sql_store import SqlStore
from runner.records import CaseVersion, Withdrawal
from runner.store import Run
from tests.builders import LATER, an_attempt

WRONG = Withdrawal(at=LATER, why="the signature was wrong\0")


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    made = SqlStore(database_url)
    yield made
    made.close()


def kept(
    store: SqlStore, name: str, *, case: str = "demo", hours: int = 0, sha256: str | None = "5" * 64
) -> None:
    """A run that ended; without `sha256` as it was kept before there were records."""
    store.runs.begin(
        Run(
            id=name,
            kind="verify",
            case_id=case,
            inputs_sha256="asked",
            plan='{"case": {"sha256": "of the plan"}}',
            ground='{"again": "fixproof verify demo --only x --fresh"}',
            began=LATER,
            case_sha256=sha256,
        )
    )
    ended = LATER + timedelta(hours=hours)
    store.runs.finish(name, ended=ended, status="PASS", outcome="ok", summary="It holds.")


def test_records_of_a_case_come_newest_first_and_no_more_than_asked_for(store: SqlStore) -> None:
    kept(store, "first")
    kept(store, "third", hours=2)
    kept(store, "second", hours=1)
    kept(store, "another", case="other")
    store.runs.begin(
        Run(
            id="open",
            kind="verify",
            case_id="demo",
            inputs_sha256="",
            plan="{}",
            ground="{}",
            began=LATER,
        )
    )
    assert [each.run for each in store.records.of_case("demo", 2)] == ["third", "second"]
    assert [each.run for each in store.records.of_case("demo", 9)] == ["third", "second", "first"]


def test_an_older_record_takes_the_state_of_its_case_from_its_plan(store: SqlStore) -> None:
    kept(store, "old", sha256=None)
    (record,) = store.records.of_case("demo", 1)
    assert record.case_sha256 == "of the plan"
    assert record.partial


def test_a_withdrawal_stays_as_it_was_made(store: SqlStore) -> None:
    kept(store, "run")
    assert store.records.withdraw("run", WRONG)
    assert not store.records.withdraw("run", WRONG.model_copy(update={"why": "another reason"}))
    (record,) = store.records.of_case("demo", 1)
    assert record.withdrawn is not None
    assert record.withdrawn.why.startswith("the signature was wrong")


def test_the_version_of_a_case_tells_whatever_is_added(store: SqlStore) -> None:
    kept(store, "one")
    kept(store, "of-another", case="other")
    before = {each.case: each for each in store.records.versions()}
    kept(store, "two", hours=1)
    store.records.withdraw("of-another", WRONG)
    after = {each.case: each for each in store.records.versions()}
    assert before["demo"] == CaseVersion(case="demo", runs=1, newest=LATER)
    assert after["demo"] == CaseVersion(case="demo", runs=2, newest=LATER + timedelta(hours=1))
    assert (before["other"].withdrawals, after["other"].withdrawals) == (0, 1)


def test_a_run_that_rests_on_attempts_of_a_withdrawn_one_is_known(store: SqlStore) -> None:
    attempt = an_attempt()
    for name in ("one", "two", "three"):
        kept(store, name)
    store.evidence.keep_attempt("key", attempt)
    store.runs.link_attempts("one", "cell", (attempt,))
    store.runs.link_attempts("two", "cell", (attempt,))
    store.records.withdraw("one", WRONG)
    shared = [store.records.shared_with_withdrawn(each) for each in ("one", "two", "three")]
    assert shared == [(), ("one",), ()]
