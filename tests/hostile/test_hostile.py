"""Scripts that mean harm: none reaches the host, the store, another attempt, or its own result.

Each script in `cases/` is a case: its table [tool.hostile] says how it must end, and what the
contract makes of that. Where it shows its signature, it got through. What a machine gives no means
to enforce, and the sandbox says so, is not asked for; the host must be whole all the same.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from markdown_it import MarkdownIt

from runner.adapters.bubblewrap import Bubblewrap, find_bubblewrap
from runner.adapters.case_files import CaseFiles
from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.attempt import Attempt, Loaded
from runner.case import Case
from runner.errors import SandboxTrouble
from runner.render.text import block, log_text
from runner.runs import PROBE_FOLDER, limits_of
from runner.sandbox import Limits, Mount, RunResult, Sandbox, Stream
from runner.verdict import Observation, loaded_as_planned, observe
from tests.attempts import becomes
from tests.docker.sandboxes import docker_sandbox
from tests.hostile.neighbours import Neighbour, finds_nothing_of_others
from tests.hostile.world import SHOWN_AT, World, a_world, cgroups, fingerprint, left_alive, mounts

CASES = Path(__file__).parent / "cases"
HELPER = CASES / "attack.py"
SCRIPTS = tuple(sorted(path for path in CASES.glob("*.py") if path != HELPER))
PROBES = Path(__file__).parents[2] / "runner/inside"
ROOM = {"processes": 64, "descriptors": 256, "disk": 16, "memory": 128}
"""What a hostile script may use; its time is its own."""
SLACK = 3.0
"""Seconds beyond its limit until an attempt must be over, on a busy machine."""


def as_a_user() -> Bubblewrap:
    """What is done where the caller is not root."""
    return replace(find_bubblewrap(), setpriv=None)


KINDS = [
    pytest.param(BubblewrapSandbox, marks=pytest.mark.bubblewrap, id="bubblewrap"),
    pytest.param(
        lambda: BubblewrapSandbox(as_a_user), marks=pytest.mark.bubblewrap, id="bubblewrap-user"
    ),
    pytest.param(docker_sandbox, marks=pytest.mark.docker, id="docker"),
]


@dataclass(frozen=True)
class Hostile:
    """A hostile case, the folder that is mounted for it, and what must come of it."""

    case: Case
    folder: Path
    ends: tuple[str, ...]
    says: tuple[str, ...]
    tree: str
    needs: str | None
    """What must be enforced for that, by its name in a sandbox's `unenforced`."""

    @property
    def limits(self) -> Limits:
        return limits_of(self.case).model_copy(update=ROOM)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world")) as world, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARY", world.secret)
        yield world


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[], Sandbox]:
    made: Callable[[], Sandbox] = request.param
    if made is docker_sandbox:
        request.getfixturevalue("why_no_docker")  # an engine, before anything of the module
    return made


@pytest.fixture(scope="module")
def sandbox(make: Callable[[], Sandbox]) -> Sandbox:
    return make()


@pytest.fixture(scope="module")
def neighbour(make: Callable[[], Sandbox]) -> Iterator[Neighbour]:
    with Neighbour(make()).living() as neighbour:
        assert neighbour.is_well()
        yield neighbour


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_hostile_script_is_contained(
    script: Path, sandbox: Sandbox, neighbour: Neighbour, world: World, tmp_path: Path
) -> None:
    hostile = read(script, tmp_path)
    before = state(world, hostile)
    world.connections()  # what an earlier script left is told there
    begun, mark = time.monotonic(), uuid4().hex
    result = sandbox.run(world.request(hostile.folder, hostile.tree, mark, hostile.limits))
    assert time.monotonic() - begun < hostile.limits.timeout + SLACK
    if hostile.needs not in sandbox.describe().unenforced:
        shown = log_text(result.stdout) + log_text(result.stderr)
        assert str(result.ending) in hostile.ends, shown
        assert words(observe(hostile.case, attempt_of(result))) in hostile.says, shown
    assert becomes(lambda: left_alive(mark) == [], within=1), left_alive(mark)
    assert becomes(lambda: state(world, hostile) == before, within=2)
    assert world.connections() == []
    assert world.secret.encode() not in everything(result)
    assert neighbour.is_well()
    assert finds_nothing_of_others(sandbox)
    for stream in (result.stdout, result.stderr):
        assert_harmless(log_text(stream))


def test_the_release_under_test_is_not_the_one_that_its_code_names(
    sandbox: Sandbox, world: World, tmp_path: Path
) -> None:
    loaded = probe(sandbox, world, read(CASES / "lies_about_its_version.py", tmp_path))
    assert loaded_as_planned("2.0", loaded)
    assert str(loaded.location).startswith(f"{SHOWN_AT}/own/")


def test_a_case_cannot_add_options_to_its_sandbox(
    sandbox: Sandbox, world: World, tmp_path: Path
) -> None:
    hostile = read(CASES / "reads_host_files.py", tmp_path)
    request = world.request(hostile.folder, "own", "mark", hostile.limits)
    smuggled = {"X": "1\0--ro-bind\0/\0/host"}
    with pytest.raises(SandboxTrouble, match="a NUL cannot stand"):
        sandbox.run(request.model_copy(update={"env": {**request.env, **smuggled}}))


def test_there_are_enough_of_them() -> None:
    assert len(SCRIPTS) >= 50


def read(script: Path, at: Path) -> Hostile:
    """The case of a script, with its helper beside it, as a case in a folder would be loaded."""
    source = at / "source" / script.stem
    source.mkdir(parents=True)
    shutil.copy(script, source / "repro.py")
    shutil.copy(HELPER, source)
    case, folder = CaseFiles(repros=at, copies=at / "copies").load(str(source))
    block = script.read_text().split("# ///\n")[0].partition("\n")[2]
    toml = "\n".join(line[2:] for line in block.splitlines())
    hostile = tomllib.loads(toml)["tool"]["hostile"]
    ends, says = (tuple(hostile[key].split(" | ")) for key in ("ends", "says"))
    return Hostile(case, folder, ends, says, hostile.get("tree", "own"), hostile.get("needs"))


def probe(sandbox: Sandbox, world: World, hostile: Hostile) -> Loaded:
    """What the service learns of the release that would be loaded."""
    request = world.request(hostile.folder, hostile.tree, "probe", hostile.limits)
    command = (request.command[0], f"{PROBE_FOLDER}/loaded.py", "/case", hostile.case.package)
    probes = Mount(source=str(PROBES), target=PROBE_FOLDER)
    changed = {"command": command, "mounts": (*request.mounts, probes)}
    return Loaded(**json.loads(sandbox.run(request.model_copy(update=changed)).stdout.head))


def state(world: World, hostile: Hostile) -> tuple[object, ...]:
    """What no attempt may change."""
    files = fingerprint(world.root), fingerprint(hostile.folder)
    # The neighbour has a cgroup, too; it has the same all the while.
    return (*files, mounts(world.root, hostile.folder), cgroups(), dict(os.environ))


def attempt_of(result: RunResult) -> Attempt:
    return Attempt(
        id=result.request.id,
        ran=datetime(2026, 2, 11, tzinfo=UTC),
        ending=result.ending,
        stdout=result.stdout,
        stderr=result.stderr,
        seconds=result.seconds,
    )


def words(observation: Observation) -> str:
    reason = f": {observation.reason}" if observation.reason else ""
    return f"{observation.says}{reason}"


def everything(result: RunResult) -> bytes:
    streams: tuple[Stream, ...] = (result.stdout, result.stderr)
    return b"\n".join(part for stream in streams for part in (stream.head, stream.tail))


def assert_harmless(text: str) -> None:
    """As a page shows it: nothing acts on a terminal, turns or hides, or ends its block."""
    acting = {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert acting <= {"\n", "\t"}
    assert len(text) < 32_000
    tokens = MarkdownIt().parse(block(text))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content.rstrip("\n") == text.rstrip("\n")
