"""A build that is no release: what it is for, what a plan makes of it, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.candidate import UNKNOWN, Build, Candidate, CandidateKind
from runner.environment import Lock, Wanted
from runner.findings import ConfirmationResult
from runner.matrix import AsOf, Role, candidate_cell, series_of, wanted
from runner.metadata import Claims
from runner.plans.verify import VerifyPlan, planned
from runner.releases import History
from runner.render.section import markdown
from tests.builders import (
    BUG,
    ERROR,
    GOOD,
    ODD,
    TODAY,
    Behaviour,
    Said,
    Trial,
    Verified,
    World,
    a_case,
    a_history,
    a_plan,
    a_release,
    a_universe,
    an_interpreter,
    broken_in,
    sha_of,
    verify,
)

FOUR = a_history("1.0", "1.1", "1.2", "1.3")
DEV = "1.2.dev1+gabc"


def a_candidate(version: str | None = DEV, **changes: Any) -> Candidate:
    usual: dict[str, Any] = {
        "package": "pkg",
        "kind": CandidateKind.FOLDER,
        "file": "branch",
        "sha256": sha_of("branch"),
        "version": version,
    }
    return Candidate(**{**usual, **changes})


def asked(
    *pythons: str,
    history: History = FOUR,
    candidate: Candidate | None = None,
    latest: bool = False,
    as_of: AsOf | datetime = AsOf.RELEASE,
    **words: Any,
) -> VerifyPlan:
    universe = a_universe(history, *pythons, as_of=as_of)
    update = {"candidate": candidate or a_candidate()}
    return a_plan(a_case(**words), universe.model_copy(update=update), latest=latest)


def shown_by(*versions: str, candidate: bool = False) -> Behaviour:
    """These releases show the bug; what a release shows is not the candidate's doing."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        shows = candidate if "@candidate" in trial.cell else trial.version in versions
        return BUG if shows else GOOD

    return behave


def roles_of(verified: Verified) -> list[tuple[str, tuple[Role, ...]]]:
    return [(each.cell.version, each.roles) for each in verified.only.cells]


# For which interpreters it is

FILES: list[tuple[str, str, str, bool]] = [
    ("py3-none-any", "3.8.18", "linux-x86_64-glibc2.36", True),
    ("py2.py3-none-any", "3.8.18", "linux-x86_64-glibc2.36", True),
    ("py2-none-any", "3.8.18", "linux-x86_64-glibc2.36", False),
    ("py38-none-any", "3.11.7", "linux-x86_64-glibc2.36", True),
    ("py312-none-any", "3.11.7", "linux-x86_64-glibc2.36", False),
    ("cp311-cp311-manylinux_2_17_x86_64", "3.11.7", "linux-x86_64-glibc2.36", True),
    ("cp311-cp311-manylinux_2_17_x86_64", "3.12.1", "linux-x86_64-glibc2.36", False),
    ("cp311-cp311-manylinux_2_17_x86_64", "3.11.7", "linux-aarch64-glibc2.36", False),
    ("cp311-cp311-musllinux_1_2_x86_64", "3.11.7", "linux-x86_64-glibc2.36", False),
    ("cp311-cp311-musllinux_1_2_x86_64", "3.11.7", "linux-x86_64-", True),
    ("cp311-cp311-manylinux_2_17_x86_64", "3.11.7", "linux-x86_64-", False),
    ("cp311-cp311-linux_x86_64", "3.11.7", "linux-x86_64-glibc2.36", True),
    ("cp37-cp37m-linux_x86_64", "3.7.16", "linux-x86_64-glibc2.36", True),
    ("cp38-abi3-manylinux2014_x86_64", "3.13.0", "linux-x86_64-glibc2.36", True),
    ("cp313-abi3-manylinux2014_x86_64", "3.12.1", "linux-x86_64-glibc2.36", False),
    ("cp311-cp311-win_amd64", "3.11.7", "linux-x86_64-glibc2.36", False),
    ("cp311-cp311-macosx_11_0_arm64", "3.11.7", "linux-aarch64-glibc2.36", False),
]


@pytest.mark.parametrize(("tags", "python", "platform", "allowed"), FILES)
def test_a_wheel_is_for_the_interpreters_that_its_name_says(
    tags: str, python: str, platform: str, *, allowed: bool
) -> None:
    wheel = a_candidate(kind=CandidateKind.WHEEL, file=f"pkg-1.0-{tags}.whl")
    assert wheel.allows(python, platform) is allowed


@pytest.mark.parametrize("kind", list(CandidateKind))
def test_what_a_candidate_requires_of_python_counts(kind: CandidateKind) -> None:
    file = "pkg-1.0-py3-none-any.whl"
    candidate = a_candidate(kind=kind, file=file, requires_python=">=3.10")
    assert candidate.allows("3.10.13", "linux-x86_64-glibc2.36")
    assert not candidate.allows("3.9.18", "linux-x86_64-glibc2.36")


def test_what_its_wheel_says_counts_once_it_is_built() -> None:
    build = Build(file="x.whl", sha256="0" * 64, version="2.0", requires_python=">=3.9")
    built = a_candidate(None).built_as(build)
    assert (built.version, built.requires_python, built.called) == ("2.0", ">=3.9", "2.0")
    assert built.sha256 == sha_of("branch"), "the source is what the user knows"
    assert a_candidate(None).called == UNKNOWN


def test_an_interpreter_is_chosen_that_the_candidate_allows() -> None:
    universe = a_universe(FOUR, "3.7", "3.8", "3.10", "3.12")
    assert series_of(a_case(), universe)[0].python == "3.8"
    newer = a_candidate(requires_python=">=3.10")
    (series,) = series_of(a_case(), universe.model_copy(update={"candidate": newer}))
    assert series.python == "3.10"
    assert series.note is not None
    assert "that the candidate allows" in series.note


def test_where_no_interpreter_suits_the_candidate_the_series_says_so() -> None:
    plan = asked("3.8", candidate=a_candidate(requires_python=">=3.10"))
    assert plan.series[0].interpreter is None
    verified = verify(plan, World(broken_in()))
    assert verified.ends == ("INCONCLUSIVE", "unresolved")
    assert "the candidate" in verified.report.summary


def test_a_claimed_fix_that_is_not_run_does_not_choose_the_interpreter() -> None:
    """Its release may be the first that bars the old Pythons."""
    fixed = a_release("1.2", uploaded=TODAY, requires_python=">=3.12")
    history = a_history("1.0", "1.1", fixed)
    assert asked("3.8", "3.12", history=history).series[0].python == "3.8"


# What a plan makes of it


def test_it_takes_the_place_of_the_claimed_fixes_and_their_predecessors_run() -> None:
    verified = verify(asked(fixed=["1.1", "1.3"], broken="1.0"), World(shown_by("1.0", "1.2")))
    assert roles_of(verified) == [
        ("1.0", (Role.BROKEN, Role.BEFORE)),
        ("1.2", (Role.BEFORE,)),
        (DEV, (Role.CANDIDATE,)),
        (DEV, (Role.CONTROL,)),
    ]
    assert verified.ends == ("PASS", "ok")


def test_the_plan_tells_its_cells_beforehand() -> None:
    plan = asked("3.8")
    ids = {each.id: roles for each, roles in planned(plan, plan.series[0]).items()}
    assert ids == {
        "demo/pkg-1.1/py3.8": (Role.BEFORE,),
        f"demo/pkg-{DEV}/py3.8@candidate": (Role.CANDIDATE,),
        f"demo/pkg-{DEV}/py3.8@candidate@control": (Role.CONTROL,),
    }


@pytest.mark.parametrize("version", ["1.1", "1.0", "1.2", "0.1", "9"])
def test_ids_are_unambiguous_whatever_version_it_has(version: str) -> None:
    def depends(on: str) -> dict[str, str]:
        return {"dep": on}

    plan = asked(candidate=a_candidate(version), broken="1.0", fixed="1.2")
    verified = verify(plan, World(shown_by("1.0", "1.1"), dependencies=depends))
    ids = [each.cell.id for each in verified.only.cells]
    assert len({*ids}) == len(ids)
    alike = version in ("1.0", "1.1")  # then they have the dependencies of that release
    assert alike or any(each.endswith("@deps=candidate") for each in ids)
    assert verified.ends == ("PASS", "ok")


OUTCOMES: list[tuple[str, dict[str, Any], Behaviour, tuple[str, str], str]] = [
    ("it fixes the bug", {}, shown_by("1.0", "1.1"), ("PASS", "ok"), "confirmed"),
    (
        "nobody fixed the bug yet",
        {"broken": ["1.0", "1.1"], "fixed": None},
        shown_by("1.0", "1.1", "1.2", "1.3"),
        ("PASS", "ok"),
        "confirmed",
    ),
    (
        "the claimed fix does not exist yet",
        {"fixed": "1.4"},
        shown_by("1.0", "1.1", "1.2", "1.3"),
        ("PASS", "ok"),
        "confirmed",
    ),
    (
        "it shows the bug",
        {},
        shown_by("1.0", "1.1", candidate=True),
        ("FAIL", "still_broken"),
        "contradicted",
    ),
    (
        "the predecessor is good",
        {"fixed": "1.3"},
        shown_by("1.0", "1.1"),
        ("FAIL", "fixed_earlier"),
        "contradicted",
    ),
    (
        "no release shows the bug",
        {"broken": "1.1", "fixed": None},
        shown_by(),
        ("FAIL", "not_reproduced"),
        "untested",
    ),
    (
        "a release is claimed broken that does not exist",
        {"broken": ["1.1", "1.1.5"]},
        shown_by("1.0", "1.1"),
        ("FAIL", "no_such_release"),
        "confirmed",
    ),
    (
        "nothing is below the claimed fix",
        {"fixed": "1.0"},
        shown_by(),
        ("INCONCLUSIVE", "unresolved"),
        "untested",
    ),
]


@pytest.mark.parametrize(
    ("words", "behave", "ends", "result"),
    [each[1:] for each in OUTCOMES],
    ids=[each[0] for each in OUTCOMES],
)
def test_a_candidate_is_judged_by_the_table(
    words: dict[str, Any], behave: Behaviour, ends: tuple[str, str], result: str
) -> None:
    verified = verify(asked(**words), World(behave))
    assert verified.ends == ends
    (claim,) = [each for each in verified.report.claims if each.version == DEV]
    assert (claim.kind, claim.result) == ("fixed", result)
    assert "candidate" in verified.report.summary or ends[1] in (
        "not_reproduced",
        "no_such_release",
    )


def test_a_candidate_that_cannot_be_judged_leaves_its_claim_untested() -> None:
    def behave(trial: Trial) -> Said:
        return ODD if "@candidate" in trial.cell else shown_by("1.0", "1.1")(trial)

    verified = verify(asked(), World(behave))
    assert verified.ends == ("INCONCLUSIVE", "unresolved")
    assert verified.report.claims[0].result == "untested"
    assert f"the candidate {DEV} is unresolved" in verified.report.summary


def test_a_newest_release_that_shows_the_bug_is_no_regression_of_it() -> None:
    plan = asked(latest=True)
    assert verify(plan, World(shown_by("1.0", "1.1", "1.3"))).ends == ("PASS", "ok")


def test_nothing_older_is_looked_at_where_it_shows_the_bug() -> None:
    verified = verify(asked(fixed="1.3"), World(shown_by("1.2", candidate=True)))
    assert not verified.only.of_role(Role.PROBE)


def test_a_verdict_without_the_package_is_vacuous_with_a_candidate_too() -> None:
    assert verify(asked(), World(lambda _trial: GOOD)).ends == ("INCONCLUSIVE", "vacuous")


def test_it_is_compared_with_the_highest_broken_release_below_it_with_the_same_dependencies() -> (
    None
):
    def depends(on: str) -> dict[str, str]:
        return {"dep": on}

    plan = asked(candidate=a_candidate("1.1.dev0"), broken=["1.0", "1.2"], fixed="1.3")
    verified = verify(plan, World(shown_by("1.0", "1.2"), dependencies=depends))
    assert verified.ends == ("PASS", "ok")
    assert (verified.confirmation.older, verified.confirmation.newer) == ("1.0", "1.1.dev0")


def test_what_a_dependency_fixed_is_not_the_candidates_doing() -> None:
    def depends(on: str) -> dict[str, str]:
        return {"dep": "2" if on == DEV else "1"}

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return GOOD if trial.dependencies["dep"] == "2" else BUG

    verified = verify(asked(), World(behave, dependencies=depends))
    assert verified.ends == ("FAIL", "follows_dependency")
    assert verified.confirmation.result is ConfirmationResult.DIFFERS
    assert "follows dep (1 to 2)" in verified.report.summary
    assert verified.report.claims[0].result == "contradicted"


@given(
    broken=st.sets(st.sampled_from(["1.0", "1.1", "1.2", "1.3"])),
    shows=st.booleans(),
    version=st.sampled_from(["1.1", "1.4.dev0", "0.5", "1.2+local"]),
)
def test_a_candidate_is_never_a_boundary(broken: set[str], version: str, *, shows: bool) -> None:
    """Also where it has the version of a release: then that release was not run for it."""
    plan = asked(candidate=a_candidate(version), fixed="1.2", broken="1.0")
    measured = verify(plan, World(shown_by(*broken, candidate=shows))).report.measured
    stated = {measured.first_fixed, measured.last_broken, measured.first_broken, *measured.tested}
    assert stated <= {None, "1.0", "1.1", "1.2", "1.3"}
    assert measured.last_broken is None or measured.last_broken in broken


# What is asked of the resolver


def wanted_of(plan: VerifyPlan) -> Wanted:
    series = plan.series[0]
    cell = candidate_cell(plan.case, series, plan.universe.as_of)
    assert cell is not None
    found = wanted(plan.case, plan.universe, series, cell, {})
    assert not isinstance(found, Lock)
    return found


A_DAY = datetime(2021, 3, 1, tzinfo=UTC)
DAYS: list[tuple[AsOf | datetime, dict[str, Any], datetime]] = [
    (AsOf.RELEASE, {}, TODAY),
    (AsOf.TODAY, {}, TODAY),
    (A_DAY, {}, A_DAY),
    (AsOf.RELEASE, {"uv": {"exclude-newer": "2022-01-01"}}, datetime(2022, 1, 2, tzinfo=UTC)),
]


@pytest.mark.parametrize(("as_of", "words", "day"), DAYS)
def test_its_dependencies_are_todays_unless_somebody_says_otherwise(
    as_of: AsOf | datetime, words: dict[str, Any], day: datetime
) -> None:
    found = wanted_of(asked(as_of=as_of, **words))
    assert found.as_of == day
    assert found.candidate == a_candidate()
    assert "pkg" not in found.admitted, "what the index has under that version is not meant"


def test_another_content_of_the_same_version_is_another_question() -> None:
    one, other = (asked(candidate=a_candidate(sha256=sha_of(each))) for each in "ab")
    assert wanted_of(one).key() != wanted_of(other).key()


def test_a_release_is_asked_for_as_ever() -> None:
    plan = asked()
    cell = plan.cell(plan.series[0], "1.1")
    found = wanted(plan.case, plan.universe, plan.series[0], cell, {})
    assert isinstance(found, Wanted)
    assert found.candidate is None
    assert found.as_of is not None
    assert found.as_of < TODAY - timedelta(days=900)


# What is said of it


def test_claims_of_a_candidate_are_the_cases_but_for_the_fix() -> None:
    claims = Claims(fixed=("1.2",), broken=("1.0",)).of_candidate(DEV)
    assert (claims.fixed, claims.replaced, claims.broken) == ((), ("1.2",), ("1.0",))
    assert claims.names_a_fix
    assert not Claims(broken=("1.0",)).names_a_fix


def test_a_variant_without_the_bug_is_judged_on_the_candidate_alone() -> None:
    variants = {"bad": {}, "fine": {"affected": False}}

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        shows = trial.variant == "bad" and trial.version in ("1.0", "1.1")
        return BUG if shows or (trial.variant == "fine" and "@candidate" in trial.cell) else GOOD

    verified = verify(asked(variants=variants), World(behave))
    assert verified.ends == ("FAIL", "affected")
    kinds = {(each.variant, each.kind): each.result for each in verified.report.claims}
    assert kinds == {("bad", "fixed"): "confirmed", ("fine", "unaffected"): "contradicted"}


def test_the_page_names_its_file_and_digest_and_what_was_not_run() -> None:
    universe = a_universe(FOUR)
    candidate = a_candidate(file="my | <b>branch</b>")
    plan = a_plan(a_case(), universe.model_copy(update={"candidate": candidate}))
    verified = verify(plan, World(shown_by("1.0", "1.1")))
    report = verified.report
    assert report.candidate is not None
    assert [each.version for each in report.candidate.wheels] == [DEV]
    page = markdown(report, lambda _name: None)
    assert sha_of("branch") in page
    assert "my \\| &lt;b&gt;branch" in page
    assert "1.2, claimed to be fixed, was not run" in page
    assert f"asked of the candidate: {DEV} (confirmed)" in page


def test_an_installed_candidate_is_one_of_an_interpreter() -> None:
    """Two Pythons have two wheels where they were built apart, and one where they were not."""
    case = a_case(python=["3.8", "3.9"])
    universe = a_universe(FOUR, "3.8", "3.9").model_copy(update={"candidate": a_candidate()})
    report = verify(a_plan(case, universe), World(shown_by("1.0", "1.1"))).report
    assert report.candidate is not None
    assert len(report.candidate.wheels) == 1
    assert an_interpreter("3.8").python == report.series[0].python
