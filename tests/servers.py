"""PostgreSQL and Redis of the tests' own: own folder, own port, own end; others are never touched."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import redis
from psycopg import sql

PATIENCE = 300.0
_NOBODY = "postgres"
"""PostgreSQL refuses root; Debian's package makes this user."""


def free_port() -> int:
    """A port of loopback that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def no_postgres() -> str | None:
    """Why there can be no PostgreSQL; None if there can."""
    return None if _postgres_programs() else "PostgreSQL is not installed"


@cache
def no_redis() -> str | None:
    """Why there can be no Redis; None if there can."""
    return None if shutil.which("redis-server") else "redis-server is not installed"


@dataclass
class Server:
    """A process that answers on a port; it may be stopped, killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.answers, f"{type(self).__name__} does not answer, see {self.folder}/log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; by SIGINT PostgreSQL sends its clients away, and Redis saves."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(PATIENCE)
        self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def command(self) -> list[str]:
        """What is executed."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether a client gets through."""
        raise NotImplementedError


@dataclass
class Postgres(Server):
    """A server with a superuser that needs no password; each test gets a database."""

    durable: bool = False
    """Whether a commit is on the disk; tests kill it by signals only, and need not wait."""
    _serial: Iterator[int] = field(default_factory=lambda: count(1))

    def command(self) -> list[str]:
        """Begin with an empty cluster; PostgreSQL must not be root."""
        programs = _postgres_programs()
        assert programs is not None
        data = self.folder / "data"
        as_nobody: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, _NOBODY)
            as_nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        if not data.exists():
            make = [f"{programs}/initdb", "-D", str(data), "-U", "fixproof", "-A", "trust"]
            make += ["-E", "UTF8", "--no-locale", "--no-sync"]
            subprocess.run(
                [*as_nobody, *make], check=True, stdout=subprocess.DEVNULL, cwd=self.folder
            )
        words = [f"{programs}/postgres", "-D", str(data), "-p", str(self.port)]
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "fsync": "on" if self.durable else "off",
        }
        return [*as_nobody, *words, *(f"--{name}={value}" for name, value in options.items())]

    def answers(self) -> bool:
        """Whether it lets somebody in."""
        try:
            psycopg.connect(self.address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def address(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql://fixproof@127.0.0.1:{self.port}/{name}"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test{next(self._serial)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.address(name)


@dataclass
class Redis(Server):
    """A server that keeps nothing over a restart, unless told to."""

    password: str | None = None

    def command(self) -> list[str]:
        """Without files but its log."""
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        secret = ["--requirepass", self.password] if self.password else []
        return [*words, *secret, "--dir", str(self.folder)]

    def answers(self) -> bool:
        """Whether it says PONG."""
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=self.password)

    def address(self) -> str:
        """The URL of its first database."""
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/0"


@contextmanager
def a_folder(name: str) -> Iterator[Path]:
    """A folder whose path is short enough for sockets, open to the user of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix=f"fixproof-{name}-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        yield folder


def wait_for(
    condition: Callable[[], bool],
    complaint: str,
    within: float = PATIENCE,
    *,
    every: float = 0.02,
) -> None:
    """Wait until something holds; an AssertionError with the complaint if it never does.

    Args:
        within: seconds.
        every: seconds between two looks.
    """
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(every)


@cache
def _postgres_programs() -> str | None:
    """The folder of `postgres` and `initdb`; Debian keeps it out of PATH."""
    found = shutil.which("postgres")
    if found:
        return str(Path(found).resolve().parent)
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(newest[-1].parent) if newest else None
