"""Builders of what real sandboxes are asked to run, and the marks of the tests that ask them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.adapters.local_sandbox import BubblewrapSandbox, ProcessSandbox
from runner.sandbox import Limits, Mount, RunRequest, RunResult, Sandbox
from tests.docker.sandboxes import docker_sandbox, podman_sandbox
from tests.fakes import ScriptedSandbox

INTERPRETER = Path(sys.executable).resolve()
PREFIX = Path(sys.base_prefix).resolve()
MOUNTS = () if PREFIX.is_relative_to("/usr") else (Mount(source=str(PREFIX), target=str(PREFIX)),)
MIB = 1024 * 1024
LIMITS = Limits(timeout=20, memory=128, processes=64)

BUBBLEWRAP = pytest.param(BubblewrapSandbox, marks=pytest.mark.bubblewrap, id="bubblewrap")
PROCESS = pytest.param(ProcessSandbox, id="process")
DOCKER = pytest.param(docker_sandbox, marks=pytest.mark.docker, id="docker")
PODMAN = pytest.param(podman_sandbox, marks=pytest.mark.podman, id="podman")
SCRIPTED = pytest.param(ScriptedSandbox, id="scripted")
every_sandbox = pytest.mark.parametrize("make", [BUBBLEWRAP, DOCKER, PODMAN, PROCESS, SCRIPTED])
every_real_sandbox = pytest.mark.parametrize("make", [BUBBLEWRAP, DOCKER, PODMAN, PROCESS])
MakeSandbox = Callable[[], Sandbox]


def a_script(code: str, *words: str, limits: Limits = LIMITS) -> RunRequest:
    """A request that runs Python code with the interpreter of the tests."""
    command = (str(INTERPRETER), "-I", "-S", "-c", code, *words)
    return RunRequest(id="a-1", command=command, mounts=MOUNTS, limits=limits)


def run(sandbox: Sandbox, code: str, *words: str, limits: Limits = LIMITS) -> RunResult:
    """What becomes of Python code in a sandbox."""
    return sandbox.run(a_script(code, *words, limits=limits))


def limits(**changes: float) -> Limits:
    """The usual limits, with changes."""
    return LIMITS.model_copy(update=changes)


def becomes(condition: Callable[[], bool], within: float) -> bool:
    """Whether `condition` holds before that many seconds are over."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_alive(mark: str) -> bool:
    """Whether a process of this machine has `mark` among its words."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in place.read_text(errors="replace").split("\0"):
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False
