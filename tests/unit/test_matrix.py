"""Which cells a case has, on which interpreter, and as of when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.case import Case
from runner.environment import Lock, Wanted
from runner.errors import WrongUsage
from runner.matrix import (
    AsOf,
    Borrowed,
    Cell,
    Universe,
    cell_of,
    held_still,
    pinned_names,
    series_of,
    suffix_of,
    wanted,
)
from runner.releases import History, Release
from tests.builders import (
    LONG_AGO,
    TODAY,
    a_case,
    a_history,
    a_lock,
    a_release,
    a_universe,
    an_interpreter,
)

SECOND = timedelta(seconds=1)


def released(year: int, month: int = 1, requires_python: str = "") -> History:
    """A history of 1.1 and 1.2 of that month, and a 1.3 of today."""
    when = datetime(year, month, 1, tzinfo=UTC)
    return a_history(
        a_release("1.1", uploaded=when, requires_python=requires_python),
        a_release("1.2", uploaded=when + timedelta(days=400), requires_python=requires_python),
        a_release("1.3", uploaded=TODAY, requires_python=requires_python),
    )


ALL = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

WITH_A_NEW_ONE = History(
    package="pkg",
    releases=(
        *released(2020, 11).releases,
        a_release("1.4", uploaded=TODAY, requires_python=">=3.12"),
    ),
    fetched=TODAY,
)

CHOICES: list[tuple[str, dict[str, Any], History, Sequence[str], str, bool]] = [
    ("existed when the predecessor came", {}, released(2020, 9), ALL, "3.8", False),
    ("one month later another existed", {}, released(2020, 11), ALL, "3.9", False),
    ("the newest at hand of them", {}, released(2020, 11), ("3.6", "3.7", "3.12"), "3.7", False),
    ("only newer ones: the oldest", {}, released(2020, 11), ("3.11", "3.12"), "3.11", True),
    ("the first release came before any", {}, released(2012), ALL, "3.6", True),
    ("releases bar old ones", {}, released(2020, 11, ">=3.10"), ALL, "3.10", True),
    ("releases bar new ones", {}, released(2024, 1, "<3.9"), ALL, "3.8", False),
    ("the script bars old ones", {"requires_python": ">=3.11"}, released(2020, 11), ALL, "3.11", True),
    ("the script bars new ones", {"requires_python": "<3.8"}, released(2024), ALL, "3.7", False),
    ("a broken claim is a claim", {"broken": "1.1"}, released(2020, 11), ALL, "3.9", False),
    ("so does the predecessor of a broken claim", {"broken": "1.2"}, released(2020, 9), ALL, "3.8", False),
    ("a broken claim of no release", {"fixed": "1.2", "broken": ["84"]}, WITH_A_NEW_ONE, ALL, "3.9", False),
    ("no time is known", {}, a_history(a_release("1.2", uploaded=None)), ALL, "3.13", False),
    ("no release exists", {"fixed": "7"}, a_history(), ALL, "3.13", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "history", "at_hand", "python", "noted"),
    [each[1:] for each in CHOICES],
    ids=[each[0] for each in CHOICES],
)
def test_the_interpreter_is_the_newest_that_existed_and_is_allowed(
    words: dict[str, Any], history: History, at_hand: Sequence[str], python: str, *, noted: bool
) -> None:
    (series,) = series_of(a_case(**words), a_universe(history, *at_hand))
    assert series.python == python
    assert series.interpreter == an_interpreter(python)
    assert bool(series.note) is noted


def test_the_note_says_that_the_interpreter_is_newer_than_the_release() -> None:
    (series,) = series_of(a_case(), a_universe(released(2020, 11), "3.12"))
    assert series.note is not None
    assert "3.12 is newer" in series.note
    assert "2020-11-01" in series.note


def test_the_choice_is_the_same_for_all_variants() -> None:
    case = a_case(fixed="1.2", variants={"old": {}, "new": {"fixed": "1.3"}})
    pythons = {each.python for each in series_of(case, a_universe(released(2020, 9), *ALL))}
    assert pythons == {"3.8"}


def test_where_no_interpreter_is_allowed_the_series_stays_untested_and_says_why() -> None:
    (series,) = series_of(a_case(), a_universe(released(2020, 11, "<3.8"), "3.11"))
    assert series.interpreter is None
    assert series.note is not None
    assert "no interpreter at hand is allowed" in series.note


def test_a_case_runs_on_each_interpreter_that_it_names() -> None:
    found = series_of(a_case(python=["3.11", "3.8"]), a_universe(released(2020), *ALL))
    assert [each.name for each in found] == ["py3.11", "py3.8"]
    assert all(each.interpreter for each in found)


def test_a_variant_may_have_interpreters_of_its_own() -> None:
    case = a_case(python=["3.9"], variants={"h11": {}, "httptools": {"python": ["3.7", "3.8"]}})
    found = series_of(case, a_universe(released(2020), *ALL))
    assert [each.name for each in found] == ["py3.9/h11", "py3.7/httptools", "py3.8/httptools"]


def test_what_the_user_asks_for_wins() -> None:
    case = a_case(python=["3.9"], variants={"a": {"python": ["3.8"]}})
    found = series_of(case, a_universe(released(2020), *ALL), ("3.10",))
    assert [each.name for each in found] == ["py3.10/a"]


def test_an_interpreter_that_is_not_at_hand_makes_a_series_without_one() -> None:
    found = series_of(a_case(python=["3.8", "3.11"]), a_universe(released(2020), "3.11"))
    assert [each.interpreter for each in found] == [None, an_interpreter("3.11")]


@pytest.mark.parametrize("python", ["3.99", "3.5"])
def test_an_interpreter_that_nobody_heard_of_is_an_error(python: str) -> None:
    with pytest.raises(WrongUsage, match=rf"Python {python}") as refused:
        series_of(a_case(python=[python]), a_universe(released(2020), "3.11"))
    assert "3.11" in str(refused.value)
    assert refused.value.case == "demo"


def test_an_interpreter_at_hand_is_known_however_new_it_is() -> None:
    (series,) = series_of(a_case(python=["3.42"]), a_universe(released(2020), "3.42"))
    assert series.interpreter == an_interpreter("3.42")


def test_no_two_series_have_one_name() -> None:
    case = a_case(python=["3.8", "3.8"])
    names = [each.name for each in series_of(case, a_universe(released(2020), "3.8"))]
    assert len(names) == len(set(names))


def test_series_carry_the_claims_of_their_variant() -> None:
    case = a_case(fixed="1.2", variants={"a": {}, "b": {"affected": False}})
    a, b = series_of(case, a_universe(released(2020), "3.8"))
    assert a.claims.affected
    assert not b.claims.affected


@pytest.mark.parametrize(
    ("variants", "suffix", "name"),
    [
        ({}, "", "demo/pkg-1.2/py3.8"),
        ({"h11": {}}, "", "demo/pkg-1.2/py3.8/h11"),
        ({}, "@control", "demo/pkg-1.2/py3.8@control"),
        ({"h11": {}}, "@today", "demo/pkg-1.2/py3.8/h11@today"),
    ],
)
def test_a_cell_has_one_readable_id(variants: dict[str, Any], suffix: str, name: str) -> None:
    case = a_case(variants=variants)
    (series,) = series_of(case, a_universe(released(2020), "3.8"))
    assert cell_of(case, series, "1.2", suffix).id == name


@pytest.mark.parametrize(
    ("as_of", "suffix"),
    [
        (AsOf.RELEASE, ""),
        (AsOf.TODAY, "@today"),
        (datetime(2021, 2, 3, tzinfo=UTC), "@2021-02-03"),
    ],
)
def test_an_unusual_cut_off_is_part_of_the_id(as_of: AsOf | datetime, suffix: str) -> None:
    assert suffix_of(as_of) == suffix


# What is asked of the resolver.


def asked(case: Case, universe: Universe, cell: Cell | None = None, **locks: Lock) -> Wanted | Lock:
    (series, *_) = series_of(case, universe)
    return wanted(case, universe, series, cell or cell_of(case, series, "1.2"), locks)


DEP = a_release("0.9", uploaded=LONG_AGO + timedelta(days=40), files=3)

AS_OF: list[tuple[str, list[str], AsOf | datetime, datetime | None]] = [
    ("release", ["pkg"], AsOf.RELEASE, LONG_AGO + timedelta(days=1) + SECOND),
    ("a pin that came before", ["pkg", "dep==0.1"], AsOf.RELEASE, LONG_AGO + timedelta(days=1) + SECOND),
    ("a pin that came later", ["pkg", "dep==0.9"], AsOf.RELEASE, LONG_AGO + timedelta(days=40) + SECOND),
    ("a range is no pin", ["pkg", "dep<=0.9"], AsOf.RELEASE, LONG_AGO + timedelta(days=1) + SECOND),
    ("today", ["pkg"], AsOf.TODAY, TODAY),
    ("a date", ["pkg"], datetime(2021, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("dependencies", "as_of", "cut_off"),
    [each[1:] for each in AS_OF],
    ids=[each[0] for each in AS_OF],
)
def test_dependencies_are_those_of_the_day(
    dependencies: list[str], as_of: AsOf | datetime, cut_off: datetime | None
) -> None:
    pinned: dict[str, dict[str, Release]] = {
        "dep": {"0.9": DEP, "0.1": a_release("0.1", uploaded=LONG_AGO)}
    }
    universe = a_universe(a_history("1.1", "1.2"), as_of=as_of, pinned=pinned)
    found = asked(a_case(dependencies=dependencies), universe)
    assert isinstance(found, Wanted)
    assert found.as_of == cut_off


@pytest.mark.parametrize(
    ("as_of", "cut_off"),
    [(AsOf.RELEASE, datetime(2020, 5, 2, tzinfo=UTC)), (AsOf.TODAY, TODAY)],
)
def test_the_script_may_have_a_cut_off_of_its_own(as_of: AsOf, cut_off: datetime) -> None:
    case = a_case(uv={"exclude-newer": "2020-05-01", "exclude-newer-package": {"x": "2020-06-01"}})
    found = asked(case, a_universe(a_history("1.2"), as_of=as_of))
    assert isinstance(found, Wanted)
    assert found.as_of == cut_off
    assert found.admitted["x"] == datetime(2020, 6, 2, tzinfo=UTC)
    assert found.admitted["pkg"] == LONG_AGO + SECOND


@pytest.mark.parametrize(
    ("dependencies", "requirements"),
    [
        (["pkg"], ("pkg==1.2", "pytest")),
        (["pkg", "PyTest<8"], ("pkg==1.2", "PyTest<8")),
    ],
)
def test_where_pytest_runs_the_script_it_is_there(
    dependencies: list[str], requirements: tuple[str, ...]
) -> None:
    case = a_case(runner="pytest", dependencies=dependencies)
    found = asked(case, a_universe(a_history("1.2")))
    assert isinstance(found, Wanted)
    assert found.requirements == requirements


def test_without_upload_times_nothing_is_cut_off() -> None:
    universe = a_universe(a_history(a_release("1.2", uploaded=None)))
    found = asked(a_case(), universe)
    assert isinstance(found, Wanted)
    assert found.as_of is None
    assert found.admitted == {}


def test_files_of_pinned_releases_are_admitted_whenever_they_came() -> None:
    pinned = {"dep": {"0.9": DEP}}
    universe = a_universe(a_history(a_release("1.2", files=7)), pinned=pinned)
    found = asked(a_case(dependencies=["pkg", "dep==0.9"]), universe)
    assert isinstance(found, Wanted)
    assert found.admitted == {
        "pkg": LONG_AGO + timedelta(hours=6) + SECOND,
        "dep": LONG_AGO + timedelta(days=40, hours=2) + SECOND,
    }


def test_a_cell_asks_for_the_release_the_script_and_the_variant() -> None:
    case = a_case(dependencies=["pkg[fast]", "dep>1"], variants={"a": {"dependencies": ["more"]}})
    found = asked(case, a_universe(a_history("1.2")))
    assert isinstance(found, Wanted)
    assert found.requirements == ("pkg[fast]==1.2", "dep>1", "more")
    assert found.interpreter == an_interpreter("3.8")


def test_what_the_script_says_to_uv_is_handed_on() -> None:
    case = a_case(uv={"constraint-dependencies": ["dep<2"]})
    found = asked(case, a_universe(a_history("1.2")))
    assert isinstance(found, Wanted)
    assert found.uv == case.uv


def test_all_pins_of_script_and_variants_matter() -> None:
    case = a_case(
        dependencies=["pkg", "a==1"],
        variants={"x": {"dependencies": ["b==2"]}, "y": {"dependencies": ["c"]}},
    )
    assert pinned_names(case) == {"a": "1", "b": "2"}


def test_the_control_is_the_lock_of_its_base_without_the_package() -> None:
    case, universe = a_case(), a_universe(a_history("1.2"))
    cell = Cell(
        id="c",
        version="1.2",
        series="py3.8",
        control=True,
        borrowed=Borrowed(base="fixed", own="fixed"),
    )
    lock = a_lock(pkg="1.2", dep="1", other="2")
    assert asked(case, universe, cell, fixed=lock) == a_lock(dep="1", other="2")


def test_borrowed_dependencies_are_asked_for_exactly() -> None:
    case, universe = a_case(dependencies=["pkg", "dep>=1"]), a_universe(a_history("1.1", "1.2"))
    cell = Cell(id="c", version="1.1", series="py3.8", borrowed=Borrowed(base="newer", own="older"))
    found = asked(case, universe, cell, newer=a_lock(pkg="1.2", dep="2", sub="3"))
    assert isinstance(found, Wanted)
    assert found.exactly == {"pkg": "1.1", "dep": "2", "sub": "3"}
    assert set(found.requirements) == {"pkg==1.1", "dep>=1", "dep==2", "sub==3"}
    assert found.as_of is None


def test_what_is_held_still_are_the_very_wheels_and_not_just_their_versions() -> None:
    """A wheel that was added to a dependency's release since would be another variable."""
    case = a_case()
    base, own = a_lock(pkg="1.2", dep="2", sub="3"), a_lock(pkg="1.1", dep="1")
    borrowed = Borrowed(base="newer", own="older")
    cell = Cell(id="c", version="1.1", series="py3.8", borrowed=borrowed)
    held = held_still(case, cell, {"newer": base, "older": own})
    assert held.without("pkg") == base.without("pkg")
    assert [each for each in held.wheels if each.name == "pkg"] == [own.wheels[-1]]


def test_another_index_is_another_question() -> None:
    case, here = a_case(), a_universe(a_history("1.2"))
    there = here.model_copy(update={"index": "another"})
    asked_here, asked_there = asked(case, here), asked(case, there)
    assert isinstance(asked_here, Wanted)
    assert isinstance(asked_there, Wanted)
    assert asked_here.key() != asked_there.key()


def test_one_dependency_can_be_borrowed_from_another_lock() -> None:
    case, universe = a_case(), a_universe(a_history("1.1", "1.2"))
    borrowed = Borrowed(base="older", own="older", swapped="dep", source="newer")
    cell = Cell(id="c", version="1.1", series="py3.8", borrowed=borrowed)
    locks = {"older": a_lock(pkg="1.1", dep="1", sub="1"), "newer": a_lock(pkg="1.2", dep="2")}
    found = asked(case, universe, cell, **locks)
    assert isinstance(found, Wanted)
    assert found.exactly == {"pkg": "1.1", "dep": "2", "sub": "1"}


def test_the_same_question_has_one_name_and_another_has_another() -> None:
    universe = a_universe(a_history("1.1", "1.2"))
    case = a_case()
    (series,) = series_of(case, universe)
    keys = []
    for version in ("1.1", "1.2", "1.2"):
        found = wanted(case, universe, series, cell_of(case, series, version), {})
        assert isinstance(found, Wanted)
        keys.append(found.key())
    assert keys[1] == keys[2] != keys[0]


def test_an_interpreter_that_the_script_bars_makes_its_series_untested_with_the_reason() -> None:
    case = a_case(requires_python=">=3.9")
    universe = a_universe(a_history("1.1", "1.2"), "3.8", "3.11")
    barred, allowed = series_of(case, universe, ("3.8", "3.11"))
    assert barred.interpreter is None
    assert barred.note == "the script asks for Python >=3.9, which 3.8 is not"
    assert allowed.interpreter is not None
    assert allowed.note is None
