"""What a sweep costs, against the tools that people use for it: `python -m benchmarks.sweep`.

A hundred releases of uvicorn and one script of about 0.4 s: a sweep, a second one and a bisection
by fixproof, which knows of the lowest release that it is broken, and has all others to search; a
session for each release in nox and in tox; an image for each by `docker build`. All
on the same interpreter, two at a time where a tool can; each tool's own work begins anew in each
round, in a new folder: ext4 is slow to make files where many were deleted a moment ago. Every wheel
is cached beforehand, and those that had to be built are given to all. Figures are medians over
rounds in which the tools take turns; the ratios are of one run.

Tools ask the index what there is as they do unless told otherwise: uv in nox and tox, pip in
images, which have all wheels in a folder. With `--offline` none of them does: what remains of the
difference where an index takes no time.

Python 3.7 is the newest on which a hundred releases in a row can be installed as they were on
their day. For later ones the window holds releases of 2019 that required uvloop 0.13, which has no
wheels for these and does not compile there; and since 0.12.0, when that requirement became
optional, there are less than a hundred.

It needs bubblewrap, Python 3.7 and the package index; for images a container engine (DOCKER_HOST,
or docker's own socket) with its command line, of which the classic builder is used. nox and tox
come into an environment of their own.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from packaging.version import Version

from benchmarks.main_job import FIXPROOF, Figure, seconds
from runner.backends import uv_program
from runner.environment import Interpreter
from runner.releases import Release
from runner.settings import read
from runner.wiring import Program

RELEASES = 100
PYTHON = "3.7"
JOBS = 2
ROUNDS = 3
IMAGES = 8
"""Releases for which an image is built; what a hundred would take follows from them."""
_BASE = "fixproof-bench/base"
_LABEL = "fixproof.benchmark"
SETUPTOOLS = "setuptools<60"
"""What old source distributions can still be built with."""
SCRIPT = """import sys
import time

import uvicorn

time.sleep(0.25)
if tuple(map(int, uvicorn.__version__.split(".")[:2])) < MIDDLE:
    sys.exit("BUG: it is old")
print("fine")
"""
CASE = f"""# /// script
# dependencies = ["uvicorn"]
# [tool.fixproof]
# package = "uvicorn"
# title = "It is old"
# broken = "{{lowest}}"
# versions = ">={{lowest}}"
# python = ["{{python}}"]
# signature = "^BUG: "
# ///
{SCRIPT}"""


@dataclass
class Bench:
    """Where it takes place, and what is the same for all."""

    folder: Path
    interpreter: Interpreter
    versions: tuple[str, ...]
    offline: bool
    times: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        return self.folder / "warm" / "store" / "uv-cache"

    @property
    def tools(self) -> Path:
        return self.folder / "tools" / "bin"

    def environ(self) -> dict[str, str]:
        """The caller's, with one cache for all, and bytecode as usual."""
        own = {
            name: each
            for name, each in os.environ.items()
            if name not in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
        }
        constraints = self.folder / "constraints.txt"
        constraints.write_text(f"{SETUPTOOLS}\n", encoding="utf-8")
        path = f"{self.tools}{os.pathsep}{own['PATH']}"
        more = {"UV_CACHE_DIR": str(self.cache), "UV_BUILD_CONSTRAINT": str(constraints)}
        return {**own, **more, "PATH": path}

    def run(
        self,
        *command: str | Path,
        env: Mapping[str, str] | None = None,
        allowed: tuple[int, ...] = (0,),
    ) -> None:
        """Run a command in the folder; an exit code that is not allowed ends the benchmark."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environ(), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode not in allowed:
            said = done.stdout.decode(errors="replace")[-2000:]
            raise SystemExit(f"{command} ended with {done.returncode}:\n{said}")

    def fixproof(self, command: str, home: Path, *more: str) -> None:
        """One run; that the releases differ as the script says is exit code 0."""
        case = self.folder / "case.py"
        jobs = ("--jobs", str(JOBS), "--sandbox", "bubblewrap", "--home", home)
        self.run(FIXPROOF, command, case, *jobs, *more)

    @property
    def built(self) -> tuple[Path, ...]:
        """Wheels that no index has."""
        return tuple((self.folder / "warm" / "store" / "built").glob("*/*.whl"))

    def asking(self) -> dict[str, str]:
        """How uv is to look for packages where another tool runs it."""
        folders = " ".join({str(each.parent) for each in self.built})
        return {"UV_FIND_LINKS": folders, **({"UV_OFFLINE": "1"} if self.offline else {})}

    def build(self, *words: str | Path) -> None:
        """An image, with the host's network if anything is asked."""
        network = "none" if self.offline else "host"
        command = ("docker", "build", "--network", network, "--label", _LABEL)
        self.run(*command, *words, env={"DOCKER_BUILDKIT": "0"})

    def forget_images(self) -> None:
        """Leave none behind."""
        self.run("docker", "image", "rm", _BASE)
        self.run("docker", "image", "prune", "--force", "--filter", f"label={_LABEL}")

    def measure(self, name: str, action: Callable[[], None]) -> None:
        """Time an action, and what it took of the processors."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.times.setdefault(name, []).append(seconds(action))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.cpu.setdefault(name, []).append(used)

    def median(self, name: str) -> float:
        return statistics.median(self.times[name])


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="fixproof-bench-") as temporary:
        folder = Path(options.keep or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        bench = prepare(folder, options)
        versions = _some(bench.versions, options.images)
        base = _base_with_wheels(bench, versions) if versions else None
        with tempfile.TemporaryDirectory(prefix="rounds-", dir=folder) as rounds:
            for number in range(options.rounds):
                place = Path(rounds, str(number))
                fixproof(bench, place)
                nox(bench, place / "nox")
                tox(bench, place / "tox")
                if base is not None:
                    images(bench, base, versions)
        if base is not None:
            bench.forget_images()
        report(bench, options)


def prepare(folder: Path, options: argparse.Namespace) -> Bench:
    """Everything that no tool is timed for: its program, and wheels in the cache."""
    python = options.python
    program = Program(read(home=str(folder / "warm"), sandbox="bubblewrap"))
    at_hand = program.backend.interpreters.at_hand()
    interpreter = next((each for each in at_hand if each.python == python), None)
    if interpreter is None:
        raise SystemExit(f"Python {python} is not at hand")
    offered = program.index.history("uvicorn").offered
    chosen = [each for each in offered if each.allows(interpreter.version)][-RELEASES:]
    chosen = [each for each in chosen if each.parsed >= Version(options.since)]
    versions = tuple(each.version for each in chosen)
    bench = Bench(folder, interpreter, versions, options.offline)
    middle = chosen[len(chosen) // 2].parsed.release[:2]
    head = CASE.format(lowest=chosen[0].version, python=python)
    for name, text in (("repro.py", SCRIPT), ("case.py", head)):
        (folder / name).write_text(text.replace("MIDDLE", str(middle)), encoding="utf-8")
    (folder / "noxfile.py").write_text(_noxfile(bench), encoding="utf-8")
    (folder / "tox.ini").write_text(_tox_ini(bench), encoding="utf-8")
    print(f"{len(chosen)} releases, {chosen[0].version} to {chosen[-1].version}, {_kinds(chosen)}")
    print(f"Python {interpreter.version}, {len(os.sched_getaffinity(0))} processors", flush=True)
    if not bench.tools.exists():
        bench.run(uv_program(), "venv", "--quiet", folder / "tools", "--python", sys.executable)
        tools = ("nox", "tox", "tox-uv")
        bench.run(uv_program(), "pip", "install", "--python", bench.tools / "python", *tools)
    bench.fixproof("sweep", folder / "warm")
    warmed = folder / "warmed"
    if not warmed.exists():  # with all that today's resolver takes for these releases
        bench.run(bench.tools / "nox", env=bench.asking())
        warmed.touch()
    return bench


def fixproof(bench: Bench, place: Path) -> None:
    """A first sweep, a second one, and a bisection that knows nothing of them."""
    swept, searched = place / "swept", place / "searched"
    for home in (swept, searched):
        _warm_home(bench, home)
    bench.measure("sweep", partial(bench.fixproof, "sweep", swept))
    bench.measure("second sweep", partial(bench.fixproof, "sweep", swept))
    bench.measure("bisection", partial(bench.fixproof, "bisect", searched))


def _warm_home(bench: Bench, home: Path) -> None:
    """A home that has run nothing: it knows what uv's cache tells every tool that asks uv.

    That is wheels, those that were built too, what the index has, and which interpreters are there.
    """
    bench.fixproof("plan", bench.folder / "warm", "--fresh")
    for name in ("store/uv-cache", "store/built", "cache"):
        (bench.folder / "warm" / name).mkdir(exist_ok=True)  # where all releases have wheels
        shutil.copytree(
            bench.folder / "warm" / name, home / name, copy_function=os.link, symlinks=True
        )


def nox(bench: Bench, place: Path) -> None:
    """One session for each release, one after the other: nox knows no other way."""
    command = (bench.tools / "nox", "--envdir", place)
    bench.measure("nox", partial(bench.run, *command, env=bench.asking()))


def tox(bench: Bench, place: Path) -> None:
    """One environment for each release, two at a time."""
    command = (bench.tools / "tox", "-p", str(JOBS), "--workdir", place)
    bench.measure("tox", partial(bench.run, *command, env=bench.asking()))


def _some(versions: tuple[str, ...], count: int) -> tuple[str, ...]:
    """As many of them, evenly spread."""
    return versions[:: len(versions) // count][:count] if count else ()


def images(bench: Bench, base: str, versions: tuple[str, ...]) -> None:
    """An image for each of some releases, two at a time; scaled to all of them."""

    def build(version: str) -> None:
        folder = bench.folder / "images" / version
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(bench.folder / "repro.py", folder)
        (folder / "Dockerfile").write_text(_dockerfile(base, bench, version), encoding="utf-8")
        bench.build("--quiet", "--no-cache", folder)

    def build_all() -> None:
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(build, versions))

    bench.measure("images", build_all)
    share = len(versions) / len(bench.versions)
    for each in (bench.times, bench.cpu):
        each["images"][-1] /= share


def _base_with_wheels(bench: Bench, versions: tuple[str, ...]) -> str:
    """An image of the interpreter, with pip and what it needs to find wheels; it is not timed."""
    from runner.adapters.container_engine import Engine
    from runner.adapters.docker_bases import Bases

    base = Bases(Engine(), lambda: (bench.interpreter,), uv_program()).ensure(
        bench.interpreter.python
    )
    folder = bench.folder / f"base-{len(versions)}"
    if not folder.exists():
        _fetch_wheels(bench, versions, folder / "wheels")
    pip = next((folder / "wheels").glob("pip-*")).name
    install = f"{bench.interpreter.executable} /wheels/{pip}/pip install --no-index /wheels/{pip}"
    lines = [f"FROM {base.name}", "USER root", "COPY wheels /wheels", f"RUN {install}"]
    (folder / "Dockerfile").write_text("\n".join(lines + _pip_settings(bench, folder)))
    bench.build("--tag", _BASE, folder)
    return _BASE


def _fetch_wheels(bench: Bench, versions: tuple[str, ...], wheels: Path) -> None:
    """All that pip takes for these releases; what was built for sweeps is not built again."""
    wheels.mkdir(parents=True)
    python = bench.folder / "pip" / "bin" / "python"
    bench.run(bench.interpreter.executable, "-m", "venv", python.parents[1])
    bench.run(python, "-m", "pip", "install", "wheel", SETUPTOOLS)
    env = {
        "PIP_CONSTRAINT": str(bench.folder / "constraints.txt"),
        "PIP_FIND_LINKS": " ".join({str(each.parent) for each in bench.built}),
    }
    for each in ("pip", *(f"uvicorn=={version}" for version in versions)):
        wanted = (each, "--wheel-dir", wheels, "--no-build-isolation")
        bench.run(python, "-m", "pip", "wheel", *wanted, env=env)


def _pip_settings(bench: Bench, folder: Path) -> list[str]:
    """Lines of a Dockerfile that tell pip where to look; it takes what is in /wheels from there."""
    found = "ENV PIP_FIND_LINKS=/wheels"
    if bench.offline:
        return [f"{found} PIP_NO_INDEX=1"]
    certificates = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    shutil.copy(str(certificates), folder / "certificates.pem")
    asked = ("pip", "config", "get", "global.index-url")
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    index = f" PIP_INDEX_URL={said}" if said else ""
    return [
        "COPY certificates.pem /certificates.pem",
        f"{found} PIP_CERT=/certificates.pem{index}",
    ]


def _dockerfile(base: str, bench: Bench, version: str) -> str:
    python = bench.interpreter.executable
    return f"""FROM {base}
USER root
RUN {python} -m pip install uvicorn=={version}
COPY repro.py /repro.py
RUN {python} /repro.py || true
"""


def _noxfile(bench: Bench) -> str:
    return f"""import nox

nox.options.default_venv_backend = "uv"


@nox.session(python={bench.interpreter.executable!r})
@nox.parametrize("version", {list(bench.versions)!r})
def bug(session, version):
    session.install(f"uvicorn=={{version}}")
    session.run("python", "repro.py", success_codes=[0, 1])
"""


def _tox_ini(bench: Bench) -> str:
    names = {each: f"v{each.replace('.', '_')}" for each in bench.versions}
    common = f"""[tox]
no_package = true
env_list = {",".join(names.values())}
[testenv]
base_python = {bench.interpreter.executable}
commands = - python {bench.folder / "repro.py"}
"""
    each = (f"[testenv:{name}]\ndeps = uvicorn=={version}\n" for version, name in names.items())
    return common + "".join(each)


def _kinds(chosen: list[Release]) -> str:
    wheels = sum(any(file.name.endswith(".whl") for file in each.files) for each in chosen)
    return f"{wheels} of them with a wheel"


def report(bench: Bench, options: argparse.Namespace) -> None:
    """The figures: how much less it takes, with the bounds of issue 5."""
    for name, times in bench.times.items():
        cpu: Mapping[str, list[float]] = bench.cpu
        print(
            f"  {name}: {statistics.median(times):.2f} s of {', '.join(f'{x:.1f}' for x in times)}"
            f" ({statistics.median(cpu[name]):.1f} s of processor)"
        )
    sweep = bench.median("sweep")
    print(
        Figure(
            "a sweep, by nox (uv), which runs one at a time",
            sweep / bench.median("nox"),
            "×",
            1 / 2,
        )
    )
    print(Figure(f"a sweep, by tox (tox-uv, -p {JOBS})", sweep / bench.median("tox"), "×", 1 / 1.4))
    if options.images:
        told = f"a sweep, by an image a release ({options.images} built, scaled)"
        print(Figure(told, sweep / bench.median("images"), "×", 1 / 8))
    print(Figure("a second sweep, by the first", bench.median("second sweep") / sweep, "×", 0.03))
    print(Figure("a bisection, by the sweep", bench.median("bisection") / sweep, "×", 0.25))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--python", metavar="X.Y", default=PYTHON, help=f"{PYTHON} if not given")
    parser.add_argument("--since", metavar="VERSION", default="0", help="the lowest release")
    parser.add_argument(
        "--offline", action="store_true", help="nobody but fixproof may ask the index"
    )
    parser.add_argument("--images", type=int, default=IMAGES, help="0: no container engine")
    parser.add_argument(
        "--keep", metavar="FOLDER", help="what is prepared stays here for next time"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
