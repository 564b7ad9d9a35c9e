"""What the main job costs, as ratios of one run: `make bench`, or `python benchmarks/main_job.py`.

Each figure is a median over rounds in which both sides alternate, so that whatever else the machine
does meets both. It needs bubblewrap and the package index.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.adapters.uv_environments import UvEnvironments
from runner.backends import uv_program
from runner.environment import Interpreter, Lock, Wanted
from runner.sandbox import Mount, RunRequest
from runner.settings import read
from runner.wiring import Program

REPO = Path(__file__).parents[1]
FIXPROOF = Path(sys.executable).parent / "fixproof"
OLDER, NEWER = "0.12.2", "0.12.3"
AS_OF = "2020-11-22T12:00:00+00:00"


@dataclass(frozen=True)
class Figure:
    """One measured figure, and what it must reach."""

    name: str
    value: float
    unit: str
    bound: float

    def __str__(self) -> str:
        verdict = "reached" if self.value <= self.bound else "MISSED"
        return f"{self.name:<62} {self.value:8.2f} {self.unit:<3} (≤ {self.bound:g})  {verdict}"


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def medians(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """The median time of each action; they take turns."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for taken, action in zip(times, actions, strict=True):
            taken.append(seconds(action))
    return [statistics.median(each) for each in times]


def quiet(*command: str | Path) -> None:
    """Run a command, and insist that it works."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def attempt(interpreter: Interpreter, folder: Path) -> Figure:
    """What the sandbox adds to a script that does next to nothing."""
    script = folder / "repro.py"
    script.write_text("print('nothing')\n", encoding="utf-8")
    sandbox = BubblewrapSandbox()
    prefix = interpreter.prefix
    request = RunRequest(
        id="bench",
        command=(interpreter.executable, "/case/repro.py"),
        mounts=(
            Mount(source=prefix, target=prefix),
            Mount(source=str(folder), target="/case"),
        ),
    )
    bare, isolated = medians(
        40, lambda: quiet(interpreter.executable, script), lambda: sandbox.run(request)
    )
    return Figure("an attempt, over the bare script", (isolated - bare) * 1000, "ms", 30)


def second_environment(interpreter: Interpreter, folder: Path) -> list[Figure]:
    """Resolve and install a release whose neighbour is there, against uv doing the same."""
    store = folder / "store"
    environments = UvEnvironments(store, uv_program())

    def ours(version: str) -> None:
        wanted = Wanted(
            requirements=(f"uvicorn=={version}",),
            interpreter=interpreter,
            as_of=datetime.fromisoformat(AS_OF),
        )
        lock = environments.resolve(wanted)
        if not isinstance(lock, Lock):
            raise SystemExit(f"no environment for {version}: {lock}")
        environments.install(lock, interpreter)

    def uv(*more: str) -> None:
        tree = folder / "venv"
        shutil.rmtree(tree, ignore_errors=True)
        cache = ("--cache-dir", str(store / "uv-cache"))
        quiet(uv_program(), "venv", tree, "--python", interpreter.executable, *cache)
        quiet(
            *(uv_program(), "pip", "install", "--python", tree / "bin/python", *cache),
            *(f"uvicorn=={NEWER}", "--exclude-newer", AS_OF, *more),
        )

    ours(OLDER)
    kept = folder / "kept"
    for name in ("envs", "bytecode"):
        shutil.copytree(store / name, kept / name, symlinks=True)
    ours(NEWER)  # its wheels are in the cache from now on

    def forget() -> None:
        for name in ("envs", "bytecode"):
            shutil.rmtree(store / name)
            shutil.copytree(kept / name, store / name, symlinks=True)

    times: dict[str, list[float]] = {"ours": [], "uv": [], "uv offline": [], "uv bytecode": []}
    for _ in range(15):
        forget()
        times["ours"].append(seconds(lambda: ours(NEWER)))
        times["uv"].append(seconds(uv))
        times["uv offline"].append(seconds(lambda: uv("--offline")))
        times["uv bytecode"].append(seconds(lambda: uv("--offline", "--compile-bytecode")))
    median = {name: statistics.median(each) for name, each in times.items()}
    what = "a second environment, by `uv venv` and `uv pip install`"
    return [
        Figure(what, median["ours"] / median["uv"], "×", 1.2),
        Figure(f"{what} --offline", median["ours"] / median["uv offline"], "×", 1.2),
        Figure(
            "  the same, with --compile-bytecode", median["ours"] / median["uv bytecode"], "×", 1.2
        ),
    ]


def start_up() -> Figure:
    """How soon `--help` is there."""
    bare, helped = medians(
        20, lambda: quiet(sys.executable, "-c", "pass"), lambda: quiet(FIXPROOF, "--help")
    )
    return Figure("fixproof --help, over 2 × python -c pass", (helped - 2 * bare) * 1000, "ms", 150)


def repeated(home: Path) -> list[Figure]:
    """A verify of which nothing changed."""
    case = REPO / "repros" / "uvicorn-824.py"
    quiet(FIXPROOF, "verify", case, "--home", home)
    libraries = "from pydantic import BaseModel; import sqlalchemy, jinja2"
    imported, lazily, again = medians(
        20,
        lambda: quiet(sys.executable, "-c", libraries),
        lambda: quiet(sys.executable, "-c", "import pydantic, sqlalchemy, jinja2"),
        lambda: quiet(FIXPROOF, "verify", case, "--home", home),
    )
    return [
        Figure("a repeated verify, by importing its libraries", again / imported, "×", 1.3),
        Figure("  the same, with pydantic imported by name alone", again / lazily, "×", 1.3),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fixproof-bench-") as temporary:
        folder = Path(temporary)
        home = folder / "home"
        at_hand = Program(read(home=str(home), sandbox="bubblewrap")).backend.interpreters.at_hand()
        interpreter = next((each for each in at_hand if each.python == "3.9"), at_hand[0])
        (folder / "case").mkdir()
        print(f"Python {interpreter.version} in the environments, {sys.version.split()[0]} outside")
        for figures in (
            [attempt(interpreter, folder / "case")],
            second_environment(interpreter, folder),
            [start_up()],
            repeated(home),
        ):
            for figure in figures:
                print(figure, flush=True)


if __name__ == "__main__":
    main()
