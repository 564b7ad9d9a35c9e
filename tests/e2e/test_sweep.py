"""`fixproof sweep`: what each release of a window shows, and what that means."""

from __future__ import annotations

import json

import pytest

from tests.e2e.command import (
    BROKEN,
    GOOD,
    TELLS,
    Cases,
    Fixproof,
    Package,
    counts,
    ran_now,
    said,
    verdicts,
)
from tests.pages import read_page


def a_history(package: Package) -> None:
    """0.9 and 1.3 good, 1.0 to 1.2 broken, 1.1 withdrawn, 1.0.1 unresolved, 2.0a1 no release."""
    package.release("0.9").release("1.0", BROKEN)
    package.release("1.0.1", "raise ImportError('broken otherwise')")
    package.release("1.1", BROKEN, yanked=True).release("1.2", BROKEN)
    package.release("1.3").release("1.4").release("2.0a1", BROKEN)


def test_every_release_of_the_window_is_run_and_each_left_out_is_named_with_its_reason(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    a_history(package)
    report = fixproof.sweep(cases.write(fixed="1.3"), code=0)
    assert verdicts(report) == {
        "0.9": "absent",
        "1.0": "present",
        "1.0.1": "unresolved",
        "1.1": "present",
        "1.2": "present",
        "1.3": "absent",
        "1.4": "absent",
    }
    assert report["skipped"] == [{"version": "2.0a1", "why": "pre-release"}]
    assert report["measured"]["affected"] == [{"introduced": "1.0", "fixed": "1.3"}]
    found = {each["version"]: each for each in report["cells"] if "control" not in each["roles"]}
    assert found["1.1"]["yanked"]
    assert found["1.0.1"]["reason"] == "no_signature"
    neighbours, others = ("0.9", "1.0", "1.2", "1.3"), ("1.1", "1.4")
    assert [counts(found[each]) for each in neighbours] == [
        *((0, 5, 0), (3, 0, 0)),
        *((3, 0, 0), (0, 5, 0)),
    ]
    assert [counts(found[each]) for each in others] == [(1, 0, 0), (0, 1, 0)]
    assert report["kind"] == "sweep"


def test_the_affected_ranges_are_measured_and_what_to_upgrade_to_is_told(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    for version, source in (
        *(("1.0", GOOD), ("1.1", BROKEN), ("1.2", BROKEN), ("1.3", GOOD)),
        *(("2.0", BROKEN), ("2.1", BROKEN), ("2.2", GOOD)),
    ):
        package.release(version, source)
    script = cases.write(fixed=["1.3", "2.2"])
    report = fixproof.sweep(script, code=0)
    assert said(report) == ("PASS", "ok")
    assert report["measured"]["affected"] == [
        {"introduced": "1.1", "fixed": "1.3"},
        {"introduced": "2.0", "fixed": "2.2"},
    ]
    assert report["measured"]["first_broken"] == "1.1"
    (series,) = report["series"]
    assert [(each["broken"], each["to"], each["same_line"]) for each in series["upgrade_to"]] == [
        (["1.1", "1.2"], "1.3", True),
        (["2.0", "2.1"], "2.2", True),
    ]


def test_a_second_sweep_runs_nothing_and_says_the_same(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    first = fixproof.sweep(script, code=0)
    second = fixproof.sweep(script, code=0)
    assert ran_now(first) > 0
    assert ran_now(second) == 0
    assert second["measured"] == first["measured"]
    assert second["run"] != first["run"]


def test_a_sweep_takes_over_what_a_verify_ran_and_runs_the_rest(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    fixproof.verify(script, code=0)
    report = fixproof.sweep(script, code=0)
    new = {
        each["version"]
        for each in report["cells"]
        if any(not attempt["reused"] for attempt in each["attempts"])
    }
    assert new == {"1.0", "1.3"}


def test_the_window_is_what_the_case_says(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    package.release("1.4a1")
    script = cases.write(versions=">=1.1", prereleases=True)
    report = fixproof.sweep(script, code=0)
    assert {*verdicts(report)} == {"1.1", "1.2", "1.3", "1.4a1"}


def test_each_variant_is_swept_and_boundaries_stand_by_series_where_they_differ(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    body = f"import os\nimport {{module}}\nif os.environ['HOW'] == 'never':\n    raise SystemExit\n{TELLS}"
    variants = {
        "always": {"env": {"HOW": "always"}},
        "never": {"env": {"HOW": "never"}, "affected": False},
    }
    report = fixproof.sweep(cases.write(body, variants=variants))
    always, never = report["series"]
    assert always["measured"]["first_fixed"] == "1.2"
    assert never["measured"]["affected"] == []
    one = fixproof.sweep(cases.write(body, variants=variants), "--only", "*/always")
    assert [each["variant"] for each in one["series"]] == ["always"]


def test_the_table_the_page_and_the_record_of_a_stored_sweep(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("sweep", cases.write())
    assert done.code == 0
    assert "1.2 is the first fixed release" in done.text
    assert "| 1.0 | ✗ bug present | 1 of 1 |  |" in done.text
    assert "| 1.2 | ✓ bug absent | 0 of 5 | claimed fix |" in done.text
    run = fixproof("runs", "--json").document["runs"][0]["run"]
    page = read_page(fixproof("report", run, "--format", "html").text)
    wide, narrow = page.all("svg")
    assert (
        next(iter(wide.all("title"))).text
        == f"Releases of {package.name}, Python {done_python(done.text)}"
    )
    assert narrow.one("desc").text.startswith("1.0 to 1.1 (2 releases): bug present; ")
    record = json.loads(fixproof("report", run, "--format", "osv").text)
    assert record["affected"][0]["ranges"][0]["events"] == [{"introduced": "1.0"}, {"fixed": "1.2"}]


def done_python(section: str) -> str:
    """X.Y of the one series that a section is about."""
    return section.partition("### Python ")[2].partition(":")[0]


def test_an_osv_record_is_of_sweeps_alone(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    run = fixproof.verify(cases.write(), code=0)["run"]
    refused = fixproof("report", run, "--format", "osv")
    assert refused.code == 2
    assert "fixproof sweep bug" in refused.stderr
    assert refused.stdout == b""


def test_a_dependency_that_a_verdict_follows_is_named_and_no_range_of_the_package(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    passes_on = f"from {other.module} import BROKEN as BROKEN\n"
    other.release("1.0", BROKEN)
    package.count = 1
    package.release("1.0", passes_on, requires=(other.name,))
    package.release("1.1", passes_on, requires=(other.name,))
    other.release("2.0", uploaded=package.next_day())
    package.release("1.2", passes_on, requires=(other.name,))
    report = fixproof.sweep(cases.write(), code=1)
    assert said(report) == ("FAIL", "follows_dependency")
    assert f"{other.name} 1.0 → 2.0" in report["summary"]
    assert report["measured"]["affected"] is None


@pytest.mark.parametrize("command", ["sweep", "bisect"])
def test_the_cells_that_are_known_beforehand_can_be_seen(
    fixproof: Fixproof, package: Package, cases: Cases, command: str
) -> None:
    package.usual()
    plan = fixproof("plan", cases.write(), "--for", command, "--json").document
    assert plan["kind"] == command
    versions = {each["version"] for each in plan["series"][0]["cells"]}
    assert versions == {"1.0", "1.1", "1.2", "1.3"}
