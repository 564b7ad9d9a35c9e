"""What tests marked `docker` need: an engine, started for the session where none is given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.engines import engine_of_the_session


@pytest.fixture(scope="session")
def why_no_docker() -> Iterator[str | None]:
    with engine_of_the_session() as why:
        yield why


@pytest.fixture(autouse=True)
def _docker(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("docker"):
        why = request.getfixturevalue("why_no_docker")
        if why is not None:
            pytest.skip(why)
