"""Docker and bubblewrap say the same of the same case."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.docker.sandboxes import PYTHON, podman
from tests.e2e.command import BROKEN, GOOD, Cases, Fixproof, Package, cell, said
from tests.e2e.test_builds import a_source
from tests.e2e.test_candidate import VERSION, a_folder

pytestmark = [pytest.mark.bubblewrap, pytest.mark.docker]

_OF_THE_RUN = {"run", "ran", "sandbox", "again", "seconds", "peak_mib", "cpu_seconds", "log"}


def without_the_run(value: Any) -> Any:
    """A report without what two runs of the same may differ in."""
    if isinstance(value, dict):
        return {k: without_the_run(v) for k, v in value.items() if k not in _OF_THE_RUN}
    if isinstance(value, list):
        return [without_the_run(each) for each in value]
    return value


def both(fixproof: Fixproof, script: Path, code: int) -> dict[str, Any]:
    """The report from Docker, which is that from bubblewrap but for the sandbox."""
    reports = {
        kind: fixproof.verify(script, "--sandbox", kind, code=code)
        for kind in ("bubblewrap", "docker")
    }
    docker = reports["docker"]
    assert without_the_run(docker) == without_the_run(reports["bubblewrap"])
    sandbox = docker["sandbox"]
    assert (sandbox["kind"], sandbox["network"], sandbox["isolated"]) == ("docker", "none", True)
    assert sandbox["base"].startswith("sha256:")
    return docker


def test_both_confirm_a_fix(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    assert said(both(fixproof, cases.write(), 0)) == ("PASS", "ok")


def test_both_build_what_has_no_wheel(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.release("1.1", BROKEN).source_only("1.2", GOOD, a_source(package, "1.2"))
    report = fixproof.verify(cases.write(), "--sandbox", "docker", code=0)
    assert cell(report, "fixed")["loaded"]["version"] == "1.2"


def test_both_tell_a_hang_and_a_death_by_memory(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    hangs = """
import time
import {module}
print("BUG: here it hangs, if it does", flush=True)
time.sleep(60 if {module}.BROKEN else 0)
"""
    assert said(both(fixproof, cases.write(hangs, ends="timeout", timeout=1), 0)) == ("PASS", "ok")
    eats = """
import {module}
print("BUG: here it eats, if it does", flush=True)
eaten = bytearray(200 * 1024 * 1024 if {module}.BROKEN else 1)
for place in range(0, len(eaten), 4096):
    eaten[place] = 1
"""
    script = cases.write(eats, name="eats", ends="memory", memory=64)
    assert said(both(fixproof, script, 0)) == ("PASS", "ok")


@pytest.mark.podman
def test_podman_says_the_same(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    script = cases.write(python=[PYTHON])
    address = podman().address
    report = fixproof.verify(script, "--sandbox", "docker", code=0, DOCKER_HOST=address)
    usual = fixproof.verify(script, "--sandbox", "bubblewrap", code=0)
    assert without_the_run(report) == without_the_run(usual)
    assert set(report["sandbox"]["unenforced"]) <= {"swap"}


@pytest.mark.index
def test_both_say_the_same_of_a_real_bug(tmp_path: Path) -> None:
    script = tmp_path / "uvicorn-824.py"
    shutil.copy(Path(__file__).parents[2] / "repros" / script.name, script)
    real = Fixproof(home=tmp_path / "home", index=None, cwd=tmp_path)
    report = both(real, script, 0)
    assert report["measured"]["first_fixed"] == "0.12.3"


def test_both_build_a_candidate_and_judge_it(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = a_folder(tmp_path, package)
    for kind in ("bubblewrap", "docker"):
        words = (cases.write(), "--sandbox", kind, "--candidate", folder)
        report = fixproof.verify(*words, code=0)
        assert cell(report, "candidate")["loaded"]["version"] == VERSION
