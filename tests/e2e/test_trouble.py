"""Bad input and a bad world: what is said, how it exits, and what is left."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.cgroup_hierarchies import find_cgroups
from runner.errors import (
    IndexUnreachable,
    Interrupted,
    NoSpace,
    SandboxUnavailable,
    UnknownPackage,
    WrongUsage,
)
from tests.attempts import becomes
from tests.disks import fill, small_disk
from tests.e2e.command import (
    BROKEN,
    GOOD,
    TELLS,
    Cases,
    Fixproof,
    Package,
    cell,
    counts,
    elsewhere,
    processes_of,
    ran_now,
    said,
)
from tests.index_server import IndexServer, Style
from tests.wheels import wheel

SLOW = "import time\ntime.sleep(0.4)\n"
MIB = 1024 * 1024


# What a user writes


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("# /// script\n", "# no script\n"), "no metadata block"),
        (("# ///\n", "# ///\n\n# /// script\n# dependencies = []\n# ///\n"), "two metadata blocks"),
        (("fixed = ", "fixed = = "), "not TOML"),
        (("fixed = ", "fixd = "), "did you mean 'fixed'"),
        (("title = ", "titel = "), "did you mean 'title'"),
        (('signature = "^BUG: "', 'signature = "("'), "signature"),
        (('signature = "^BUG: "', 'signature = "x*"'), "matches the empty string"),
        (('signature = "^BUG: "', 'signature = "(?<=x)y"'), "no look-around"),
        (('signature = "^BUG: "', "signature = 5"), "signature"),
        (("dependencies = [", "dependencies = []\n# others = ["), "not among the dependencies"),
        (('fixed = "1.2"', 'fixed = "one"'), "no PEP 440 version"),
        (('fixed = "1.2"', "fixed = 1.2"), "no PEP 440 version"),
        (('fixed = "1.2"', 'fixed = "1.2"\n# broken = "1.2"'), "both fixed and broken"),
        (('fixed = "1.2"', ""), "nothing is claimed"),
        (('fixed = "1.2"', 'fixed = "1.2"\n# python = ["3.11.4"]'), "python"),
        (('fixed = "1.2"', 'fixed = "1.2"\n# timeout = -1'), "timeout"),
        (('fixed = "1.2"', 'fixed = "1.2"\n# ends = "never"'), "ends"),
        (("[tool.fixproof]", "[tool.fixprof]"), "no [tool.fixproof] table"),
    ],
)
def test_a_broken_case_is_told_with_the_key_at_fault(
    fixproof: Fixproof, package: Package, cases: Cases, change: tuple[str, str], told: str
) -> None:
    package.usual()
    script = cases.write()
    text = script.read_text()
    assert change[0] in text
    script.write_text(text.replace(*change))
    error = fixproof.error("verify", script)
    assert (error["kind"], error["exit_code"], error["case"]) == ("broken_case", 2, "bug")
    assert told in f"{error['message']} {error['hint']}"


@pytest.mark.parametrize("name", ["Bug", "-bug", "b ug", "büg", ".bug"])
def test_a_name_that_cannot_be_an_id_is_refused(
    fixproof: Fixproof, package: Package, cases: Cases, name: str
) -> None:
    package.usual()
    error = fixproof.error("verify", cases.write(name=name))
    assert error["kind"] == "broken_case"
    assert "id" in error["message"]


def test_a_script_that_is_no_text_is_a_broken_case(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    script.write_bytes(script.read_bytes() + b"# \xff\xfe")
    assert fixproof.error("verify", script)["kind"] == "broken_case"


def test_a_script_written_elsewhere_with_a_mark_and_other_line_ends_is_understood(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    script.write_bytes(b"\xef\xbb\xbf" + script.read_bytes().replace(b"\n", b"\r\n"))
    assert said(fixproof.verify(script, code=0)) == ("PASS", "ok")


def test_a_link_in_the_folder_of_a_case_is_refused(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "repro.py").write_text(cases.text())
    (folder / "passwords").symlink_to("/etc/passwd")
    assert fixproof.error("verify", folder)["kind"] == "broken_case"


@pytest.mark.parametrize("place", ["case", "option"])
def test_an_interpreter_that_nobody_has_heard_of_is_wrong_usage(
    fixproof: Fixproof, package: Package, cases: Cases, place: str
) -> None:
    package.usual()
    script = cases.write(python=["3.99"] if place == "case" else None)
    error = fixproof.error("verify", script, *(["--python", "3.99"] if place == "option" else []))
    assert error["exit_code"] == WrongUsage.exit_code
    assert "3.99" in error["message"]


@pytest.mark.parametrize("day", ["yesterday", "2024-13-01", "20240301", ""])
def test_a_day_that_is_none_is_wrong_usage(
    fixproof: Fixproof, package: Package, cases: Cases, day: str
) -> None:
    package.usual()
    assert fixproof.error("verify", cases.write(), "--as-of", day)["kind"] == "wrong_usage"


@pytest.mark.parametrize("words", [["--nonsense"], ["--jobs", "none"], ["--sandbox", "none"]])
def test_wrong_options_are_an_error_document_too(
    fixproof: Fixproof, package: Package, cases: Cases, words: list[str]
) -> None:
    package.usual()
    assert fixproof.error("verify", cases.write(), *words)["kind"] == "wrong_usage"


# The index


def test_a_package_that_the_index_does_not_know_is_told(fixproof: Fixproof, cases: Cases) -> None:
    error = fixproof.error("verify", cases.write())
    assert (error["kind"], error["exit_code"]) == ("unknown_package", UnknownPackage.exit_code)
    assert error["case"] == "bug"


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback that is ours and that nobody listens at."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def test_an_index_that_cannot_be_reached_is_told_soon_and_without_its_password(
    fixproof: Fixproof, cases: Cases
) -> None:
    with closed_port() as port:
        call = replace(fixproof, index=f"http://user:secret@127.0.0.1:{port}/simple/")
        begun = time.monotonic()
        done = call("verify", cases.write(), "--json")
        assert time.monotonic() - begun < 20
        plain = call("verify", cases.write())
    assert done.code == plain.code == IndexUnreachable.exit_code
    assert done.document["kind"] == "index_unreachable"
    assert "secret" not in done.text + done.stderr + plain.text + plain.stderr


def test_an_index_that_answers_with_an_error_is_told(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    package.usual()
    call = elsewhere(fixproof, Style.BROKEN, index)
    begun = time.monotonic()
    error = call.error("verify", cases.write())
    assert error["exit_code"] == IndexUnreachable.exit_code
    assert time.monotonic() - begun < 30


def test_an_index_that_goes_away_before_resolving_says_nothing_of_the_release(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    package.usual()
    script = cases.write()
    assert fixproof("plan", script).code == 0  # and so its metadata is at hand
    with index.silenced():
        error = fixproof.error("verify", script, UV_HTTP_RETRIES="0")
    assert error["kind"] == "index_unreachable"
    assert [each["state"] for each in rows(fixproof)] == ["interrupted"]
    assert said(fixproof.verify(script, code=0)) == ("PASS", "ok")
    assert [each["state"] for each in rows(fixproof)] == ["ended"]


def test_a_user_and_password_of_the_index_are_nowhere_in_the_home(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    package.usual()
    call = replace(fixproof, index=index.address().replace("//", "//user:s3cr3t@"))
    assert said(call.verify(cases.write(), code=0)) == ("PASS", "ok")
    for path in fixproof.home.rglob("*"):
        if path.is_file() and "uv-cache" not in path.parts:
            assert b"s3cr3t" not in path.read_bytes(), path


# The sandbox


def path_without_bubblewrap(folder: Path) -> str:
    """A PATH with one interpreter, and nothing to isolate it with."""
    folder.mkdir()
    (folder / f"python3.{sys.version_info.minor}").symlink_to(Path(sys.executable).resolve())
    return str(folder)


def test_without_bubblewrap_it_says_what_to_install(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    path = path_without_bubblewrap(tmp_path / "bin")
    error = fixproof.error("verify", cases.write(), PATH=path)
    assert (error["kind"], error["exit_code"]) == (
        "sandbox_unavailable",
        SandboxUnavailable.exit_code,
    )
    assert "apt-get install bubblewrap" in error["hint"]
    assert fixproof("plan", cases.write(), PATH=path).code == 0


def test_a_bubblewrap_that_does_not_work_here_is_told(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = tmp_path / "bin"
    folder.mkdir()
    real = f'[ "$1" = --help ] && exec {shutil.which("bwrap")} --help'
    (folder / "bwrap").write_text(f"#!/bin/sh\n{real}\necho 'bwrap: No permissions' >&2\nexit 1\n")
    (folder / "bwrap").chmod(0o755)
    error = fixproof.error("verify", cases.write(), PATH=f"{folder}:{os.environ['PATH']}")
    assert error["kind"] == "sandbox_unavailable"
    assert "No permissions" in error["message"]


def test_a_sandbox_that_is_not_there_yet_is_refused(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    error = fixproof.error("verify", cases.write(), FIXPROOF_SANDBOX="nonsense")
    assert error["exit_code"] == WrongUsage.exit_code


# The disk


def at(fixproof: Fixproof, disk: Path) -> Fixproof:
    """The command with its home on a small disk, of which a fourth is little."""
    env = {**fixproof.env, "FIXPROOF_MIN_FREE": "200M"}
    return replace(fixproof, home=disk / "home", env=env)


def test_a_disk_that_is_nearly_full_is_refused_at_once(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    with small_disk(tmp_path / "disk", 280) as disk:
        call = at(fixproof, disk)
        filler = fill(disk, 20 * MIB)
        error = call.error("verify", cases.write())
        assert (error["kind"], error["exit_code"]) == ("no_space", NoSpace.exit_code)
        assert "FIXPROOF_HOME" in error["hint"]
        filler.unlink()
        assert said(call.verify(cases.write(), code=0)) == ("PASS", "ok")


def test_a_disk_that_fills_up_in_the_middle_is_told_and_the_run_goes_on_when_it_is_freed(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    script = cases.write(SLOW + TELLS)
    with small_disk(tmp_path / "disk", 280) as disk:
        call = at(fixproof, disk)
        with call.started("verify", script, "--json", "--jobs", "1") as process:
            wait_for(process, "attempt 1:")
            filler = fill(disk, 0)
            stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == NoSpace.exit_code, stdout + stderr
        assert b'"no_space"' in stdout
        assert b"Traceback" not in stderr
        again = call.error("verify", script)
        assert again["kind"] == "no_space"
        filler.unlink()
        assert said(call.verify(script, code=0)) == ("PASS", "ok")
        assert len(call("runs", "--json").document["runs"]) == 1


def test_a_home_that_cannot_be_written_is_told(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    (tmp_path / "file").write_text("")
    error = fixproof.error("verify", cases.write(), "--home", tmp_path / "file" / "home")
    assert error["exit_code"] == NoSpace.exit_code
    assert "--home" in error["hint"]


def test_a_database_of_another_kind_is_told(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    (fixproof.home / "fixproof.sqlite3").write_text("this is no database, but rather a text\n")
    error = fixproof.error("verify", cases.write())
    assert error["kind"] == "store_trouble"
    assert error["exit_code"] == 9


# Ends in the middle


def wait_for(process: subprocess.Popen[bytes], text: str) -> None:
    """Until the process said something on its standard error, which is read from then on."""
    assert process.stderr is not None
    for line in process.stderr:
        if text.encode() in line:
            return
    raise AssertionError(f"it ended without saying {text!r}")


def left_behind(pid: int) -> list[str]:
    """Cgroups that a process made and that are still there."""
    parents = find_cgroups().parents.values()
    return [place.name for parent in parents for place in parent.glob(f"*-{pid}-*")]


def rows(fixproof: Fixproof) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = fixproof("runs", "--json").document["runs"]
    return listed


def test_ctrl_c_ends_all_and_the_next_call_goes_on_where_it_stopped(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(SLOW + TELLS)
    with fixproof.started("verify", script, "--json", "--jobs", "1") as process:
        wait_for(process, "attempt 2:")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == Interrupted.exit_code
    assert b'"fixproof.error/1"' in stdout
    assert b"Traceback" not in stderr
    assert processes_of(fixproof.home) == []
    assert left_behind(process.pid) == []
    (row,) = rows(fixproof)
    assert row["state"] == "interrupted"
    assert fixproof("report", row["run"]).code == 2
    resumed = fixproof("verify", script, "--json", "--jobs", "1")
    report = resumed.document
    assert report["run"] == row["run"]
    assert said(report) == ("PASS", "ok")
    assert [counts(each) for each in report["cells"]] == [(3, 0, 0), (0, 5, 0), (0, 0, 2)]
    assert resumed.stderr.count("attempt ") < 10
    assert [each["state"] for each in rows(fixproof)] == ["ended"]


def test_ctrl_c_while_the_index_is_asked_ends_at_once(fixproof: Fixproof, cases: Cases) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        call = replace(fixproof, index=f"http://127.0.0.1:{silent.getsockname()[1]}/simple/")
        with call.started("verify", cases.write()) as process:
            kept, _ = silent.accept()
            with kept:
                process.send_signal(signal.SIGINT)
                _, stderr = process.communicate(timeout=5)
    assert process.returncode == Interrupted.exit_code
    assert b"Traceback" not in stderr


def test_ctrl_c_while_resolving_ends_soon(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    """The index knows the package, and then keeps uv waiting."""
    package.usual()
    script = cases.write()
    assert fixproof("plan", script).code == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        proxies = {"HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
        proxies["UV_HTTP_RETRIES"] = "0"
        with fixproof.started("verify", script, **proxies) as process:
            kept, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            ended = becomes(lambda: process.poll() is not None, within=5)
            kept.close()
            silent.close()  # uv gives up
            process.communicate(timeout=30)
    assert process.returncode == Interrupted.exit_code
    assert becomes(lambda: processes_of(fixproof.home) == [], within=10)
    assert ended, "it waited for the index although it was interrupted"


def test_a_killed_fixproof_leaves_nothing_and_the_next_call_goes_on(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(SLOW + TELLS)
    with fixproof.started("verify", script, "--json") as process:
        wait_for(process, "attempt 2:")
        process.kill()
        process.communicate(timeout=20)
    (row,) = rows(fixproof)
    assert row["state"] == "interrupted"
    resumed = fixproof("verify", script, "--json")
    assert resumed.document["run"] == row["run"]
    assert said(resumed.document) == ("PASS", "ok")
    assert resumed.stderr.count("attempt ") < 10
    assert becomes(lambda: processes_of(fixproof.home) == [], within=10)
    assert left_behind(process.pid) == []


def test_a_hang_up_ends_all_like_ctrl_c(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    for each in (signal.SIGTERM, signal.SIGHUP):
        with fixproof.started("verify", cases.write(SLOW + TELLS, name=each.name.lower())) as call:
            wait_for(call, "attempt 1:")
            call.send_signal(each)
            call.communicate(timeout=20)
        assert becomes(lambda: processes_of(fixproof.home) == [], within=10), each
        assert left_behind(call.pid) == [], each


def test_another_question_does_not_go_on_with_an_interrupted_run(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    with fixproof.started("verify", cases.write(SLOW + TELLS)) as process:
        wait_for(process, "attempt 2:")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    (row,) = rows(fixproof)
    report = fixproof.verify(cases.write(SLOW + TELLS, title="Another title"), code=0)
    assert report["run"] != row["run"]
    assert ran_now(report) < 10, "what was finished is evidence all the same"


def test_two_at_once_in_one_home_come_to_the_same(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write("import time\ntime.sleep(0.1)\n" + TELLS)
    reports: list[dict[str, Any]] = []

    def verify() -> None:
        reports.append(fixproof.verify(script))

    threads = [threading.Thread(target=verify) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [said(each) for each in reports] == [("PASS", "ok")] * 3
    assert len({each["run"] for each in reports}) == 3
    for report in reports:
        assert counts(cell(report, "before"))[0] >= 3
        assert counts(cell(report, "fixed"))[1] >= 5
        assert fixproof("report", report["run"], "--json").document == report


def test_a_reader_that_goes_away_is_no_trouble(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    with fixproof.started("verify", cases.write()) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        stderr = process.stderr.read()
        process.wait(20)
    assert b"Traceback" not in stderr
    assert b"BrokenPipeError" not in stderr


def test_a_wheel_that_cannot_be_unpacked_makes_its_release_unresolved_and_no_other(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", BROKEN).release("1.1", BROKEN)
    whole = wheel(package.name, "1.2", files={f"{package.module}.py": GOOD})
    package.offer(replace(whole, data=whole.data[:-30]), package.next_day())
    report = fixproof.verify(cases.write(fixed="1.2", broken="1.0"), code=3)
    fixed = cell(report, "fixed")
    assert (fixed["verdict"], fixed["reason"], fixed["attempts"]) == ("unresolved", "bad_file", [])
    assert counts(cell(report, "before"))[0] == 3
    again = fixproof("report", report["run"], "--json").document
    assert again["cells"] == report["cells"]


def test_a_file_that_the_index_lists_and_does_not_have_makes_its_release_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    package.usual()
    with index.without_files(package.name, "1.2"):
        report = fixproof.verify(cases.write(), code=3)
    assert cell(report, "fixed")["reason"] == "bad_file"
    assert "http" not in cell(report, "fixed")["detail"]
