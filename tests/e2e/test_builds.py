"""Source distributions: each is built alone, and hands out one wheel or nothing."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from tests.e2e.command import BROKEN, DAY, GOOD, Cases, Fixproof, Package, cell, said

pytestmark = pytest.mark.bubblewrap

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import os, zipfile

NAME, VERSION = "{name}", "{version}"

def build_wheel(folder, config_settings=None, metadata_directory=None):
    before()
    file = NAME.replace("-", "_") + "-" + VERSION + "-py3-none-any.whl"
    stem = NAME.replace("-", "_") + "-" + VERSION + ".dist-info"
    with zipfile.ZipFile(os.path.join(folder, file), "w") as wheel:
        wheel.writestr("{module}.py", open("{module}.py").read())
        for name, text in extra().items():
            wheel.writestr(name, text)
        wheel.writestr(stem + "/METADATA", "Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n"
                       % (NAME, VERSION))
        wheel.writestr(stem + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\n"
                       "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(stem + "/RECORD", "")
    return file

def before():
    pass

def extra():
    return {{}}
"""


def a_source(
    package: Package, version: str, more: str = "", renamed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The files of a source distribution that brings its own back end; `more` overrides parts."""
    named = {"name": package.name, "version": version, "module": package.module}
    named |= renamed or {}
    return {"pyproject.toml": PROJECT, "backend.py": BACKEND.format(**named) + more}


def built(package: Package, fixproof: Fixproof, cases: Cases, more: str, **renamed: str) -> str:
    """Why 1.2, which is built so, has no environment."""
    source = a_source(package, "1.2", more, renamed)
    package.release("1.1", BROKEN).source_only("1.2", GOOD, source)
    report = fixproof.verify(cases.write(), code=3)
    fixed = cell(report, "fixed")
    assert (fixed["verdict"], fixed["reason"], fixed["attempts"]) == (
        "unresolved",
        "build_failed",
        [],
    )
    detail: str = fixed["detail"]
    return detail


def test_a_release_without_a_wheel_is_built_and_judged(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).source_only("1.2", GOOD, a_source(package, "1.2"))
    report = fixproof.verify(cases.write(), code=0)
    assert said(report) == ("PASS", "ok")
    assert cell(report, "fixed")["loaded"]["version"] == "1.2"


def test_a_dependency_without_a_wheel_is_built_in_the_newest_release_of_the_day(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    other = Package(package._index, f"{package.name}-other")
    other.source_only("0.1", "WHICH = 1\n", a_source(other, "0.1"))
    report = fixproof.verify(cases.write(requires=(other.name,)), code=0)
    assert f"{other.name}==0.1" in cell(report, "fixed")["dependencies"]


def test_what_was_built_for_a_later_day_is_not_seen_on_an_earlier_one(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    """No cut-off holds back a wheel of our own: it is shown to the cell that asked for it alone."""
    package.usual()
    other = Package(package._index, f"{package.name}-other")
    for version in ("0.1", "0.2"):
        uploaded = DAY if version == "0.1" else DAY + timedelta(days=30)
        other.source_only(version, GOOD, a_source(other, version), uploaded)
    later = f"{DAY + timedelta(days=60):%Y-%m-%d}"
    script = cases.write(requires=(other.name,))
    new = fixproof.verify(script, "--as-of", later, code=0)
    old = fixproof.verify(script, code=0)
    assert f"{other.name}==0.2" in cell(new, "fixed")["dependencies"]
    assert f"{other.name}==0.1" in cell(old, "fixed")["dependencies"]


def test_what_a_build_prints_does_not_spoil_its_wheel(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    more = "\ndef before():\n    print('noise'); os.system('echo more noise')\n"
    package.release("1.1", BROKEN).source_only("1.2", GOOD, a_source(package, "1.2", more))
    assert said(fixproof.verify(cases.write(), code=0)) == ("PASS", "ok")


def test_a_build_that_fails_shows_its_last_lines(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    detail = built(package, fixproof, cases, "\ndef before():\n    raise SystemExit('no luck')\n")
    assert "no luck" in detail
    assert "exit 1" in detail


@pytest.mark.parametrize(
    ("renamed", "why"),
    [({"name": "other-thing"}, "of the package 'other"), ({"version": "1.3"}, "'1.3'")],
    ids=["another package", "another version"],
)
def test_a_wheel_of_something_else_is_refused(
    fixproof: Fixproof, package: Package, cases: Cases, renamed: dict[str, str], why: str
) -> None:
    assert why in built(package, fixproof, cases, "", **renamed)


def test_a_wheel_with_files_outside_of_itself_is_refused(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    more = "\ndef extra():\n    return {'../../outside.py': 'x'}\n"
    assert "outside of itself" in built(package, fixproof, cases, more)


def test_bytes_that_are_no_wheel_are_refused(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    more = f"""
def build_wheel(folder, *_):
    name = "{package.name.replace("-", "_")}-1.2-py3-none-any.whl"
    open(os.path.join(folder, name), "w").write("no zip")
    return name
"""
    assert "no wheel" in built(package, fixproof, cases, more)


def fingerprint(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Each file below a folder with what a write would change, but for what every run adds."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            info = (Path(place) / name).lstat()
            if stat.S_ISREG(info.st_mode):
                path = str((Path(place) / name).relative_to(folder))
                found[path] = (info.st_mode, info.st_size, info.st_mtime_ns)
    return found


def test_a_hostile_build_reaches_nothing(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    """It tries to write to store, cache and source, to read secrets, and to reach the host."""
    package.usual()
    assert fixproof("verify", cases.write()).code == 0
    before = {
        name: fingerprint(fixproof.home / "store" / name)
        for name in ("envs", "uv-cache/archive-v0", "built")
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        more = f"""
import glob, socket, sys

def before():
    store = {str(fixproof.home / "store")!r}
    got = []
    for place in ([store, "/usr", sys.prefix, os.path.dirname(sys.executable), "/source"]
                  + glob.glob(store + "/envs/*") + glob.glob(store + "/uv-cache/*")):
        try:
            open(os.path.join(place, "planted"), "w").write("x")
            got.append("wrote " + place)
        except OSError:
            pass
    for secret in ({str(fixproof.home / "fixproof.sqlite3")!r}, "/etc/shadow"):
        if os.path.exists(secret):
            got.append("saw " + secret)
    if "CANARY" in os.environ:
        got.append("saw the environment")
    try:
        socket.create_connection(("127.0.0.1", {listener.getsockname()[1]}), 1)
        got.append("reached the host")
    except OSError:
        pass
    raise SystemExit("GOT " + repr(got))
"""
        package.source_only("1.4", GOOD, a_source(package, "1.4", more))
        script = cases.write(name="hostile", fixed="1.4")
        report = fixproof.verify(script, "--fresh", CANARY="secret")
        with pytest.raises(TimeoutError):
            listener.accept()
    assert "GOT []" in cell(report, "fixed")["detail"]
    for name, files in before.items():
        after = fingerprint(fixproof.home / "store" / name)
        assert {path: after.get(path) for path in files} == files
    assert not list(fixproof.home.rglob("planted"))


def test_no_build_is_honoured(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.release("1.1", BROKEN).source_only("1.2", GOOD, a_source(package, "1.2"))
    report = fixproof.verify(cases.write(uv={"no-build": True}), code=3)
    assert cell(report, "fixed")["reason"] == "no_wheel"
