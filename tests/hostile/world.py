"""The world around a hostile script: a pretend store and host, and what of both must not change."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from runner.adapters.cgroup_hierarchies import find_cgroups
from runner.sandbox import Limits, Mount, RunRequest
from tests.attempts import INTERPRETER, MOUNTS
from tests.wheels import Built, wheel

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
OWN = wheel("pkg", "2.0", files={"pkg/__init__.py": "__version__ = '77.0'\n"})
"""The release under test, which is not the one that its code says it is."""
ACTS_AT_START = "import os; os.write(1, b'BUG: from a .pth\\n'); os._exit(0)\n"
PTH = wheel("helper", "1.0", files={"helper.pth": ACTS_AT_START, "helper.py": ""})
TREES = {"own": (OWN,), "other": (OWN,), "pth": (OWN, PTH)}
"""Environments in the store, by the wheels in them."""
SHOWN_AT = "/store/envs"
"""Where an attempt finds its environment."""
_LISTENERS = ("port", "socket", "abstract")


@dataclass(frozen=True)
class World:
    """A store, a file, a secret and listeners of the host that attempts may not reach."""

    root: Path
    secret: str
    listeners: tuple[socket.socket, ...]
    addresses: dict[str, str]
    """What a script is told of them, as environment variables."""

    @property
    def store(self) -> Path:
        return self.root / "store"

    def tree(self, name: str) -> Path:
        return self.store / "envs" / name

    def request(self, folder: Path, tree: str, mark: str, limits: Limits) -> RunRequest:
        """What the service would ask a sandbox to run, and what the script is told beside."""
        # Not at its own path: a world of a test is in /tmp, of which attempts have their own.
        own = f"{SHOWN_AT}/{tree}"
        return RunRequest(
            id=f"hostile#{mark}",
            command=(f"{own}/bin/python", "/case/repro.py"),
            env={
                "PATH": f"{own}/bin:/usr/local/bin:/usr/bin:/bin",
                "HOME": "/tmp",
                "LANG": "C.UTF-8",
                "PYTHONUNBUFFERED": "1",
                "MARK": mark,
                "OWN_TREE": own,
                **self.addresses,
            },
            mounts=(
                *MOUNTS,
                Mount(source=str(self.tree(tree)), target=own),
                Mount(source=str(folder), target="/case"),
            ),
            limits=limits,
        )

    def connections(self) -> list[str]:
        """Which of the host's listeners somebody connected to since the last question."""
        return [
            name for name, each in zip(_LISTENERS, self.listeners, strict=True) if _called(each)
        ]


@contextmanager
def a_world(root: Path) -> Iterator[World]:
    """A world below `root`, which is empty."""
    root.chmod(0o755)
    for name, wheels in TREES.items():
        _make_tree(root / "store/envs" / name, wheels)
    (root / "store/cache").mkdir()
    (root / "store/cache/wheel").write_bytes(b"a wheel")
    (root / "store/fixproof.db").write_bytes(b"a database")
    secret = f"canary-{uuid4().hex}"
    (root / "secret").write_text(secret)
    with ExitStack() as stack:
        paths = (str(root / "engine.sock"), f"fixproof-{uuid4().hex}")
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        named = stack.enter_context(_listening(paths[0]))
        abstract = stack.enter_context(_listening("\0" + paths[1]))
        # Reachable by whoever finds it: only the sandbox is to be in the way.
        Path(paths[0]).chmod(0o777)
        addresses = {
            "HOST_PORT": str(port.getsockname()[1]),
            "HOST_SOCKET": paths[0],
            "HOST_ABSTRACT": paths[1],
            "HOST_FILE": str(root / "secret"),
            "HOST_PID": str(os.getpid()),
            "STORE": str(root / "store"),
            "OTHER_TREE": str(root / "store/envs/other"),
        }
        yield World(root, secret, (port, named, abstract), addresses)


def fingerprint(root: Path) -> dict[str, tuple[object, ...]]:
    """All that is below a folder, with contents, owners, permissions and times."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (root, *sorted(root.rglob("*"))):
        seen = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if _is_plain(path) else None
        target = str(path.readlink()) if path.is_symlink() else None
        owner = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_nlink)
        found[str(path)] = (*owner, seen.st_size, seen.st_mtime_ns, content, target)
    return found


def mounts(*more: Path) -> set[str]:
    """What is mounted where an attempt's own mounts could come out, and on places below `more`."""
    # Not everywhere: others may mount what they like meanwhile, such as container engines.
    places = (Path("/tmp"), *map(Path, ("/newroot", "/oldroot", "/usr", "/etc", "/proc", "/dev")))
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    found = {(Path(line.split()[4]), line.split()[3]) for line in lines}
    return {
        f"{root} on {at}"
        for at, root in found
        if at in places or any(at.is_relative_to(each) for each in (*places[1:], *more))
    }


def cgroups() -> set[str]:
    """The cgroups of attempts of this process that are there."""
    parents = find_cgroups().parents.values()
    return {str(place) for parent in parents for place in parent.glob(f"*-{os.getpid()}-*")}


def left_alive(mark: str) -> list[str]:
    """Processes of this machine that have `mark` in their environment or among their words."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                if mark.encode() in (place / name).read_bytes():
                    found.append(f"{place.name} {name}")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
    return found


def _make_tree(tree: Path, wheels: tuple[Built, ...]) -> None:
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/python").symlink_to(INTERPRETER)
    (tree / "pyvenv.cfg").write_text(f"home = {INTERPRETER.parent}\n")
    for each in wheels:
        with zipfile.ZipFile(io.BytesIO(each.data)) as archive:
            archive.extractall(tree / SITE)


def _listening(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    return listener


def _called(listener: socket.socket) -> bool:
    listener.settimeout(0)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
