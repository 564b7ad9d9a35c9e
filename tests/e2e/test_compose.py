"""compose.yaml and the Dockerfile: what they promise, and a run carried out by their own commands."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client

from runner.adapters.sql_store import SqlStore
from runner.nightly.night import Night
from runner.settings import read
from tests.composed import PASSWORDS, REPO, ComposedRedis, Places, config, written
from tests.e2e.command import PROGRAM, Cases, Fixproof, Package, Result, said
from tests.servers import Postgres, wait_for

OURS = ("worker", "beat")
"""Services that run fixproof."""
ENGINE = "/var/run/docker.sock"
compose = pytest.mark.compose


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return written(tmp_path / "secrets")


# What it promises


@compose
def test_no_port_is_open_and_only_what_needs_it_reaches_beyond(secrets: Path) -> None:
    read_by_compose = config(secrets)
    assert read_by_compose["networks"]["inside"]["internal"] is True
    for name, service in read_by_compose["services"].items():
        assert not {"ports", "expose", "network_mode", "privileged"} & {*service}, name
        assert ("outside" in service["networks"]) == (name in OURS), name


@compose
def test_every_service_comes_back_is_looked_at_and_may_be_there_several_times(
    secrets: Path,
) -> None:
    services = config(secrets)["services"]
    assert {"redis", "postgres", *OURS} == {*services}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"], name
        assert "container_name" not in service
    waits = services["worker"]["depends_on"]
    assert {each["condition"] for each in waits.values()} == {"service_healthy"}
    assert {*waits} == {"redis", "postgres"}


@compose
def test_what_stands_in_env_reaches_the_services(secrets: Path) -> None:
    said = {
        "FIXPROOF_KEEP_ENVIRONMENTS": "7",
        "FIXPROOF_KEEP_RUNS": "90",
        "FIXPROOF_OCI_RUNTIME": "runsc",
        "FIXPROOF_METRICS": "0.0.0.0:9464",
        "SSL_CERT_FILE": "/var/lib/fixproof/ca.pem",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "NO_PROXY": "index.example",
    }
    for name, service in config(secrets, **said)["services"].items():
        if name in OURS:
            own = said | ({"FIXPROOF_METRICS": ""} if name == "beat" else {})
            assert own.items() <= service["environment"].items(), name
    usual = config(secrets)["services"]["worker"]["environment"]
    unsaid = Places({"/run/secrets": str(secrets)}).environ({"environment": usual})
    assert not {"SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"} & {*unsaid}
    assert read(unsaid).metrics is None


@compose
def test_who_is_stopped_has_time_for_it(secrets: Path) -> None:
    services = config(secrets)["services"]
    assert services["worker"]["stop_grace_period"] == "90s"
    assert services["beat"]["stop_grace_period"] == "30s"


@compose
def test_passwords_are_files_and_stand_nowhere_else(secrets: Path) -> None:
    whole = config(secrets)
    files = {name: each["file"] for name, each in whole["secrets"].items()}
    assert files == {name: str(secrets / name) for name in (*PASSWORDS, "notify")}
    assert not any(each in str(whole) for each in PASSWORDS.values())
    has = {
        name: {each["source"] for each in service["secrets"]}
        for name, service in whole["services"].items()
    }
    assert has["redis"] == {"broker_password"}
    assert has["postgres"] == {"database_password"}
    assert has["worker"] == {*PASSWORDS}
    assert has["beat"] == {*PASSWORDS, "notify"}
    settings = whole["services"]["worker"]["environment"]
    assert settings["FIXPROOF_DATABASE_PASSWORD_FILE"] == "/run/secrets/database_password"


@compose
def test_a_beat_keeps_nights_when_it_is_told_to(secrets: Path) -> None:
    usual = config(secrets)["services"]["beat"]["command"]
    assert usual == ["fixproof", "beat", "--at=0 2 * * *", "--deadline=6h"]
    own = config(secrets, FIXPROOF_NIGHT="30 1 * * 1-5", FIXPROOF_DEADLINE="90m")["services"]
    assert own["beat"]["command"] == ["fixproof", "beat", "--at=30 1 * * 1-5", "--deadline=90m"]


@compose
def test_the_store_is_at_one_path_and_the_engine_is_the_workers_alone(secrets: Path) -> None:
    services = config(secrets, FIXPROOF_HOME="/srv/fixproof")["services"]
    mounts = {
        name: {
            each["source"]: each["target"]
            for each in service.get("volumes", ())
            if isinstance(each, dict)
        }
        for name, service in services.items()
    }
    for name in OURS:
        assert services[name]["environment"]["FIXPROOF_HOME"] == "/srv/fixproof"
        assert mounts[name]["/srv/fixproof"] == "/srv/fixproof"
    assert [name for name, each in mounts.items() if ENGINE in each.values()] == ["worker"]


# The image


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's, as instruction and words."""
    text = re.sub(r"\\\n\s*", "", (REPO / "Dockerfile").read_text(encoding="utf-8"))
    lines = (line.strip() for line in text.splitlines())
    found = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, words) for name, _, words in found]


def test_the_image_has_all_that_the_program_is_made_of_and_nothing_else() -> None:
    copied = [words.split()[:-1] for name, words in steps() if name == "COPY"]
    sources = {each for every in copied for each in every}
    assert all((REPO / each).exists() for each in sources)
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    needed = {"pyproject.toml", project["project"]["readme"]}
    assert sources == packages | needed | {"requirements/run.txt", "requirements/build.txt"}


def test_what_the_image_installs_is_pinned_by_hash_and_never_built() -> None:
    made, dependencies, own = (words for name, words in steps() if name == "RUN")
    assert made == "${PYTHON} -m venv venv"
    assert {"--require-hashes", "--only-binary", ":all:"} <= {*dependencies.split()}
    assert "requirements/run.txt" in dependencies
    assert {"--no-deps", "requirements/build.txt"} <= {*own.split()}
    assert own.endswith(" .")


@compose
def test_what_is_executed_is_in_the_image(secrets: Path) -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    scripts = {*project["project"]["scripts"]}
    services = config(secrets)["services"]
    assert {services[name]["command"][0] for name in OURS} <= scripts
    assert {services[name]["healthcheck"]["test"][1] for name in OURS} <= scripts
    assert services["worker"]["build"]["args"]["BASE"].startswith("python:3.11")


# What its commands do


class Composed:
    """The services of compose.yaml as processes here, in the places that tests have for them."""

    def __init__(
        self, services: dict[str, Any], places: Places, fixproof: Fixproof, folder: Path
    ) -> None:
        self._services = services
        self._places = places
        self._fixproof = fixproof
        self._folder = folder
        self.logs: list[Path] = []

    def environ(self, name: str) -> dict[str, str]:
        usual = self._fixproof.environ()
        usual["PATH"] = f"{PROGRAM.parent}:{usual['PATH']}"
        return usual | self._places.environ(self._services[name])

    @contextmanager
    def started(self, name: str) -> Iterator[None]:
        """One more container of a service; it says so when it is ready."""
        log = self._folder / f"{name}-{len(self.logs)}.log"
        self.logs.append(log)
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._places.words(self.command(name))],
                env=self.environ(name),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(lambda: self._is_ready(process, log), f"{name} does not get ready")
            yield
        finally:
            process.terminate()
            code = process.wait(60)
        assert code == 0, log.read_text()

    def _is_ready(self, process: subprocess.Popen[bytes], log: Path) -> bool:
        assert process.poll() is None, log.read_text()
        return '"event": "ready' in log.read_text()

    def command(self, name: str) -> list[str]:
        found: list[str] = self._services[name]["command"]
        return found

    def executed(self, name: str, *words: str | Path) -> Result:
        """As by `docker-compose exec NAME WORDS...`."""
        done = subprocess.run(
            [str(each) for each in words],
            env=self.environ(name),
            cwd=self._folder,
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def nights(self) -> list[Night]:
        """Those that ended, the last one alone."""
        with self._store() as store:
            last = store.nights.last()
        return [last] if last else []

    def runs(self) -> set[str]:
        """All that were ever asked for."""
        with self._store() as store:
            return {each.id for each in store.runs.recent(100)}

    @contextmanager
    def _store(self) -> Iterator[SqlStore]:
        store = SqlStore(self.environ("beat")["FIXPROOF_DATABASE_URL"])
        yield store
        store.close()

    def health(self, name: str) -> int:
        return self._places.health(self._services[name], self.environ(name))


@pytest.fixture
def composed(
    fixproof: Fixproof, secrets: Path, postgres: Postgres, tmp_path: Path
) -> Iterator[Composed]:
    services = config(
        secrets,
        FIXPROOF_HOME=str(fixproof.home),
        FIXPROOF_SANDBOX="bubblewrap",
        UV_DEFAULT_INDEX=fixproof.index or "",
        FIXPROOF_NIGHT="* * * * *",
    )["services"]
    folder = tmp_path / "redis"
    folder.mkdir()
    with ComposedRedis(folder, service=services["redis"], secrets=secrets) as broker:
        database = postgres.database().partition("@")[2]
        places = Places(
            {
                "/run/secrets": str(secrets),
                "@postgres/fixproof": f"@{database}",
                "redis:6379": f"127.0.0.1:{broker.port}",
            }
        )
        assert broker.places.health(services["redis"], {}) == 0
        pg = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port)}
        assert places.health(services["postgres"], pg) == 0
        yield Composed(services, places, fixproof, tmp_path)


@compose
@pytest.mark.postgres
@pytest.mark.redis
def test_a_run_is_carried_out_by_the_very_commands_of_its_services(
    composed: Composed, package: Package, cases: Cases
) -> None:
    package.usual()
    with composed.started("worker"), composed.started("worker"):  # --scale worker=2
        assert composed.health("worker") == 0
        words = ("fixproof", "submit", "verify", cases.write(), "--wait", "--json")
        done = composed.executed("worker", *words)
        assert done.code == 0, done.stderr
        assert said(done.document) == ("PASS", "ok")
    written_down = "".join(each.read_text() for each in composed.logs)
    assert '"event": "ended"' in written_down
    assert not any(each in written_down for each in PASSWORDS.values())


@compose
@pytest.mark.postgres
@pytest.mark.redis
def test_a_night_is_kept_once_by_the_beats_with_the_workers(
    composed: Composed, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    (tmp_path / "repros").mkdir()
    cases.write().rename(tmp_path / "repros" / "bug.py")
    with composed.started("worker"), composed.started("beat"), composed.started("beat"):
        wait_for(lambda: composed.nights() != [], "no night was kept", 200)
        assert composed.health("beat") == 0
    (entry,) = composed.nights()[0].entries
    assert composed.runs() == {each.run for each in entry.rounds}, "neither beat did it again"
    assert (entry.case, entry.standing.status, entry.standing.outcome) == ("bug", "PASS", "ok")
    of_worker, *of_beats = (each.read_text() for each in composed.logs)
    of_beat = "".join(of_beats)
    assert '"task": "attempt"' in of_worker
    assert ": 1 new case" in of_beat
    assert not any(each in of_beat for each in PASSWORDS.values())


@compose
@pytest.mark.redis
def test_redis_lets_nobody_in_without_its_password_and_no_list_of_processes_tells_it(
    secrets: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    service = config(secrets)["services"]["redis"]
    with ComposedRedis(folder, service=service, secrets=secrets) as broker:
        with (
            redis_client.Redis(port=broker.port) as stranger,
            pytest.raises(redis_client.AuthenticationError),
        ):
            stranger.ping()
        assert broker.process is not None
        cmdline = Path(f"/proc/{broker.process.pid}/cmdline").read_bytes().decode()
        assert "redis-server" in cmdline
        assert PASSWORDS["broker_password"] not in cmdline
        broker.stop()


@compose
def test_its_settings_are_settings_that_fixproof_knows(secrets: Path) -> None:
    environ = config(secrets)["services"]["worker"]["environment"]
    here = Places({"/run/secrets": str(secrets)})
    settings = read(here.environ({"environment": environ}))
    assert settings.database_url == "postgresql://fixproof:for-the-database@postgres/fixproof"
    assert settings.broker_url == "redis://:for%3Athe%2Fbroker%40@redis:6379/0"
    assert settings.sandbox == "docker"
    known = {name for name in environ if name.startswith("FIXPROOF_")}
    source = (REPO / "runner" / "settings.py").read_text(encoding="utf-8")
    stems = {name.removesuffix("_URL").removesuffix("_PASSWORD_FILE") for name in known}
    assert all(f'"{each}' in source for each in stems)
    assert Path(environ["FIXPROOF_HOME"]).is_absolute()
