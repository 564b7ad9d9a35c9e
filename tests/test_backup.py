"""The commands of docs/operations.md by which a database is saved and restored."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.adapters.sql_store import SqlStore
from tests.builders import a_lock
from tests.servers import Postgres
from tests.test_retention import NOW, a_run

DOCS = Path(__file__).parents[1] / "docs" / "operations.md"


def lines(*beginnings: str) -> list[str]:
    """Those lines of the page's commands that begin so; each must be there."""
    told = DOCS.read_text(encoding="utf-8").splitlines()
    found = [[line for line in told if line.startswith(each)] for each in beginnings]
    assert all(found), beginnings
    return [line for each in found for line in each]


def execute(command: str, folder: Path, **env: str) -> None:
    subprocess.run(["bash", "-euc", command], cwd=folder, env=os.environ | env, check=True)


def holds(url: str, *, runs: int) -> None:
    """Whether a database has what was kept in it."""
    store = SqlStore(url)
    assert len(store.runs.recent(10)) == runs
    (facts,) = store.runs.facts("kept").values()
    assert facts.lock == a_lock(kept="1.0")
    assert len(facts.attempts) == 1
    store.close()


@pytest.mark.parametrize("beginning", ["sqlite3 ", "python3 -c "])
def test_sqlite_is_saved_while_it_is_in_use_and_restored(tmp_path: Path, beginning: str) -> None:
    if beginning == "sqlite3 " and shutil.which("sqlite3") is None:
        beginning = "python3 -c "
    (save,) = lines(beginning)
    url = f"sqlite:///{tmp_path}/fixproof.sqlite3"
    store = SqlStore(url)
    a_run(store, "kept", began=NOW, ended=NOW)
    execute(save, tmp_path, FIXPROOF_HOME=str(tmp_path))
    a_run(store, "later", began=NOW, ended=NOW)
    store.close()
    holds(url, runs=2)
    for each in lines('rm -f "$FIXPROOF_HOME"', "cp backup.sqlite3"):
        execute(each, tmp_path, FIXPROOF_HOME=str(tmp_path))
    holds(url, runs=1)


@pytest.mark.postgres
def test_postgres_is_saved_while_it_is_in_use_and_restored(
    tmp_path: Path, postgres: Postgres
) -> None:
    (save,), (restore,) = lines("pg_dump "), lines("pg_restore ")
    url, empty = postgres.database(), postgres.database()
    store = SqlStore(url)
    a_run(store, "kept", began=NOW, ended=NOW)
    execute(save, tmp_path, DATABASE=url)
    a_run(store, "later", began=NOW, ended=NOW)
    store.close()
    execute(restore, tmp_path, DATABASE=empty)
    holds(url, runs=2)
    holds(empty, runs=1)
