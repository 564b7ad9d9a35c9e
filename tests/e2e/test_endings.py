"""Bugs that show by the way a process ends, and what is kept of what it printed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.command import (
    TELLS,
    Cases,
    Fixproof,
    Package,
    cell,
    cells,
    counts,
    processes_of,
    said,
)
from tests.index_server import IndexServer
from tests.wheels import repacked

HANGS = """
import time
import {module}
print("REACHED")
time.sleep(30 if {module}.BROKEN else 0)
"""
CRASHES = """
import os, signal
import {module}
print("REACHED")
if {module}.BROKEN:
    os.kill(os.getpid(), signal.SIGABRT)
"""
EATS = """
import {module}
print("REACHED")
kept = b"x" * (200 if {module}.BROKEN else 1) * 1024 * 1024
"""
REACHED = "^REACHED"


@pytest.mark.parametrize(
    ("ends", "body", "keys"),
    [
        ("timeout", HANGS, {"timeout": 1}),
        ("timeout", HANGS, {"timeout": 10, "silence": 1}),
        ("signal", CRASHES, {}),
        ("memory", EATS, {"memory": 64}),
    ],
    ids=["timeout", "silence", "signal", "memory"],
)
def test_a_bug_can_show_by_its_ending(
    fixproof: Fixproof, package: Package, cases: Cases, ends: str, body: str, keys: dict[str, Any]
) -> None:
    package.usual()
    script = cases.write(body, signature=REACHED, ends=ends, **keys)
    report = fixproof.verify(script, code=0)
    assert said(report) == ("PASS", "ok")
    broken = cell(report, "before")
    shown = "silence" if "silence" in keys else ends
    assert {each["ending"]["kind"] for each in broken["attempts"]} == {shown}
    assert counts(broken)[0] >= 3
    assert counts(broken)[1:] == (0, 0)
    assert cell(report, "control")["verdict"] == "unresolved"


def test_a_hang_is_believed_when_attempts_run_one_at_a_time(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(HANGS, signature=REACHED, ends="timeout", timeout=1)
    report = fixproof.verify(script, "--jobs", "1", code=0)
    seconds = [each["seconds"] for each in cell(report, "before")["attempts"]]
    assert max(seconds) >= 2
    assert counts(cell(report, "before"))[0] >= 3


def test_a_script_that_is_merely_slow_is_no_hang(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    body = HANGS.replace("30", "1.4")
    report = fixproof.verify(cases.write(body, signature=REACHED, ends="timeout", timeout=1))
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    before = cell(report, "before")
    assert (before["verdict"], before["reason"]) == ("unresolved", "not_a_hang")


def test_an_ending_before_the_critical_point_says_nothing(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    body = CRASHES.replace('print("REACHED")', "")
    report = fixproof.verify(cases.write(body, signature=REACHED, ends="signal"), code=3)
    assert {each["reason"] for each in cells(report, "before")} == {"not_reached"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import {module}, sys\nsys.exit(125)", "exit_code"),
        ("import {module}, sys\nprint('BUG: but 0')", "contradictory"),
        ("import {module}, os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "signal"),
        ("import {module}\nkept = b'x' * 500 * 1024 * 1024", "memory"),
    ],
    ids=["125", "contradictory", "signal", "memory"],
)
def test_an_ending_that_was_not_asked_for_is_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases, body: str, reason: str
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(body, memory=64), code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    assert {cell(report, role)["reason"] for role in ("before", "fixed")} == {reason}


def test_what_ignores_sigterm_and_hangs_ends_by_timeout_and_nothing_is_left(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    body = """
import signal, subprocess, sys, time
import {module}
for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
subprocess.Popen(sleep, start_new_session=True)
time.sleep(60)
"""
    report = fixproof.verify(cases.write(body, timeout=1), code=3)
    assert {cell(report, role)["reason"] for role in ("before", "fixed")} == {"timeout"}
    assert processes_of(fixproof.home) == []


def test_a_script_can_be_a_test_of_pytest(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    for name in ("pytest", "iniconfig", "pluggy", "packaging", "pygments"):
        package.offer(repacked(name))
    package.usual()
    body = """
def test_it() -> None:
    import {module}
    assert not {module}.BROKEN, "BUG: it is broken"
"""
    keys: dict[str, Any] = {"runner": "pytest", "signature": "^E .*BUG: "}
    report = fixproof.verify(cases.write(body, requires=("pytest",), **keys), code=0)
    assert said(report) == ("PASS", "ok")
    control = cell(report, "control")
    assert any(each.startswith("pytest==") for each in control["dependencies"])
    assert control["reason"] == "no_signature"


def test_foreign_bytes_and_terminal_codes_neither_hide_the_signature_nor_reach_a_page(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    body = r"""
import sys
import {module}
if {module}.BROKEN:
    sys.stdout.buffer.write(b"\xff\xfe\n\x1b[31mBUG: \x1b[0m\x00\xc3( \x1b]0;title\x07 <b>|`\n")
    sys.exit(1)
"""
    script = cases.write(body)
    done = fixproof("verify", script)
    assert done.code == 0
    page = done.text
    assert "\x1b" not in page
    assert "\x00" not in page
    assert "BUG: " in page
    report = fixproof.verify(script, code=0)
    (log, *_) = [each["log"] for each in cell(report, "before")["attempts"]]
    printed = fixproof("report", report["run"], "--log", log)
    assert printed.stdout == (b"\xff\xfe\n\x1b[31mBUG: \x1b[0m\x00\xc3( \x1b]0;title\x07 <b>|`\n")


LONG = """
import sys
import {module}
print("FIRST")
for number in range(20_000):
    print(f"line {number} of very many")
    if number == HERE and {module}.BROKEN:
        print("BUG: here")
print("LAST")
sys.exit(int({module}.BROKEN))
"""


def test_of_long_output_head_and_tail_are_kept_and_the_gap_is_told(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(LONG.replace("HERE", "19_990"), signature="^BUG: here|^LAST never")
    report = fixproof.verify(script)
    before = cell(report, "before")
    assert counts(before)[0] == 3
    log = before["attempts"][0]["log"]
    printed = fixproof("report", report["run"], "--log", log).stdout
    assert printed.startswith(b"FIRST\nline 0 of")
    assert printed.endswith(b"LAST\n")
    gap = re.search(rb"\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n", printed)
    assert gap is not None
    whole = len("FIRST\nBUG: here\nLAST\n") + sum(
        len(f"line {each} of very many\n") for each in range(20_000)
    )
    assert len(printed) - len(gap[0]) + int(gap[1]) == whole
    page = fixproof("report", report["run"]).text
    assert "bytes left out" in page or "lines …" in page


def test_an_absence_is_not_read_out_of_output_that_was_cut(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(LONG.replace("HERE", "10_000")), code=3)
    assert cell(report, "fixed")["reason"] == "output_cut"
    assert cell(report, "before")["reason"] == "output_cut"


def test_endless_output_is_ended(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    body = """
import {module}, os
for _ in range(4096):
    os.write(1, b"BUG: no end" * 8192)
"""
    report = fixproof.verify(cases.write(body), code=3)
    assert {cell(report, role)["reason"] for role in ("before", "fixed")} == {"output_limit"}
    for each in cell(report, "fixed")["attempts"]:
        assert each["ending"]["kind"] == "output_limit"


def test_what_an_attempt_may_not_do_it_cannot(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    """It sees no index, no home of fixproof, and writes nowhere but to its own places."""
    package.usual()
    body = f"""
import os, socket, sys
import {{module}}
try:
    socket.create_connection(("127.0.0.1", {urlsplit(index.address()).port}), 2)
    sys.exit(99)
except OSError:
    pass
for place in ("/case/x", {{module}}.__file__, "/usr/x", {str(fixproof.home / "x")!r}):
    try:
        open(place, "w").close()
        sys.exit(98)
    except OSError:
        pass
assert not os.path.exists({str(fixproof.home / "fixproof.sqlite3")!r})
open("/tmp/mine", "x").close()
"""
    assert said(fixproof.verify(cases.write(f"{body}\n{TELLS}"), code=0)) == ("PASS", "ok")
