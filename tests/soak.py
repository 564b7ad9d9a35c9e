"""A bounded soak: `make soak`. Hostile and good attempts, mixed; afterwards nothing may be left.

python -m tests.soak [ATTEMPTS] [bubblewrap|docker]
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.sandbox import RunRequest, Sandbox
from tests.attempts import becomes, is_alive
from tests.docker.sandboxes import docker_sandbox, engine
from tests.hostile.test_hostile import SCRIPTS, read
from tests.hostile.world import World, a_world
from tests.test_nothing_survives import left_behind

GOOD = "import sys; print('fine'); sys.exit(0)"
MOUNTS = Path("/proc/self/mounts")
SEED = 20261120


def leftovers(mark: str, kind: str) -> list[str]:
    """What is still there of attempts that bore the mark."""
    found = [f"processes with {mark}"] if is_alive(mark) else []
    found += map(str, left_behind(os.getpid()))
    if kind == "docker":
        found += [each["Id"] for each in engine().api.containers(all=True)]
    return found


def good(world: World, folder: Path, mark: str) -> RunRequest:
    """An attempt that has to end well whatever runs beside it."""
    (folder / "repro.py").write_text(GOOD, encoding="utf-8")
    return world.request(folder, "own", mark, read(SCRIPTS[0], folder.parent / "any").limits)


def soak(attempts: int, kind: str, world: World, folder: Path) -> Counter[str]:
    """Run them two at a time; what became of them."""
    sandbox: Sandbox = docker_sandbox() if kind == "docker" else BubblewrapSandbox()
    mark, chance = uuid4().hex, random.Random(SEED)
    (folder / "good").mkdir()
    fine = good(world, folder / "good", mark)
    hostile = [read(script, folder / script.stem) for script in SCRIPTS]

    def one(number: int) -> str:
        if number % 2:
            result = sandbox.run(fine)
            well = (str(result.ending), result.stdout.head) == ("exit 0", b"fine\n")
            return "good" if well else f"SPOILT: {result.ending} {result.stderr.head[-300:]!r}"
        case = chance.choice(hostile)
        result = sandbox.run(world.request(case.folder, case.tree, mark, case.limits))
        return "contained" if str(result.ending) in case.ends else f"LOOSE: {case.case.id}"

    with ThreadPoolExecutor(2) as pool:
        said = Counter(pool.map(one, range(attempts)))
    if not becomes(lambda: not leftovers(mark, kind), within=10):
        said["LEFT: " + ", ".join(leftovers(mark, kind))] += 1
    return said


def main() -> None:
    attempts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    kind = sys.argv[2] if len(sys.argv) > 2 else "bubblewrap"
    mounts, began = MOUNTS.read_text(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fixproof-soak-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        os.environ.setdefault("FIXPROOF_HOME", str(folder / "home"))
        (folder / "world").mkdir()
        with a_world(folder / "world") as world:
            said = soak(attempts, kind, world, folder)
    said.update(["LEFT: mounts"] * (MOUNTS.read_text() != mounts))
    for what, count in said.most_common():
        print(f"{count:6} {what}")  # noqa: T201 - a command
    print(f"{attempts} attempts on {kind}, {time.monotonic() - began:.0f} s")  # noqa: T201 - a command
    sys.exit(any(each.isupper() for each in (what.partition(":")[0] for what in said)))


if __name__ == "__main__":
    main()
