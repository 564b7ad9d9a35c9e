"""Which scripts ask for the version of a release."""

from __future__ import annotations

import pytest

from runner.version_readers import reads_version


@pytest.mark.parametrize(
    "script",
    [
        "import thing\nif thing.__version__ < '1.2': pass",
        "from thing import __version__",
        "import thing.about\nprint(thing.about.VERSION)",
        "from importlib.metadata import version\nversion('thing')",
        "from importlib import metadata\nmetadata.version('thing')",
        "import importlib.metadata\nimportlib.metadata.version('thing')",
        "import pkg_resources\npkg_resources.get_distribution('thing')",
        "import thing\nprint(thing.version_info)",
    ],
)
def test_a_script_that_asks_for_a_version_is_told(script: str) -> None:
    assert reads_version(script)


@pytest.mark.parametrize(
    "script",
    [
        "import sys\nif sys.version_info >= (3, 8): pass",
        "from sys import version_info",
        "import thing\nthing.run()",
        "version = 3\nprint(version)",
        "'''thing.__version__ is not asked for'''",
        "print 'another Python', thing.__version__",
        "\0",
        "",
    ],
)
def test_others_are_not(script: str) -> None:
    assert not reads_version(script)
