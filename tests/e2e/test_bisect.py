"""`fixproof bisect`: when a bug came and went, with few attempts; stopped, killed, cut off."""

from __future__ import annotations

import signal

import pytest

from runner.errors import Interrupted
from tests.attempts import becomes
from tests.e2e.command import (
    BROKEN,
    GOOD,
    TELLS,
    Cases,
    Fixproof,
    Package,
    processes_of,
    ran_now,
    said,
    verdicts,
)
from tests.e2e.test_builds import a_source
from tests.e2e.test_commands import talk
from tests.e2e.test_trouble import wait_for

SLOW = "import time\ntime.sleep(0.3)\n"


def many(package: Package, releases: int = 40, broken: range = range(10, 26)) -> Package:
    """Releases 1.0, 1.1, and so on, of which some are broken."""
    for at in range(releases):
        package.release(f"1.{at}", BROKEN if at in broken else GOOD)
    return package


def test_both_changes_are_found_with_few_of_the_releases(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    many(package)
    report = fixproof.bisect(cases.write(fixed=None, broken="1.20"), "--jobs", "1", code=0)
    assert report["summary"].startswith("1.26 is the first fixed release; introduced in 1.10.")
    measured = report["measured"]
    assert (measured["first_broken"], measured["last_broken"]) == ("1.10", "1.25")
    assert measured["first_fixed"] == "1.26"
    assert len(verdicts(report)) <= 14
    assert "one change between tested neighbours" in measured["assumes"]
    assert measured["affected"] is None


def test_a_wrong_claim_does_not_lead_the_search_astray(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    many(package)
    report = fixproof.bisect(cases.write(fixed="1.30"), code=1)
    assert said(report) == ("FAIL", "fixed_earlier")
    assert report["measured"]["first_fixed"] == "1.26"


def test_the_budget_is_kept_and_the_next_call_takes_over_what_was_found(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    many(package)
    script = cases.write(fixed=None, broken="1.20")
    cut = fixproof.bisect(script, "--budget", "8", "--jobs", "2")
    assert ran_now(cut) <= 8
    assert cut["series"][0]["search"]["exhausted"]
    assert "the budget of 8 attempts ended before the search did" in cut["summary"].lower()
    assert cut["measured"]["first_fixed"] is None
    whole = fixproof.bisect(script, code=0)
    assert whole["measured"]["first_fixed"] == "1.26"
    assert any(attempt["reused"] for each in whole["cells"] for attempt in each["attempts"])


@pytest.mark.parametrize("command", ["sweep", "bisect"])
def test_interrupted_it_goes_on_where_it_stopped(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    many(package, 12, range(2, 6))
    script = cases.write(SLOW + TELLS, fixed="1.6")
    with fixproof.started(command, script, "--json") as process:
        wait_for(process, "attempt 1:")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == Interrupted.exit_code
    assert b'"fixproof.error/1"' in stdout
    assert b"Traceback" not in stderr
    assert becomes(lambda: processes_of(fixproof.home) == [], within=2)
    (row,) = fixproof("runs", "--json").document["runs"]
    assert (row["kind"], row["state"]) == (command, "interrupted")
    known = fixproof("report", row["run"], "--json")
    if command == "bisect":
        assert "The search did not come to its end." in known.document["summary"]
        assert known.document["series"][0]["search"]["exhausted"] is True
    else:
        assert known.document["kind"] == "unknown_run"
    resumed = fixproof(command, script, "--json").document
    assert resumed["run"] == row["run"]
    assert resumed["measured"]["first_fixed"] == "1.6"
    assert resumed["measured"]["first_broken"] == "1.2"


@pytest.mark.parametrize("command", ["sweep", "bisect"])
def test_killed_it_goes_on_where_it_was(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    many(package, 12, range(2, 6))
    script = cases.write(SLOW + TELLS, fixed="1.6")
    with fixproof.started(command, script, "--json") as process:
        wait_for(process, "attempt 2:")
        process.kill()
        process.communicate(timeout=20)
    (row,) = fixproof("runs", "--json").document["runs"]
    resumed = fixproof(command, script, "--json")
    report = resumed.document
    assert report["run"] == row["run"]
    assert report["measured"]["first_fixed"] == "1.6"
    made = sum(len(each["attempts"]) for each in report["cells"])
    assert resumed.stderr.count("attempt ") < made
    assert becomes(lambda: processes_of(fixproof.home) == [], within=2)


def test_another_question_begins_another_run(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    """A sweep is no continuation of a bisection that was stopped."""
    many(package, 12, range(2, 6))
    script = cases.write(SLOW + TELLS, fixed="1.6")
    with fixproof.started("bisect", script) as process:
        wait_for(process, "attempt 1:")
        process.kill()
        process.communicate(timeout=20)
    (row,) = fixproof("runs", "--json").document["runs"]
    assert fixproof.sweep(script, code=0)["run"] != row["run"]


def test_plain_lines_tell_what_remains_as_it_gets_less(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    many(package)
    done = fixproof("bisect", cases.write(fixed=None, broken="1.20"), "--jobs", "1")
    told = [each for each in done.stderr.splitlines() if "to go; a change" in each]
    assert len(told) > 5
    assert len({*told}) == len(told)
    assert any("a change between 1.20 and 1.39" in each for each in told)


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}])
def test_on_a_terminal_the_answer_is_shown_on_an_axis(
    fixproof: Fixproof, package: Package, cases: Cases, environ: dict[str, str]
) -> None:
    many(package, 12, range(2, 6))
    call = Fixproof(
        fixproof.home, fixproof.index, fixproof.cwd, {"TERM": "xterm-256color", **environ}
    )
    code, shown = talk(call, ("bisect", str(cases.write(fixed="1.6"))), b"")
    assert code == 0, shown
    text = shown.decode()
    last = text[text.rindex("Releases of") :]
    assert "▼1.6 ✓" in last
    assert "░ not run" in last
    assert "PASS" in text[text.rindex("✓ PASS") :]
    assert ("\x1b[31m" in last) is not bool(environ)


def test_several_cases_are_bisected_one_after_the_other(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    one, two = cases.write(name="one"), cases.write(name="two", fixed="1.3")
    done = fixproof("bisect", one, two, "--json")
    assert done.code == 1
    assert [each["outcome"] for each in done.document["reports"]] == ["ok", "fixed_earlier"]


def test_nothing_is_built_for_a_release_that_only_might_be_wanted(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    for at in range(30):
        source = BROKEN if at < 17 else GOOD
        package.source_only(f"1.{at}", source, a_source(package, f"1.{at}"))
    script = cases.write(fixed=None, broken="1.0")
    done = fixproof("bisect", script, "--json", "--jobs", "1")
    report = done.document
    assert report["measured"]["first_fixed"] == "1.17", report["summary"]
    built = [each for each in done.stderr.splitlines() if each.startswith("building ")]
    assert len(built) == len(verdicts(report))
