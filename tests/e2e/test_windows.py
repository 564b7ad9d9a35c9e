"""Windows that are hard to search: a clear answer, and not a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from tests.e2e.command import (
    BROKEN,
    DAY,
    GOOD,
    Cases,
    Fixproof,
    Package,
    elsewhere,
    said,
    verdicts,
)
from tests.index_server import IndexServer, Offered, Style
from tests.wheels import wheel

BOTH = pytest.mark.parametrize("command", ["sweep", "bisect"])
CANNOT_BE_BUILT = {"setup.py": "import sys\nsys.exit('there is no compiler')\n"}


@dataclass(frozen=True)
class Misnamed(Offered):
    """A file whose name holds no version that PEP 440 knows."""

    name: str = ""

    @property
    def project(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        return "unreadable"


@BOTH
def test_an_empty_window_is_said(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    package.usual()
    done = fixproof(command, cases.write(versions=">9", fixed=None, broken="1.1"), "--json")
    report = done.document
    assert report["series"][0]["window"] == []
    assert report["measured"]["first_fixed"] is None
    assert done.code in (0, 3), report["summary"]


@BOTH
def test_a_claim_about_a_release_that_is_not_there_is_contradicted_as_in_a_verify(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    package.usual()
    report = fixproof(command, cases.write(fixed="9.9"), "--json").document
    assert said(report) == ("FAIL", "no_such_release")
    assert report["measured"]["first_fixed"] == "1.2"


@BOTH
@pytest.mark.parametrize(("source", "verdict"), [(BROKEN, "present"), (GOOD, "absent")])
def test_of_one_release_no_change_can_be_seen(
    fixproof: Fixproof, package: Package, cases: Cases, command: str, source: str, verdict: str
) -> None:
    package.release("1.0", source)
    report = fixproof(command, cases.write(fixed=None, broken="1.0"), "--json").document
    assert verdicts(report) == {"1.0": verdict}
    assert "no change seen in the window" in report["summary"].lower()
    assert report["measured"]["first_fixed"] is None
    assert report["measured"]["first_broken"] is None


@BOTH
def test_a_window_in_which_nothing_installs_is_untested_with_the_reason(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    for version in ("1.0", "1.1", "1.2", "1.3"):
        package.source_only(version, files=CANNOT_BE_BUILT)
    done = fixproof(command, cases.write(), "--json")
    report = done.document
    assert done.code == 3
    assert report["measured"]["first_fixed"] is None
    assert {*verdicts(report).values()} == {"unresolved"}
    assert "cannot be installed" in report["summary"] or "could not be built" in report["summary"]


@BOTH
def test_files_for_other_platforms_are_left_out_with_why(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer, command: str
) -> None:
    package.usual()
    for version in ("1.0.1", "1.4"):
        built = wheel(package.name, version, files={f"{package.module}.py": GOOD})
        name = built.filename.replace("py3-none-any", "cp311-cp311-win_amd64")
        index.offer(Offered(replace(built, filename=name), DAY))
    report = fixproof(command, cases.write(), "--json").document
    assert said(report) == ("PASS", "ok"), report["summary"]
    skipped = {each["version"]: each["why"] for each in report["skipped"]}
    assert {*skipped} == {"1.0.1", "1.4"}
    assert all("no file for Python" in each for each in skipped.values())
    assert report["measured"]["first_fixed"] == "1.2"


@BOTH
def test_versions_that_nobody_can_order_are_left_out_with_why(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer, command: str
) -> None:
    package.usual()
    built = wheel(package.name, "1.1", files={f"{package.module}.py": GOOD})
    odd = replace(built, filename=f"{package.module}-2004d-py3-none-any.whl")
    index.offer(Misnamed(odd, DAY, name=package.name))
    report = fixproof(command, cases.write(), "--json").document
    assert said(report) == ("PASS", "ok"), report["summary"]
    (skipped,) = report["skipped"]
    assert skipped["version"] == odd.filename
    assert "PEP 440" in skipped["why"]


@BOTH
def test_without_upload_times_it_goes_by_versions_and_says_what_that_costs(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer, command: str
) -> None:
    package.usual()
    call = elsewhere(fixproof, Style.BARE, index)
    done = call(command, cases.write(), "--json")
    report = done.document
    assert done.code == 0, report["summary"]
    assert report["measured"]["first_fixed"] == "1.2"
    assert all(each["as_of"] is None for each in report["cells"])


@BOTH
def test_an_index_that_forgets_a_release_in_the_middle_makes_that_one_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer, command: str
) -> None:
    """It was listed when the run was planned, and was gone when it was to be resolved."""
    for version, source in (("1.0", BROKEN), ("1.1", BROKEN), ("1.2", GOOD), ("1.3", GOOD)):
        package.release(version, source)
    script = cases.write(fixed=None, broken="1.0")
    assert fixproof("plan", script).code == 0
    index.forget(package.name, "1.2")
    report = fixproof(command, script, "--json").document
    assert verdicts(report)["1.2"] == "unresolved"
    assert report["measured"]["first_fixed"] is None
    assert report["measured"]["fixed_in"] == {"after": "1.1", "by": "1.3", "unknown": ["1.2"]}
    assert "1.2 could not be judged" in report["summary"]
    anew = fixproof(command, script, "--json", "--fresh").document
    assert anew["measured"]["first_fixed"] == "1.3"


@BOTH
def test_releases_that_do_not_allow_the_interpreter_are_left_out_with_why(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    package.usual()
    package.release("2.0", requires_python="<3")
    report = fixproof(command, cases.write(), "--json").document
    assert [each["version"] for each in report["skipped"]] == ["2.0"]
    assert "does not allow Python" in report["skipped"][0]["why"]


@BOTH
def test_an_index_that_goes_away_in_the_middle_ends_the_run_and_the_next_call_goes_on(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer, command: str
) -> None:
    package.usual()
    script = cases.write()
    assert fixproof("plan", script).code == 0
    with index.silenced():
        error = fixproof.error(command, script, UV_HTTP_RETRIES="0")
    assert error["kind"] == "index_unreachable"
    (row,) = fixproof("runs", "--json").document["runs"]
    report = fixproof(command, script, "--json").document
    assert report["run"] == row["run"]
    assert report["measured"]["first_fixed"] == "1.2"


def backported(package: Package) -> None:
    """1.0.2 came after 2.0 and has the fix, too."""
    for version, source, day in (
        *(("1.0.0", GOOD, 1), ("1.0.1", BROKEN, 2), ("2.0.0", BROKEN, 3)),
        *(("1.0.2", GOOD, 5), ("2.0.1", BROKEN, 4), ("2.0.2", GOOD, 6)),
    ):
        package.release(version, source, uploaded=datetime(2024, 5, day, tzinfo=UTC))


@BOTH
def test_a_backport_beside_a_newer_line_is_found(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    backported(package)
    report = fixproof(command, cases.write(fixed=["1.0.2", "2.0.2"]), "--json").document
    assert said(report) == ("PASS", "ok"), report["summary"]
    assert report["measured"]["last_broken"] == "2.0.1"
    assert report["measured"]["first_fixed"] == "2.0.2"
    ups = {
        version: each["to"]
        for each in report["series"][0]["upgrade_to"]
        for version in each["broken"]
    }
    assert ups["1.0.1"] == "1.0.2"
    assert ups["2.0.1"] == "2.0.2"


@BOTH
def test_a_backport_that_is_claimed_alone_is_not_taken_for_the_fix_of_the_newer_line(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    backported(package)
    report = fixproof(command, cases.write(fixed="1.0.2"), "--json").document
    assert said(report) == ("FAIL", "regressed"), report["summary"]
    assert report["measured"]["first_fixed"] == "2.0.2"
    assert "2.0.1, above 1.0.2 but released before it, show" in report["summary"]
