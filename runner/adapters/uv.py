"""Runs uv, with what a user's configuration says of indexes, and reads what it says of troubles."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from runner.adapters.commands import Commands, was_full
from runner.adapters.uv_configuration import write_index_settings
from runner.environment import Failure, FailureKind
from runner.errors import EnvironmentTrouble, IndexUnreachable, NoSpace

_SECONDS = 600

# What a user's configuration says of where packages come from is uv's business; what it says of
# which ones to take would make a cell depend on the machine it was resolved on.
_OF_INDEXES = re.compile(
    r"UV_(INDEX.*|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|SYSTEM_CERTS"
    r"|NATIVE_TLS|INSECURE_HOST|OFFLINE|HTTP_.*|REQUEST_TIMEOUT|CONCURRENT_.*"
    r"|CERT)"
)
_ADDRESS = re.compile(r"\b(?:https?|file)://\S+")
NO_SOLUTION = "No solution found"
_NO_WHEEL = ("no usable wheels", "no wheels with a matching", "building from source is disabled")
_NETWORK = ("error sending request", "Failed to fetch", "Could not connect", "dns error", "offline")

_OF_FILES = (
    *("(404 Not Found)", "(410 Gone)", "Hash mismatch"),
    *("Failed to extract", "ZIP file", "is invalid", "Failed to read metadata", "Failed to unzip"),
)
"""What uv says where a file is the trouble, and neither the network nor the disk."""


class BadFile(Exception):
    """A locked file cannot be had, or cannot be unpacked; the text is what uv said."""


class Uv:
    """The program, its cache, and its configurations beside that."""

    def __init__(self, program: str, cache: Path, commands: Commands) -> None:
        self._program = program
        self._cache = cache
        self._commands = commands
        self._writing = threading.Lock()
        self._environs: dict[bool, dict[str, str]] = {}

    def run(
        self, arguments: Sequence[str], *, remembering: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end.

        Args:
            arguments: after the program's name.
            remembering: pages of an index may be up to some minutes old.
        """
        command = [self._program, "--quiet", "--no-progress", "--color", "never", *arguments]
        return self._commands.run(command, self._environ(remembering=remembering), _SECONDS)

    def _environ(self, *, remembering: bool) -> dict[str, str]:
        """One configuration for all threads, for each way of asking."""
        with self._writing:
            if remembering not in self._environs:
                self._environs[remembering] = self._make_environ(remembering=remembering)
            return self._environs[remembering]

    def _make_environ(self, *, remembering: bool) -> dict[str, str]:
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        target = self._cache.parent / ("uv-remembering.toml" if remembering else "uv.toml")
        environ = write_index_settings(os.environ, target, remembering=remembering)
        own = {
            name: value
            for name, value in environ.items()
            if not name.startswith("UV_") or _OF_INDEXES.fullmatch(name)
        }
        own.pop("VIRTUAL_ENV", None)
        more = {"UV_CACHE_DIR": str(self._cache), "UV_PYTHON_DOWNLOADS": "never"}
        return {**own, **more, "UV_CONFIG_FILE": str(target)}


def failure_of(stderr: str, *, offline: bool) -> Failure:
    """Why nothing was resolved.

    Raises:
        NoSpace, IndexUnreachable, EnvironmentTrouble: that says nothing of what was asked.
    """
    said = _ADDRESS.sub("<address>", stderr).strip()
    if NO_SOLUTION in stderr or offline:
        return Failure(kind=_failure_kind(stderr), detail=said)
    raise _trouble(stderr, said, "resolving")


def _failure_kind(stderr: str) -> FailureKind:
    if any(each in stderr for each in _NO_WHEEL):
        return FailureKind.NO_WHEEL
    if "the current Python version" in stderr:
        return FailureKind.PYTHON_NOT_ALLOWED
    return FailureKind.NO_SOLUTION


def require_success(done: subprocess.CompletedProcess[str], doing: str) -> None:
    """See that uv did what it was to do.

    Raises:
        BadFile: a file is the trouble.
        NoSpace, IndexUnreachable, EnvironmentTrouble: something else is.
    """
    if done.returncode != 0:
        said = _ADDRESS.sub("<address>", done.stderr).strip()
        if any(each in done.stderr for each in _OF_FILES) and not was_full(done.stderr):
            raise BadFile(said)
        raise _trouble(done.stderr, said, doing)


def _trouble(stderr: str, said: str, doing: str) -> NoSpace | IndexUnreachable | EnvironmentTrouble:
    if was_full(stderr):
        return NoSpace(f"the disk was full while {doing}", hint=said)
    if any(each in stderr for each in _NETWORK):
        return IndexUnreachable(f"the package index did not answer while {doing}", hint=said)
    return EnvironmentTrouble(f"uv failed while {doing}", hint=said)
