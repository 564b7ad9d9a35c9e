"""Each command as a user sees it: what it prints where, and how it exits."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.command import PROGRAM, TELLS, Cases, Fixproof, Package, cell, cells
from tests.index_server import IndexServer


def test_a_verify_prints_the_section_and_its_progress_elsewhere(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("verify", cases.write())
    assert done.code == 0
    assert done.text.startswith("## Verified Execution\n\n**PASS**")
    assert "3 of 3 attempts show the bug" in done.text
    assert "0 of 5 attempts show the bug" in done.text
    assert "attempt 1: exit" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_is_one_document_and_several_cases_are_in_one(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    good, bad = cases.write(name="good"), cases.write(name="bad", fixed="1.1")
    done = fixproof("verify", good, bad, "--json")
    assert done.code == 1
    assert done.document["schema"] == "fixproof.reports/1"
    assert [each["status"] for each in done.document["reports"]] == ["PASS", "FAIL"]


def test_several_cases_exit_with_the_first_trouble_then_contradiction_then_doubt(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    good = cases.write(name="good")
    bad = cases.write(name="bad", fixed="1.1")
    doubtful = cases.write("import {module}, sys\nsys.exit(125)", name="doubtful")
    faulty = cases.write(name="faulty", signature="(")
    assert fixproof("verify", good, doubtful).code == 3
    assert fixproof("verify", good, doubtful, bad).code == 1
    done = fixproof("verify", good, doubtful, faulty, bad, "--json")
    assert done.code == 2
    schemas = [each["schema"] for each in done.document["reports"]]
    assert schemas == ["fixproof.report/1"] * 2 + ["fixproof.error/1", "fixproof.report/1"]


def test_an_error_of_one_case_does_not_keep_the_others_from_being_shown(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("verify", cases.write(name="faulty", title=None), cases.write())
    assert done.code == 2
    assert "faulty: the key 'title' is required" in done.stderr
    assert "## Verified Execution" in done.text


def test_a_plan_asks_the_index_for_its_metadata_alone_and_makes_nothing(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases, index: IndexServer
) -> None:
    other.release("1.0")
    package.release("1.1", requires=(other.name,)).release("1.2", requires=(other.name,))
    script = cases.write()
    done = fixproof("plan", script)
    assert done.code == 0
    for part in (f"bug/{package.name}-1.1/", f"{package.name}==1.2", "@control", "before"):
        assert part in done.text
    assert [each.split("/")[2:] for each in index.asked_for(package.name)] == [
        ["simple", package.name, ""]
    ]
    assert index.asked_for(other.name) == []
    assert not (fixproof.home / "store").exists()
    document = fixproof("plan", script, "--json").document
    assert document["schema"] == "fixproof.plan/1"
    assert [each["roles"] for each in document["series"][0]["cells"]] == [
        ["before"],
        ["fixed"],
        ["control"],
    ]
    assert len(index.asked_for(package.name)) == 1, "ten minutes old metadata will do"
    fixproof("plan", script, "--fresh")
    assert len(index.asked_for(package.name)) == 2
    assert "no runs yet" in fixproof("runs").stderr


def test_a_plan_names_what_a_verify_runs(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(fixed="1.2", broken=["1.0"], variants={"a": {}, "b": {}})
    (series, *_) = fixproof("plan", script, "--json").document["series"]
    report = fixproof.verify(script, code=0)
    ran = [each["id"] for each in report["cells"] if each["variant"] == "a"]
    assert ran == [each["id"] for each in series["cells"]]


@pytest.mark.parametrize(
    ("release", "code", "stdout"), [("1.1", 1, b"BUG: it is broken\n"), ("1.2", 0, b"fine\n")]
)
def test_run_shows_one_attempt_live_and_keeps_nothing(
    fixproof: Fixproof, package: Package, cases: Cases, release: str, code: int, stdout: bytes
) -> None:
    package.usual()
    done = fixproof("run", cases.write(), release)
    assert (done.code, done.stdout) == (code, stdout)
    assert f"bug/{package.name}-{release}/" in done.stderr
    assert "no runs yet" in fixproof("runs").stderr


def test_run_of_what_says_nothing_is_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("run", cases.write("import nothing_of_that_name"), "1.1")
    assert done.code == 3
    assert "ModuleNotFoundError" in done.stderr
    assert "no_signature" in done.stderr


def test_run_says_when_another_release_was_loaded(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    folder = cases.folder / "shadow"
    folder.mkdir()
    (folder / "repro.py").write_text(cases.text())
    (folder / f"{package.module}.py").write_text("BROKEN = True\n")
    done = fixproof("run", folder, "1.2")
    assert done.code == 3
    assert "wrong_version" in done.stderr


@pytest.mark.parametrize("release", ["9.9", "not a version", ""])
@pytest.mark.parametrize("command", ["run", "shell"])
def test_a_release_that_is_not_there_is_wrong_usage(
    fixproof: Fixproof, package: Package, cases: Cases, command: str, release: str
) -> None:
    package.usual()
    done = fixproof(command, cases.write(), release)
    assert done.code == 2
    assert "Traceback" not in done.stderr
    assert "\nfixproof: bug: " in f"\n{done.stderr}"


def talk(fixproof: Fixproof, words: tuple[str, ...], typed: bytes) -> tuple[int, bytes]:
    """Type something into a command on a terminal of its own; its exit code and all it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *words],
        env=fixproof.environ(),
        cwd=fixproof.cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed)
    shown, deadline = b"", time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:  # the other end is closed: all of them are gone
                    break
        return process.wait(10), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_shell_is_in_the_environment_of_the_release_and_passes_its_exit_code_on(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = str(cases.write())
    typed = f"python -c 'import {package.module} as m; print(40 + 2, m.BROKEN)'; exit 7\n"
    code, shown = talk(fixproof, ("shell", script, "1.1"), typed.encode())
    assert code == 7, shown
    assert b"42 True" in shown
    code, shown = talk(fixproof, ("shell", script, "1.2"), b"python /case/repro.py\nexit\n")
    assert code == 0, shown
    assert b"fine\r\n" in shown


def test_on_a_terminal_the_progress_is_a_table(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    code, shown = talk(fixproof, ("verify", str(cases.write())), b"")
    assert code == 0
    assert b"10 attempts" in shown
    assert b"## Verified Execution" in shown


def test_a_report_is_drawn_up_anew_from_what_is_stored(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("verify", cases.write(), "--json")
    run = done.document["run"]
    assert fixproof("report", run, "--format", "json").document == done.document
    assert fixproof("report", run, "--json").document == done.document
    assert fixproof("report", run).text.startswith("## Verified Execution")
    log = cell(done.document, "before")["attempts"][0]["log"]
    assert fixproof("report", run, "--log", log).stdout == b"BUG: it is broken\n"


def test_a_report_does_not_change_with_the_world(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    package.usual()
    script = cases.write()
    before = fixproof.verify(script, code=0)
    index.withdraw(package.name)
    script.unlink()
    assert fixproof("report", before["run"], "--json").document == before


def test_a_report_exits_as_its_run_did(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    failed = fixproof.verify(cases.write(fixed="1.1"), code=1)
    assert fixproof("report", failed["run"]).code == 1


def test_an_unknown_run_or_attempt_is_wrong_usage(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    assert fixproof.error("report", "no-such-run")["kind"] == "unknown_run"
    run = fixproof.verify(cases.write(), code=0)["run"]
    done = fixproof("report", run, "--log", "no-such-attempt")
    assert done.code == 2
    assert done.stdout == b""


def test_a_log_belongs_to_its_run(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    report = fixproof.verify(cases.write(), code=0)
    log = cell(report, "before")["attempts"][0]["log"]
    assert fixproof("report", "no-such-run", "--log", log).code == 2


def test_runs_are_listed_newest_first(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    first = fixproof.verify(cases.write(), code=0)["run"]
    second = fixproof.verify(cases.write(fixed="1.1"), code=1)["run"]
    document = fixproof("runs", "--json").document
    assert document["schema"] == "fixproof.runs/1"
    assert [(each["run"], each["state"], each["status"]) for each in document["runs"]] == [
        (second, "ended", "FAIL"),
        (first, "ended", "PASS"),
    ]
    assert len(fixproof("runs", "--json", "--limit", "1").document["runs"]) == 1
    listed = fixproof("runs").text
    assert listed.index(second) < listed.index(first)
    assert "FAIL / still_broken" in listed


def test_a_case_is_an_id_a_script_or_a_folder(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    (tmp_path / "repros" / "as-folder").mkdir(parents=True)
    (tmp_path / "repros" / "as-id.py").write_text(cases.text())
    (tmp_path / "repros" / "as-folder" / "repro.py").write_text(cases.text())
    for named in ("as-id", "repros/as-id.py", "as-folder", "repros/as-folder", "./repros/as-id.py"):
        case = fixproof("plan", named, "--json").document["case"]
        assert case["id"] == Path(named).stem


def test_the_home_can_be_named(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(), "--home", tmp_path / "elsewhere", code=0)
    assert fixproof("report", report["run"], "--home", tmp_path / "elsewhere").code == 0
    assert fixproof("report", report["run"]).code == 2


def test_a_lower_confidence_needs_fewer_attempts(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(), "--confidence", "0.9", code=0)
    assert cell(report, "fixed")["counts"]["absent"] == 2
    assert report["measured"]["confidence"] == 0.9


def test_one_job_at_a_time_comes_to_the_same(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(), "--jobs", "1", code=0)
    assert [sum(each["counts"].values()) for each in report["cells"]] == [3, 5, 2]
    many = fixproof.verify(cases.write(), "--jobs", "8", "--fresh", code=0)
    assert [each["verdict"] for each in many["cells"]] == ["present", "absent", "unresolved"]


def test_help_answers_without_making_anything(fixproof: Fixproof) -> None:
    done = fixproof("--help")
    assert done.code == 0
    assert "verify" in done.text
    assert not (fixproof.home / "store").exists()


def test_an_ungiven_command_or_case_is_wrong_usage(fixproof: Fixproof) -> None:
    assert fixproof("verify").code == 2
    assert fixproof("nonsense").code == 2
    assert fixproof("verify", "x", "--nonsense").code == 2


def test_a_process_sandbox_is_marked_as_not_isolated(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    report = fixproof.verify(script, "--sandbox", "process", code=0)
    assert report["sandbox"]["isolated"] is False
    assert "NOT ISOLATED" in fixproof("report", report["run"]).text
    isolated = fixproof.verify(script, code=0)
    assert not any(each["reused"] for every in isolated["cells"] for each in every["attempts"])


def test_the_corpus_is_read_from_where_the_command_is_called(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    error = fixproof.error("verify", "nobody-wrote-this")
    assert error["kind"] == "broken_case"
    assert json.dumps(error).count("nobody-wrote-this") >= 1
    assert not (tmp_path / "repros").exists()
    assert cells(fixproof.verify(cases.write(TELLS), code=0), "fixed")


def test_the_section_says_how_to_run_a_case_again_that_is_in_no_corpus(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    page = fixproof("verify", cases.write()).text
    (words,) = [each for each in page.splitlines() if each.startswith("fixproof verify ")]
    assert fixproof(*words.split()[1:]).code == 0, words
