"""A source distribution that tries, while it is built, all that the hostile scripts try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.attempts import PODMAN, becomes
from tests.hostile.test_hostile import HELPER, KINDS, SCRIPTS, Hostile, read, state
from tests.hostile.world import SHOWN_AT, World, a_world
from tests.test_wheel_builder import SMALL, build

ROOM = SMALL.model_copy(update={"timeout": 60, "processes": 64})
OF_ATTEMPTS = {
    "kills_its_supervisor": "counts processes, of which a build has had many",
    "opens_by_handle": "looks at the folder of its case",
    "opens_its_init": "has the streams of its init, where a build gave it others",
    "setuid_programs": "looks at the folder of its case",
    "touches_other_attempts": "finds an empty /tmp, where a build has its source",
    "writes_to_its_script": "finds it where it may not write, where a build may",
}
"""Scripts that fail in any build, and why."""
TRIES_ALL = """
import glob, subprocess
os.environ.update({addresses!r}, OWN_TREE=sys.prefix)
places = lambda: set(glob.glob("/tmp/*") + glob.glob("/dev/shm/*"))
got, before = [], places()
for script in {names!r}:
    done = subprocess.run([sys.executable, "hostile/" + script], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=10)
    if done.returncode:
        got.append((script, done.returncode, done.stdout[-300:]))
    subprocess.call(["rm", "-rf", *(places() - before)])
raise SystemExit("TRIED %d, GOT %r" % ({count}, got))
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(params=[*KINDS, PODMAN])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    make: Callable[[], Sandbox] = request.param
    return make()


def tells_by_its_exit(script: Path, hostile: Hostile, sandbox: Sandbox) -> bool:
    """Whether a script says itself if it was contained, and this sandbox can contain it."""
    if "import attack" not in script.read_text():
        return False
    usual = (hostile.ends, hostile.says, hostile.tree) == (("exit 0",), ("absent",), "own")
    return usual and hostile.needs not in sandbox.describe().unenforced


def test_a_build_gets_no_further_than_a_script(
    sandbox: Sandbox, world: World, tmp_path: Path
) -> None:
    hostile = [read(script, tmp_path / "cases") for script in SCRIPTS]
    tried = [
        script
        for script, each in zip(SCRIPTS, hostile, strict=True)
        if script.stem not in OF_ATTEMPTS and tells_by_its_exit(script, each, sandbox)
    ]
    assert len(tried) > 30
    code = TRIES_ALL.format(
        addresses={**world.addresses, "MARK": "build", "OTHER_TREE": f"{SHOWN_AT}/other"},
        names=[each.name for each in tried],
        count=len(tried),
    )
    files = {f"hostile/{each.name}": each.read_text() for each in (*tried, HELPER)}
    before = state(world, hostile[0])
    world.connections()
    detail = build(code, sandbox, tmp_path, limits=ROOM, files=files).detail
    assert f"TRIED {len(tried)}, GOT []" in detail
    assert becomes(lambda: state(world, hostile[0]) == before, within=2)
    assert world.connections() == []
