"""`fixproof doctor` on good ground and on bad: what it says, what to do, how it exits."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runner.adapters.sql_tables import SCHEMA
from tests.e2e.command import Fixproof
from tests.index_server import IndexServer, Style
from tests.servers import Postgres, Redis

NOWHERE: dict[str, Any] = {"DOCKER_HOST": "unix:///nowhere/engine.sock"}


def checks(fixproof: Fixproof, code: int = 0, **env: str) -> dict[str, dict[str, Any]]:
    """What it says of each thing, by name; `code` is how it must end."""
    done = fixproof("doctor", "--json", **env)
    assert done.code == code, done.text
    found = {each["name"]: each for each in done.document["checks"]}
    failed = [each["exit_code"] for each in found.values() if each["state"] == "failed"]
    assert ([*failed, 0])[0] == code
    return found


def test_good_ground(fixproof: Fixproof) -> None:
    found = checks(fixproof)
    unused = {name for name, each in found.items() if each["state"] == "unused"}
    assert unused == {"engine", "broker"}
    assert {each["state"] for each in found.values()} <= {"ok", "unused", "warning"}
    assert found["sandbox"]["said"].startswith("bubblewrap")
    assert "are free" in found["disk"]["said"]
    done = fixproof("doctor")
    assert done.code == 0
    assert "OK       index: answers\n" in done.text
    assert "made when they are needed" in found["database"]["said"]
    assert not (fixproof.home / "fixproof.sqlite3").exists(), "it changes nothing"


@pytest.mark.postgres
@pytest.mark.redis
def test_the_ground_of_the_service(fixproof: Fixproof, postgres: Postgres, redis: Redis) -> None:
    url = postgres.database()
    servers: dict[str, Any] = {"FIXPROOF_DATABASE_URL": url, "FIXPROOF_BROKER_URL": redis.address()}
    assert "made when they are needed" in checks(fixproof, **servers)["database"]["said"]
    fixproof("runs", **servers)
    found = checks(fixproof, **servers)
    assert found["database"]["said"] == f"answers; tables of version {SCHEMA}"
    assert found["broker"] == {
        "name": "broker",
        "state": "ok",
        "said": "lets us in",
        "hint": None,
        "exit_code": 0,
    }


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Redis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with Redis(folder, password="right-password") as server:
        yield server


@pytest.mark.redis
def test_a_broker_with_another_password_or_none_that_answers(
    fixproof: Fixproof, guarded: Redis
) -> None:
    right = guarded.address()
    assert checks(fixproof, FIXPROOF_BROKER_URL=right)["broker"]["state"] == "ok"
    wrong = right.replace("right-password", "wrong-password")
    done = fixproof("doctor", FIXPROOF_BROKER_URL=wrong)
    assert done.code == 11
    assert "FAILED   broker: the broker cannot be used: invalid username-password" in done.text
    assert "Is the password in FIXPROOF_BROKER_URL right" in done.text
    assert "wrong-password" not in done.text + done.stderr
    guarded.stop()
    broker = checks(fixproof, code=11, FIXPROOF_BROKER_URL=right)["broker"]
    assert "refused" in broker["said"]
    assert "right-password" not in str(broker)


def test_a_database_that_does_not_answer(fixproof: Fixproof) -> None:
    url = "postgresql://me:my-secret@127.0.0.1:1/x"
    done = fixproof("doctor", FIXPROOF_DATABASE_URL=url)
    assert done.code == 9
    assert "FAILED   database: the database does not work" in done.text
    assert "my-secret" not in done.text + done.stderr


@pytest.mark.parametrize(
    ("version", "state", "code"), [(SCHEMA - 1, "warning", 0), (99, "failed", 9)]
)
def test_tables_of_another_version_are_told_and_left_alone(
    fixproof: Fixproof, version: int, state: str, code: int
) -> None:
    fixproof("runs")
    engine = sa.create_engine(f"sqlite:///{fixproof.home}/fixproof.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    found = checks(fixproof, code=code)["database"]
    assert found["state"] == state
    assert f"version {version}" in found["said"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == version
    engine.dispose()


def test_an_index_that_does_not_answer(fixproof: Fixproof, index: IndexServer) -> None:
    broken = replace(fixproof, index=index.address(Style.BROKEN))
    found = checks(broken, code=5)
    assert found["index"]["state"] == "failed"
    assert found["clock"]["state"] == "warning", "nobody tells the time"
    address = index.address().replace("//", "//me:my-secret@")
    assert checks(replace(fixproof, index=address))["index"]["state"] == "ok"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://me:my-secret@127.0.0.1:{closed.getsockname()[1]}/simple/"
        done = replace(fixproof, index=address)("doctor")
    assert done.code == 5
    assert "my-secret" not in done.text + done.stderr


def test_an_engine_is_needed_only_where_it_was_asked_for(fixproof: Fixproof) -> None:
    asked_for = checks(fixproof, code=6, FIXPROOF_SANDBOX="docker", **NOWHERE)
    assert asked_for["engine"]["state"] == "failed"
    assert "docker info" in asked_for["engine"]["hint"]
    welcome = checks(fixproof, FIXPROOF_SANDBOX="auto", **NOWHERE)
    assert welcome["engine"]["state"] == "warning"
    assert welcome["sandbox"]["said"].startswith("bubblewrap")


def test_plain_processes_are_warned_of(fixproof: Fixproof) -> None:
    found = checks(fixproof, FIXPROOF_SANDBOX="process")["sandbox"]
    assert found["state"] == "warning"
    assert "nothing isolates them" in found["said"]


def test_a_sandbox_that_cannot_be_had(fixproof: Fixproof, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    (empty / "python3").symlink_to(sys.executable)
    found = checks(fixproof, code=6, PATH=str(empty))
    assert found["sandbox"]["state"] == "failed"
    assert found["sandbox"]["hint"]


def test_a_disk_without_room(fixproof: Fixproof) -> None:
    found = checks(fixproof, code=8, FIXPROOF_MIN_FREE="900T")["disk"]
    assert "a run begins only with 900 TiB" in found["said"]
    assert "fixproof gc" in found["hint"]


@pytest.mark.parametrize(
    ("hours", "code", "told"),
    [(0, 0, "within"), (1, 15, "ahead of"), (-1, 15, "behind")],
)
def test_a_clock_that_is_wrong(fixproof: Fixproof, hours: int, code: int, told: str) -> None:
    start = datetime.now(tz=UTC) + timedelta(hours=hours)
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.night_at", start.isoformat(), "doctor"],
        env=fixproof.environ() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=fixproof.cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    (line,) = [each for each in done.stdout.splitlines() if " clock: " in each]
    assert told in line


def test_a_home_that_cannot_be(fixproof: Fixproof, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert fixproof.error("doctor", "--home", tmp_path / "file" / "home")["exit_code"] == 8


def test_some_things_alone_may_be_looked_at(fixproof: Fixproof, index: IndexServer) -> None:
    broken = replace(fixproof, index=index.address(Style.BROKEN))
    done = broken("doctor", "--json", "--only", "database", "--only", "broker")
    assert done.code == 0
    assert [each["name"] for each in done.document["checks"]] == ["database", "broker"]
    (clock,) = fixproof("doctor", "--json", "--only", "clock").document["checks"]
    assert (clock["name"], clock["state"]) == ("clock", "ok"), "it asks those that tell the time"
    error = fixproof.error("doctor", "--only", "weather")
    assert (error["exit_code"], "There are engine, sandbox," in error["hint"]) == (2, True)
