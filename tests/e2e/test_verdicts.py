"""What a verify concludes, by how the releases of a package behave."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from runner.pythons import PYTHON_RELEASED
from tests.e2e.command import (
    BROKEN,
    TELLS,
    Cases,
    Fixproof,
    Package,
    cell,
    cells,
    counts,
    ran_now,
    said,
)

HERE = f"3.{sys.version_info.minor}"
"""An interpreter that is at hand for sure."""
FLAKY = "import random\nBROKEN = random.random() < 0.5\n"
BY_MODE = 'import os\nBROKEN = os.environ["MODE"] == "a"\n'
"""Broken in one variant only."""


@pytest.fixture
def not_at_hand(warm_home: Path) -> str:
    """A Python that exists and that this machine does not have."""
    known = [json.loads(each.read_text()) for each in warm_home.iterdir()]
    found = {each["python"] for kept in known if isinstance(kept, list) for each in kept}
    return next(each for each in reversed(PYTHON_RELEASED) if each not in found)


def test_a_fix_that_holds_is_confirmed_with_both_sides_control_and_confirmation(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(), code=0)
    assert said(report) == ("PASS", "ok")
    assert report["mode"] == "both"
    assert counts(cell(report, "before")) == (3, 0, 0)
    assert counts(cell(report, "fixed")) == (0, 5, 0)
    control = cell(report, "control")
    assert (control["verdict"], control["reason"]) == ("unresolved", "no_signature")
    assert control["dependencies"] == []
    assert report["series"][0]["confirmation"]["result"] == "same"
    measured = report["measured"]
    assert (measured["first_fixed"], measured["last_broken"]) == ("1.2", "1.1")
    assert measured["fixed_in"] == {"after": "1.1", "by": "1.2", "unknown": []}
    assert measured["attempts"] == 10
    (claim,) = report["claims"]
    assert (claim["kind"], claim["result"]) == ("fixed", "confirmed")
    assert cell(report, "before")["loaded"]["version"] == "1.1"
    assert report["sandbox"]["network"] == "none"


def test_a_fix_claimed_too_early_is_still_broken(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(fixed="1.1"), code=1)
    assert said(report) == ("FAIL", "still_broken")
    assert report["measured"]["first_fixed"] is None
    assert [each["result"] for each in report["claims"]] == ["contradicted"]


def test_a_fix_claimed_too_late_is_fixed_earlier_and_the_right_release_is_found(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual().release("1.4").release("1.5")
    report = fixproof.verify(cases.write(fixed="1.5"), code=1)
    assert said(report) == ("FAIL", "fixed_earlier")
    assert report["measured"]["first_fixed"] == "1.2"
    by_version = {each["version"]: each for each in cells(report, "probe")}
    assert sorted(by_version) == ["1.1", "1.2", "1.3"]
    assert counts(by_version["1.1"])[0] == 3
    assert counts(by_version["1.2"]) == (0, 5, 0)
    assert "1.2" in report["summary"]


def test_the_search_for_an_earlier_fix_ends_after_eight_releases(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", BROKEN)
    for minor in range(1, 12):
        package.release(f"1.{minor}")
    report = fixproof.verify(cases.write(fixed="1.11"), code=1)
    assert said(report) == ("FAIL", "fixed_earlier")
    assert report["measured"]["first_fixed"] is None
    assert [each["version"] for each in cells(report, "probe")] == [
        f"1.{minor}" for minor in (9, 8, 7, 6, 5, 4, 3, 2)
    ]


def test_a_claimed_release_that_does_not_exist_is_said_and_the_fix_is_found_nonetheless(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(fixed="1.3.1"), code=1)
    assert said(report) == ("FAIL", "no_such_release")
    assert report["measured"]["first_fixed"] == "1.2"
    assert "1.3.1" in report["summary"]


def test_a_release_claimed_broken_that_is_not_is_not_reproduced(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0").release("1.1", BROKEN).release("1.2")
    report = fixproof.verify(cases.write(fixed="1.2", broken=["1.0", "1.1"]), code=1)
    assert said(report) == ("FAIL", "not_reproduced")
    told = {(each["kind"], each["version"]): each["result"] for each in report["claims"]}
    assert told == {
        ("fixed", "1.2"): "confirmed",
        ("broken", "1.0"): "contradicted",
        ("broken", "1.1"): "confirmed",
    }


@pytest.mark.parametrize(
    "body",
    ["print('fine')", "import sys\nprint('BUG: always')\nsys.exit(1)"],
    ids=["always good", "always bad"],
)
def test_a_script_that_does_not_depend_on_the_package_is_vacuous(
    fixproof: Fixproof, package: Package, cases: Cases, body: str
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(body), code=3)
    assert said(report) == ("INCONCLUSIVE", "vacuous")
    assert report["measured"]["first_fixed"] is None
    assert {each["result"] for each in report["claims"]} == {"untested"}


def test_a_script_that_imports_what_is_not_there_is_unresolved_and_never_shows_a_bug(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(f"import nothing_of_that_name\n{TELLS}")
    report = fixproof.verify(script, "--jobs", "2", code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    for each in report["cells"]:
        assert (each["verdict"], each["reason"]) == ("unresolved", "no_signature")
        assert counts(each)[:2] == (0, 0)
        assert 2 <= counts(each)[2] <= 2 + 2, "two more may have been on their way"


def test_a_bug_that_shows_half_the_time_needs_more_attempts_of_its_absence(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", FLAKY).release("1.1", "import random\nBROKEN = False\n")
    report = fixproof.verify(cases.write(fixed="1.1"), code=0)
    assert said(report) == ("PASS", "ok")
    present, absent, _ = counts(cell(report, "before"))
    assert present >= 3
    assert counts(cell(report, "fixed"))[1] >= 5
    assert (absent == 0) == (counts(cell(report, "fixed"))[1] <= 5)


def test_a_fix_that_was_yanked_is_inconclusive(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2", yanked=True).release("1.3")
    report = fixproof.verify(cases.write(), code=3)
    assert said(report) == ("INCONCLUSIVE", "yanked_fix")
    assert cell(report, "fixed")["yanked"]
    assert report["measured"]["first_fixed"] != "1.2"


def test_releases_that_nobody_is_offered_are_no_predecessor_and_are_named(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", BROKEN).release("1.1", yanked=True).release("1.2rc1").release("1.2")
    report = fixproof.verify(cases.write(), code=0)
    assert cell(report, "before")["version"] == "1.0"
    assert report["skipped"] == [
        {"version": "1.1", "why": "yanked"},
        {"version": "1.2rc1", "why": "pre-release"},
    ]


def test_a_release_whose_source_cannot_be_built_is_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).source_only("1.2")
    report = fixproof.verify(cases.write(), code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    fixed = cell(report, "fixed")
    assert (fixed["verdict"], fixed["reason"]) == ("unresolved", "build_failed")
    assert fixed["attempts"] == []
    assert counts(cell(report, "broken" if cells(report, "broken") else "before"))[0] == 3


def test_a_release_that_does_not_allow_the_interpreter_is_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2", requires_python=">=3.98")
    report = fixproof.verify(cases.write(python=[HERE]), code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    assert cell(report, "fixed")["reason"] == "python_not_allowed"


def test_releases_that_no_interpreter_may_run_are_untested(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN, requires_python=">=3.98")
    package.release("1.2", requires_python=">=3.98")
    report = fixproof.verify(cases.write(), code=3)
    assert report["status"] == "INCONCLUSIVE"
    assert {each["result"] for each in report["claims"]} == {"untested"}


def test_a_file_of_the_case_that_shadows_the_package_is_the_wrong_version(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = tmp_path / "shadow"
    folder.mkdir()
    (folder / "repro.py").write_text(cases.text())
    (folder / f"{package.module}.py").write_text(BROKEN)
    report = fixproof.verify(folder, code=3)
    assert said(report)[0] == "INCONCLUSIVE"
    for role in ("before", "fixed"):
        assert (cell(report, role)["verdict"], cell(report, role)["reason"]) == (
            "unresolved",
            "wrong_version",
        )
        assert cell(report, role)["loaded"]["location"] == f"/case/{package.module}.py"


def test_a_folder_may_have_other_files_beside_the_script(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = tmp_path / "with-data"
    folder.mkdir()
    body = "import pathlib\nassert pathlib.Path(__file__).with_name('data.txt').read_text() == 'x'"
    (folder / "repro.py").write_text(cases.text(f"{body}\n{TELLS}"))
    (folder / "data.txt").write_text("x")
    assert fixproof.verify(folder, code=0)["case"]["id"] == "with-data"


def test_a_variant_claimed_unaffected_passes_beside_the_affected_one(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BY_MODE).release("1.2")
    variants = {"a": {"env": {"MODE": "a"}}, "b": {"env": {"MODE": "b"}, "affected": False}}
    report = fixproof.verify(cases.write(variants=variants), code=0)
    assert [each["outcome"] for each in report["series"]] == ["ok", "ok"]
    assert [(each["kind"], each["variant"], each["result"]) for each in report["claims"]] == [
        ("fixed", "a", "confirmed"),
        ("unaffected", "b", "confirmed"),
    ]


def test_a_variant_claimed_unaffected_that_shows_the_bug_fails(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2")
    variants = {"a": {}, "b": {"affected": False, "broken": "1.1"}}
    report = fixproof.verify(cases.write(variants=variants), code=1)
    assert said(report) == ("FAIL", "affected")
    assert [each["outcome"] for each in report["series"]] == ["ok", "affected"]


def test_a_variant_whose_interpreter_is_not_at_hand_is_untested_beside_a_pass(
    fixproof: Fixproof, package: Package, cases: Cases, not_at_hand: str
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(variants={"a": {}, "b": {"python": [not_at_hand]}}))
    assert said(report) == ("PASS", "ok")
    assert [each["status"] for each in report["series"]] == ["PASS", "untested"]
    assert {each["variant"]: each["result"] for each in report["claims"]} == {
        "a": "confirmed",
        "b": "untested",
    }
    assert report["measured"]["first_fixed"] == "1.2"


def test_where_no_interpreter_is_at_hand_nothing_is_said(
    fixproof: Fixproof, package: Package, cases: Cases, not_at_hand: str
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(python=[not_at_hand]), code=3)
    assert report["status"] == "INCONCLUSIVE"
    assert ran_now(report) == 0


def test_a_bug_that_nobody_fixed_passes_as_broken_only(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", BROKEN).release("1.1", BROKEN)
    report = fixproof.verify(cases.write(broken="1.1"), code=0)
    assert said(report) == ("PASS", "ok")
    assert report["mode"] == "broken_only"
    assert counts(cell(report, "broken")) == (3, 0, 0)
    assert cell(report, "control")["verdict"] == "unresolved"


def test_a_fix_of_two_lines_is_judged_in_both(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", BROKEN).release("2.0", BROKEN).release("1.1").release("2.1")
    report = fixproof.verify(cases.write(fixed=["1.1", "2.1"], broken=["2.0"]), code=0)
    assert said(report) == ("PASS", "ok")
    assert [each["result"] for each in report["claims"]] == ["confirmed"] * 3


def test_the_first_release_of_all_as_a_fix_proves_less_than_the_claim(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.2").release("1.3")
    report = fixproof.verify(cases.write(), code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    assert report["mode"] == "fixed_only"


def test_the_latest_release_is_judged_when_asked_for(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual().release("1.4", BROKEN)
    script = cases.write()
    assert said(fixproof.verify(script, code=0)) == ("PASS", "ok")
    report = fixproof.verify(script, "--latest", code=1)
    assert said(report) == ("FAIL", "regressed")
    assert cell(report, "latest")["verdict"] == "present"
    package.release("1.5")
    report = fixproof.verify(script, "--latest", "--fresh", code=0)
    assert counts(cell(report, "latest")) == (0, 5, 0)


def test_each_interpreter_asked_for_is_a_series(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(python=["3.98"]), "--python", HERE, code=0)
    assert [each["python"] for each in report["series"]] == [HERE]
    assert cell(report, "fixed")["id"] == f"bug/{package.name}-1.2/py{HERE}"


def test_only_some_series_can_be_asked_for(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(variants={"a": {}, "b": {}})
    report = fixproof.verify(script, "--only", "*/b", code=0)
    assert [each["variant"] for each in report["series"]] == ["b"]
    error = fixproof.error("verify", script, "--only", "*/c")
    assert (error["kind"], error["exit_code"]) == ("wrong_usage", 2)


def test_another_spelling_of_the_package_is_the_same_package(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    script.write_text(script.read_text().replace(f'"{package.name}"', f'"{package.name.upper()}"'))
    assert said(fixproof.verify(script, code=0)) == ("PASS", "ok")


def test_an_interpreter_asked_for_twice_is_one_series(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(), "--python", HERE, "--python", HERE, code=0)
    assert len(report["series"]) == 1
    assert len(report["cells"]) == 3


def test_a_version_is_the_same_release_however_it_is_spelt(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2")
    report = fixproof.verify(cases.write(fixed="v1.2.0", broken=["1.1.0"]), code=0)
    assert said(report) == ("PASS", "ok")
    assert {each["result"] for each in report["claims"]} == {"confirmed"}
    assert report["measured"]["first_fixed"] == "1.2"


def test_a_pre_release_can_be_a_claimed_fix(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2rc1").release("1.2")
    report = fixproof.verify(cases.write(fixed="1.2rc1"), code=0)
    assert counts(cell(report, "fixed")) == (0, 5, 0)
    assert cell(report, "before")["version"] == "1.1"


def test_a_broken_claim_above_the_fix_is_no_regression(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2").release("2.0", BROKEN).release("2.1")
    report = fixproof.verify(cases.write(fixed="1.2", broken=["2.0"]), code=0)
    assert said(report) == ("PASS", "ok")
    report = fixproof.verify(cases.write(fixed="1.2", broken=["2.0.0"]), code=0)
    assert said(report) == ("PASS", "ok")


def test_a_bug_that_is_gone_and_back_is_regressed(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN).release("1.2").release("1.3", BROKEN)
    report = fixproof.verify(cases.write(fixed=["1.2", "1.3"]), code=1)
    assert said(report) == ("FAIL", "still_broken")
