"""What containment costs, as ratios of one run: `python benchmarks/containment.py`.

It needs bubblewrap, the package index, and a container engine (DOCKER_HOST, or docker's own socket)
with its command line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks.main_job import FIXPROOF, Figure, medians, quiet
from runner.adapters.container_engine import Engine
from runner.adapters.containers import profile_for
from runner.adapters.docker_bases import Bases
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.adapters.uv_environments import UvEnvironments
from runner.backends import uv_program
from runner.environment import Interpreter, Lock, Wanted
from runner.sandbox import RunRequest
from runner.settings import read
from runner.wiring import Program

RELEASES = [f"0.{minor}.0" for minor in range(13, 23)]
"""Ten neighbouring releases of uvicorn."""
AS_OF = datetime.fromisoformat("2023-06-01T00:00:00+00:00")
WAITING = """
# /// script
# dependencies = ["h11"]
# [tool.fixproof]
# package = "h11"
# title = "Nothing is wrong: this waits, as a script that drives a server does"
# broken = ["0.9.0", "0.10.0", "0.11.0", "0.12.0", "0.13.0", "0.14.0"]
# signature = "^BUG: "
# ///
import time, sys
import h11
end = time.monotonic() + 1
while time.monotonic() < end: time.sleep(0.01)
print("BUG: none")
sys.exit(1)
"""


def docker_attempt(
    interpreter: Interpreter, machine: Callable[[], tuple[Interpreter, ...]], folder: Path
) -> Figure:
    """An attempt in a container, by `docker run --rm` with the same flags."""
    engine = Engine()
    base = Bases(engine, machine, uv_program()).ensure(interpreter.python)
    sandbox = DockerSandbox(OneImage(base.as_image), engine=engine)
    command = (base.interpreter.executable, "-c", "pass")
    request = RunRequest(id="bench", command=command)
    flags = [
        *("--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--user", "65534:65534", "--read-only", "--init", "--memory", "512m"),
        *("--memory-swap", "512m", "--pids-limit", "256", "--ipc", "private"),
        *("--tmpfs", "/tmp:size=256m,mode=1777", "--tmpfs", "/dev/shm:size=256m,mode=1777"),
        *("--ulimit", "core=0", "--ulimit", "nofile=1024", "--log-driver", "none"),
    ]
    profile = profile_for(engine)
    if profile is not None:
        file = folder / "profile.json"
        file.write_text(profile, encoding="utf-8")
        flags += ["--security-opt", f"seccomp={file}"]
    ours, theirs = medians(
        20,
        lambda: sandbox.run(request),
        lambda: quiet("docker", "run", "--rm", *flags, base.image, *command),
    )
    return Figure("a Docker attempt, by `docker run --rm`", ours / theirs, "×", 1.05)


def side_by_side(folder: Path) -> Figure:
    """How much two attempts at a time gain over one; the script waits, as most do."""
    case = folder / "waits.py"
    case.write_text(WAITING, encoding="utf-8")

    def verify(jobs: str) -> None:
        words = (
            case,
            "--jobs",
            jobs,
            "--fresh",
            "--home",
            folder / "home",
            "--sandbox",
            "bubblewrap",
        )
        subprocess.run([FIXPROOF, "verify", *words], check=True, capture_output=True)

    verify("2")
    one, two = medians(3, lambda: verify("1"), lambda: verify("2"))
    return Figure("--jobs 1, by --jobs 2 (inverse: at most 1/1.6)", two / one, "×", 1 / 1.6)


def tenth_environment(interpreter: Interpreter, folder: Path) -> Figure:
    """What the tenth of ten neighbouring environments adds, by what is new in it unpacked."""
    environments = UvEnvironments(folder / "store", uv_program())
    added, new = 0, 0
    seen: set[str] = set()
    for version in RELEASES:
        wanted = Wanted(requirements=(f"uvicorn=={version}",), interpreter=interpreter, as_of=AS_OF)
        lock = environments.resolve(wanted)
        if not isinstance(lock, Lock):
            raise SystemExit(f"no environment for {version}: {lock}")
        before = on_disk(folder / "store")
        tree = Path(environments.install(lock, interpreter).path)
        added = on_disk(folder / "store") - before
        new = sum(unpacked(tree, wheel.name) for wheel in lock.wheels if wheel.sha256 not in seen)
        seen |= {wheel.sha256 for wheel in lock.wheels}
    return Figure("the tenth environment, by its new wheels unpacked", added / new, "×", 1.3)


def on_disk(folder: Path) -> int:
    """Bytes of all files below a folder, each inode once, without bytecode."""
    sizes = {}
    for place, _, names in os.walk(folder):
        for name in names:
            info = (Path(place) / name).lstat()
            if "__pycache__" not in place and "/bytecode" not in place:
                sizes[info.st_ino] = info.st_size
    return sum(sizes.values())


def unpacked(tree: Path, package: str) -> int:
    """Bytes of one distribution's files in a tree, by its RECORD."""
    name = package.replace("-", "_")
    (record,) = tree.glob(f"lib/python*/site-packages/{name}-*.dist-info/RECORD")
    site = record.parents[1]
    files = (site / line.split(",")[0] for line in record.read_text().splitlines())
    return sum(each.stat().st_size for each in files if each.is_file())


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fixproof-bench-") as temporary:
        folder = Path(temporary)
        machine = Program(read(home=str(folder / "home"), sandbox="bubblewrap"))
        at_hand = machine.backend.interpreters.at_hand
        interpreter = next((each for each in at_hand() if each.python == "3.9"), at_hand()[0])
        print(f"Python {interpreter.version} in the environments, {sys.version.split()[0]} outside")
        print(docker_attempt(interpreter, at_hand, folder), flush=True)
        print(side_by_side(folder), flush=True)
        print(tenth_environment(interpreter, folder), flush=True)


if __name__ == "__main__":
    main()
