"""Source distributions and wheels that mean harm: nothing of the host changes, nothing leaks."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import BROKEN, GOOD, Cases, Fixproof, Package, cell, said
from tests.e2e.test_builds import a_source

CANARY = "canary-4d1c"
"""What is secret on the host; no build of these names it."""
POISON = "poisoned"
OF_THE_HOST = ("/etc/shadow", "/etc/machine-id", "/etc/resolv.conf")
"""Files of which an image has its own."""
REACHES = """
import glob, hashlib, socket, sys

def read(path):
    try:
        return open(path, "rb").read(100_000)
    except OSError:
        return b""

def write(path):
    try:
        open(path, "ab").write(b"x")
    except OSError:
        return
    got.append("wrote " + path)

got = []

def before():
    store, secrets, word = {store!r}, {secrets!r}, "".join({word!r}).encode()
    for place in ([store, "/usr", "/etc", "/var", "/var/tmp", "/fixproof", "/source", sys.prefix,
                   os.path.dirname(sys.executable), os.path.dirname(os.__file__)]
                  + glob.glob(store + "/envs/*") + glob.glob(store + "/uv-cache/*")):
        write(place + "/planted")
    for place in (sys.argv[0], os.path.realpath(sys.executable), os.__file__,
                  *glob.glob("/source/*"), *secrets):
        write(place)
    for place in (*secrets, *glob.glob("/proc/[0-9]*/environ")):
        if word in read(place):
            got.append("read " + place)
    for place, content in {known!r}.items():
        if hashlib.sha256(read(place)).hexdigest() == content:
            got.append("read " + place)
    for place in secrets:
        if os.path.exists(place):
            got.append("saw " + place)
    for place in {sockets!r}:
        try:
            socket.socket(socket.AF_UNIX).connect(place)
            got.append("reached " + place)
        except OSError:
            pass
    try:
        socket.create_connection(("127.0.0.1", {port}), 1)
        got.append("reached the host")
    except OSError:
        pass
    raise SystemExit("GOT " + repr(got))
"""
POISONS = """
def before():
    home = os.path.expanduser("~")
    caches = [home + "/.cache/uv", home + "/.cache/pip", home + "/.config/uv", "/dev/shm", {store!r},
              {store!r} + "/uv-cache/archive-v0", {store!r} + "/built", {cache!r}]
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME", "TMPDIR"):
        caches.append(os.environ.get(name, home + "/" + name))
    for cache in caches:
        place = os.path.join(cache, {poison!r})
        if os.path.exists(place):
            raise SystemExit("found what another build left in " + cache)
        try:
            os.makedirs(cache, exist_ok=True)
            open(place, "w").write("x")
        except OSError:
            pass
"""


@pytest.fixture(params=["bubblewrap", pytest.param("docker", marks=pytest.mark.docker)])
def kind(request: pytest.FixtureRequest) -> str:
    """Each sandbox that may build."""
    found: str = request.param
    return found


@pytest.fixture
def host() -> Iterator[Path]:
    """A folder of the host that is not in /tmp, of which each sandbox has its own anyway."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="fixproof-host-") as folder:
        path = Path(folder)
        path.chmod(0o777)
        (path / "secret").write_text(CANARY)
        (path / "secret").chmod(0o666)
        (path / "cache").mkdir()
        (path / "cache").chmod(0o777)
        yield path


def fingerprint(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Each file below a folder with what a write would change."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            info = (Path(place) / name).lstat()
            if stat.S_ISREG(info.st_mode):
                path = str((Path(place) / name).relative_to(folder))
                found[path] = (info.st_mode, info.st_size, info.st_mtime_ns)
    return found


def has_content(path: str) -> bool:
    return Path(path).is_file() and bool(Path(path).read_bytes())


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Store:
    """What of a home is shared, and must stay as it is but for what every run adds."""

    def __init__(self, fixproof: Fixproof) -> None:
        store = fixproof.home / "store"
        self._places = [store / name for name in ("envs", "uv-cache/archive-v0", "built")]
        self._before = self._now()
        assert self._before

    def assert_unchanged(self) -> None:
        after = self._now()
        assert {path: after.get(path) for path in self._before} == self._before

    def _now(self) -> dict[str, tuple[int, int, int]]:
        found = {}
        for place in self._places:
            found.update({f"{place}/{name}": each for name, each in fingerprint(place).items()})
        return found


def test_a_hostile_build_reaches_nothing(
    fixproof: Fixproof, package: Package, cases: Cases, kind: str, host: Path
) -> None:
    """It tries to write to store, cache and source, to read secrets, and to reach the host."""
    package.usual()
    assert fixproof("verify", cases.write(), "--sandbox", kind).code == 0
    store = Store(fixproof)
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as named:
        named.bind(str(host / "socket"))
        (host / "socket").chmod(0o777)
        named.listen()
        more = REACHES.format(
            store=str(fixproof.home / "store"),
            secrets=[str(host / "secret"), str(fixproof.home / "fixproof.sqlite3")],
            known={path: sha256(path) for path in OF_THE_HOST if has_content(path)},
            word=list(CANARY),  # so that it is not found in the build's own words
            sockets=[
                str(host / "socket"),
                os.environ.get("DOCKER_HOST", "").removeprefix("unix://"),
            ],
            port=port.getsockname()[1],
        )
        package.source_only("1.4", GOOD, a_source(package, "1.4", more))
        script = cases.write(name="hostile", fixed="1.4")
        report = fixproof.verify(script, "--sandbox", kind, "--fresh", CANARY=CANARY)
        for each in (port, named):
            each.settimeout(0.5)
            with pytest.raises(TimeoutError):
                each.accept()
    assert "GOT []" in cell(report, "fixed")["detail"]
    store.assert_unchanged()
    assert (host / "secret").read_text() == CANARY
    assert not list(fixproof.home.rglob("planted"))


def test_a_build_that_writes_to_caches_changes_no_other(
    fixproof: Fixproof, package: Package, cases: Cases, kind: str, host: Path
) -> None:
    """Of two builds each leaves something in every cache that it can think of, and looks for it."""
    package.usual()
    cache = str(host / "cache")
    assert fixproof("verify", cases.write(), "--sandbox", kind).code == 0
    store = Store(fixproof)
    more = POISONS.format(store=str(fixproof.home / "store"), cache=cache, poison=POISON)
    other = Package(package._index, f"{package.name}-other")
    other.source_only("0.1", GOOD, a_source(other, "0.1", more))
    package.source_only("1.4", GOOD, a_source(package, "1.4", more))
    script = cases.write(name="poisons", fixed="1.4", broken=["1.1"], requires=(other.name,))
    report = fixproof.verify(
        script, "--sandbox", kind, "--fresh", XDG_CACHE_HOME=cache, PIP_CACHE_DIR=cache
    )
    fixed = cell(report, "fixed")
    assert fixed["detail"] is None
    assert fixed["verdict"] == "absent"
    assert f"{other.name}==0.1" in fixed["dependencies"]
    store.assert_unchanged()
    for place in (fixproof.home, host):
        assert not list(place.rglob(POISON))


def test_what_a_wheel_starts_with_runs_in_sandboxes_only(
    fixproof: Fixproof, package: Package, cases: Cases, kind: str, host: Path
) -> None:
    """A .pth runs at every start of an interpreter; none starts so where the tree is made."""
    package.usual()
    planted = host / "cache" / "planted"
    acts = f"import os; os.path.isdir({str(host)!r}) and open({str(planted)!r}, 'w').close()\n"
    other = Package(package._index, f"{package.name}-other")
    other.release("0.1", files={f"{other.module}.pth": acts, f"{other.module}.py": BROKEN})
    script = cases.write(requires=(other.name,))
    report = fixproof.verify(script, "--sandbox", kind, code=0)
    assert said(report) == ("PASS", "ok")
    assert not planted.exists()
