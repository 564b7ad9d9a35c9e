"""One index and one warm home for the session; a home, a package and a folder for each test."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Cases, Fixproof, Package
from tests.index_server import IndexServer

_HERE = Path(__file__).parent
_serial = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is here runs in the real sandbox, and asks an index on loopback."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.bubblewrap)
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="session")
def index() -> Iterator[IndexServer]:
    with IndexServer().serving() as server:
        yield server


@pytest.fixture(scope="session")
def warm_home(index: IndexServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that knows the interpreters of this machine, which take a while to find."""
    folder = tmp_path_factory.mktemp("warm")
    package = Package(index, "warm").usual()
    fixproof = Fixproof(folder / "home", index.address(), folder)
    assert fixproof("plan", Cases(folder, package).write()).code == 0
    return folder / "home" / "cache"


@pytest.fixture
def fixproof(index: IndexServer, warm_home: Path, tmp_path: Path) -> Fixproof:
    home = tmp_path / "home"
    shutil.copytree(warm_home, home / "cache")
    return Fixproof(home, index.address(), tmp_path)


@pytest.fixture
def package(index: IndexServer) -> Package:
    """A package without releases, of a name that no other test has."""
    return Package(index, f"thing{next(_serial)}")


@pytest.fixture
def other(index: IndexServer) -> Package:
    """Another one, to depend on."""
    return Package(index, f"other{next(_serial)}")


@pytest.fixture
def cases(package: Package, tmp_path: Path) -> Cases:
    return Cases(tmp_path, package)
