"""The answer of a sweep or a bisection as a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from runner.answers import answer
from runner.boundaries import Boundaries, FixedIn
from runner.environment import Difference
from runner.findings import Confirmation, ConfirmationResult, Reached, Search, SeriesFindings
from runner.matrix import Role
from runner.outcome import decide
from runner.verdict import Reason, Verdict
from tests.builders import a_finding, a_history, a_series

P, A, U = Verdict.PRESENT, Verdict.ABSENT, Verdict.UNRESOLVED
VERSIONS = tuple(f"1.{minor}" for minor in range(10))


def told(
    said: dict[str, Verdict],
    stated: Boundaries,
    *,
    kind: str = "bisect",
    **words: Any,
) -> str:
    """The answer of a series in which 1.4 is claimed broken and these releases were judged."""
    cells = [
        a_finding(version, verdict, Role.BROKEN if version == "1.4" else Role.PROBE)
        for version, verdict in said.items()
    ]
    control = a_finding("1.4", U, Role.CONTROL)
    series = a_series(*cells, control, boundaries=stated)
    findings: SeriesFindings = series.model_copy(
        update={
            "series": series.series.model_copy(
                update={
                    "claims": series.series.claims.model_copy(
                        update={"fixed": (), "broken": ("1.4",)}
                    )
                }
            ),
            "kind": kind,
            "window": VERSIONS,
            **words,
        }
    )
    history = a_history(*VERSIONS)
    return answer(findings, decide(findings, history), history)


def between(after: str | None, by: str | None, *unknown: str) -> FixedIn:
    return FixedIn(after=after, by=by, unknown=unknown)


BOTH = Boundaries(
    first_fixed="1.6", fixed_in=between("1.5", "1.6"), last_broken="1.5", first_broken="1.3"
)
SAID = {"1.2": A, "1.3": P, "1.4": P, "1.5": P, "1.6": A}


@pytest.mark.parametrize("kind", ["sweep", "bisect"])
def test_both_changes_in_one_sentence(kind: str) -> None:
    said = told(SAID, BOTH, kind=kind, broken_in=between("1.2", "1.3"))
    assert said == "1.6 is the first fixed release; introduced in 1.3."


@pytest.mark.parametrize(
    ("fixed_in", "said"),
    [
        (between("1.5", "1.9", "1.8"), "Fixed between 1.5 and 1.9 (1.8 was not run)."),
        (between("1.5", "1.9", "1.7"), "Fixed between 1.5 and 1.9 (1.7 could not be judged)."),
        (
            between("1.5", "1.9", "1.6", "1.7", "1.8"),
            "Fixed between 1.5 and 1.9 (1.7 could not be judged, 1.6 and 1.8 were not run).",
        ),
        (
            between("1.4", "1.9", "1.1", "1.3", "1.6", "1.8"),
            "Fixed between 1.4 and 1.9 (4 releases from 1.1 to 1.8 were not run).",
        ),
        (
            between("1.5", None),
            "1.5 still shows the bug, and no release above it is known to be good.",
        ),
        (between(None, "1.6", "1.0"), "1.6 does not show the bug (1.0 was not run)."),
    ],
)
def test_a_range_names_what_stays_unknown(fixed_in: FixedIn, said: str) -> None:
    judged = {"1.4": P, "1.5": P, "1.7": U, "1.9": A}
    assert told(judged, Boundaries(fixed_in=fixed_in, last_broken="1.5")) == said


@pytest.mark.parametrize(
    ("broken_in", "said"),
    [
        (between("1.0", "1.4", "1.2"), "introduced between 1.0 and 1.4 (1.2 was not run)."),
        (between(None, "1.4"), "the lowest release of the window, 1.4, shows it."),
        (
            between(None, "1.4", "1.2"),
            "1.4 shows it, and nothing is known of those below (1.2 was not run).",
        ),
    ],
)
def test_where_the_bug_came_can_be_a_range_too(broken_in: FixedIn, said: str) -> None:
    stated = Boundaries(first_fixed="1.6", fixed_in=between("1.5", "1.6"), last_broken="1.5")
    whole = told({"1.4": P, "1.5": P, "1.6": A}, stated, broken_in=broken_in)
    assert whole == f"1.6 is the first fixed release; {said}"


def test_what_was_silent_too_few_times_did_run_and_what_was_only_prepared_did_not() -> None:
    prepared = a_finding("1.7", U, Role.PROBE)
    prepared = prepared.model_copy(
        update={"judgement": prepared.judgement.model_copy(update={"reason": Reason.NOT_RUN})}
    )
    silent = a_finding("1.8", A, Role.PROBE)
    stated = Boundaries(fixed_in=between("1.5", "1.9", "1.7", "1.8"), last_broken="1.5")
    series = a_series(a_finding("1.5", P, Role.BROKEN), silent, prepared, boundaries=stated)
    series = series.model_copy(update={"kind": "bisect", "window": VERSIONS})
    history = a_history(*VERSIONS)
    said = answer(series, decide(series, history), history)
    assert said.startswith(
        "Fixed between 1.5 and 1.9 (1.8 did not show it, too few times to tell, 1.7 was not run)."
    )


def test_a_search_that_was_cut_off_sees_no_change_so_far() -> None:
    search = Search(budget=1, spent=1, exhausted=True)
    said = told({"1.4": P}, Boundaries(tested=("1.4",), last_broken="1.4"), search=search)
    assert said == (
        "No change seen so far: the one judged release (of 10 in the window) shows the bug. "
        "The budget of 1 attempt ended before the search did."
    )


def test_no_change_is_no_change_in_what_was_judged() -> None:
    said = told({"1.4": P, "1.5": P}, Boundaries(tested=("1.4", "1.5"), last_broken="1.5"))
    assert said == (
        "No change seen in the window: each of the 2 judged releases (of 10 in the window) "
        "shows the bug."
    )
    whole = told({"1.4": A}, Boundaries(tested=("1.4",)), window=("1.4",))
    assert whole.startswith("No change seen in the window: the one judged release does not show")
    assert "1.4 is said to be broken" in whole


def test_what_cannot_be_told_has_its_reason() -> None:
    said = told({"1.4": U}, Boundaries())
    assert said.startswith("Cannot tell, because 1.4 is unresolved: it exited with a code")


def test_a_window_without_a_release_is_told() -> None:
    findings = a_series(boundaries=Boundaries()).model_copy(update={"kind": "sweep"})
    decision = decide(a_series(a_finding("1.2", U, Role.FIXED)), a_history())
    assert answer(findings, decision, a_history()).startswith(
        "The window has no release that could be run."
    )


def test_a_broken_release_and_nothing_else_certain_is_all_there_is_to_say() -> None:
    assert told(SAID, Boundaries(last_broken="1.5")) == "1.5 shows the bug."


def test_a_dependency_is_named_before_anything_else() -> None:
    differing = Confirmation(
        older="1.5",
        newer="1.6",
        result=ConfirmationResult.DIFFERS,
        follows=Difference(package="h11", older="0.9", newer="0.10"),
    )
    stated = Boundaries(last_broken="1.5", first_broken="1.3")
    said = told(SAID, stated, confirmations=(differing,), broken_in=between("1.2", "1.3"))
    assert said == (
        "Between 1.5 and 1.6 the verdict follows h11 0.9 → 0.10, not the package. "
        "Introduced in 1.3."
    )
    several = differing.model_copy(update={"follows": None})
    said = told(SAID, stated, confirmations=(several,))
    assert said.startswith("Between 1.5 and 1.6 the verdict follows its dependencies")


def test_what_could_not_be_confirmed_is_told_after_the_answer() -> None:
    impossible = Confirmation(older="1.5", newer="1.6", result=ConfirmationResult.IMPOSSIBLE)
    said = told(SAID, BOTH, confirmations=(impossible,))
    assert "1.5 and 1.6 cannot run with identical dependencies" in said


def test_of_a_bug_that_does_not_always_show_the_confidence_stands_beside_each_change() -> None:
    search = Search(
        reached=(
            Reached(change="fixed", after="1.5", by="1.6", confidence=0.9969),
            Reached(change="broken", after="1.2", by="1.3", confidence=0.9999),
        )
    )
    said = told(SAID, BOTH, search=search, broken_in=between("1.2", "1.3"))
    assert said == (
        "1.6 is the first fixed release (confidence 0.996); introduced in 1.3 (confidence 0.999)."
    )


def test_a_search_that_was_stopped_says_so() -> None:
    for budget in (None, 20):
        search = Search(budget=budget, spent=7, exhausted=True)
        said = told({"1.4": P, "1.5": P}, Boundaries(last_broken="1.5"), search=search)
        assert said.endswith("The search did not come to its end.")


def test_a_search_that_was_cut_off_tells_its_odds_and_never_rounds_them_up() -> None:
    search = Search(
        budget=20,
        spent=20,
        exhausted=True,
        reached=(
            Reached(change="fixed", after="1.5", by="1.9", confidence=0.98999),
            Reached(change="broken", after="1.2", by="1.4", confidence=0.5),
        ),
    )
    said = told({"1.4": P, "1.5": P, "1.9": A}, Boundaries(last_broken="1.5"), search=search)
    assert said == (
        "1.5 shows the bug. The budget of 20 attempts ended before the search did. "
        "Fixed after 1.5 and by 1.9 with a confidence of 0.989. "
        "Introduced after 1.2 and by 1.4 with a confidence of 0.5."
    )


@pytest.mark.parametrize(
    ("good", "said"),
    [
        (("1.4",), "Between releases that show it, 1.4 does not."),
        (("1.4", "1.5"), "Between releases that show it, 1.4 to 1.5 do not."),
        (("1.3", "1.5"), "Between releases that show it, 1.3 and 1.5 do not."),
        (
            ("1.1", "1.3", "1.5", "1.7"),
            "Between releases that show it, 1.1 and 1.3 and 1.5 and 1 more do not.",
        ),
    ],
)
def test_that_the_bug_was_gone_for_a_while_is_part_of_the_answer(
    good: tuple[str, ...], said: str
) -> None:
    judged = {each: A if each in good else P for each in VERSIONS[:9]} | {"1.9": A}
    stated = Boundaries(first_fixed="1.9", fixed_in=between("1.8", "1.9"), last_broken="1.8")
    whole = told(judged, stated, kind="sweep", broken_in=between(None, "1.0"))
    assert whole.startswith("1.9 is the first fixed release; the lowest release")
    assert said in whole


def test_a_bug_at_both_ends_of_the_window_is_told_once() -> None:
    judged = {"1.0": P, "1.4": P, "1.5": A, "1.9": P}
    stated = Boundaries(fixed_in=between("1.9", None), last_broken="1.9")
    said = told(judged, stated, broken_in=between(None, "1.0"))
    assert said == (
        "Both ends of the window, 1.0 and 1.9, show the bug. "
        "Between releases that show it, 1.5 does not."
    )
    said = told(judged, stated, broken_in=between("1.2", "1.3"))
    assert said.startswith("The newest release of the window, 1.9, shows the bug; introduced")


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (("1.5", "1.6"), "1.3 shows it, and the window has no release below it."),
        ((), "The window has no release, so only those that the claims name were run. 1.6 is"),
        (("1.3", "1.4", "1.5", "1.6"), "the lowest release of the window, 1.3, shows it."),
    ],
)
def test_a_release_outside_the_window_is_not_called_its_lowest(
    window: tuple[str, ...], said: str
) -> None:
    judged = {"1.3": P, "1.4": P, "1.5": P, "1.6": A}
    stated = Boundaries(first_fixed="1.6", fixed_in=between("1.5", "1.6"), last_broken="1.5")
    assert said in told(judged, stated, window=window, broken_in=between(None, "1.3"))
