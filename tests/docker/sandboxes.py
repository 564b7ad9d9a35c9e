"""Docker sandboxes for tests: one engine and one base of the interpreter that runs them."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from uv import find_uv_bin

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.container_engine import Engine
from runner.adapters.docker_bases import Base, Bases
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.adapters.interpreters import MachineInterpreters
from runner.environment import Interpreter
from runner.errors import SandboxUnavailable

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def machine() -> tuple[Interpreter, ...]:
    """The interpreters of this machine."""
    home = Path(os.environ["FIXPROOF_HOME"])
    return MachineInterpreters(CachedDocuments(home / "cache")).at_hand()


@cache
def engine() -> Engine:
    """The engine of the session."""
    return Engine()


@cache
def bases() -> Bases:
    return Bases(engine(), machine, find_uv_bin())


def base() -> Base:
    """The base of the Python that runs the tests."""
    return bases().ensure(PYTHON)


def docker_sandbox() -> DockerSandbox:
    """A sandbox in that base."""
    return DockerSandbox(OneImage(lambda: base().as_image()), engine=engine())


@cache
def no_docker() -> str | None:
    """Why Docker cannot be used on this machine; None if it can."""
    try:
        base()
    except SandboxUnavailable as error:
        return str(error)
    return None
