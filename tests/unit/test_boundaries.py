"""Between which releases a bug came and went: section 6, sentence by sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from runner.boundaries import Boundaries, FixedIn, boundaries
from runner.verdict import Verdict

SAYS = {
    "b": Verdict.PRESENT,
    "g": Verdict.ABSENT,
    "u": Verdict.UNRESOLVED,
}


def stated(history: str) -> Boundaries:
    """Boundaries of releases 1, 2, 3…: broken, good, unresolved; `.` was not run.

    Those in upper case are yanked and so no candidates; `X` is one that was not run.
    """
    versions = [str(place + 1) for place in range(len(history))]
    named = list(zip(versions, history, strict=True))
    candidates = tuple(version for version, said in named if not said.isupper())
    return boundaries(
        candidates, {version: SAYS[said.lower()] for version, said in named if said.lower() in SAYS}
    )


class Row(NamedTuple):
    history: str
    first_fixed: str | None
    fixed_in: tuple[str | None, str | None, str] | None
    last_broken: str | None
    first_broken: str | None


ROWS = {
    "the usual": Row("bbgg", "3", ("2", "3", ""), "2", None),
    "came and went": Row("gbbg", "4", ("3", "4", ""), "3", "2"),
    "nothing judged": Row("....", None, None, None, None),
    "all unresolved": Row("uuu", None, None, None, None),
    "no release": Row("", None, None, None, None),
    "all broken": Row("bbb", None, ("3", None, ""), "3", None),
    "all good": Row("ggg", None, None, None, None),
    "good from the first on": Row("gg.", None, None, None, None),
    "good above what was not judged": Row("..gg", None, (None, "3", "1 2"), None, None),
    "good above what was unresolved": Row("uggg", None, (None, "2", "1"), None, None),
    "unjudged between": Row("b.g", None, ("1", "3", "2"), "1", None),
    "unresolved between": Row("bug", None, ("1", "3", "2"), "1", None),
    "two between": Row("b.ugg", None, ("1", "4", "2 3"), "1", None),
    "unjudged above the broken ones": Row("b..", None, ("1", None, "2 3"), "1", None),
    "unjudged below": Row(".bg", "3", ("2", "3", ""), "2", None),
    "unjudged below the first broken": Row("g.bg", "4", ("3", "4", ""), "3", None),
    "unjudged among the broken": Row("gb.bg", "5", ("4", "5", ""), "4", "2"),
    "unjudged among the good": Row("bg.g", "2", ("1", "2", ""), "1", None),
    "it came back": Row("gbgb", None, ("4", None, ""), "4", "2"),
    "it came back and went": Row("gbgbg", "5", ("4", "5", ""), "4", "2"),
    "a yanked release was good": Row("bGg", "3", ("1", "3", ""), "1", None),
    "only a yanked release was good": Row("bG", None, ("1", None, ""), "1", None),
    "a yanked release was broken": Row("gBg", "3", ("2", "3", ""), "2", "2"),
    "a yanked release between was not run": Row("bXg", "3", ("1", "3", ""), "1", None),
    "a yanked release above was broken": Row("bgBg", "4", ("3", "4", ""), "3", None),
    "numbers are no text": Row("b" * 9 + "g" * 2, "10", ("9", "10", ""), "9", None),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_boundaries_say_what_was_judged_and_no_more(row: Row) -> None:
    found = stated(row.history)
    known = found.fixed_in
    fixed_in = (known.after, known.by, " ".join(known.unknown)) if known else None
    assert (
        Row(row.history, found.first_fixed, fixed_in, found.last_broken, found.first_broken) == row
    )


HISTORIES = st.text(alphabet="bgu.BGX", max_size=12)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 6))
def test_of_a_bug_that_came_and_went_once_everything_judged_tells_exactly(
    came: int, lasted: int, after: int
) -> None:
    found = stated("g" * came + "b" * lasted + "g" * after)
    gone = came + lasted + 1
    assert found.first_fixed == (str(gone) if lasted and after else None)
    assert found.last_broken == (str(gone - 1) if lasted else None)
    assert found.first_broken == (str(came + 1) if came and lasted else None)
    if lasted and after:
        assert found.fixed_in == FixedIn(after=str(gone - 1), by=str(gone), unknown=())


@given(HISTORIES)
def test_a_first_fixed_release_is_good_and_everything_below_it_is_known(history: str) -> None:
    found = stated(history)
    if found.first_fixed is None:
        return
    place = int(found.first_fixed) - 1
    assert history[place] == "g"
    below = history[:place].rstrip("XG")
    assert below.endswith(("b", "B"))
    assert not set("bB") & set(history[place:])


@given(HISTORIES)
def test_a_range_is_never_a_point_where_something_between_is_unjudged(history: str) -> None:
    found = stated(history)
    if found.fixed_in is None:
        return
    first = int(found.fixed_in.after or 0)
    end = int(found.fixed_in.by) - 1 if found.fixed_in.by else len(history)
    unjudged = [str(at + 1) for at in range(first, end) if history[at] in "u."]
    assert list(found.fixed_in.unknown) == unjudged
    if unjudged:
        assert found.first_fixed is None


@given(HISTORIES)
def test_a_range_is_there_where_something_broken_or_unknown_is_below(history: str) -> None:
    found = stated(history)
    broken = set("bB") & set(history)
    first_good = history.find("g")
    unknown_below = first_good > 0 and set("u.") & set(history[:first_good])
    assert (found.fixed_in is not None) == bool(broken or unknown_below)


@given(HISTORIES)
def test_the_first_broken_release_stands_right_above_a_good_one(history: str) -> None:
    found = stated(history)
    if found.first_broken is None:
        return
    place = int(found.first_broken) - 1
    assert not set("bB") & set(history[:place])
    candidates = [each for each in history[:place] if not each.isupper()]
    assert candidates[-1] == "g"


@given(HISTORIES)
def test_the_last_broken_release_is_the_highest_that_showed_the_bug(history: str) -> None:
    highest = max(history.rfind("b"), history.rfind("B")) + 1
    assert stated(history).last_broken == (str(highest) if highest else None)


@given(HISTORIES)
def test_tested_is_what_was_judged_lowest_first(history: str) -> None:
    judged = [str(at + 1) for at, said in enumerate(history) if said.lower() in "bg"]
    assert list(stated(history).tested) == judged


@given(HISTORIES)
def test_the_order_in_which_releases_are_named_says_nothing(history: str) -> None:
    versions = [str(place + 1) for place in range(len(history))]
    candidates = [v for v, said in zip(versions, history, strict=True) if not said.isupper()]
    verdicts: Mapping[str, Verdict] = {
        v: SAYS[said.lower()]
        for v, said in reversed(list(zip(versions, history, strict=True)))
        if said.lower() in SAYS
    }
    assert boundaries(tuple(reversed(candidates)), verdicts) == stated(history)


def test_order_is_that_of_pep_440() -> None:
    versions = ("1.9", "1.10", "1.10.post1", "1!0.1")
    assert sorted(versions, key=Version) == [*versions]
    verdicts = dict(zip(versions, [Verdict.PRESENT] * 2 + [Verdict.ABSENT] * 2, strict=True))
    assert boundaries(versions[::-1], verdicts).first_fixed == "1.10.post1"
