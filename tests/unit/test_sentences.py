"""What an answer says in words: the release that brought a bug, what failed to build, who is meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.attempt import Loaded
from runner.environment import Failure, FailureKind
from runner.findings import CellFindings
from runner.matrix import Role
from runner.metadata import Claims
from runner.outcome import decide
from runner.sentences import summary
from runner.verdict import Judgement, Reason, Verdict
from tests.builders import (
    LONG_AGO,
    ODD,
    Said,
    Trial,
    World,
    a_case,
    a_finding,
    a_history,
    a_lock,
    a_plan,
    a_release,
    a_series,
    a_universe,
    broken_in,
    verify,
)

HISTORY = a_history("1.0", "1.1", "1.2")


def said(behave: Any, dependencies: Any = None, **words: Any) -> str:
    plan = a_plan(a_case(**words), a_universe(HISTORY))
    world = World(behave, dependencies) if dependencies else World(behave)
    return verify(plan, world).report.summary


def test_a_claimed_fix_that_brought_the_bug_is_not_said_to_still_have_it() -> None:
    sentence = said(broken_in("1.2"))
    assert sentence.startswith("1.2 is said to be fixed, and shows the bug, which 1.1 does not: ")


def test_what_could_not_be_built_is_named_though_it_be_a_dependency() -> None:
    detail = "dep 7 cannot be built from its source distribution: exit 1; its last lines:\nerror"
    failure = Failure(kind=FailureKind.BUILD_FAILED, detail=detail)
    sentence = said(broken_in("1.1"), lambda version: failure if version == "1.2" else {"dep": "1"})
    assert sentence.startswith(
        "Could not tell: 1.2 cannot be installed: dep 7 cannot be built from its source "
        "distribution (build_failed). "
    )


def test_what_an_undecided_script_said_last_is_told_and_cannot_act() -> None:
    odd = Said(code=125, stdout=b"first\nUNDECIDED: no \x1b[31mserver\x1b[0m \xe2\x80\xae\n\n")
    sentence = said(lambda trial: odd if trial.version == "1.2" else broken_in("1.1")(trial))
    assert 'having said "UNDECIDED: no [31mserver[0m"' in sentence


def test_a_long_last_line_is_cut_and_an_empty_log_is_not_quoted() -> None:
    long = Said(code=125, stdout=b"x" * 1000)
    sentence = said(lambda trial: long if trial.version == "1.2" else broken_in("1.1")(trial))
    assert f'"{"x" * 160}…"' in sentence
    silent = said(lambda trial: ODD if trial.version == "1.2" else broken_in("1.1")(trial))
    assert "having said" not in silent


def test_variants_claimed_to_be_spared_are_named_beside_the_answer() -> None:
    def behave(trial: Trial) -> Any:
        return broken_in(*(("1.0", "1.1") if trial.variant == "a" else ()))(trial)

    words: dict[str, Any] = {"variants": {"a": {}, "b": {"affected": False}}}
    sentence = said(behave, **words)
    assert sentence.startswith("a: 1.2 is the first fixed release: ")
    assert sentence.endswith(" Without the bug, as claimed: b.")


PRESENT, ABSENT, UNRESOLVED = Verdict.PRESENT, Verdict.ABSENT, Verdict.UNRESOLVED
FOUR = a_history("1.0", "1.1", "1.2", "1.3")
"""Beside findings made by hand, which say more than a simulated verify."""


def with_wrong_version(finding: CellFindings, location: str | None) -> CellFindings:
    """The same cell, in whose environment something else is loaded."""
    loaded = Loaded(version=None, location=location)
    judgement = finding.judgement.model_dump() | {"reason": Reason.WRONG_VERSION}
    return finding.model_copy(
        update={
            "facts": finding.facts.model_copy(update={"loaded": loaded}),
            "judgement": Judgement.model_validate(judgement),
        }
    )


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/case/h11.py", "/case/h11.py, beside the script, hides a module of that name"),
        ("/usr/lib/pkg.py", "importing the package would load something else, namely /usr/lib/pkg"),
        (None, "importing the package would load something else, namely nothing"),
    ],
)
def test_what_is_loaded_in_place_of_the_release_is_named(location: str | None, told: str) -> None:
    before = with_wrong_version(a_finding("1.1", UNRESOLVED, Role.BEFORE), location)
    findings = a_series(before, a_finding("1.2", ABSENT, Role.FIXED))
    sentence = summary(findings, decide(findings, FOUR), FOUR)
    assert sentence.startswith(f"Could not tell: 1.1 is unresolved: {told}")
    assert "wrong_version" in sentence


def test_what_stands_in_the_place_of_the_package_is_why_a_script_proves_nothing() -> None:
    for location, told in (
        ("/case/pkg.py", ", because /case/pkg.py, beside the script, is imported in its place."),
        ("/usr/lib/pkg.py", ", so it does not depend on it."),
    ):
        before = with_wrong_version(a_finding("1.1", UNRESOLVED, Role.BEFORE), location)
        control = a_finding("1.2", ABSENT, Role.CONTROL, lock=a_lock(dep="1"))
        findings = a_series(before, a_finding("1.2", ABSENT, Role.FIXED), control)
        assert summary(findings, decide(findings, FOUR), FOUR).endswith(told)


def test_a_yanked_fix_that_could_not_be_judged_is_not_called_good() -> None:
    history = a_history("1.0", "1.1", a_release("1.2", yanked=True), "1.3")
    for verdict, told in (
        (ABSENT, "1.2 does not show the bug, but was withdrawn"),
        (UNRESOLVED, "1.2 was withdrawn"),
    ):
        findings = a_series(
            a_finding("1.1", PRESENT, Role.BEFORE),
            a_finding("1.2", verdict, Role.FIXED),
            a_finding("1.2", UNRESOLVED, Role.CONTROL, lock=a_lock(dep="1")),
        )
        assert summary(findings, decide(findings, history), history).startswith(told)


def test_a_return_of_the_bug_names_no_fix_that_was_not_judged() -> None:
    findings = a_series(
        a_finding("1.1", PRESENT, Role.BEFORE),
        a_finding("1.2", UNRESOLVED, Role.FIXED),
        a_finding("1.3", PRESENT, Role.LATEST),
    )
    sentence = summary(findings, decide(findings, FOUR), FOUR)
    assert sentence.startswith("1.3, above a claimed fix, shows the bug: ")


def test_what_is_above_a_fix_and_came_before_it_has_not_lost_what_it_never_had() -> None:
    days = {"1.1": 0, "1.2": 5, "2.0": 1, "2.1": 2, "2.2": 3, "2.3": 4, "2.4": 6}
    history = a_history(
        *(a_release(each, uploaded=LONG_AGO + timedelta(days=day)) for each, day in days.items())
    )

    def told(*later: str) -> str:
        findings = a_series(
            a_finding("1.1", PRESENT, Role.BEFORE),
            a_finding("1.2", ABSENT, Role.FIXED),
            a_finding("1.2", UNRESOLVED, Role.CONTROL),
            *(a_finding(each, PRESENT, Role.PROBE) for each in later),
        )
        return summary(findings, decide(findings, history), history).partition(":")[0]

    assert told("2.0") == "2.0, above 1.2 but released before it, shows the bug, too"
    assert told("2.0", "2.1", "2.2", "2.3") == (
        "2.0, 2.1, 2.2 and 2.3, above 1.2 but released before it, show the bug, too"
    )
    assert told("2.0", "2.4") == (
        "2.0, above 1.2 but released before it, shows the bug, too; "
        "2.4 shows the bug again, which 1.2 had fixed"
    )


UNDATED = a_history(
    *(a_release(each, uploaded=None) for each in ("1.1", "1.2", "1.3", "2.0", "2.1"))
)


def test_without_upload_times_only_what_is_of_its_line_is_said_to_have_lost_a_fix() -> None:
    findings = a_series(
        a_finding("1.1", PRESENT, Role.BEFORE),
        a_finding("1.2", ABSENT, Role.FIXED),
        a_finding("1.2", UNRESOLVED, Role.CONTROL),
        *(a_finding(each, PRESENT, Role.PROBE) for each in ("1.3", "2.0", "2.1")),
    )
    assert summary(findings, decide(findings, UNDATED), UNDATED).startswith(
        "2.0 and 2.1, above 1.2 and perhaps released before it, show the bug, too; "
        "1.3 shows the bug again, which 1.2 had fixed: "
    )


def test_a_bug_that_is_claimed_above_its_fix_has_come_back_only_where_that_is_known() -> None:
    findings = a_series(
        a_finding("1.1", PRESENT, Role.BEFORE),
        a_finding("1.2", ABSENT, Role.FIXED),
        a_finding("1.2", UNRESOLVED, Role.CONTROL),
        *(a_finding(each, PRESENT, Role.BROKEN) for each in ("1.3", "2.0")),
        claims=Claims(fixed=("1.2",), broken=("1.3", "2.0")),
    )
    assert summary(findings, decide(findings, UNDATED), UNDATED).endswith(
        ". 1.3 shows the bug again, as claimed. 2.0 shows the bug, too, as claimed."
    )


def test_of_many_that_show_the_bug_again_the_first_are_named() -> None:
    later = [f"1.{minor}" for minor in range(3, 9)]
    findings = a_series(
        a_finding("1.1", PRESENT, Role.BEFORE),
        a_finding("1.2", ABSENT, Role.FIXED),
        a_finding("1.2", UNRESOLVED, Role.CONTROL),
        *(a_finding(each, PRESENT, Role.PROBE) for each in later),
    )
    history = a_history("1.1", "1.2", *later)
    sentence = summary(findings, decide(findings, history), history)
    assert sentence.startswith("1.3, 1.4, 1.5 and 3 more show the bug again, which 1.2 had fixed")
