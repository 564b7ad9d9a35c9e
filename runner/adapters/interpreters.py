"""Finds CPython interpreters on this machine; it fetches none."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.version import Version
from pydantic import TypeAdapter

from runner.adapters.cached_documents import CachedDocuments
from runner.environment import Interpreter
from runner.errors import EnvironmentTrouble

KEPT_SECONDS = 600
_ANSWER_SECONDS = 30
_ASKED_AT_ONCE = 4

_LIST = TypeAdapter(tuple[Interpreter, ...])

# What an interpreter says of itself. Old ones must understand it too.
_QUESTION = """
import json, platform, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "build": sys.version,
    "prefix": sys.base_prefix,
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "platform": sysconfig.get_platform() + "-" + "".join(platform.libc_ver()),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "final": sys.version_info.releaselevel == "final",
}))
"""


class MachineInterpreters:
    """The interpreters on PATH and where the usual tools put theirs."""

    def __init__(self, cache: CachedDocuments) -> None:
        self._cache = cache

    def at_hand(
        self, *, fresh: bool = False, looking: Callable[[], None] = lambda: None
    ) -> tuple[Interpreter, ...]:
        """One for each X.Y, the newest of it, lowest first."""
        name = f"interpreters/2 {os.environ.get('PATH')} {os.environ.get('PYENV_ROOT')}"
        kept = None if fresh else self._cache.get(name, seconds=KEPT_SECONDS)
        if kept is not None:
            found = _LIST.validate_json(kept)
            if all(Path(each.executable).exists() for each in found):
                return found
        looking()
        found = _find()
        self._cache.put(name, _LIST.dump_json(found).decode())
        return found


def _find() -> tuple[Interpreter, ...]:
    from findpython.providers import ALL_PROVIDERS

    # The library's own search runs each interpreter one after the other, to learn less of it.
    providers = [provider for each in ALL_PROVIDERS.values() if (provider := each.create())]
    found = {python.executable.resolve() for each in providers for python in each.find_pythons()}
    paths = sorted(path for path in found if path.parent.name != "shims")
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        asked = [each for each in pool.map(_ask, paths) if each is not None]
    if not asked:
        raise EnvironmentTrouble(
            "no CPython interpreter was found",
            hint="Install one, for example: apt-get install python3.",
        )
    newest: dict[str, Interpreter] = {}
    for each in sorted(asked, key=lambda one: (Version(one.version), one.executable)):
        newest[each.python] = each
    return tuple(newest.values())


def _ask(path: Path) -> Interpreter | None:
    """What the interpreter at `path` is; None for a shim, another implementation or a beta."""
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", _QUESTION],
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=True,
            cwd="/",
        )
        said = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    usable = said["implementation"] == "cpython" and said["final"] and not said["free_threaded"]
    if not usable or not said["version"].startswith("3."):
        return None
    executable = Path(said["executable"]).resolve()
    return Interpreter(
        python=".".join(said["version"].split(".")[:2]),
        version=said["version"],
        executable=str(executable),
        prefix=str(Path(said["prefix"]).resolve()),
        platform=said["platform"],
        sha256=_identity(executable, said["build"], said["platform"]),
    )


def _identity(executable: Path, build: str, platform: str) -> str:
    """Build and date are in `build`: a shared library's change shows there, not in the program."""
    whole = hashlib.sha256(executable.read_bytes())
    whole.update(f"{build}\0{platform}".encode())
    return whole.hexdigest()
