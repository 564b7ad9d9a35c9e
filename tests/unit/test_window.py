"""Which releases a sweep or a bisection looks at, and which it leaves out and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.matrix import series_of
from runner.plans.lines import parallel_lines, undated, ways
from runner.plans.sweep import SweepPlan
from runner.plans.window import Window
from runner.releases import File, History, Release
from tests.builders import LONG_AGO, a_case, a_history, a_release, a_universe


def window(history: History, *pythons: str, **words: Any) -> Window:
    case = a_case(**words)
    universe = a_universe(history, *pythons)
    plan = SweepPlan(case=case, universe=universe, series=series_of(case, universe))
    return plan.window(plan.series[0])


def names(found: Window) -> list[str]:
    return [each.version for each in found.releases]


def left_out(found: Window) -> dict[str, str]:
    return {each.version: each.why for each in found.skipped}


HISTORY = a_history("1.0", a_release("1.1", yanked=True), "1.2rc1", "1.2", "2.0")


def test_all_final_releases_are_in_a_window_that_names_no_ends() -> None:
    found = window(HISTORY)
    assert names(found) == ["1.0", "1.1", "1.2", "2.0"]
    assert [each.version for each in found.candidates] == ["1.0", "1.2", "2.0"]
    assert left_out(found) == {"1.2rc1": "pre-release"}
    assert [each.version for each in found.yanked] == ["1.1"]


def test_ends_are_a_specifier_and_what_is_beyond_is_not_left_out_but_outside() -> None:
    found = window(HISTORY, versions=">=1.1,<2")
    assert names(found) == ["1.1", "1.2"]
    assert found.outside == ("1.0", "2.0")
    assert left_out(found) == {"1.2rc1": "pre-release"}


def test_pre_releases_are_in_it_where_the_case_says_so() -> None:
    assert names(window(HISTORY, prereleases=True, versions="<2")) == [
        "1.0",
        "1.1",
        "1.2rc1",
        "1.2",
    ]


def test_a_release_is_yanked_where_all_files_that_fit_are() -> None:
    """Of some platforms, PEP 592 allows: what another one may still take is no help."""
    yanked = File(name="pkg-1.1-py3-none-any.whl", uploaded=LONG_AGO, yanked=True)
    other = File(name="pkg-1.1-cp38-cp38-win_amd64.whl", uploaded=LONG_AGO)
    found = window(a_history("1.0", Release(version="1.1", files=(yanked, other)), "1.2"))
    assert names(found) == ["1.0", "1.1", "1.2"]
    assert [each.version for each in found.candidates] == ["1.0", "1.2"]


def test_a_window_can_be_empty() -> None:
    assert names(window(HISTORY, versions=">3")) == []
    assert names(window(a_history())) == []


def test_a_release_that_does_not_allow_the_interpreter_is_left_out() -> None:
    history = a_history("1.0", a_release("1.1", requires_python=">=3.9"), "1.2")
    found = window(history, "3.8", python=["3.8"])
    assert names(found) == ["1.0", "1.2"]
    assert left_out(found) == {"1.1": "does not allow Python 3.8.4"}


def test_a_file_name_without_a_version_is_named_as_what_it_is() -> None:
    history = HISTORY.model_copy(update={"unread": ("pkg-2004d.tar.gz",)})
    assert "PEP 440" in left_out(window(history))["pkg-2004d.tar.gz"]


@pytest.mark.parametrize(
    ("files", "python", "fits"),
    [
        (["pkg-1-py3-none-any.whl"], "3.8", True),
        (["pkg-1-py2.py3-none-any.whl"], "3.8", True),
        (["pkg-1-py2-none-any.whl"], "3.8", False),
        (["pkg-1-py2-none-any.whl", "pkg-1.tar.gz"], "3.8", True),
        (["pkg-1-cp38-cp38-manylinux2014_x86_64.whl"], "3.8", True),
        (["pkg-1-cp38-cp38-manylinux2014_x86_64.whl"], "3.9", False),
        (["pkg-1-cp37-cp37m-manylinux2014_x86_64.whl"], "3.7", True),
        (["pkg-1-cp37-abi3-manylinux2014_x86_64.whl"], "3.9", True),
        (["pkg-1-cp39-abi3-manylinux2014_x86_64.whl"], "3.8", False),
        (["pkg-1-cp38-cp38-win_amd64.whl", "pkg-1-cp38-cp38-macosx_10_9_x86_64.whl"], "3.8", False),
        (["pkg-1-cp38-cp38-manylinux2014_aarch64.whl"], "3.8", False),
        (["pkg-1-cp38-cp38-linux_x86_64.whl"], "3.8", True),
        (["pkg-1-cp38-cp38-musllinux_1_1_x86_64.whl"], "3.8", True),  # the resolver knows
        (["no-wheel-at-all.whl"], "3.8", True),
    ],
)
def test_a_release_without_a_file_for_the_platform_is_left_out(
    files: list[str], python: str, *, fits: bool
) -> None:
    listed = tuple(File(name=each, uploaded=LONG_AGO) for each in files)
    history = a_history(Release(version="1.0", files=listed), "1.2")
    found = window(history, python)
    assert ("1.0" in names(found)) is fits
    if not fits:
        assert left_out(found)["1.0"] == f"no file for Python {python} on linux-x86_64-glibc2.36"


def test_a_file_that_fits_and_is_not_allowed_does_not_count() -> None:
    files = (
        File(name="pkg-1-py3-none-any.whl", uploaded=LONG_AGO, requires_python=">=3.9"),
        File(name="pkg-1-cp38-cp38-win_amd64.whl", uploaded=LONG_AGO),
    )
    assert names(window(a_history(Release(version="1.0", files=files)))) == []


# Lines.


def dated(*releases: tuple[str, int | None]) -> History:
    """Releases, lowest first, with the day on which each came."""
    return a_history(
        *(
            a_release(version, uploaded=None if day is None else LONG_AGO + timedelta(days=day))
            for version, day in releases
        )
    )


def lines(*releases: tuple[str, int | None]) -> tuple[tuple[str, ...], ...]:
    history = dated(*releases)
    return parallel_lines(history, history.releases)


def follow(*releases: tuple[str, int | None]) -> list[str]:
    """How these releases follow upon each other."""
    return [" ".join(way) for way in ways(dated(*releases), [version for version, _ in releases])]


def test_where_one_line_follows_another_none_is_parallel() -> None:
    assert lines(("1.0.0", 0), ("1.0.1", 1), ("1.1.0", 2), ("2.0.0", 3)) == ()


def test_of_a_line_that_goes_on_beside_a_newer_one_what_came_then_is_told() -> None:
    found = lines(
        ("1.0.0", 0), ("1.0.1", 1), ("1.0.2", 5), ("1.0.3", 6), ("1.1.0", 3), ("1.1.1", 7)
    )
    assert found == (("1.0.3", "1.0.2"),)


def test_a_line_that_began_late_came_late_as_a_whole() -> None:
    assert lines(("1.0.0", 0), ("1.1.0", 9), ("2.0.0", 3)) == (("1.1.0",),)


def test_versions_of_two_numbers_have_the_first_as_their_line() -> None:
    found = lines(("1.0", 0), ("1.1", 1), ("1.2", 5), ("2.0", 3))
    assert found == (("1.2",),)


def test_a_release_without_an_upload_time_tells_no_line() -> None:
    assert lines(("1.0.0", 0), ("1.0.1", None), ("1.1.0", 3)) == ()
    assert undated([a_release("1", uploaded=None)])
    assert not undated([a_release("1")])


# How releases follow upon each other.


def test_without_parallel_lines_there_is_one_way() -> None:
    assert follow(("1.0.0", 0), ("1.0.1", 1), ("1.1.0", 2)) == ["1.0.0 1.0.1 1.1.0"]
    assert follow() == []


def test_a_newer_line_goes_on_from_what_was_there_when_it_came() -> None:
    assert follow(("1.0", 0), ("1.1", 1), ("1.2", 4), ("1.3", 5), ("2.0", 2), ("2.1", 6)) == [
        "1.0 1.1 2.0 2.1",
        "1.0 1.1 1.2 1.3",
    ]


def test_a_line_that_began_late_goes_on_from_the_one_below_it() -> None:
    assert follow(("1.0.0", 0), ("1.0.1", 5), ("1.1.0", 9), ("2.0.0", 3)) == [
        "1.0.0 2.0.0",
        "1.0.0 1.0.1 1.1.0",
    ]


def test_what_has_no_upload_time_follows_what_is_below_it() -> None:
    assert follow(("1.0", 0), ("1.1", None), ("2.0", 1)) == ["1.0 1.1 2.0"]
    assert follow(("1.0", 0), ("1.1", 5), ("2.0", None)) == ["1.0 1.1 2.0"]


def test_a_newer_line_that_was_there_before_all_others_follows_nothing() -> None:
    assert follow(("1.0", 5), ("2.0", 1)) == ["2.0", "1.0"]
