"""Source distributions: each is built alone, and hands out one wheel or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

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


WITH_TOOL = """
def extra():
    return {{NAME.replace("-", "_") + "_tool.py": "MADE_WITH = %r" % {0}.VERSION}}
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


@pytest.mark.parametrize("first", ["1.1", "1.3"])
def test_a_build_takes_the_tools_of_its_own_day_whoever_asks_first(
    fixproof: Fixproof, package: Package, cases: Cases, first: str
) -> None:
    tool = Package(package._index, f"{package.name}-tool")
    tool.release("1.0", "VERSION = '1.0'\n", uploaded=DAY - timedelta(days=9))
    other = Package(package._index, f"{package.name}-other")
    sources = a_source(other, "0.1", f"\nimport {tool.module}\n{WITH_TOOL.format(tool.module)}")
    sources["pyproject.toml"] = PROJECT.replace("[]", f'["{tool.name}"]', 1)
    other.source_only("0.1", "", sources, uploaded=DAY)
    package.release("1.1", BROKEN, uploaded=DAY + timedelta(days=10))
    tool.release("2.0", "VERSION = '2.0'\n", uploaded=DAY + timedelta(days=20))
    package.release("1.2", uploaded=DAY + timedelta(days=30))
    package.release("1.3", uploaded=DAY + timedelta(days=40))
    body = f"import {other.module}_tool as made\nprint('made with', made.MADE_WITH)"
    script = cases.write(body, requires=(other.name,))
    assert "made with" in fixproof("run", script, first).text
    assert fixproof("run", script, "1.2").text.count("made with 1.0") == 1


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


def test_a_wheel_with_a_file_twice_is_refused(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    more = f"\ndef extra():\n    return {{'{package.module}.py': 'BROKEN = None'}}\n"
    assert "a file twice" in built(package, fixproof, cases, more)


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


@pytest.mark.parametrize("which", ["all", "package", "dependency"])
def test_what_has_a_wheel_is_not_built_and_no_binary_is_told_so(
    fixproof: Fixproof, package: Package, cases: Cases, which: str
) -> None:
    package.usual()
    other = Package(package._index, f"{package.name}-Other")
    other.release("0.1")
    names = {"package": package.name, "dependency": other.name.lower()}
    asked = {"no-binary-package": [names[which]]} if which in names else {"no-binary": True}
    script = cases.write(uv=asked, requires=(other.name,))
    report = fixproof.verify(script, code=3)
    fixed = cell(report, "fixed")
    assert (fixed["verdict"], fixed["reason"]) == ("unresolved", "no_wheel")
    assert "no-binary refuses the published wheel of" in fixed["detail"]
    assert names.get(which, package.name) in fixed["detail"]
    assert "never built here" in fixproof("report", report["run"]).text


def test_no_binary_of_what_has_no_wheel_is_honoured(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    other = Package(package._index, f"{package.name}-other")
    other.source_only("0.1", GOOD, a_source(other, "0.1"))
    script = cases.write(uv={"no-binary-package": [other.name]}, requires=(other.name,))
    report = fixproof.verify(script, code=0)
    assert f"{other.name}==0.1" in cell(report, "fixed")["dependencies"]


def test_a_build_is_told_while_it_goes_on(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).source_only("1.2", GOOD, a_source(package, "1.2"))
    script = cases.write()
    said = fixproof("verify", script).stderr.splitlines()
    told = [each for each in said if each.startswith(f"building {package.name} 1.2 for bug/")]
    assert len(told) == 1
    assert "building" not in fixproof("verify", script, "--fresh").stderr  # it is kept


@pytest.mark.parametrize("key", ["no-build", "no-build-package"])
def test_no_build_is_honoured(fixproof: Fixproof, package: Package, cases: Cases, key: str) -> None:
    package.release("1.1", BROKEN).source_only("1.2", GOOD, a_source(package, "1.2"))
    asked = {"no-build": True, "no-build-package": [package.name]}[key]
    report = fixproof.verify(cases.write(uv={key: asked}), code=3)
    assert cell(report, "fixed")["reason"] == "no_wheel"


def test_of_a_dependency_the_release_is_built_that_is_asked_for_not_the_newest(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    long_before = DAY - timedelta(days=100)
    for version in ("1.0", "1.1", "2.0"):
        other.source_only(version, GOOD, a_source(other, version), uploaded=long_before)
    package.release("1.1", BROKEN, requires=(f"{other.name}==1.*",))
    package.release("1.2", requires=(f"{other.name}<1.1",))
    report = fixproof.verify(cases.write(), code=0)
    assert cell(report, "before")["dependencies"] == [f"{other.name}==1.1"]
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]
