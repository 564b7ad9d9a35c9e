"""Runs uv and a base's interpreter in a container of that base, with the store to write to.

Only they run there, and no code of third parties: so it has the network and our own uid. System
calls are denied to them as to attempts, all the same: what they read comes from strangers.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from runner.adapters.container_engine import Engine, asking
from runner.adapters.containers import remove, security
from runner.adapters.docker_bases import Base
from runner.adapters.supervisors import labels
from runner.errors import EnvironmentTrouble, FixproofError, Interrupted

_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_MORE_FILES = ("UV_CONFIG_FILE", "NETRC", "UV_FIND_LINKS")
_INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL")
_OF_USERS = (".config/uv", ".netrc")
_OF_MACHINES = ("/etc/uv",)
_TAKEN = ("PATH", "HOME", "LANG", "NETRC", "NO_PROXY", "ALL_PROXY", *_FILES)
"""What uv needs of our environment beside its own variables."""


class InBase:
    """Commands in one base; the same port as commands on this machine.

    Args:
        visible: paths that commands read beside the store.
    """

    def __init__(
        self, *, engine: Engine, base: Base, store: Path, visible: tuple[str, ...] = ()
    ) -> None:
        self.engine = engine
        self.base = base
        self.store = store
        self.visible = visible
        self._lock = threading.Lock()
        self._containers: set[str] = set()
        self._stopped = False

    def stop(self) -> None:
        """End what runs; it and every later `run` raises `Interrupted`."""
        with self._lock:
            self._stopped = True
            for each in self._containers:
                with suppress(FixproofError):
                    remove(self.engine, each)

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
                security_opt=security(self.engine, self.store),
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
                labels=labels("uv"),
                host_config=host_config,
                use_config_proxy=False,
            )
        container = str(made["Id"])
        with self._lock:
            self._containers.add(container)
        try:
            self._refuse_if_stopped()
            yield container
        except BaseException:
            with suppress(FixproofError):
                remove(self.engine, container)
            self._refuse_if_stopped()
            raise
        finally:
            with self._lock:
                self._containers.discard(container)
        remove(self.engine, container)

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise Interrupted("stopped while an environment was made")

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
