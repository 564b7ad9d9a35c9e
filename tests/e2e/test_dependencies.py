"""Which dependencies a cell gets, and what is said where a verdict follows one of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.e2e.command import (
    BROKEN,
    DAY,
    GOOD,
    TELLS,
    Cases,
    Fixproof,
    Package,
    cell,
    counts,
    elsewhere,
    said,
)
from tests.index_server import IndexServer, Offered, Style
from tests.wheels import sdist, wheel

SECOND = timedelta(seconds=1)
LONG_BEFORE = DAY - timedelta(days=100)


@pytest.fixture
def third(index: IndexServer, package: Package) -> Package:
    """One more package to depend on."""
    return Package(index, f"third{package.name.removeprefix('thing')}")


def passes_on(other: Package) -> str:
    """The source of a package that is as broken as its dependency."""
    return f"from {other.module} import BROKEN as BROKEN\n"


def test_dependencies_are_those_of_the_very_second_of_the_release(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,), uploaded=DAY)
    released = DAY + timedelta(days=5)
    package.release("1.2", requires=(other.name,), uploaded=released)
    other.release("1.1", uploaded=released)
    other.release("1.2", uploaded=released + SECOND)
    report = fixproof.verify(cases.write(), code=0)
    assert cell(report, "before")["dependencies"] == [f"{other.name}==1.0"]
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.1"]
    assert cell(report, "fixed")["as_of"] == "2024-03-06T12:00:01Z"


def test_what_was_resolved_for_an_earlier_day_does_not_change_a_later_one(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    """The cache then has the older release of a dependency alone: no reason to take that one."""
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,), uploaded=DAY)
    other.release("2.0", uploaded=DAY + timedelta(days=1))
    package.release("1.2", requires=(other.name,), uploaded=DAY + timedelta(days=5))
    script = cases.write()
    earlier = fixproof.verify(script, "--as-of", f"{DAY:%Y-%m-%d}", code=0)
    report = fixproof.verify(script, code=0)
    assert cell(earlier, "fixed")["dependencies"] == [f"{other.name}==1.0"]
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==2.0"]


def test_the_index_is_not_asked_for_each_cell_what_it_depends_on(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases, index: IndexServer
) -> None:
    """Those that are resolved at once, at the beginning, may all ask; they do not wait."""
    other.release("1.0", uploaded=LONG_BEFORE)
    broken = [f"1.{minor}" for minor in range(12)]
    for version in broken:
        package.release(version, BROKEN, requires=(other.name,))
    package.release("2.0", GOOD, requires=(other.name,))
    fixproof.verify(cases.write(fixed="2.0", broken=broken), "--jobs", "2", code=0)
    pages = [each for each in index.asked_for(other.name) if "/files/" not in each]
    assert 1 <= len(pages) < 13 / 2


def test_what_is_asked_as_of_now_is_asked_of_the_index_and_so_is_all_of_a_fresh_run(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    """An index may come to have what is told to be older; a page of before does not tell of it."""
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,), uploaded=DAY)
    package.release("1.2", requires=(other.name,), uploaded=DAY + timedelta(days=5))
    fixproof.verify(cases.write(), code=0)
    other.release("2.0", uploaded=LONG_BEFORE)
    for name, words in (
        ("now", ["--as-of", "today"]),
        ("anew", ["--as-of", "2024-05-01", "--fresh"]),
    ):
        report = fixproof.verify(cases.write(name=name), *words, code=0)
        assert cell(report, "fixed")["dependencies"] == [f"{other.name}==2.0"], name


def test_a_wheel_of_the_release_that_came_later_is_admitted(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases, index: IndexServer
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,), uploaded=DAY)
    source = sdist(package.name, "1.2", files={f"{package.module}.py": GOOD})
    late = wheel(package.name, "1.2", files={f"{package.module}.py": GOOD}, requires=(other.name,))
    index.offer(Offered(source, DAY + timedelta(days=2)))
    index.offer(Offered(late, DAY + timedelta(days=9)))
    other.release("1.1", uploaded=DAY + timedelta(days=4))
    report = fixproof.verify(cases.write(), code=0)
    fixed = cell(report, "fixed")
    assert fixed["verdict"] == "absent"
    assert fixed["dependencies"] == [f"{other.name}==1.0"]
    assert fixed["as_of"] == "2024-03-03T12:00:01Z"


def test_a_release_that_the_script_pins_moves_the_day_of_its_cells(
    fixproof: Fixproof, package: Package, other: Package, third: Package, cases: Cases
) -> None:
    package.release("1.1", BROKEN, requires=(third.name,)).release("1.2", requires=(third.name,))
    third.release("1.0", uploaded=LONG_BEFORE).release("1.1", uploaded=DAY + timedelta(days=20))
    other.release("7", uploaded=DAY + timedelta(days=30))
    report = fixproof.verify(cases.write(requires=(f"{other.name}==7",)), code=0)
    for role in ("before", "fixed"):
        assert cell(report, role)["dependencies"] == [f"{other.name}==7", f"{third.name}==1.1"]
        assert cell(report, role)["as_of"] == "2024-03-31T12:00:01Z"


def test_today_and_a_day_can_be_asked_for_and_are_part_of_the_ids(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE).release("1.1", uploaded=DAY + timedelta(days=50))
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    script = cases.write()
    today = fixproof.verify(script, "--as-of", "today", code=0)
    assert cell(today, "fixed")["id"].endswith("@today")
    assert cell(today, "fixed")["dependencies"] == [f"{other.name}==1.1"]
    dated = fixproof.verify(script, "--as-of", "2024-03-20", code=0)
    assert cell(dated, "fixed")["id"].endswith("@2024-03-20")
    assert cell(dated, "fixed")["dependencies"] == [f"{other.name}==1.0"]


def test_a_verdict_that_follows_a_dependency_names_it_and_states_no_boundary(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", BROKEN, uploaded=LONG_BEFORE)
    package.release("1.1", passes_on(other), requires=(other.name,), uploaded=DAY)
    other.release("1.1", GOOD, uploaded=DAY + timedelta(days=1))
    package.release(
        "1.2", passes_on(other), requires=(other.name,), uploaded=DAY + timedelta(days=2)
    )
    report = fixproof.verify(cases.write(), code=1)
    assert said(report) == ("FAIL", "follows_dependency")
    confirmation = report["series"][0]["confirmation"]
    assert confirmation["result"] == "differs"
    assert confirmation["follows"] == {"package": other.name, "older": "1.0", "newer": "1.1"}
    assert report["measured"]["first_fixed"] is None
    assert report["measured"]["last_broken"] is None
    assert report["summary"].startswith(f"The verdict follows {other.name}")
    ids = {each["id"].partition("@")[2] for each in report["cells"] if "confirm" in each["roles"]}
    assert ids == {"deps=1.1", "deps=1.2"}


def test_of_two_dependencies_that_differ_the_right_one_is_named(
    fixproof: Fixproof, package: Package, other: Package, third: Package, cases: Cases
) -> None:
    requires = (other.name, third.name)
    other.release("1.0", uploaded=LONG_BEFORE)
    third.release("1.0", BROKEN, uploaded=LONG_BEFORE)
    package.release("1.1", passes_on(third), requires=requires, uploaded=DAY)
    later = DAY + timedelta(days=1)
    other.release("1.1", uploaded=later)
    third.release("1.1", uploaded=later)
    package.release("1.2", passes_on(third), requires=requires, uploaded=later + timedelta(days=1))
    report = fixproof.verify(cases.write(), code=1)
    assert said(report) == ("FAIL", "follows_dependency")
    confirmation = report["series"][0]["confirmation"]
    assert [each["package"] for each in confirmation["differs"]] == [other.name, third.name]
    assert confirmation["follows"]["package"] == third.name


def test_a_fix_that_holds_with_either_set_of_dependencies_is_confirmed(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,), uploaded=DAY)
    other.release("1.1", uploaded=DAY + timedelta(days=1))
    package.release("1.2", requires=(other.name,), uploaded=DAY + timedelta(days=2))
    report = fixproof.verify(cases.write(), code=0)
    confirmation = report["series"][0]["confirmation"]
    assert confirmation["result"] == "same"
    assert [each["package"] for each in confirmation["differs"]] == [other.name]
    assert counts(cell(report, "confirm"))[0] >= 3
    assert report["measured"]["first_fixed"] == "1.2"


def test_sides_that_cannot_share_dependencies_are_impossible_to_confirm(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE).release("2.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(f"{other.name}<2",))
    package.release("1.2", requires=(f"{other.name}>=2",))
    report = fixproof.verify(cases.write(), code=0)
    assert report["series"][0]["confirmation"]["result"] == "impossible"


def test_a_release_whose_dependencies_do_not_exist_is_unresolved(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN).release("1.2", requires=(f"{other.name}>=99",))
    report = fixproof.verify(cases.write(), code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    fixed = cell(report, "fixed")
    assert fixed["reason"] == "no_solution"
    assert f"{other.name}>=99" in fixed["detail"]
    assert "127.0.0.1" not in fixed["detail"]


def test_a_dependency_that_the_index_does_not_know_is_unresolved(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(requires=("nobody-has-this",)), code=3)
    assert report["status"] == "INCONCLUSIVE"
    assert {each["reason"] for each in report["cells"]} == {"no_solution"}


@pytest.mark.parametrize("style", [Style.BARE, Style.OLD])
def test_an_index_without_upload_times_still_tells_both_sides_apart(
    fixproof: Fixproof,
    package: Package,
    other: Package,
    cases: Cases,
    index: IndexServer,
    style: Style,
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,))
    package.release("1.2", requires=(other.name,))
    call = elsewhere(fixproof, style, index)
    report = call.verify(cases.write(), code=0)
    assert said(report) == ("PASS", "ok")
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]


def test_without_upload_times_the_page_says_that_dependencies_are_those_of_today(
    fixproof: Fixproof, package: Package, cases: Cases, index: IndexServer
) -> None:
    package.usual()
    call = elsewhere(fixproof, Style.BARE, index)
    report = call.verify(cases.write(), code=0)
    assert cell(report, "fixed")["as_of"] is None
    assert "no upload time" in call("report", report["run"]).text


def test_constraints_and_overrides_of_the_script_are_honoured(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE).release("1.1", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    script = cases.write(uv={"constraint-dependencies": [f"{other.name}<1.1"]})
    report = fixproof.verify(script, code=0)
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]


def test_a_cut_off_of_the_script_itself_is_honoured(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE).release("1.1", uploaded=DAY - timedelta(days=9))
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    script = cases.write(uv={"exclude-newer": "2024-01-01T00:00:00Z"})
    report = fixproof.verify(script, code=0)
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]


def test_what_the_user_set_of_uv_s_resolution_does_not_reach_a_cell(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    report = fixproof.verify(
        cases.write(), code=0, UV_EXCLUDE_NEWER="2001-01-01", UV_RESOLUTION="lowest"
    )
    assert said(report) == ("PASS", "ok")


def test_the_script_still_fails_without_the_package_alone(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    body = f"import {other.module}\n{TELLS}"
    control = cell(fixproof.verify(cases.write(body), code=0), "control")
    assert control["dependencies"] == [f"{other.name}==1.0"]
    assert control["loaded"]["version"] is None


def test_extras_that_the_script_asks_for_are_kept(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE)
    requires = (f"{other.name}; extra == 'more'",)
    package.release("1.1", BROKEN, requires=requires).release("1.2", requires=requires)
    script = cases.write()
    script.write_text(
        script.read_text().replace(f'#     "{package.name}"', f'#     "{package.name}[more]"')
    )
    report = fixproof.verify(script, code=0)
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]


def test_a_dependency_that_was_yanked_since_is_not_taken(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE).release("1.1", uploaded=LONG_BEFORE, yanked=True)
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    report = fixproof.verify(cases.write(), code=0)
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]


def test_a_pre_release_of_a_dependency_is_not_taken(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases
) -> None:
    other.release("1.0", uploaded=LONG_BEFORE).release("1.1rc1", uploaded=LONG_BEFORE)
    package.release("1.1", BROKEN, requires=(other.name,)).release("1.2", requires=(other.name,))
    report = fixproof.verify(cases.write(), code=0)
    assert cell(report, "fixed")["dependencies"] == [f"{other.name}==1.0"]
