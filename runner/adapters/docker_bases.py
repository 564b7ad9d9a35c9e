"""Bases: images of one Python each, to run attempts in or to build in; made once, and kept.

From `python:X.Y-slim` where that can be had, else from this machine's interpreter, else from
Debian's packages. Labels say from what; a name of somebody else is never given to one of ours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from runner.adapters.container_engine import Engine, asking
from runner.adapters.containers import Image
from runner.adapters.debian_roots import PYTHONS, DebianRoots
from runner.adapters.image_making import layer, read_label, workpiece
from runner.adapters.interpreter_files import LIBRARIES, put_interpreter
from runner.environment import Interpreter
from runner.errors import FixproofError, SandboxUnavailable
from runner.value import Value

RECIPE = "1"
"""Raised when bases made by an older fixproof are no longer good enough."""
UV = "/usr/local/bin/uv"
PULL_SECONDS = 10
"""How long the registry may take to answer at all."""
_LAST_WORDS = 300
COMPILER = ("build-essential", "pkg-config")
_RECIPE, _ORIGIN, _FROM, _INTERPRETER = (
    f"fixproof.base.{name}" for name in ("recipe", "origin", "from", "interpreter")
)
_STEPS = f"""
set -e
if [ -d {LIBRARIES} ]; then cp -an {LIBRARIES}/. / && rm -rf {LIBRARIES}; fi
ldconfig
chmod 0755 /root
exec "$0" -I -S -c "$1"
"""
# What an interpreter in an image says of itself, as one of this machine is asked.
_QUESTION = """
import hashlib, json, os, platform, sys, sysconfig
executable = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
name = sysconfig.get_platform() + "-" + "".join(platform.libc_ver())
whole = hashlib.sha256(open(executable, "rb").read())
whole.update((sys.version + "\\0" + name).encode())
print(json.dumps({
    "python": "%d.%d" % sys.version_info[:2], "version": platform.python_version(),
    "executable": executable, "prefix": os.path.realpath(sys.base_prefix),
    "platform": name, "sha256": whole.hexdigest(),
}))
"""


class Purpose(StrEnum):
    """What a base is for; it is the first half of its name."""

    RUN = "base"
    BUILD = "build"


class Origin(StrEnum):
    """What a base was made from."""

    PULLED = "pulled"
    MACHINE = "machine"
    DEBIAN = "debian"


class Base(Value):
    """An image with one Python, and uv."""

    image: str
    """Its digest."""
    name: str
    interpreter: Interpreter
    """As it is in the image."""
    origin: Origin
    made_from: str
    variables: tuple[str, ...] = ()
    """Names that the image sets in the environment."""

    def as_image(self) -> Image:
        return Image(self.image, own=(self.interpreter.prefix,), variables=self.variables)


class Bases:
    """The bases of one engine.

    Raises, from all that makes one:
        SandboxUnavailable: there is none, and none can be made; it says what was tried.
    """

    def __init__(
        self,
        engine: Engine,
        machine: Callable[[], Iterable[Interpreter]],
        uv: str,
        family: str = "fixproof",
    ) -> None:
        self._family = family
        self._engine = engine
        self._machine = machine
        self._uv = uv
        self._roots = DebianRoots(engine)
        self._lock = threading.Lock()
        self._known: dict[str, Base] = {}
        self._no_registry: str | None = None

    def ensure(self, python: str, purpose: Purpose = Purpose.RUN) -> Base:
        """The base of that X.Y, made now if it is not there."""
        name = f"{self._family}/{purpose}:{python}"
        with self._lock:
            if name not in self._known:
                self._known[name] = self._kept(name) or self._made(python, purpose)
            return self._known[name]

    def at_hand(self) -> tuple[Base, ...]:
        """All bases to run in that are there, lowest Python first; none is made."""
        with asking("for its images"):
            images = self._engine.api.images(filters={"label": f"{_RECIPE}={RECIPE}"})
        names = {_short(tag) for each in images for tag in each["RepoTags"] or ()}
        ours = sorted(name for name in names if name.startswith(f"{self._family}/{Purpose.RUN}:"))
        found = [base for name in ours if (base := self._kept(name)) is not None]
        return tuple(sorted(found, key=lambda base: _order(base.interpreter.python)))

    def _kept(self, name: str) -> Base | None:
        """A base that is there, unless what it was made from is not what it was."""
        base = self._read(name)
        if base is None or base.origin is not Origin.MACHINE:
            return base
        here = self._of_machine(base.interpreter.python)
        return base if here is None or here.sha256 == base.interpreter.sha256 else None

    def _read(self, name: str) -> Base | None:
        config = self._engine.image(name)
        given = (config["Config"]["Labels"] or {}) if config else {}
        labels = {key: read_label(value) for key, value in given.items()}
        if config is None or labels.get(_RECIPE) != RECIPE:
            return None
        return Base(
            image=config["Id"],
            name=name,
            interpreter=Interpreter.model_validate_json(labels[_INTERPRETER]),
            origin=Origin(labels[_ORIGIN]),
            made_from=labels[_FROM],
            variables=tuple(each.partition("=")[0] for each in config["Config"]["Env"] or ()),
        )

    def _made(self, python: str, purpose: Purpose) -> Base:
        tried: list[str] = []
        ways = (self._from_pulled, self._from_machine, self._from_debian)
        for way in ways:
            with _remembered(tried):
                return way(python, purpose)
        raise SandboxUnavailable(
            f"no base with Python {python} can be made",
            hint="\n  ".join(tried),
        )

    def _from_pulled(self, python: str, purpose: Purpose) -> Base:
        official = f"python:{python}-slim" if purpose is Purpose.RUN else f"python:{python}"
        if self._engine.image(official) is None:
            self._pull(official)
        executable = f"/usr/local/bin/python{python}"
        return self._finish(python, purpose, Origin.PULLED, official, official, executable)

    def _pull(self, official: str) -> None:
        if self._no_registry is not None:
            raise SandboxUnavailable(self._no_registry)
        repository, _, tag = official.partition(":")
        quick = Engine(PULL_SECONDS, self._engine.address)
        try:
            if not self._engine.is_podman:  # It cannot be asked, but is not slow to refuse.
                with asking(f"whether {official} can be pulled"):
                    api: Any = quick.api
                    api.inspect_distribution(official)
            with asking(f"to pull {official}"):
                said = str(self._engine.api.pull(repository, tag))
        except FixproofError as error:
            message = f"{official} cannot be pulled: {error.message}"
            if _is_out_of_reach(error):
                self._no_registry = f"nothing can be pulled: {error.message}"
            raise SandboxUnavailable(message) from error
        finally:
            quick.close()
        if self._engine.image(official) is None:
            raise SandboxUnavailable(f"{official} cannot be pulled: {said[-_LAST_WORDS:].strip()}")

    def _from_machine(self, python: str, purpose: Purpose) -> Base:
        interpreter = self._of_machine(python)
        if interpreter is None:
            raise SandboxUnavailable(f"this machine has no Python {python}")
        suite = self._roots.own_suite()
        packages = COMPILER if purpose is Purpose.BUILD else ()
        name = f"fixproof/root:{suite}-{purpose}"
        root = self._roots.ensure(suite, packages, name=name)
        origin = f"Python {interpreter.version} of this machine on Debian {suite}"
        base = self._finish(
            python, purpose, Origin.MACHINE, root, origin, interpreter.executable, interpreter
        )
        if base.interpreter.sha256 != interpreter.sha256:
            raise SandboxUnavailable(f"{base.name} is not what {interpreter.executable} is")
        return base

    def _from_debian(self, python: str, purpose: Purpose) -> Base:
        suite = PYTHONS.get(python)
        if suite is None:
            raise SandboxUnavailable(f"no suite of Debian that is known here has Python {python}")
        packages = ["python3", *(["python3-distutils"] if python != "3.13" else [])]
        if purpose is Purpose.BUILD:
            packages += ["python3-dev", *COMPILER]
        name = f"fixproof/root:{suite}-python-{purpose}"
        root = self._roots.ensure(suite, packages, name=name)
        executable = f"/usr/bin/python{python}"
        return self._finish(python, purpose, Origin.DEBIAN, root, f"Debian {suite}", executable)

    def _finish(
        self,
        python: str,
        purpose: Purpose,
        origin: Origin,
        image: str,
        made_from: str,
        executable: str,
        interpreter: Interpreter | None = None,
    ) -> Base:
        """Put in what is missing, ask the interpreter what it is, and give the image its name."""
        name = f"{self._family}/{purpose}:{python}"
        command = ["/bin/sh", "-c", _STEPS, executable, _QUESTION]
        with workpiece(self._engine, image, command) as piece:
            with layer() as (files, archive):
                files.add(Path(self._uv).resolve(), UV)
                if interpreter is not None:
                    put_interpreter(files, interpreter)
                files.close()
                piece.put(archive)
            found = Interpreter.model_validate_json(piece.run())
            labels = {
                _RECIPE: RECIPE,
                _ORIGIN: origin,
                _FROM: made_from,
                _INTERPRETER: found.model_dump_json(),
            }
            piece.commit(name, labels)
        base = self._read(name)
        if base is None or found.python != python:
            raise SandboxUnavailable(f"{name} has Python {found.version}, and cannot be used")
        return base

    def _of_machine(self, python: str) -> Interpreter | None:
        return next((each for each in self._machine() if each.python == python), None)


@contextmanager
def _remembered(tried: list[str]) -> Iterator[None]:
    """A way that may fail; why is kept for the message about all of them."""
    try:
        yield
    except FixproofError as error:
        tried.append(f"{error.message}{f' ({error.hint})' if error.hint else ''}")


def _is_out_of_reach(error: FixproofError) -> bool:
    """Whether the registry itself is the trouble, and not the one image."""
    from docker.errors import APIError

    of_one_image = (401, 403, 404)
    cause = error.__cause__
    return not (isinstance(cause, APIError) and cause.status_code in of_one_image)


def _short(tag: str) -> str:
    """A name as it was given: Podman keeps it with the registry that it would belong to."""
    return tag.removeprefix("docker.io/").removeprefix("localhost/")


def _order(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))
