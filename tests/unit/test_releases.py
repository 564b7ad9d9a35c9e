"""Order, lines, predecessors, and what a user could be told to install."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from runner.releases import File, Release, in_order, same_line, satisfies
from tests.builders import LONG_AGO, a_history, a_release

VERSIONS = st.builds(
    lambda parts, tail: ".".join(map(str, parts)) + tail,
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.sampled_from(["", "a1", "rc1", ".post1", ".dev1"]),
)

HISTORY = a_history(
    "0.9", "1.0.0", "1.1rc1", a_release("1.1", yanked=True), "1.2", "1.2.post1", "2.0.dev1", "2.0"
)


@pytest.mark.parametrize(
    ("below", "predecessor"),
    [
        ("0.9", None),
        ("0.1", None),
        ("1.0", "0.9"),
        ("1.1rc1", "1.0.0"),
        ("1.1", "1.0.0"),
        ("1.2", "1.0.0"),
        ("1.2.post1", "1.2"),
        ("1.3", "1.2.post1"),
        ("2.0", "1.2.post1"),
        ("9", "2.0"),
    ],
)
def test_the_predecessor_is_the_highest_final_unyanked_release_below(
    below: str, predecessor: str | None
) -> None:
    found = HISTORY.predecessor(below)
    assert (found.version if found else None) == predecessor


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("1.0", "1.0.0"),
        ("1.0.0", "1.0.0"),
        ("1", "1.0.0"),
        ("v1.0.0.0", "1.0.0"),
        ("1.2.0", "1.2"),
        ("1.1-rc.1", "1.1rc1"),
        ("1.1", "1.1"),
        ("1.3", None),
    ],
)
def test_a_release_is_found_however_its_version_is_spelt(named: str, found: str | None) -> None:
    release = HISTORY.find(named)
    assert (release.version if release else None) == found


def test_offered_is_what_is_final_and_not_yanked() -> None:
    offered = [each.version for each in HISTORY.offered]
    assert offered == ["0.9", "1.0.0", "1.2", "1.2.post1", "2.0"]


def test_what_is_below_comes_highest_first() -> None:
    assert [each.version for each in HISTORY.below("1.2")] == ["1.0.0", "0.9"]


@pytest.mark.parametrize(
    ("versions", "latest"),
    [
        (["1.0", "2.0rc1"], "1.0"),
        (["1.0rc1"], None),
        ([], None),
        (["1.0", "1.0.post1"], "1.0.post1"),
    ],
)
def test_the_latest_is_what_somebody_would_get_today(
    versions: list[str], latest: str | None
) -> None:
    found = a_history(*versions).latest()
    assert (found.version if found else None) == latest


def test_a_yanked_release_is_not_the_latest() -> None:
    found = a_history("1.0", a_release("2.0", yanked=True)).latest()
    assert found is not None
    assert found.version == "1.0"


def test_a_release_is_yanked_when_all_of_its_files_are() -> None:
    files = (File(name="a", uploaded=None, yanked=True), File(name="b", uploaded=None))
    assert not Release(version="1", files=files).yanked
    assert Release(version="1", files=files[:1]).yanked
    assert not Release(version="1", files=()).yanked


def test_a_release_was_uploaded_when_its_first_file_was() -> None:
    assert a_release("1", files=3).uploaded == LONG_AGO
    assert a_release("1", uploaded=None).uploaded is None


@pytest.mark.parametrize(
    ("specifiers", "python", "allowed"),
    [
        ([""], "3.8.1", True),
        ([">=3.9"], "3.8.18", False),
        ([">=3.9", ""], "3.8.18", True),
        ([">=3.8,<3.12"], "3.12.0", False),
        (["!=3.8.1"], "3.8.1", False),
        ([">=3.12"], "3.12.0rc1", False),
        ([">=3.6.*"], "3.8.1", True),
        (["nonsense"], "3.8.1", True),
    ],
)
def test_a_release_allows_an_interpreter_that_some_file_of_it_allows(
    specifiers: list[str], python: str, *, allowed: bool
) -> None:
    files = tuple(File(name="f", uploaded=None, requires_python=each) for each in specifiers)
    assert Release(version="1", files=files).allows(python) is allowed


def test_a_requirement_of_python_that_cannot_be_read_is_no_bar() -> None:
    assert satisfies("3.8.1", "¯\\_(ツ)_/¯")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.0.5", "1.0.9", True),
        ("1.0.5", "1.1.0", False),
        ("1.0", "1.9", True),
        ("1.0", "2.0", False),
        ("1", "2", False),
        ("1.2.3.4", "1.2.9", True),
        ("1!1.0", "1.0", False),
        ("1.0.5", "1.0.6rc1", True),
    ],
)
def test_a_line_is_what_agrees_but_for_its_last_part(one: str, other: str, *, same: bool) -> None:
    assert same_line(one, other) is same
    assert same_line(other, one) is same


@given(st.lists(VERSIONS, max_size=8))
def test_versions_stand_in_the_order_of_pep_440(versions: list[str]) -> None:
    ordered = in_order(versions)
    assert [Version(each) for each in ordered] == sorted(Version(each) for each in set(versions))
    assert set(ordered) == set(versions)


@given(st.sets(st.builds(lambda v: str(Version(v)), VERSIONS), min_size=1, max_size=8), VERSIONS)
def test_between_a_release_and_its_predecessor_nothing_is_offered(
    versions: set[str], named: str
) -> None:
    unique = {Version(each): each for each in versions}
    history = a_history(*(unique[each] for each in sorted(unique)))
    before = history.predecessor(named)
    between = [
        each
        for each in history.offered
        if each.parsed < Version(named) and (before is None or each.parsed > before.parsed)
    ]
    assert between == []
    assert before is None or before.final or Version(named).is_prerelease


def test_a_history_names_days_as_asked() -> None:
    first, second = a_history("1", "2").releases
    assert first.uploaded is not None
    assert second.uploaded == first.uploaded + timedelta(days=1)
