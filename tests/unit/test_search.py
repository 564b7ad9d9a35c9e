"""Where a bisection looks next: rays, odds, gaps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.plans.search import MOST_UNRESOLVED, Ray, Spot, View, picks, split, spread

SPOTS = {
    "b": Spot("", present=3, tried=True, open=False),
    "g": Spot("", silent=1, tried=True),
    "G": Spot("", silent=5, tried=True),
    "u": Spot("", tried=True, open=False),
    ".": Spot(""),
}


def view(
    history: str, *, steady: bool = True, needed: int = 5, ways: tuple[tuple[int, ...], ...] = ()
) -> View:
    """What is known of releases 0, 1, 2…: broken, good once, Good often, unresolved, not run."""
    spots = tuple(SPOTS[said]._replace(version=str(at)) for at, said in enumerate(history))
    return View(spots, steady=steady, needed=needed, confidence=0.99, ways=ways)


def rays(history: str, *, steady: bool = True) -> list[tuple[str, str]]:
    """The rays of a history: from where, over which releases."""
    return [
        (each.anchor.version, " ".join(spot.version for spot in each.spots))
        for each in view(history, steady=steady).rays
    ]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("....", []),
        ("gggg", []),
        ("bbbb", []),
        ("b..g", [("0", "1 2 3")]),
        ("g..b", [("3", "2 1 0")]),
        (".b..", [("1", "2 3"), ("1", "0")]),
        ("b..b.g", [("3", "4 5")]),  # one stretch: nothing between speaks against it
        ("b.g.b.g", [("4", "5 6"), ("0", "1 2 3"), ("4", "3 2 1")]),
        ("bGb", [("0", "1"), ("2", "1")]),
        ("", []),
    ],
)
def test_rays_go_outward_from_what_shows_the_bug(
    history: str, expected: list[tuple[str, str]]
) -> None:
    assert rays(history) == expected


def test_where_the_bug_does_not_always_show_one_silence_parts_nothing() -> None:
    assert rays("b.g.b", steady=False) == []
    assert rays("b.G.b", steady=False) == [("0", "1 2 3"), ("4", "3 2 1")]


def test_what_was_silent_between_counts_for_the_rate() -> None:
    found = view("b.g.bG", steady=False).rate
    assert (found.shown, found.silent) == (6, 1)


@pytest.mark.parametrize(
    ("history", "closed"),
    [
        ("bg", True),
        ("b.g", False),
        ("bug", True),  # nothing between can be judged
        ("b", None),
        ("bu", False),
        ("b.", False),
    ],
)
def test_a_ray_is_closed_where_the_next_release_to_be_judged_is_good(
    history: str,
    closed: bool | None,  # noqa: FBT001 - a table
) -> None:
    found = view(history)
    assert [found.closed(each) for each in found.rays] == ([] if closed is None else [closed])


def test_where_the_bug_does_not_always_show_a_ray_closes_by_odds() -> None:
    silent = SPOTS["g"]
    for times, closed in ((1, False), (5, False), (60, True)):
        spots = (SPOTS["b"], silent._replace(version="1", silent=times), Spot("2"))
        found = View(spots, steady=False, needed=5, confidence=0.99)
        assert found.closed(found.rays[0]) is closed


@pytest.mark.parametrize(
    ("history", "believed"),
    [
        ("bGg", "1 2"),
        ("bgg", ""),  # the neighbour was but glanced at
        ("bg" + "G" * 3, "2 3 4"),
        ("bgggggggggg", "8 9 10"),  # so many together are enough
    ],
)
def test_what_is_believed_rests_on_its_own_attempts_or_on_many(history: str, believed: str) -> None:
    found = view(history)
    (ray,) = found.rays
    assert " ".join(each.version for each in found.believed(ray)) == believed


def test_the_ends_have_rays_of_their_own() -> None:
    found = view("..b.G.b..")
    assert [each.anchor.version for each in found.outermost()] == ["6", "2"]
    assert view("bGb").outermost() == []


# Ways: 0 and 1 were there when 4 came; 2 and 3 came later.

BESIDE = ((0, 1, 4, 5, 6), (0, 1, 2, 3))


def told(rays: list[Ray]) -> list[str]:
    return [" ".join(spot.version for spot in (each.anchor, *each.spots)) for each in rays]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("bbgg..g", ["1 4 5 6", "1 2 3", "1 2 3 4 5 6"]),
        ("bbggbbg", ["5 6", "1 2 3"]),
        ("g..gb.g", ["4 5 6", "4 1 0", "4 3 2 1 0"]),
        ("gggb..g", ["3 2 1 0", "3 4 5 6"]),
    ],
)
def test_where_lines_go_on_beside_each_other_a_ray_goes_along_each(
    history: str, expected: list[str]
) -> None:
    assert told(view(history, ways=BESIDE).rays) == expected


def test_silence_beside_what_shows_the_bug_says_nothing_of_how_often_it_shows() -> None:
    found = view("bbggb.g", steady=False, ways=BESIDE).rate
    assert (found.shown, found.silent) == (9, 0)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("g..bg.g", ["6"]),  # 3 shows it; on the way to 6 nothing does
        ("g..gb.g", []),  # below what shows it, the ray to the start goes over 3
        ("b..gg.g", []),
        ("g..gg.g", []),
        ("g..b...", []),
    ],
)
def test_what_no_ray_goes_over_is_apart(history: str, expected: list[str]) -> None:
    assert [each.version for each in view(history, ways=BESIDE).apart()] == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("ggb...g", ["4"]),  # it came where both lines went on from 1
        ("ggb.u.g", ["5"]),
        ("ggb.uuu", []),
        ("ggb.b.g", []),
        ("..b....", []),
    ],
)
def test_where_the_bug_came_the_other_line_is_looked_at_too(
    history: str, expected: list[str]
) -> None:
    found = view(history, ways=BESIDE)
    down, up = ([ray for ray in found.rays if ray.upward is to] for to in (False, True))
    assert [each.version for each in found.beside(down[0])] == expected
    assert all(found.beside(each) == [] for each in up)


# Picks.


def picked(history: str, width: int = 1) -> list[str]:
    found = view(history)
    ray = found.rays[0]
    return [ray.spots[at].version for at in picks(found, ray, width)]


@pytest.mark.parametrize(
    ("history", "width", "expected"),
    [
        ("b...g", 1, "2"),
        ("b.......g", 1, "4"),
        ("b.......g", 3, "2 4 6"),
        ("b.....g", 2, "2 4"),
        ("b.g", 3, "1"),  # no more than there are
        ("bg", 1, ""),
        ("b........", 1, "4"),
        ("buuu", 1, ""),
    ],
)
def test_probes_part_what_remains(history: str, width: int, expected: str) -> None:
    assert " ".join(picked(history, width)) == expected


def test_beside_what_cannot_be_judged_a_neighbour_is_tried_first_near_then_further() -> None:
    (first,) = picked("b" + "." * 20 + "g")
    history = list("b" + "." * 20 + "g")
    asked = []
    for _ in range(20):
        found = picked("".join(history))
        if not found:
            break
        asked.append(int(found[0]))
        history[int(found[0])] = "u"
    assert asked[0] == int(first)
    assert abs(asked[1] - asked[0]) <= 4
    assert sorted({*asked}) == sorted(asked)
    assert len(asked) == MOST_UNRESOLVED + len({1, 20} - {*asked[:MOST_UNRESOLVED]})


def test_a_search_gives_up_on_what_lies_behind_many_that_cannot_be_judged() -> None:
    many = "u" * MOST_UNRESOLVED
    assert picked("b" + "u" * (MOST_UNRESOLVED - 1) + ".") != []
    assert picked("b" + many + ".") == []
    assert picked("b" + many + ".g") != []  # a good release behind them makes them matter


def test_where_the_bug_does_not_always_show_several_probes_may_ask_one_release() -> None:
    spots = (SPOTS["b"], SPOTS["g"]._replace(version="1"))
    found = View(spots, steady=False, needed=5, confidence=0.99)
    assert picks(found, found.rays[0], 3) == [0, 0, 0]


def test_what_shows_too_seldom_is_not_searched_for() -> None:
    found = view("b.g", steady=False, needed=201)
    assert picks(found, found.rays[0]) == []


@given(st.integers(1, 300), st.integers(1, 4), st.data())
def test_a_deterministic_change_is_found_in_logarithmic_time(
    size: int, width: int, data: st.DataObject
) -> None:
    broken = data.draw(st.integers(0, size - 1))
    history = ["b", *"." * (size - 1), "g"]
    rounds = 0
    while True:
        found = picked("".join(history), width)
        if not found:
            break
        rounds += 1
        for version in found:
            history[int(version)] = "b" if int(version) <= broken else "g"
    assert rounds <= math.ceil(math.log(size, width + 1)) + (width > 1)
    text = "".join(history)
    assert text.rindex("b") == broken
    assert text[broken + 1] == "g"


def test_what_remains_after_a_probe_is_one_half_or_the_other() -> None:
    found = view("b...g")
    (ray,) = found.rays
    rest: list[Ray] = list(split(ray, [1]))
    assert [(each.anchor.version, len(each.spots)) for each in rest] == [("0", 4), ("2", 2)]
    assert rest[0].spots[1].silent == 1


# Where nothing tells.


@pytest.mark.parametrize(
    ("history", "width", "expected"),
    [
        ("g...g", 1, [2]),
        ("b...b.b", 1, [2]),
        ("g.....g", 2, [3, 2]),
        ("ggg", 1, []),
        ("", 1, []),
        ("u" * MOST_UNRESOLVED + ".", 1, []),  # nothing was judged, and so much tried
        ("u" * MOST_UNRESOLVED + "g.", 1, [MOST_UNRESOLVED + 1]),
    ],
)
def test_where_nothing_tells_the_middle_of_the_largest_gap_is_next(
    history: str, width: int, expected: list[int]
) -> None:
    assert spread(view(history).spots, width) == expected
