"""What every database has to do, embedded or on a server: one suite for both."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from runner.adapters.migrations import migrate
from runner.adapters.sql_store import SqlStore
from runner.adapters.sql_tables import SCHEMA, metadata
from runner.attempt import Attempt, Facts, Loaded
from runner.environment import Failure, FailureKind
from runner.errors import StoreTrouble, WrongUsage
from runner.sandbox import Stream
from runner.store import CellKeys, Run
from tests.builders import BUG, GOOD, LATER, a_failure, a_lock, an_attempt
from tests.servers import Postgres, a_folder

EVER = datetime(2000, 1, 1, tzinfo=UTC)


def kept_of(store: SqlStore, key: str, since: datetime) -> tuple[Attempt, ...]:
    """Attempts of this content."""
    return store.evidence.known(CellKeys(lock="", attempts=key), since=since)[1]


NUL = "a\0b"


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    made = SqlStore(database_url)
    yield made
    made.close()


def a_run(name: str = "run-1", *, began: datetime = LATER, asked: str = "asked") -> Run:
    return Run(
        id=name,
        kind="verify",
        case_id="demo",
        inputs_sha256=asked,
        plan='{"plan": "ü"}',
        ground="{}",
        began=began,
    )


def test_a_lock_is_kept_and_never_replaced(store: SqlStore) -> None:
    store.evidence.keep_lock("key", a_lock(pkg="1.0"), LATER)
    store.evidence.keep_lock("key", a_lock(pkg="2.0"), LATER)
    assert store.evidence.lock("key", failures_since=EVER) == a_lock(pkg="1.0")
    assert store.evidence.lock("another", failures_since=EVER) is None


def test_a_failure_counts_for_a_while_and_gives_way_to_a_lock(store: SqlStore) -> None:
    store.evidence.keep_lock("key", a_failure(), LATER)
    assert store.evidence.lock("key", failures_since=LATER) == a_failure()
    assert store.evidence.lock("key", failures_since=LATER + timedelta(seconds=1)) is None
    store.evidence.keep_lock("key", a_lock(pkg="1.0"), LATER)
    assert store.evidence.lock("key", failures_since=LATER) == a_lock(pkg="1.0")


def test_a_lock_is_adopted_with_what_is_known_of_its_content(store: SqlStore) -> None:
    keys = CellKeys(lock="key", loaded="loaded", attempts="attempts")
    assert store.evidence.adopt(keys, a_lock(pkg="1.0"), LATER, since=EVER) == (
        a_lock(pkg="1.0"),
        None,
        (),
    )
    attempt, loaded = an_attempt(BUG, number=1), Loaded(version="1.0", location=None)
    store.evidence.keep_loaded("loaded", loaded)
    store.evidence.keep_attempt("attempts", attempt)
    again = keys.model_copy(update={"lock": "another"})
    assert store.evidence.adopt(again, a_lock(pkg="1.0"), LATER, since=EVER) == (
        a_lock(pkg="1.0"),
        loaded,
        (attempt.model_copy(update={"reused": True}),),
    )
    assert store.evidence.lock("another", failures_since=EVER) == a_lock(pkg="1.0")


def test_the_lock_that_was_there_first_is_adopted_with_nothing_of_another(store: SqlStore) -> None:
    keys = CellKeys(lock="key", loaded="loaded", attempts="attempts")
    store.evidence.keep_lock("key", a_lock(pkg="1.0"), LATER)
    store.evidence.keep_loaded("loaded", Loaded(version="2.0", location=None))
    store.evidence.keep_attempt("attempts", an_attempt(BUG, number=1))
    found = store.evidence.adopt(keys, a_lock(pkg="2.0"), LATER, since=EVER)
    assert found == (a_lock(pkg="1.0"), None, ())


def test_a_lock_takes_the_place_of_a_failure_when_it_is_adopted(store: SqlStore) -> None:
    store.evidence.keep_lock("key", a_failure(), LATER)
    keys = CellKeys(lock="key")
    assert store.evidence.adopt(keys, a_lock(pkg="1.0"), LATER, since=EVER)[0] == a_lock(pkg="1.0")
    assert store.evidence.lock("key", failures_since=EVER) == a_lock(pkg="1.0")


def test_an_attempt_comes_back_as_it_was_kept(store: SqlStore) -> None:
    cut = Stream(head=bytes(range(256)), omitted=12, tail=b"end\n")
    kept = an_attempt(BUG, number=1, stdout=cut, stderr=b"\xff\0", doubled=True)
    store.evidence.keep_attempt("key", kept)
    store.evidence.keep_attempt("key", kept)
    assert store.runs.attempt(kept.id) == kept
    assert store.runs.attempt("another") is None
    again = kept.model_copy(update={"reused": True})
    assert kept_of(store, "key", since=EVER) == (again,)
    assert kept_of(store, "another", since=EVER) == ()


def test_attempts_come_oldest_first_and_none_that_is_too_old(store: SqlStore) -> None:
    for number in (2, 0, 1):
        attempt = an_attempt(GOOD, number=number, ran=LATER + timedelta(microseconds=number))
        store.evidence.keep_attempt("key", attempt)
    found = kept_of(store, "key", since=LATER + timedelta(microseconds=1))
    assert [each.id for each in found] == ["attempt-1", "attempt-2"]


def test_strangers_may_write_nuls(store: SqlStore) -> None:
    store.evidence.keep_loaded("key", Loaded(version=NUL, location=NUL))
    store.evidence.keep_lock("key", Failure(kind=FailureKind.NO_WHEEL, detail=NUL), LATER)
    loaded, _ = store.evidence.known(CellKeys(lock="", loaded="key"), since=EVER)
    assert loaded == Loaded(version="a\ufffdb", location="a\ufffdb")
    found = store.evidence.lock("key", failures_since=EVER)
    assert found == Failure(kind=FailureKind.NO_WHEEL, detail="a\ufffdb")


def test_a_run_knows_the_facts_of_its_cells(store: SqlStore) -> None:
    store.runs.begin(a_run())
    loaded = Loaded(version="1.0", location=None)
    old = an_attempt(BUG, number=1)
    new = an_attempt(GOOD, number=2, ran=LATER + timedelta(seconds=1))
    store.evidence.keep_lock("lock", a_lock(pkg="1.0"), LATER)
    store.evidence.keep_lock("none", a_failure(), LATER)
    store.evidence.keep_loaded("loaded", loaded)
    for each in (new, old):
        store.evidence.keep_attempt("attempts", each)
    keys = CellKeys(lock="lock", loaded="loaded", attempts="attempts")
    for _ in range(2):
        store.runs.link_cell("run-1", "a", keys, (old.model_copy(update={"reused": True}),))
        store.runs.link_cell("run-1", "b", CellKeys(lock="none"))
        store.runs.link_attempts("run-1", "a", (new,))
        store.runs.link_attempts("run-1", "b", ())
    reused = old.model_copy(update={"reused": True})
    assert store.runs.facts("run-1") == {
        "a": Facts(lock=a_lock(pkg="1.0"), loaded=loaded, attempts=(reused, new)),
        "b": Facts(lock=a_failure()),
    }
    assert store.runs.facts("another") == {}


def test_runs_are_listed_the_newest_first(store: SqlStore) -> None:
    for number in range(3):
        store.runs.begin(a_run(f"run-{number}", began=LATER + timedelta(hours=number)))
    assert [each.id for each in store.runs.recent(2)] == ["run-2", "run-1"]
    assert store.runs.run("run-0") == a_run("run-0")
    assert store.runs.run("another") is None


def test_a_run_is_unfinished_until_it_ends(store: SqlStore) -> None:
    for number in range(3):
        store.runs.begin(a_run(f"run-{number}", began=LATER + timedelta(hours=number)))
    store.runs.begin(a_run("other", asked="something else"))
    store.runs.finish("run-2", ended=LATER, status="PASS", outcome="ok", summary="It is fixed.")
    found = store.runs.unfinished("asked", since=LATER + timedelta(minutes=1))
    assert [each.id for each in found] == ["run-1"]
    ended = store.runs.run("run-2")
    assert ended is not None
    assert (ended.ended, ended.status, ended.summary) == (LATER, "PASS", "It is fixed.")


def test_many_threads_may_write_at_once(store: SqlStore) -> None:
    store.runs.begin(a_run())

    def keep(number: int) -> None:
        attempt = an_attempt(GOOD, number=number)
        store.evidence.keep_attempt("key", attempt)
        store.runs.link_attempts("run-1", "a", (attempt,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(40)))
    assert len(kept_of(store, "key", since=EVER)) == 40


# The version of the tables


def test_several_programs_may_make_the_tables_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(SqlStore, [database_url] * 6))
    for each in stores:
        assert each.runs.recent(1) == ()
        each.close()


def test_migrations_lead_to_the_tables_of_today(database_url: str) -> None:
    engine = _engine(database_url)
    with engine.begin() as connection:
        migrate(connection, since=0)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == f"{SCHEMA:04}"
    engine.dispose()


def test_tables_of_a_newer_fixproof_are_left_alone(database_url: str) -> None:
    SqlStore(database_url).close()
    engine = _engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{SCHEMA + 1:04}'")
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA + 1}")
    engine.dispose()
    with pytest.raises(StoreTrouble, match=f"version {SCHEMA + 1}, this fixproof knows {SCHEMA}"):
        SqlStore(database_url)


# What goes wrong


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is no address"),
        ("mysql://localhost/x", "names 'mysql'"),
        ("nosuch+driver://x", "is no address|names 'nosuch'"),
        ("postgresql://localhost:port/x", "is no address"),
    ],
)
def test_an_address_of_no_database_is_wrong_usage(url: str, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        SqlStore(url)


def test_a_file_that_is_no_database_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("this is no database, but rather a text\n")
    with pytest.raises(StoreTrouble, match="file is not a database"):
        SqlStore(f"sqlite:///{tmp_path / 'x'}")


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_trouble_and_no_secret_is_told() -> None:
    with pytest.raises(StoreTrouble, match="does not work") as caught:
        SqlStore("postgresql://me:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(caught.value)


@pytest.mark.postgres
def test_after_its_server_was_away_a_store_works_again(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    store.runs.begin(a_run())
    with psycopg.connect(postgres_url.rpartition("/")[0] + "/postgres", autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (postgres_url.rpartition("/")[2],),
        )
    with pytest.raises(StoreTrouble):
        store.runs.run("run-1")
    assert store.runs.run("run-1") == a_run()
    store.close()


@pytest.mark.postgres
def test_a_server_that_is_away_is_trouble_however_often_it_is_asked() -> None:
    with a_folder("postgres") as folder, Postgres(folder) as own:
        store = SqlStore(own.database())
        store.runs.begin(a_run())
        own.stop()
        for _ in range(3):
            with pytest.raises(StoreTrouble, match="does not work"):
                store.runs.run("run-1")
            with pytest.raises(StoreTrouble, match="does not work"):
                store.work.beat("item", "me")
            with pytest.raises(StoreTrouble), store.work.turn("run-1"):
                pass
        own.start()
        assert store.runs.run("run-1") == a_run()
        assert store.work.beat("item", "me") is False
        store.close()


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(sa.make_url(url.replace("postgresql:", "postgresql+psycopg:")))


# A home of the first fixproof

FIRST = """
CREATE TABLE runs (id VARCHAR NOT NULL, kind VARCHAR NOT NULL, case_id VARCHAR NOT NULL,
 inputs_sha256 VARCHAR NOT NULL, plan BLOB NOT NULL, ground TEXT NOT NULL, began VARCHAR NOT NULL,
 ended VARCHAR, status VARCHAR, outcome VARCHAR, summary VARCHAR, PRIMARY KEY (id));
CREATE INDEX ix_runs_inputs_sha256 ON runs (inputs_sha256);
CREATE INDEX ix_runs_began ON runs (began);
CREATE TABLE locks ("key" VARCHAR NOT NULL, pylock TEXT, failure VARCHAR, detail TEXT,
 made VARCHAR NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE loads ("key" VARCHAR NOT NULL, version VARCHAR, location VARCHAR, PRIMARY KEY ("key"));
CREATE TABLE attempts (id VARCHAR NOT NULL, "key" VARCHAR NOT NULL, ran VARCHAR NOT NULL,
 ending VARCHAR NOT NULL, seconds FLOAT NOT NULL, peak_mib FLOAT, cpu_seconds FLOAT,
 doubled BOOLEAN NOT NULL, stdout BLOB NOT NULL, stderr BLOB NOT NULL, cuts VARCHAR NOT NULL,
 PRIMARY KEY (id));
CREATE INDEX ix_attempts_key ON attempts ("key");
CREATE TABLE run_cells (run_id VARCHAR NOT NULL, cell_id VARCHAR NOT NULL, "lock" VARCHAR NOT NULL,
 loaded VARCHAR NOT NULL, attempts VARCHAR NOT NULL, PRIMARY KEY (run_id, cell_id));
CREATE TABLE run_attempts (run_id VARCHAR NOT NULL, cell_id VARCHAR NOT NULL,
 attempt_id VARCHAR NOT NULL, reused BOOLEAN NOT NULL, PRIMARY KEY (run_id, cell_id, attempt_id));
INSERT INTO locks VALUES ('lock', NULL, 'no_wheel', 'none', '2026-02-11T16:52:29.000000Z');
INSERT INTO loads VALUES ('loaded', '1.0', NULL);
INSERT INTO attempts VALUES ('attempt-0', 'attempts', '2026-02-11T16:52:29.000000Z',
 '{"kind":"exit","code":1}', 0.25, NULL, NULL, 0, x'789c030000000001', x'789c030000000001',
 '[[0, 0], [0, 0]]');
INSERT INTO run_cells VALUES ('old', 'a', 'lock', 'loaded', 'attempts');
INSERT INTO run_attempts VALUES ('old', 'a', 'attempt-0', 1);
PRAGMA user_version = 1;
"""


def a_first_home(file: Path) -> str:
    with sqlite3.connect(file) as connection:
        connection.executescript(FIRST)
        plan = zlib.compress(b'{"plan": 1}')
        connection.execute(
            "INSERT INTO runs VALUES ('old', 'verify', 'demo', 'asked', ?, '{}', ?, ?, 'PASS', 'ok', 's')",
            (plan, "2026-02-11T16:52:29.000000Z", "2026-02-11T16:53:29.000000Z"),
        )
    connection.close()
    return f"sqlite:///{file}"


def test_a_home_of_the_first_fixproof_is_moved_with_all_that_is_in_it(tmp_path: Path) -> None:
    store = SqlStore(a_first_home(tmp_path / "x.sqlite3"))
    run = store.runs.run("old")
    assert run is not None
    assert (run.plan, run.status, run.queue, run.version) == ('{"plan": 1}', "PASS", None, 0)
    facts = store.runs.facts("old")["a"]
    assert facts.lock == Failure(kind=FailureKind.NO_WHEEL, detail="none")
    assert facts.loaded == Loaded(version="1.0", location=None)
    assert [(each.id, each.ran, each.reused) for each in facts.attempts] == [
        ("attempt-0", LATER, True)
    ]
    assert store.work.stalled() == ()
    store.close()
    engine = _engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == f"{SCHEMA:04}"
    engine.dispose()


def test_several_programs_may_move_a_home_at_once(tmp_path: Path) -> None:
    url = a_first_home(tmp_path / "x.sqlite3")
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(SqlStore, [url] * 6))
    for each in stores:
        assert each.runs.run("old") is not None
        each.close()


def test_a_home_is_waited_for_that_another_program_writes_before_it_is_in_wal(
    tmp_path: Path,
) -> None:
    """SQLite refuses to change the mode of such a file at once, whatever its timeout says."""
    url = a_first_home(tmp_path / "x.sqlite3")
    with closing(sqlite3.connect(tmp_path / "x.sqlite3", check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, other.rollback).start()
        store = SqlStore(url)
    assert store.runs.run("old") is not None
    store.close()


def test_alembic_is_loaded_only_where_tables_are_to_be_moved(tmp_path: Path) -> None:
    program = "from sys import argv, modules; from runner.adapters.sql_store import SqlStore; "
    program += "SqlStore(argv[1]).close(); print('alembic' in modules, 'psycopg' in modules)"
    urls = [f"sqlite:///{tmp_path / 'new'}", a_first_home(tmp_path / "old")]
    said = [
        subprocess.run(
            [sys.executable, "-c", program, each], check=True, capture_output=True, text=True
        ).stdout.strip()
        for each in (urls[0], urls[0], urls[1])
    ]
    assert said == ["False False", "False False", "True False"]
