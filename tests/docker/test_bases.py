"""Bases: made of what this machine has, kept, and told what they are."""

from __future__ import annotations

import pytest
from uv import find_uv_bin

from runner.adapters.container_engine import Engine
from runner.adapters.docker_bases import Bases, Origin, Purpose
from runner.adapters.docker_commands import InBase
from runner.adapters.docker_environments import BaseImages
from runner.adapters.docker_sandbox import DockerSandbox
from runner.errors import SandboxUnavailable
from runner.sandbox import Mount, RunRequest, RunResult, ending_of
from tests.docker.sandboxes import PYTHON, base, bases, engine, machine

pytestmark = pytest.mark.docker
FAMILY = "fixproof-test"
IMPORTS = "import bz2, ctypes, hashlib, lzma, sqlite3, ssl, zlib; print(ssl.OPENSSL_VERSION)"


@pytest.fixture(scope="module")
def debian_bases() -> Bases:
    """Bases of a machine that has no interpreter."""
    return Bases(engine(), lambda: (), find_uv_bin(), FAMILY)


def test_a_base_of_this_machines_interpreter_has_just_that_one() -> None:
    made = base()
    here = next(each for each in machine() if each.python == PYTHON)
    if made.origin is not Origin.MACHINE:
        pytest.skip("bases can be pulled here")
    assert made.interpreter == here
    assert made.image.startswith("sha256:")


def test_what_an_interpreter_is_linked_to_is_in_its_base() -> None:
    result = in_base(bases(), IMPORTS)
    assert (result.ending, result.stderr.head) == (ending_of(0), b"")


def test_a_base_is_made_once() -> None:
    again = Bases(engine(), machine, find_uv_bin())
    assert again.ensure(PYTHON) == base()
    assert base() in again.at_hand()


def test_where_there_is_no_interpreter_debian_has_one(debian_bases: Bases) -> None:
    made = debian_bases.ensure("3.9")
    assert (made.origin, made.made_from) == (Origin.DEBIAN, "Debian bullseye")
    assert made.interpreter.executable == "/usr/bin/python3.9"
    result = in_base(debian_bases, IMPORTS, "3.9", Mount(source="/usr", target="/usr"))
    assert (result.ending, result.stderr.head) == (ending_of(0), b"")


def in_base(of: Bases, code: str, python: str = PYTHON, *mounts: Mount) -> RunResult:
    interpreter = of.ensure(python).interpreter
    sandbox = DockerSandbox(BaseImages(of, lambda: [python]), engine=engine())
    command = (interpreter.executable, "-I", "-S", "-c", code)
    return sandbox.run(RunRequest(id="a-1", command=command, mounts=mounts))


def test_a_base_that_cannot_be_made_says_all_that_was_tried(debian_bases: Bases) -> None:
    with pytest.raises(SandboxUnavailable, match=r"no base with Python 3\.99") as caught:
        debian_bases.ensure("3.99")
    hint = caught.value.hint or ""
    assert "pulled" in hint
    assert "this machine has no Python 3.99" in hint
    assert "no suite of Debian" in hint


def test_a_base_to_build_in_has_a_compiler_and_headers() -> None:
    made = bases().ensure(PYTHON, Purpose.BUILD)
    code = (
        "import os, subprocess, sysconfig\n"
        "open('/tmp/x.c', 'w').write('#include <Python.h>\\n')\n"
        "include = sysconfig.get_path('include')\n"
        "print(subprocess.call(['cc', '-I', include, '-c', '/tmp/x.c', '-o', '/tmp/x.o']))"
    )
    images = BaseImages(bases(), lambda: [PYTHON], Purpose.BUILD)
    request = RunRequest(
        id="a-1",
        command=(made.interpreter.executable, "-I", "-S", "-c", code),
        env={"PATH": "/usr/bin:/bin", "HOME": "/tmp"},
    )
    result = DockerSandbox(images, engine=engine()).run(request)
    assert result.stdout.head == b"0\n"


def test_an_environment_is_made_by_the_interpreter_of_its_base(
    debian_bases: Bases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = tmp_path_factory.mktemp("store")
    made = debian_bases.ensure("3.9")
    run = InBase(engine=engine(), base=made, store=store).run
    env = {"UV_CACHE_DIR": str(store / "uv-cache"), "HOME": "/tmp"}
    tree = store / "tree"
    command = ["/usr/local/bin/uv", "venv", str(tree), "--python", made.interpreter.executable]
    done = run(command, env, 60)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tree / "bin/python").readlink().as_posix() == made.interpreter.executable
    result = DockerSandbox(BaseImages(debian_bases, lambda: ["3.9"]), engine=engine()).run(
        RunRequest(
            id="a-1",
            command=(f"{tree}/bin/python", "-c", "import sys; print(sys.prefix)"),
            mounts=(
                Mount(source=str(tree), target=str(tree)),
                Mount(source=made.interpreter.prefix, target=made.interpreter.prefix),
            ),
        )
    )
    assert result.stdout.head.decode().strip() == str(tree)


def test_no_name_of_others_is_given_to_an_image_of_ours(debian_bases: Bases) -> None:
    made = debian_bases.ensure("3.9")
    fresh = Engine()
    named = [each["RepoTags"] or () for each in fresh.api.images()]
    fresh.close()
    (tags,) = (each for each in named if made.name in each)
    assert [each for each in tags if not each.startswith(f"{FAMILY}/")] == []
