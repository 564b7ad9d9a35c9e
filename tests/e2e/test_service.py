"""The commands of the service, with a worker that really resolves, installs and runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import requests
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from runner.adapters.sql_tables import SCHEMA, runs
from runner.avoidance import Present
from runner.queues import Capability
from tests.attempts import becomes
from tests.docker.sandboxes import PYTHON, engine
from tests.e2e.command import (
    BROKEN,
    GOOD,
    PATIENCE,
    PROGRAM,
    TELLS,
    Cases,
    Fixproof,
    Package,
    processes_of,
    said,
)
from tests.e2e.test_builds import a_source
from tests.servers import Postgres, Redis, wait_for
from tests.service.contained import containers
from tests.test_nothing_survives import left_behind
from worker.broker import CeleryBroker

pytestmark = pytest.mark.redis
WAITS = """
import pathlib, sys, time
import {module}
print("BUG: begun")
time.sleep(100)
"""
StartWorker = Callable[..., "Worker"]


class Worker:
    """`fixproof worker`, with its output in a file."""

    def __init__(self, fixproof: Fixproof, *words: str) -> None:
        self.output = fixproof.cwd / f"worker-{len(list(fixproof.cwd.glob('worker-*')))}.log"
        with self.output.open("wb") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "worker", "--jobs", "2", *words],
                env=fixproof.environ(),
                cwd=fixproof.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self.is_ready, "the worker does not get ready")

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return "ready" in self.output.read_text()

    @property
    def pool(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(each) for each in listed.split()]

    def stop(self) -> None:
        """Tell it to stop; if it does not, end it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            for each in [*self.pool, self.process.pid]:
                os.kill(each, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def service(fixproof: Fixproof, redis: Redis) -> Fixproof:
    """The command, with a broker beside it."""
    redis.client().flushall()
    return replace(fixproof, env={**fixproof.env, "FIXPROOF_BROKER_URL": redis.address()})


@pytest.fixture
def start(service: Fixproof) -> Iterator[StartWorker]:
    started: list[Worker] = []

    def worker(*words: str, at: Fixproof = service) -> Worker:
        started.append(Worker(at, "--grace", "0", *words))
        return started[-1]

    yield worker
    for each in started:
        each.stop()


@contextmanager
def on(service: Fixproof, **env: str) -> Iterator[Fixproof]:
    yield replace(service, env={**service.env, **env})


def submitted(service: Fixproof, *words: str | Path) -> str:
    """The id of a run that was asked for."""
    done = service("submit", *words)
    assert done.code == 0, done.stderr
    return done.text.strip()


def state(service: Fixproof, run: str) -> tuple[str, str | None]:
    """What `fixproof runs` says of a run."""
    listed = service("runs", "--json").document["runs"]
    (found,) = [each for each in listed if each["run"] == run]
    return found["state"], found["summary"]


def essence(report: dict[str, object]) -> dict[str, object]:
    """What must be the same, whoever carried it out."""
    return {key: report[key] for key in ("status", "outcome", "summary", "mode", "measured")}


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["verify", "sweep", "bisect"])
def test_the_service_comes_to_the_same_conclusion_as_this_machine(
    service: Fixproof,
    package: Package,
    cases: Cases,
    start: StartWorker,
    postgres: Postgres,
    kind: str,
) -> None:
    package.usual()
    case = cases.write()
    here = service(kind, case, "--jobs", "1", "--json", "--fresh")
    with on(service, FIXPROOF_DATABASE_URL=postgres.database()) as there:
        start(at=there)
        done = there("submit", kind, case, "--jobs", "1", "--wait", "--json")
        assert done.code == here.code, done.stderr
        assert essence(done.document) == essence(here.document)
        assert ": exit " in done.stderr, "progress is shown"
        stored = there("report", done.document["run"], "--json").document
        assert essence(stored) == essence(here.document)


def test_a_run_is_asked_for_at_once_and_listed(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker
) -> None:
    package.usual()
    run = submitted(service, "verify", cases.write())
    assert state(service, run) == ("queued", None)
    error = service.error("report", run)
    assert "has not ended" in error["message"]
    start()
    wait_for(lambda: state(service, run)[0] == "ended", "it does not end")
    assert said(service("report", run, "--json").document) == ("PASS", "ok")
    assert service("submit", "verify", cases.write(), "--json").document["schema"] == (
        "fixproof.submitted/1"
    )


@pytest.mark.parametrize("vanish", ["file", "file and copy"])
def test_what_was_asked_about_runs_whatever_becomes_of_its_file(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker, vanish: str
) -> None:
    package.usual()
    folder = cases.folder / "own"
    folder.mkdir()
    shutil.move(cases.write("import helper\n"), folder / "repro.py")
    (folder / "helper.py").write_text(TELLS.replace("{module}", package.module))
    run = submitted(service, "verify", folder)
    if vanish == "file":
        (folder / "repro.py").write_text("this is no case any more")
    else:
        shutil.rmtree(folder)
        shutil.rmtree(service.home / "cases")
    start()
    wait_for(lambda: state(service, run)[0] == "ended", "it does not end")
    assert said(service("report", run, "--json").document) == ("PASS", "ok")


def test_a_case_that_is_nowhere_any_more_ends_its_run_and_says_so(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker
) -> None:
    package.usual()
    run = submitted(service, "verify", cases.write())
    shutil.rmtree(service.home / "cases")
    engine = sa.create_engine(f"sqlite:///{service.home}/fixproof.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cases")
    engine.dispose()
    start()
    wait_for(lambda: state(service, run)[0] == "trouble", "it does not end")
    assert "has no copy" in str(state(service, run)[1])
    error = service.error("report", run)
    assert error["kind"] == "not_concluded"
    assert error["exit_code"] == 14


def test_a_question_that_cannot_be_answered_ends_at_once_and_says_why(
    service: Fixproof, cases: Cases, start: StartWorker
) -> None:
    start()
    error = service.error("submit", "verify", cases.write(), "--wait")
    assert error["kind"] == "not_concluded"
    assert "could not be carried out: planning" in error["message"]
    assert cases.package.name in error["message"]


def runs_a_script(service: Fixproof) -> bool:
    """Whether an attempt is going on in this home; others may run beside it."""
    return any("/case/repro.py" in each for each in processes_of(service.home))


def test_cancelling_ends_attempts_that_run(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker
) -> None:
    package.usual()
    worker = start()
    run = submitted(service, "verify", cases.write(WAITS, timeout=100))
    wait_for(lambda: runs_a_script(service), "no attempt was begun")
    assert service("cancel", run).text == "cancelled\n"
    assert becomes(lambda: not runs_a_script(service), within=5)
    assert state(service, run) == ("cancelled", "cancelled")
    assert "was cancelled" in service.error("report", run)["message"]
    assert "has ended already" in service.error("cancel", run)["message"]
    assert not any(left_behind(each) for each in worker.pool)


def containers_of(service: Fixproof) -> list[str]:
    """Those that have something of this home; others may have theirs on the same engine."""
    store = f"{service.home}/store/"
    return [
        each["Id"]
        for each in containers(engine())
        if any(mount.get("Source", "").startswith(store) for mount in each["Mounts"])
    ]


@pytest.mark.docker
def test_cancelling_removes_containers(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker
) -> None:
    package.usual()
    script = cases.write(WAITS, timeout=100, python=[PYTHON])
    start("--sandbox", "docker")
    run = submitted(service, "verify", script, "--sandbox", "docker")
    wait_for(lambda: containers_of(service) != [], "no attempt was begun")
    assert service("cancel", run).text == "cancelled\n"
    wait_for(lambda: not containers_of(service), "its containers are left", 10)
    assert state(service, run) == ("cancelled", "cancelled")


def test_a_killed_process_leaves_nothing_and_its_run_goes_on(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker
) -> None:
    package.release("1.0", BROKEN).release("1.1", GOOD)
    body = f"import time\ntime.sleep(1)\n{TELLS}"
    worker = start()
    run = submitted(service, "verify", cases.write(body, fixed="1.1"))
    wait_for(lambda: runs_a_script(service), "no attempt was begun")
    killed = worker.pool
    for each in killed:
        os.kill(each, signal.SIGKILL)
    wait_for(lambda: state(service, run)[0] == "ended", "it does not end")
    report = service("report", run, "--json").document
    assert said(report) == ("PASS", "ok")
    names = [each["log"] for cell in report["cells"] for each in cell["attempts"]]
    assert len(names) == len(set(names)) == report["measured"]["attempts"] == 10
    assert becomes(lambda: not any(left_behind(each) for each in killed), within=10)


# Waiting for a run


@contextmanager
def waited_for(service: Fixproof, case: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`submit --wait` of a run that no worker has taken yet, and its id."""
    with service.started("submit", "verify", case, "--wait") as process:
        assert process.stderr is not None
        run = next(line for line in process.stderr if line.startswith(b"run ")).split()[1].decode()
        yield process, run


@pytest.mark.postgres
def test_who_waits_reaches_the_database_again(
    service: Fixproof, package: Package, cases: Cases, postgres: Postgres
) -> None:
    package.usual()
    url = postgres.database()
    with (
        on(service, FIXPROOF_DATABASE_URL=url) as there,
        waited_for(there, cases.write()) as (process, run),
    ):
        with psycopg.connect(postgres.address("postgres"), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (url.rpartition("/")[2],),
            )
        assert process.stderr is not None
        assert any(b"does not answer" in line for line in process.stderr)
        assert there("cancel", run).code == 0
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 14, said
        assert b"was cancelled" in said


def test_who_waits_no_longer_is_told_that_the_run_goes_on(
    service: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    with waited_for(service, cases.write()) as (process, run):
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert f"run {run} goes on" in told.decode()
    assert f"fixproof cancel {run}" in told.decode()
    assert state(service, run) == ("queued", None)


# Nights


@pytest.mark.postgres
def test_a_night_is_carried_out_by_workers_and_another_one_confirms_what_flips(
    service: Fixproof,
    package: Package,
    start: StartWorker,
    postgres: Postgres,
    tmp_path: Path,
) -> None:
    corpus = service.cwd / "repros"
    corpus.mkdir()
    Cases(corpus, package.usual()).write()
    with on(service, FIXPROOF_DATABASE_URL=postgres.database()) as there:
        for name in ("one", "two"):
            start(at=replace(there, home=tmp_path / name))
        first = there("nightly", "--json")
        assert first.code == 0, first.stderr
        package.release("1.4", BROKEN)
        second = there("nightly", "--json", "--fresh", "bug")
        assert second.code == 1, second.stderr
        (entry,) = second.document["entries"]
        due, confirmed = (each["run"] for each in entry["rounds"][:2])
        assert [each["why"] for each in entry["rounds"]][:2] == ["due", "confirm"]
        engine = sa.create_engine(there.env["FIXPROOF_DATABASE_URL"].replace("://", "+psycopg://"))
        with engine.connect() as connection:
            query = sa.select(runs.c.queue, runs.c.asked, runs.c.ended)
            found = connection.execute(query.where(runs.c.id.in_([due, confirmed]))).all()
        engine.dispose()
    assert len(found) == 2
    assert all(each.queue.startswith("1-nightly.begun.") and each.ended for each in found)
    first, again = (each["workers"] for each in entry["rounds"][:2])
    assert again, "it is said who made it"
    assert first[0] not in again


def test_a_beat_ends_well_when_it_is_told_to(service: Fixproof) -> None:
    with service.started("beat") as process:
        assert process.stderr is not None
        assert any(b"ready" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert b"told to stop" in told


# Bad input


def test_a_night_that_nobody_serves_ends_and_leaves_nothing_queued(
    service: Fixproof, package: Package
) -> None:
    corpus = service.cwd / "repros"
    corpus.mkdir()
    Cases(corpus, package.usual()).write()
    night = service("nightly", "--sandbox", "docker", "--deadline", "1s", "--json")
    assert night.code == 14, night.stderr
    (missed,) = night.document["not_looked"]
    assert (missed["case"], missed["kind"]) == ("bug", "not_concluded")
    assert missed["why"] == "no worker takes runs in the sandbox docker"
    (left,) = service("runs", "--json").document["runs"]
    assert left["state"] == "cancelled"


def test_a_night_that_is_gone_on_with_waits_for_the_runs_that_it_asked_for(
    service: Fixproof, package: Package, start: StartWorker
) -> None:
    corpus = service.cwd / "repros"
    corpus.mkdir()
    Cases(corpus, package.usual()).write()
    with service.started("nightly", "--fresh") as process:
        wait_for(lambda: len(service("runs", "--json").document["runs"]) > 0, "nothing was asked")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    (asked,) = service("runs", "--json").document["runs"]
    start()
    night = service("nightly", "--json", "--fresh")
    assert night.code == 0, night.stderr
    rounds = night.document["entries"][0]["rounds"]
    assert rounds[0]["run"] == asked["run"]
    assert len(service("runs", "--json").document["runs"]) == len(rounds)


def test_without_a_broker_there_is_no_service(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    for words in (("submit", "verify", cases.write()), ("worker",)):
        done = fixproof(*words)
        assert done.code == 2
        assert "FIXPROOF_BROKER_URL is not set" in done.stderr
    done = fixproof("submit", "verify", cases.write(), FIXPROOF_BROKER_URL="127.0.0.1:6379")
    assert (done.code, "is no address of a Redis" in done.stderr) == (2, True)


def test_a_broker_with_another_password_is_said_and_nothing_is_asked(
    service: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = tmp_path / "redis"
    folder.mkdir()
    with Redis(folder, password="right") as guarded:
        wrong = guarded.address().replace("right", "wrong")
        with on(service, FIXPROOF_BROKER_URL=wrong) as there:
            for words in (("submit", "verify", cases.write()), ("worker",)):
                done = there(*words)
                assert done.code == 11
                assert "cannot be used: invalid username-password pair" in done.stderr
                assert "wrong" not in done.stderr
            assert there("runs").text == ""


def test_a_worker_refuses_to_start_without_what_it_needs(service: Fixproof) -> None:
    done = service("worker", "--sandbox", "process")
    assert (done.code, "not in plain processes" in done.stderr) == (6, True)
    done = service("worker", "--sandbox", "docker", DOCKER_HOST="unix:///nowhere/engine.sock")
    assert (done.code, "no container engine answers" in done.stderr) == (6, True)
    done = service("worker", FIXPROOF_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/x")
    assert (done.code, "the database does not work" in done.stderr) == (9, True)
    assert "Does PostgreSQL run where FIXPROOF_DATABASE_URL says" in done.stderr
    assert "secret" not in done.stderr
    done = service("beat", FIXPROOF_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/x")
    assert (done.code, "ready" in done.stderr) == (9, False)


def test_a_database_of_another_version_is_left_alone(
    service: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    run = submitted(service, "verify", cases.write())
    engine = sa.create_engine(f"sqlite:///{service.home}/fixproof.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    for words in (("worker",), ("submit", "verify", cases.write()), ("cancel", run)):
        done = service(*words)
        assert done.code == 9
        assert "tables of version 99" in done.stderr
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")
    engine.dispose()
    assert state(service, run) == ("queued", None)


def test_what_is_no_run_is_said(service: Fixproof) -> None:
    for words in (("cancel", "run-7"), ("report", "run-7")):
        assert service.error(*words)["kind"] == "unknown_run"
    assert service.error("submit", "verify", "no-such-case")["kind"] == "broken_case"


def test_a_file_of_this_machine_is_no_candidate_for_workers_elsewhere(
    service: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    error = service.error("submit", "verify", cases.write(), "--candidate", ".")
    assert "file of this machine" in error["message"]


def test_what_no_worker_can_ever_have_is_refused_and_what_none_has_now_is_said(
    service: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    case = cases.write()
    error = service.error("submit", "verify", case, "--arch", "pdp11")
    assert error["kind"] == "wrong_usage"
    assert "x86_64" in error["message"]
    error = service.error("submit", "verify", case, "--sandbox", "process")
    assert "no worker runs attempts in plain processes" in error["message"]
    assert service("runs").text == ""
    done = service("submit", "verify", case, "--arch", "s390x")
    run = done.text.strip()
    assert f"no worker that is there now can carry out run {run}" in done.stderr
    assert f"fixproof cancel {run}" in service("gc").text
    CeleryBroker(service.env["FIXPROOF_BROKER_URL"]).announce(
        Present("elsewhere", Capability(arch="s390x", sandbox="bubblewrap")), 60
    )
    assert service("submit", "verify", case, "--arch", "s390x").stderr == ""


# Watching it


def told(worker: Worker) -> dict[str, float]:
    """What a worker tells Prometheus, by name and labels."""
    lines = [json.loads(line) for line in worker.output.read_text().splitlines()]
    (port,) = [each["port"] for each in lines if each["event"] == "metrics"]
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
    parsed = text_string_to_metric_families(answer.text)
    samples = [sample for family in parsed for sample in family.samples]
    return {",".join([each.name, *each.labels.values()]): each.value for each in samples}


@pytest.mark.postgres
def test_prometheus_is_told_of_all_processes_and_the_log_of_runs_and_cells(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker, postgres: Postgres
) -> None:
    package.source_only("1.0", BROKEN, a_source(package, "1.0")).release("1.1", GOOD)
    env = {
        "FIXPROOF_DATABASE_URL": postgres.database().replace(
            "//fixproof@", "//fixproof:let-me-in@"
        ),
        "FIXPROOF_METRICS": "0",
        "FIXPROOF_LOG_FORMAT": "json",
    }
    with on(service, **env) as there:
        waiting = submitted(there, "verify", cases.write(fixed="1.1"), "--arch", "s390x")
        worker = start(at=there)
        done = there("submit", "verify", cases.write(fixed="1.1"), "--wait", "--json")
        assert said(done.document) == ("PASS", "ok"), done.stderr
        found = told(worker)
        assert found["fixproof_attempts_total,present,"] == 3
        assert found["fixproof_attempts_total,absent,"] == 5
        ran = sum(each for name, each in found.items() if name.startswith("fixproof_attempts_"))
        assert found["fixproof_run_seconds_count"] == ran == 10
        assert found["fixproof_resolve_seconds_count"] >= 2
        assert found["fixproof_build_seconds_count"] == 1
        assert found["fixproof_install_seconds_count"] >= ran
        (queue,) = [each for each in found if each.startswith("fixproof_queue_items")]
        assert "s390x" in queue
        assert found[queue] == 1
        assert found[queue.replace("items", "age_seconds")] > 0
        assert found["fixproof_runs_open"] == 1
        assert found["fixproof_disk_free_bytes,store"] > found["fixproof_disk_least_free_bytes"]
        assert found["fixproof_intake_paused"] == 0
        assert found["fixproof_answers,database"] == found["fixproof_answers,broker"] == 1
        assert there("cancel", waiting).code == 0
    lines = [json.loads(line) for line in worker.output.read_text().splitlines()]
    of_cells = [each for each in lines if "cell" in each]
    assert {each["run"] for each in of_cells} == {done.document["run"]}
    assert {each["id"] for each in done.document["cells"]} == {each["cell"] for each in of_cells}
    assert "let-me-in" not in worker.output.read_text()


def test_a_part_that_does_not_answer_is_told_and_the_rest_too(
    service: Fixproof, start: StartWorker, tmp_path: Path
) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with Redis(folder) as own:
        env = {"FIXPROOF_BROKER_URL": own.address(), "FIXPROOF_METRICS": "0"}
        with on(service, FIXPROOF_LOG_FORMAT="json", **env) as there:
            worker = start(at=there)
            own.stop()
            found = told(worker)
            assert found["fixproof_answers,broker"] == 0
            assert found["fixproof_answers,database"] == 1
            own.start()


def test_an_address_of_metrics_that_is_taken_is_said(service: Fixproof) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = service("worker", FIXPROOF_METRICS=str(taken.getsockname()[1]))
    assert done.code == 2
    assert "each worker needs its own" in done.stderr


# The disk


def test_room_is_made_while_workers_work_and_takes_nothing_from_them(
    service: Fixproof, package: Package, cases: Cases, start: StartWorker
) -> None:
    package.usual()
    body = f"import time\ntime.sleep(0.5)\n{TELLS}"
    start()
    run = submitted(service, "verify", cases.write(body))
    gone = 0
    while state(service, run)[0] != "ended":
        trees = (service.home / "store" / "envs").glob("*")
        for each in trees:
            with suppress(FileNotFoundError):
                os.utime(each, (0, 0))
        done = service("gc", "--environments", "0", "--json")
        assert done.code == 0, done.stderr
        removed = {each["what"]: each["count"] for each in done.document["collected"]}
        gone += removed["environments"]
        assert state(service, run)[0] in ("queued", "running", "ended")
    report = service("report", run, "--json").document
    assert said(report) == ("PASS", "ok")
    assert gone > 0, "what nobody used at the moment went, and was made again"
