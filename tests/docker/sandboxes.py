"""Docker sandboxes for tests: one engine and one base of the interpreter that runs them."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.container_engine import Engine
from runner.adapters.containers import Fashion
from runner.adapters.debian_roots import DebianRoots
from runner.adapters.docker_bases import Base, Bases
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.adapters.interpreters import MachineInterpreters
from runner.environment import Interpreter
from runner.errors import SandboxUnavailable

PODMAN_FOLDER = "/var/tmp/fixproof-podman"
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
def podman() -> Engine:
    """Podman's socket, of the session."""
    return Engine(host=f"unix://{PODMAN_FOLDER}/engine.sock")


@cache
def bases() -> Bases:
    return Bases(engine(), machine, find_uv_bin())


def base() -> Base:
    """The base of the Python that runs the tests."""
    return bases().ensure(PYTHON)


def docker_sandbox() -> DockerSandbox:
    """A sandbox in that base."""
    return DockerSandbox(OneImage(lambda: base().as_image()), engine=engine(), fashion=fashion())


def fashion(runtime: str | None = None) -> Fashion:
    return Fashion(runtime=runtime, profiles=Path(os.environ["FIXPROOF_HOME"]) / "store")


@cache
def podman_bases() -> Bases:
    """Bases of Podman, made on the root file system that the session's engine has."""
    ours: Any = engine().api
    theirs: Any = podman().api
    root = f"fixproof/root:{DebianRoots(engine()).own_suite()}-base"
    if engine().image(root) is not None and podman().image(root) is None:
        theirs.load_image(b"".join(ours.get_image(root)))
    return Bases(podman(), machine, find_uv_bin())


def podman_base() -> Base:
    return podman_bases().ensure(PYTHON)


def podman_sandbox() -> DockerSandbox:
    """A sandbox of Podman."""
    images = OneImage(lambda: podman_base().as_image())
    return DockerSandbox(images, engine=podman(), fashion=fashion())


@cache
def no_docker() -> str | None:
    """Why Docker cannot be used on this machine; None if it can."""
    try:
        base()
    except SandboxUnavailable as error:
        return str(error)
    return None


@cache
def no_podman() -> str | None:
    """Why Podman cannot be used on this machine; None if it can."""
    try:
        podman_base()
    except SandboxUnavailable as error:
        return str(error)
    return None
