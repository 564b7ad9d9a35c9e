"""Which releases are affected, and where the fix is found."""

from __future__ import annotations

import pytest

from runner.affected import Upgrade, affected, upgrades
from runner.boundaries import FixedIn, broken_in
from runner.releases import History
from runner.verdict import Verdict
from tests.builders import a_history, a_release

SAYS = {"b": Verdict.PRESENT, "g": Verdict.ABSENT, "u": Verdict.UNRESOLVED}


def measured(history: str) -> tuple[History, dict[str, Verdict]]:
    """Releases 1, 2, 3…: broken, good, unresolved; `.` was not run; in upper case yanked."""
    releases = [
        a_release(str(at), yanked=said.isupper()) for at, said in enumerate(history, start=1)
    ]
    verdicts = {
        each.version: SAYS[said.lower()]
        for each, said in zip(releases, history, strict=True)
        if said.lower() in SAYS
    }
    return a_history(*releases), verdicts


@pytest.mark.parametrize(
    ("history", "ranges"),
    [
        ("gggg", []),
        ("gbbg", [{"introduced": "2", "fixed": "4"}]),
        ("bbgg", [{"introduced": "1", "fixed": "3"}]),
        ("gbgbg", [{"introduced": "2", "fixed": "3"}, {"introduced": "4", "fixed": "5"}]),
        ("ggbb", [{"introduced": "3"}]),
        ("gbb.", [{"introduced": "2", "last_affected": "3"}]),
        ("gbbu", [{"introduced": "2", "last_affected": "3"}]),
        ("gbub", [{"introduced": "2"}]),
        ("gbug", [{"introduced": "2", "fixed": "4"}]),  # what is not judged ends no range
        ("gBg", [{"introduced": "2", "fixed": "3"}]),
        ("bGg", [{"introduced": "1", "fixed": "3"}]),  # nobody is told to take the second
        ("bG", [{"introduced": "1"}]),
        ("", []),
    ],
)
def test_ranges_are_told_as_osv_events(history: str, ranges: list[dict[str, str]]) -> None:
    known, verdicts = measured(history)
    offered = {each.version for each in known.offered}
    assert list(affected(known, offered, verdicts)) == ranges


@pytest.mark.parametrize(
    ("history", "after", "by", "unknown"),
    [
        ("ggbg", "2", "3", ""),
        ("g.bg", "1", "3", "2"),
        ("gubg", "1", "3", "2"),
        ("..bg", None, "3", "1 2"),
        ("bbg", None, "1", ""),
        ("gGb", "1", "3", ""),
        ("gBb", "1", "2", ""),
    ],
)
def test_where_the_bug_came_is_told_as_a_range(
    history: str, after: str | None, by: str, unknown: str
) -> None:
    known, verdicts = measured(history)
    offered = tuple(each.version for each in known.offered)
    expected = FixedIn(after=after, by=by, unknown=tuple(unknown.split()))
    assert broken_in(offered, verdicts) == expected


def test_where_no_release_is_broken_it_came_nowhere() -> None:
    assert broken_in(("1",), {"1": Verdict.ABSENT}) is None


def test_users_are_sent_to_the_nearest_fix_of_their_line_where_there_is_one() -> None:
    versions = ("1.0.0", "1.0.1", "1.1.0", "1.1.1", "1.2.0rc1", "1.2.0", "1.2.1")
    verdicts = dict.fromkeys(("1.0.0", "1.0.1", "1.1.0"), Verdict.PRESENT)
    verdicts |= dict.fromkeys(("1.1.1", "1.2.0rc1", "1.2.0", "1.2.1"), Verdict.ABSENT)
    assert upgrades(a_history(*versions), versions, verdicts) == (
        Upgrade(broken=("1.0.0", "1.0.1"), to="1.1.1", same_line=False),
        Upgrade(broken=("1.1.0",), to="1.1.1", same_line=True),
    )


def test_nobody_is_sent_to_a_pre_release_or_to_what_was_not_judged() -> None:
    versions = ("1.0.0", "1.0.1", "1.1.0rc1", "1.1.0")
    verdicts = {"1.0.0": Verdict.PRESENT, "1.1.0rc1": Verdict.ABSENT}
    found = upgrades(a_history(*versions), versions, verdicts)
    assert found == (Upgrade(broken=("1.0.0",), to=None, same_line=False),)


def test_of_two_ranges_each_has_its_own_fix() -> None:
    versions = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
    verdicts = dict(zip(versions, (Verdict.PRESENT, Verdict.ABSENT) * 2, strict=True))
    found = upgrades(a_history(*versions), versions, verdicts)
    assert [(each.broken, each.to) for each in found] == [
        (("1.0.0",), "1.0.1"),
        (("1.0.2",), "1.0.3"),
    ]
