"""Runs uv and a base's interpreter in a container of that base, with the store to write to.

Only they run there, and no code of third parties: so it has the network and our own uid.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runner.adapters.container_engine import Engine, asking
from runner.adapters.containers import remove
from runner.adapters.docker_bases import Base
from runner.adapters.supervisors import ATTEMPT, LABEL, SUPERVISOR, this_supervisor
from runner.errors import EnvironmentTrouble, FixproofError

_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_MORE_FILES = ("UV_CONFIG_FILE", "NETRC", "UV_FIND_LINKS")
_INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL")
_OF_USERS = (".config/uv", ".netrc")
_OF_MACHINES = ("/etc/uv",)
_TAKEN = ("PATH", "HOME", "LANG", "NETRC", "NO_PROXY", "ALL_PROXY", *_FILES)
"""What uv needs of our environment beside its own variables."""


@dataclass(frozen=True)
class InBase:
    """Commands in one base; the same port as commands on this machine."""

    engine: Engine
    base: Base
    store: Path
    visible: tuple[str, ...] = ()
    """Paths that commands read beside the store."""

    def run(
        self, command: Sequence[str], env: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Raises:
            EnvironmentTrouble: it did not end in time.
            SandboxTrouble: the engine failed.
        """
        from requests.exceptions import RequestException

        api = self.engine.api
        with self._container(command, env) as container:
            with asking("to start uv"):
                api.start(container)
            try:
                code = int(api.wait(container, timeout=int(seconds))["StatusCode"])
            except RequestException as error:
                message = f"{command[0]} did not end within {seconds:.0f} s in {self.base.name}"
                raise EnvironmentTrouble(message) from error
            with asking("what uv said"):
                out = bytes(api.logs(container, stdout=True, stderr=False))
                err = bytes(api.logs(container, stdout=False, stderr=True))
        return subprocess.CompletedProcess(
            list(command), code, out.decode(errors="replace"), err.decode(errors="replace")
        )

    @contextmanager
    def _container(self, command: Sequence[str], env: Mapping[str, str]) -> Iterator[str]:
        api = self.engine.api
        given = {name: value for name, value in env.items() if _is_needed(name)}
        with asking("to prepare for uv"):
            host_config = api.create_host_config(
                network_mode="host",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                read_only=True,
                tmpfs={"/tmp": "mode=1777,nosuid,nodev"},  # noqa: S108 - of the container
                init=True,
                binds=self._binds(env),
            )
            made = api.create_container(
                self.base.image,
                entrypoint=[command[0]],
                command=list(command[1:]),
                environment=given,
                user=f"{os.getuid()}:{os.getgid()}",
                working_dir="/",
                labels={LABEL: "1", ATTEMPT: "uv", SUPERVISOR: this_supervisor()},
                host_config=host_config,
                use_config_proxy=False,
            )
        container = str(made["Id"])
        try:
            yield container
        except BaseException:
            with suppress(FixproofError):
                remove(self.engine, container)
            raise
        remove(self.engine, container)

    def _binds(self, env: Mapping[str, str]) -> list[str]:
        read = {*self.visible, *_read_by_uv(env)}
        existing = sorted(path for path in read if Path(path).exists())
        return [f"{self.store}:{self.store}:rw", *(f"{path}:{path}:ro" for path in existing)]


def _is_needed(name: str) -> bool:
    return name.startswith("UV_") or name.upper().endswith("_PROXY") or name in _TAKEN


def _read_by_uv(env: Mapping[str, str]) -> Iterator[str]:
    """Files of this machine that say to uv where packages come from, and whom to trust."""
    for name in (*_FILES, *_MORE_FILES):
        yield from (each for each in env.get(name, "").split() if each.startswith("/"))
    for name in _INDEXES:
        for each in env.get(name, "").split():
            address = urlsplit(each.partition("=")[2] or each)
            if address.scheme == "file":
                yield address.path
    yield from _OF_MACHINES
    if home := env.get("HOME"):
        yield from (f"{home}/{name}" for name in _OF_USERS)
