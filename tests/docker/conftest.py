"""A second engine, which tests may do anything to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.engines import OwnEngine, another_engine

OTHER_RUNTIME = "other"
_WRAPPER = """#!/bin/sh
echo "$@" >>"$0.calls"
exec runc "$@"
"""


@pytest.fixture(scope="session")
def own_engine(
    why_no_docker: str | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnEngine]:
    """It has the base of the session's engine, and one runtime more, which writes down its calls."""
    if why_no_docker is not None:
        pytest.skip(why_no_docker)
    folder = tmp_path_factory.mktemp("engine")
    runtime = folder / OTHER_RUNTIME
    runtime.write_text(_WRAPPER)
    runtime.chmod(0o755)
    with another_engine(folder, "--add-runtime", f"{OTHER_RUNTIME}={runtime}") as own:
        yield own


@pytest.fixture
def runtime_calls(own_engine: OwnEngine) -> Path:
    """What the other runtime was called with, a line each; empty at first."""
    calls = Path(own_engine.folder, f"{OTHER_RUNTIME}.calls")
    calls.write_text("")
    return calls
