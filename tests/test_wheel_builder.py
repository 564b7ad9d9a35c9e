"""Builds that mean harm, or just go wrong, in each sandbox that may build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from runner.adapters.cached_documents import CachedDocuments
from runner.adapters.interpreters import MachineInterpreters
from runner.adapters.uv_environments import UvEnvironments
from runner.adapters.uv_explanations import Lacking
from runner.adapters.wheel_builder import WheelBuilder
from runner.backends import INSIDE, uv_program
from runner.environment import (
    Building,
    Environment,
    Failure,
    FailureKind,
    Interpreter,
    Lock,
    Wanted,
    unheard,
)
from runner.sandbox import Limits, Sandbox
from tests.attempts import BUBBLEWRAP, DOCKER, INTERPRETER
from tests.wheels import sdist

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
SMALL = Limits(
    timeout=8, memory=128, processes=32, disk=32, kept=8 * 1024 * 1024, output=4 * 1024 * 1024
)
"""Enough for a bad build to show what it does."""


class OneSource:
    """An index with one source distribution, whose build runs this code."""

    def __init__(self, code: str, files: Mapping[str, str]) -> None:
        back_end = f"import os, sys, time\ndef build_wheel(folder, *_):\n{code}\n"
        whole = {"pyproject.toml": PROJECT, "backend.py": back_end, **files}
        self._built = sdist("pkg", "1.0", files=whole)

    def newest_source(
        self, package: str, python: str, before: datetime | None, within: SpecifierSet
    ) -> str | None:
        del package, python, before, within
        return "1.0"

    def tools_until(self, package: str, version: str) -> datetime | None:
        del package, version
        return None

    def fetch_source(self, package: str, version: str, folder: Path) -> Path | None:
        del package, version
        path = folder / self._built.filename
        path.write_bytes(self._built.data)
        return path


@pytest.fixture(params=[BUBBLEWRAP, DOCKER])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    made: Callable[[], Sandbox] = request.param
    return made()


def interpreter(folder: Path) -> Interpreter:
    """The one that runs the tests, which a base is made of as well."""
    at_hand = MachineInterpreters(CachedDocuments(folder / "cache")).at_hand()
    return next(each for each in at_hand if each.executable == str(INTERPRETER))


def builder_of(
    code: str, sandbox: Sandbox, folder: Path, *, limits: Limits, files: Mapping[str, str]
) -> Callable[[Building], Path | Failure]:
    """Asks for the wheel of a source distribution whose build runs `code`, as often as called."""
    own = interpreter(folder)
    environments = UvEnvironments(folder / "store", uv_program())
    builder = WheelBuilder(
        store=folder / "store",
        sandbox=lambda: sandbox,
        sources=OneSource("\n".join(f"    {line}" for line in code.splitlines()), files),
        inside=str(INSIDE),
        limits=limits,
    )

    def prepare(asked: Wanted) -> Environment | Failure:
        return environments.install(Lock(wheels=()), asked.interpreter)

    wanted = Wanted(requirements=("pkg==1.0",), interpreter=own, as_of=None)
    lacking = Lacking("pkg", SpecifierSet())
    return lambda building: builder.build(lacking, wanted, prepare, building)


def build(
    code: str,
    sandbox: Sandbox,
    folder: Path,
    *,
    limits: Limits = SMALL,
    files: Mapping[str, str] | None = None,
) -> Failure:
    """What becomes of a build that runs `code`; none of these may come to a wheel.

    `files` are of the source distribution, beside its back end.
    """
    ask = builder_of(code, sandbox, folder, limits=limits, files=files or {})
    failure = ask(unheard)
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.BUILD_FAILED
    assert not list((folder / "store").glob("built/*/*.whl"))
    return failure


def test_a_build_that_hangs_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    assert "timeout" in build("time.sleep(60)", sandbox, tmp_path).detail


def test_a_build_that_ignores_signals_and_forks_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
import signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
for _ in range(100):
    try:
        if os.fork() == 0:
            os.setsid(); time.sleep(60); os._exit(0)
    except OSError:
        pass
time.sleep(60)
"""
    assert "timeout" in build(code, sandbox, tmp_path).detail


def test_a_build_that_fills_the_disk_fills_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
with open("/tmp/full", "wb") as file:
    for _ in range(64):
        file.write(bytes(1024 * 1024))
"""
    assert "No space left" in build(code, sandbox, tmp_path).detail


def test_a_build_that_eats_memory_is_ended_by_the_kernel(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
eaten = [bytes(range(256)) * 4096 * 16 for _ in range(64)]
time.sleep(1)
"""
    assert "memory" in build(code, sandbox, tmp_path).detail


def test_a_build_that_floods_its_output_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
for _ in range(100_000):
    os.write(2, b"x" * 4096)
"""
    assert "output_limit" in build(code, sandbox, tmp_path).detail


def test_a_build_that_prints_a_wheel_of_its_own_hands_out_none(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """It guesses the descriptor of the answers, writes a name there, and goes."""
    code = """
for number in range(3, 64):
    try:
        os.write(number, b"pkg-1.0-py3-none-any.whl\\nPK not a wheel")
    except OSError:
        pass
os._exit(0)
"""
    assert "refused" in build(code, sandbox, tmp_path).detail


def test_a_build_that_failed_is_not_tried_again_for_the_next_cell(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    ask = builder_of("sys.exit('no')", sandbox, tmp_path, limits=SMALL, files={})
    begun: list[str] = []
    failures = [ask(begun.append) for _ in range(2)]
    assert failures[0] == failures[1]
    assert begun == ["pkg 1.0"]
