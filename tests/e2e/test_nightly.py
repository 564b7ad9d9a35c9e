"""Nights, one after the other, over made-up packages; the clock is the test's own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.command import BROKEN, GOOD, PATIENCE, TELLS, Cases, Fixproof, Package
from tests.index_server import IndexServer
from tests.schemas import validator_of
from tests.servers import Postgres, a_folder

ROOT = Path(__file__).parents[2]
FIRST = datetime(2024, 4, 1, 2, tzinfo=UTC)
"""When the first night begins; releases that came in between have their day before it."""


@dataclass(frozen=True)
class Nights:
    """The command over a corpus of its own."""

    fixproof: Fixproof
    corpus: Path

    def started(
        self, day: float, *words: str, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        start = (FIRST + timedelta(days=day)).isoformat()
        return subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.night_at", start, "nightly", *words],
            env=self.fixproof.environ() | {"PYTHONPATH": str(ROOT)} | {**(env or {})},
            cwd=self.corpus.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def called(
        self, day: float, *words: str, env: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        with self.started(day, *words, env=env) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        return process.returncode, stdout.decode(), stderr.decode()

    def __call__(
        self, day: float, *words: str, code: int = 0, env: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """One night; `code` is how it must end."""
        for pages in self.fixproof.home.glob("store/uv-cache/simple-*"):
            shutil.rmtree(pages)  # uv believes them for 10 minutes, and a day has gone by
        ended, stdout, stderr = self.called(day, "--json", *words, env=env)
        assert ended == code, (stdout, stderr)
        found: dict[str, Any] = json.loads(stdout)
        validator_of(found["schema"]).validate(found)
        return found

    def due(self, day: float, *words: str) -> dict[str, list[str]]:
        """What is due, and why."""
        found = self(day, "--dry-run", *words)
        return {each["case"]: [cause["why"] for cause in each["causes"]] for each in found["due"]}


@pytest.fixture
def nights(fixproof: Fixproof, tmp_path: Path) -> Nights:
    corpus = tmp_path / "repros"
    corpus.mkdir()
    return Nights(fixproof, corpus)


@pytest.fixture
def corpus(nights: Nights, package: Package) -> Cases:
    """Writes cases of a package into the corpus."""
    return Cases(nights.corpus, package.usual())


def kinds(night: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["kind"], each["case"]) for each in night["changes"]]


def rounds(night: dict[str, Any], case: str = "bug") -> list[str]:
    (entry,) = [each for each in night["entries"] if each["case"] == case]
    return [each["why"] for each in entry["rounds"]]


def test_nights_tell_what_changed_once_and_are_quiet_otherwise(
    nights: Nights, corpus: Cases, package: Package
) -> None:
    corpus.write()
    assert nights.due(0) == {"bug": ["new"]}
    first = nights(0)
    assert kinds(first) == [("added", "bug")]
    assert rounds(first) == ["due", "again"]  # one runs twice, to see whether we agree
    assert (first["noise"]["disagreed"], first["noise"]["pairs"] > 0) == (0, True)

    quiet = nights(1)
    assert (quiet["due"], quiet["attempts"], quiet["changes"]) == (0, 0, [])
    assert quiet["noise_ever"] == first["noise_ever"]

    package.release("1.4", BROKEN, uploaded=FIRST + timedelta(days=1, hours=5))
    assert nights.due(2) == {"bug": ["new_release"]}
    regressed = nights(2, code=1)
    assert kinds(regressed) == [("newly_failing", "bug")]
    assert rounds(regressed)[:2] == ["due", "confirm"]
    assert regressed["entries"][0]["standing"]["outcome"] == "regressed"

    known = nights(3)
    assert (known["attempts"], known["changes"]) == (0, [])

    package.release("1.5", GOOD, uploaded=FIRST + timedelta(days=3, hours=5))
    assert kinds(nights(4)) == [("newly_passing", "bug")]


def test_what_gets_too_old_is_run_anew_and_before_it_is(nights: Nights, corpus: Cases) -> None:
    corpus.write()
    nights(0)
    assert nights.due(18) == {}
    days = (each + 0.5 for each in range(19, 31))  # at noon: no second more or less matters
    day = next(each for each in days if nights.due(each))
    assert nights.due(day) == {"bug": ["expires"]}
    again = nights(day)
    assert again["attempts"] > 0
    assert again["changes"] == []
    assert nights.due(day + 1) == {}


def test_a_fix_that_is_yanked_is_said_once(
    nights: Nights, corpus: Cases, index: IndexServer
) -> None:
    corpus.write()
    nights(0)
    name = corpus.package.name
    index.withdraw(name)
    again = Package(index, name).release("1.0", BROKEN).release("1.1", BROKEN)
    again.release("1.2", GOOD, yanked=True).release("1.3", GOOD)
    assert nights.due(1) == {"bug": ["withdrawn"]}
    found = nights(1, code=1)
    assert kinds(found) == [("withdrawn", "bug"), ("cannot_be_judged", "bug")]
    assert kinds(nights(2)) == []

    index.withdraw(name)
    unsure = nights(3, code=5)
    assert (kinds(unsure), [each["case"] for each in unsure["not_looked"]]) == ([], ["bug"])
    gone = nights(4, code=1)
    assert ("withdrawn", "bug") in kinds(gone)
    assert kinds(nights(5)) == []


def test_trouble_with_one_package_keeps_no_other_from_its_night(
    nights: Nights, corpus: Cases, other: Package, index: IndexServer
) -> None:
    corpus.write()
    lost = Cases(nights.corpus, other)
    lost.write(name="lost")
    found = nights(0, code=4)
    assert kinds(found) == [("added", "bug")]
    assert [(each["case"], each["kind"]) for each in found["not_looked"]] == [
        ("lost", "unknown_package")
    ]
    with index.silenced():
        blind = nights(1, code=5)
    assert {each["kind"] for each in blind["not_looked"]} == {"index_unreachable"}
    assert blind["changes"] == []
    other.usual()
    assert kinds(nights(2)) == [("added", "lost")]
    assert len(index.asked_for(other.name)) > 0


def test_cases_come_go_and_break(nights: Nights, corpus: Cases) -> None:
    one, two = corpus.write(name="one"), corpus.write(name="two")
    assert kinds(nights(0)) == [("added", "one"), ("added", "two")]
    one.unlink()
    whole = two.read_text()
    two.write_text("# no case any more\n")
    corpus.write(name="three")
    found = nights(1, code=3)
    assert kinds(found) == [("cannot_be_judged", "two"), ("added", "three"), ("removed", "one")]
    two.write_text(whole)
    assert kinds(nights(2)) == [("newly_passing", "two")]
    assert kinds(nights(3)) == []


def test_a_quarantined_case_is_run_and_alarms_nobody_until_its_day(
    nights: Nights, corpus: Cases
) -> None:
    corpus.write(fixed="1.1")
    listed = nights.corpus / "quarantine.toml"
    listed.write_text('[[case]]\nid = "bug"\nreason = "known"\nuntil = 2024-04-02\n')
    found = nights(0)
    assert kinds(found) == [("newly_failing", "bug"), ("added", "bug")]
    assert all(each["quarantined"] for each in found["changes"])
    assert found["entries"][0]["quarantined"] == "known"
    over = nights(2, code=1)
    assert kinds(over) == [("newly_failing", "bug"), ("quarantine_expired", "bug")]
    listed.write_text(listed.read_text().replace("bug", "bog"))
    ended, text, _ = nights.called(3)
    assert (ended, "bog (not in the corpus)" in text) == (1, True)
    listed.unlink()
    fresh = nights(4)
    assert kinds(fresh) == []


def test_what_fails_in_quarantine_alarms_when_it_is_taken_out(
    nights: Nights, corpus: Cases
) -> None:
    corpus.write(fixed="1.1")
    listed = nights.corpus / "quarantine.toml"
    listed.write_text('[[case]]\nid = "bug"\nreason = "known"\nuntil = 2024-06-02\n')
    nights(0)
    listed.unlink()
    assert nights.due(1) == {"bug": ["untold"]}
    assert kinds(nights(1, code=1)) == [("newly_failing", "bug")]
    assert kinds(nights(2)) == []


def test_a_night_that_is_killed_is_gone_on_with(nights: Nights, corpus: Cases) -> None:
    for name in ("one", "two", "three"):
        corpus.write(name=name)
    with nights.started(0, "--json") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b"two: " in line or b"three: " in line:
                break
        process.kill()
    ended, stdout, stderr = nights.called(0, "--json")
    assert ended == 0, stderr
    assert "going on with" in stderr
    assert sorted(kinds(json.loads(stdout))) == [
        ("added", each) for each in ("one", "three", "two")
    ]
    assert nights.due(1) == {}


def test_two_nights_at_once_are_one_night(nights: Nights, corpus: Cases) -> None:
    corpus.write("import time\ntime.sleep(3)\n" + TELLS)
    with nights.started(0, "--json") as process:
        assert process.stderr is not None
        next(line for line in process.stderr if b"running" in line or b"bug" in line)
        ended, _, stderr = nights.called(0)
        assert ended == 12, stderr
        assert "another process" in stderr
        stdout, _ = process.communicate(timeout=PATIENCE)
    assert kinds(json.loads(stdout)) == [("added", "bug")]


def test_a_night_that_is_stopped_is_gone_on_with_at_once(nights: Nights, corpus: Cases) -> None:
    corpus.write()
    with nights.started(0) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if b"bug" in line)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    ended, _, stderr = nights.called(0)
    assert (ended, "is somebody keeping it" in stderr) == (0, False)


def test_a_night_that_is_gone_on_with_looks_after_what_it_was_begun_for(
    nights: Nights, corpus: Cases
) -> None:
    for name in ("one", "two"):
        corpus.write("import time\ntime.sleep(1)\n" + TELLS, name=name)
    with nights.started(0, "one") as process:
        assert process.stderr is not None
        next(line for line in process.stderr if b"one" in line)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    ended, _, stderr = nights.called(0, "two")
    assert (ended, "looks after other cases" in stderr) == (12, True)
    assert kinds(nights(0)) == [("added", "two")]  # and "one" by the night that was left
    assert nights.due(1) == {}


def test_a_night_under_a_clock_that_was_ahead_silences_none(
    nights: Nights, corpus: Cases, package: Package
) -> None:
    corpus.write()
    nights(30)
    package.release("1.4", BROKEN, uploaded=FIRST + timedelta(hours=3))
    assert kinds(nights(1, code=1)) == [("newly_failing", "bug")]
    assert kinds(nights(2)) == []


def test_what_a_deadline_leaves_out_comes_first_the_next_night(
    nights: Nights, corpus: Cases
) -> None:
    for name in ("a", "b", "c"):
        corpus.write("import time\ntime.sleep(0.3)\n" + TELLS, name=name)
    found = nights(0, "--deadline", "1s", code=16)
    assert [each["case"] for each in found["entries"]] == ["a"]
    assert found["left_out"] == ["b", "c"]
    corpus.write(name="aa")
    planned = nights(1, "--dry-run")
    assert [(each["case"], each["waited"]) for each in planned["due"]] == [
        ("b", True),
        ("c", True),
        ("aa", False),
    ]


def test_a_night_looks_after_what_is_named_alone(nights: Nights, corpus: Cases) -> None:
    corpus.write(name="good-1")
    corpus.write(name="bad-1", fixed="1.1")
    assert nights.due(0, "good-*") == {"good-1": ["asked", "new"]}
    whole = nights(0, code=1)
    assert nights.due(1, "--failed", whole["night"]) == {"bad-1": ["asked"]}
    run = whole["entries"][0]["rounds"][0]["run"]
    assert nights.due(1, "--failed", run) == {"bad-1": ["asked"]}
    asked = nights(1, "bad-*")
    assert (asked["cases"], asked["changes"]) == (1, [])
    assert nights.called(1, "none-*")[0] == 2
    assert nights.called(1, "--deadline", "soon")[0] == 2


def test_a_night_is_told_in_every_format(nights: Nights, corpus: Cases) -> None:
    corpus.write(fixed="1.1")
    ended, text, _ = nights.called(0)
    assert (ended, "Newly failing | bug" in text) == (1, True)
    night = next(word for word in text.split() if word.startswith("night-"))
    assert nights.fixproof("report", night).text == text
    page = nights.fixproof("report", night, "--format", "html")
    assert (page.code, page.text.count("<h1>")) == (1, 1)
    suites = ET.fromstring(nights.fixproof("report", night, "--format", "junit").text)
    assert (suites.get("tests"), suites.get("failures")) == ("1", "1")
    assert nights.fixproof("report", night, "--json").document["night"] == night
    assert nights.fixproof("report", night, "--format", "osv").code == 2


@dataclass
class Heard:
    """What a small real server on loopback was sent."""

    address: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)
    down: bool = False


@pytest.fixture
def heard() -> Iterator[Heard]:
    found = Heard("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.pings.append(self.path)
            self._answer()

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            found.messages.append(json.loads(self.rfile.read(length)))
            self._answer()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

        def _answer(self) -> None:
            self.send_response(500 if found.down else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_people_are_told_once_of_what_changed_and_a_watcher_every_night(
    nights: Nights, corpus: Cases, heard: Heard, tmp_path: Path
) -> None:
    corpus.write(fixed="1.1")
    secret = tmp_path / "addresses"
    secret.write_text(f"# people\njson://{heard.address}/hook\n")
    told = {
        "FIXPROOF_NOTIFY_FILE": str(secret),
        "FIXPROOF_PING_URL": f"http://{heard.address}/ping",
    }
    nights(0, code=1, env=told)
    (message,) = heard.messages
    assert message["title"] == "fixproof: Night of 2024-04-01: 1 newly failing, 1 new case"
    assert "bug" in message["message"]
    assert heard.pings == ["/ping/start", "/ping"]

    nights(1, env=told)
    assert len(heard.messages) == 1
    nights(2, "--always", env=told)
    assert heard.messages[1]["title"].endswith("nothing changed")

    heard.pings.clear()
    corpus.write(name="more")
    nights(3, "--deadline", "0s", code=16, env=told)
    assert heard.pings == ["/ping/start", "/ping/fail"]
    assert "Left out: more" in heard.messages[2]["message"]

    heard.pings.clear()
    nights(3, "bug", code=0, env=told)
    assert heard.pings == []
    (nights.corpus / "quarantine.toml").write_text("[[")
    assert nights.called(3, env=told)[0] == 2
    assert heard.pings == ["/ping/fail"]


def test_only_the_keeper_of_a_night_pings_and_one_that_is_stopped_leaves_it_to_the_next(
    nights: Nights, corpus: Cases, heard: Heard
) -> None:
    corpus.write("import time\ntime.sleep(3)\n" + TELLS)
    told = {"FIXPROOF_PING_URL": f"http://{heard.address}/ping"}
    with nights.started(0, env=told) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if b"running" in line or b"bug" in line)
        assert nights.called(0, env=told)[0] == 12
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert heard.pings == ["/ping/start"]
    assert nights.called(0, env=told)[0] == 0
    assert heard.pings == ["/ping/start", "/ping/start", "/ping"]


def test_a_database_that_is_away_for_a_while_costs_no_night(
    nights: Nights, corpus: Cases, heard: Heard
) -> None:
    corpus.write("import time\ntime.sleep(1)\n" + TELLS)
    with a_folder("postgres") as folder, Postgres(folder) as own:
        told = {
            "FIXPROOF_DATABASE_URL": own.database(),
            "FIXPROOF_PING_URL": f"http://{heard.address}/ping",
        }
        with nights.started(0, "--json", env=told) as process:
            assert process.stderr is not None
            next(line for line in process.stderr if b"bug" in line)
            own.stop(signal.SIGINT)
            own.start()
            stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert kinds(json.loads(stdout)) == [("added", "bug")]
    assert heard.pings == ["/ping/start", "/ping"]


def test_that_nobody_can_be_told_is_said_and_costs_no_night(
    nights: Nights, corpus: Cases, heard: Heard
) -> None:
    corpus.write(fixed="1.1")
    heard.down = True
    addresses = f"json://user:secret@{heard.address} nonsense://secret"
    ended, stdout, stderr = nights.called(
        0,
        "--json",
        env={"FIXPROOF_NOTIFY": addresses, "FIXPROOF_PING_URL": f"http://{heard.address}/secret"},
    )
    assert ended == 13
    assert "secret" not in stderr
    assert [each for each in ("address 1", "address 2", "PING_URL") if each not in stderr] == []
    assert kinds(json.loads(stdout))[0] == ("newly_failing", "bug")
    assert nights(1)["changes"] == []
