"""What holds for every test: a home of its own, which sockets it may open, when it may be skipped.

Beyond loopback nothing may be reached (`--allow-hosts` in pyproject.toml), but by tests marked
`index`; those in `unit/` open no socket at all. With `CI=true` a test that is skipped has failed.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.errors import SandboxUnavailable
from tests.browser import no_browser
from tests.docker.engines import engine_of_the_session, podman_of_the_session
from tests.servers import Postgres, Redis, a_folder, no_postgres, no_redis

# What a property says does not depend on how busy the machine is.
settings.register_profile("patient", parent=settings.default, deadline=None)
settings.load_profile("patient")
# A shell has what it starts in the background ignore Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_UNIT = Path(__file__).parent / "unit"
_OURS = ("FIXPROOF_DATABASE_URL", "FIXPROOF_BROKER_URL", "FIXPROOF_SANDBOX")
_AnyReport = TypeVar("_AnyReport", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIXPROOF_HOME", str(tmp_path_factory.mktemp("fixproof-home")))
        for name in _OURS:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def why_no_docker() -> Iterator[str | None]:
    """Why there is no container engine; one is started for the session where none is given."""
    with engine_of_the_session() as why:
        yield why


@pytest.fixture(scope="session")
def why_no_podman(why_no_docker: str | None) -> Iterator[str | None]:
    """Why there is no Podman beside that engine; one is started for the session."""
    if why_no_docker is not None:
        yield why_no_docker
        return
    with podman_of_the_session() as why:
        yield why


@pytest.fixture(autouse=True)
def _engine(request: pytest.FixtureRequest) -> None:
    for name in ("docker", "podman"):
        if request.node.get_closest_marker(name):
            why = request.getfixturevalue(f"why_no_{name}")
            if why is not None:
                pytest.skip(why)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this session's own."""
    with a_folder("postgres") as folder, Postgres(folder) as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis of this session's own."""
    with a_folder("redis") as folder, Redis(folder) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The address of a new, empty database on a server."""
    return postgres.database()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database: embedded, and on a server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fixproof.sqlite3'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_UNIT):
            item.add_marker(pytest.mark.disable_socket)
        elif item.get_closest_marker("index"):
            item.add_marker(pytest.mark.enable_socket)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, find in _NEEDED.items():
        if item.get_closest_marker(marker) and (why := find()):
            pytest.skip(why)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _failed_if_skipped((yield))


def _failed_if_skipped(report: _AnyReport) -> _AnyReport:
    """The report, as a failure where it says skipped (not xfailed) and CI forbids that."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"nothing may be skipped where CI=true: {why}"
    return report


@cache
def _no_bubblewrap() -> str | None:
    """Why bubblewrap cannot be used on this machine; None if it can."""
    try:
        BubblewrapSandbox().check()
    except SandboxUnavailable as error:
        return str(error)
    return None


@cache
def _no_compose() -> str | None:
    """Why compose.yaml cannot be read; None if it can."""
    return None if shutil.which("docker-compose") else "docker-compose is not installed"


_NEEDED = {
    "browser": no_browser,
    "bubblewrap": _no_bubblewrap,
    "compose": _no_compose,
    "postgres": no_postgres,
    "redis": no_redis,
}
"""What a marker asks of this machine, as a function that says why it is not there."""
