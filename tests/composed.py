"""compose.yaml as docker-compose reads it, and its services as processes of this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import yaml

from tests.servers import Redis

REPO = Path(__file__).parents[1]
PASSWORDS = {"database_password": "for-the-database", "broker_password": "for:the/broker@"}


def config(secrets: Path, **environ: str) -> dict[str, Any]:
    """What docker-compose makes of compose.yaml, given what a user may set."""
    own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        ["docker-compose", "--file", str(REPO / "compose.yaml"), "config"],
        env=own | {"FIXPROOF_SECRETS": str(secrets)} | environ,
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def written(folder: Path) -> Path:
    """A folder with the secrets that compose.yaml names."""
    folder.mkdir(mode=0o700)
    for name, password in PASSWORDS.items():
        (folder / name).write_text(f"{password}\n", encoding="utf-8")
    (folder / "notify").touch()
    return folder


@dataclass(frozen=True)
class Places:
    """What is elsewhere on this machine than in a container."""

    names: Mapping[str, str]

    def here(self, text: str) -> str:
        """What a container is told, as it has to be said here."""
        for there, here in self.names.items():
            text = text.replace(there, here)
        return text.replace("$$", "$")

    def words(self, command: list[str]) -> list[str]:
        return [self.here(each) for each in command]

    def environ(self, service: Mapping[str, Any]) -> dict[str, str]:
        said = service["environment"].items()
        return {name: self.here(each) for name, each in said if each is not None}

    def health(self, service: Mapping[str, Any], environ: Mapping[str, str]) -> int:
        """The exit code of a service's own health check."""
        kind, *words = service["healthcheck"]["test"]
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        done = subprocess.run(
            self.words(command), env={**os.environ, **environ}, check=False, capture_output=True
        )
        return done.returncode


@dataclass
class ComposedRedis(Redis):
    """Redis as compose.yaml starts it, on a port of its own."""

    service: Mapping[str, Any] = field(default_factory=dict)
    secrets: Path = Path()

    @property
    def places(self) -> Places:
        port = f"--port {self.port} --bind 127.0.0.1 --dir {self.folder}"
        return Places(
            {
                "/run/secrets": str(self.secrets),
                "redis-server -": f"redis-server - {port}",
                "redis-cli": f"redis-cli -p {self.port}",
            }
        )

    def command(self) -> list[str]:
        """What the service executes."""
        return self.places.words(self.service["command"])

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=PASSWORDS["broker_password"])
