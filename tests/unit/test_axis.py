"""The axis: every release is on it once, in its order; what is told by colour is told in words too."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.render.axis import CLAIMED_BROKEN, CLAIMED_FIX, NOT_RUN, Axis, Gap, Place
from runner.render.axis_picture import COLUMN, NARROW, SQUARE, WIDE, picture
from runner.render.axis_text import legend, pieces
from runner.render.marks import VERDICTS
from runner.render.privacy import Privacy
from runner.render.templating import html_templates
from runner.verdict import Verdict

SVG = "{http://www.w3.org/2000/svg}"
B, G, U, N = Verdict.PRESENT, Verdict.ABSENT, Verdict.UNRESOLVED, None


def an_axis(*verdicts: Verdict | None, **more: dict[int, object]) -> Axis:
    """Releases 1.0, 1.1, …; `more` names a field of places, with values by position."""
    places = [
        Place(
            version=f"1.{at}",
            verdict=verdict,
            **{name: values[at] for name, values in more.items() if at in values},
        )
        for at, verdict in enumerate(verdicts)
    ]
    return Axis(name="Python 3.11", package="pkg", places=tuple(places))


AXES = st.lists(
    st.builds(
        Place,
        version=st.sampled_from(
            ["1.0", "2.0.post1", "2021.12.31.1", "1!3.0.dev20240101120000+local"]
        ),
        verdict=st.sampled_from([B, G, U, N]),
        claims=st.sampled_from(
            [(), (CLAIMED_FIX,), (CLAIMED_BROKEN,), (CLAIMED_FIX, CLAIMED_BROKEN)]
        ),
        probe=st.sampled_from([None, None, 1, 12, 345]),
        yanked=st.booleans(),
    ),
    max_size=120,
).map(lambda places: Axis(name="Python 3.11", package="pkg", places=tuple(places)))


def drawn(axis: Axis, columns: int) -> ET.Element:
    """The SVG of an axis, parsed."""
    template = html_templates(None, Privacy(user_home="")).from_string(
        '{% from "parts/axis.html.j2" import svg %}{{ svg(shown, "wide") }}'
    )
    return ET.fromstring(template.render(shown=picture(axis, "a", columns)))


def test_neighbours_that_were_not_run_are_one_gap_unless_they_are_claimed() -> None:
    axis = an_axis(B, N, N, N, G, claims={2: (CLAIMED_BROKEN,)})
    parts = list(axis.parts())
    assert [isinstance(each, Gap) for each in parts] == [False, True, False, True, False]
    assert [each.said for each in parts] == [
        "1.0: bug present",
        "1.1: not run",
        "1.2: not run, claimed broken",
        "1.3: not run",
        "1.4: bug absent",
    ]
    (gap,) = (each for each in an_axis(B, N, N, N, G).parts() if isinstance(each, Gap))
    assert gap.said == "1.1 to 1.3: 3 releases, not run"


def test_all_of_a_release_is_said_in_words() -> None:
    place = Place(
        version="1.2", verdict=B, told="3 of 5", claims=(CLAIMED_FIX,), probe=4, yanked=True
    )
    assert place.said == "1.2: bug present, 3 of 5, claimed fix, yanked, step 4 of the search"


def test_the_description_says_which_releases_are_alike_and_which_are_claimed() -> None:
    axis = an_axis(B, B, U, N, N, G, claims={5: (CLAIMED_FIX,)})
    assert axis.description == (
        "1.0 to 1.1 (2 releases): bug present; 1.2: unresolved; 1.3 to 1.4 (2 releases): not run; "
        "1.5: bug absent, 1.5 is a claimed fix."
    )


@given(AXES, st.integers(4, 60))
def test_every_release_is_drawn_once_and_in_its_order(axis: Axis, columns: int) -> None:
    spots = picture(axis, "a", columns).spots
    drawn_places = [
        place
        for spot in spots
        for place in (spot.part.places if isinstance(spot.part, Gap) else (spot.part,))
    ]
    assert tuple(drawn_places) == axis.places
    assert [(each.y, each.x) for each in spots] == sorted((each.y, each.x) for each in spots)


@given(AXES, st.integers(4, 60))
def test_nothing_overlaps_and_nothing_is_outside(axis: Axis, columns: int) -> None:
    shown = picture(axis, "a", columns)
    taken = [
        (spot.y, x) for spot in shown.spots for x in range(spot.x, spot.x + spot.width, COLUMN)
    ]
    assert len(taken) == len({*taken})
    for spot in shown.spots:
        assert 0 < spot.x < spot.x + spot.width < shown.width <= columns * COLUMN + 1
        assert 0 < spot.y < spot.y + SQUARE < shown.height


@given(AXES)
def test_the_picture_is_well_formed_and_says_in_titles_what_it_shows(axis: Axis) -> None:
    svg = drawn(axis, NARROW)
    assert svg.get("role") == "img"
    named = {each.get("id"): each.text for each in svg if each.tag in (f"{SVG}title", f"{SVG}desc")}
    told = [named[each] for each in str(svg.get("aria-labelledby")).split()]
    assert told == [axis.title, axis.description]
    groups = svg.findall(f"{SVG}g")
    assert [str(each.findtext(f"{SVG}title")) for each in groups] == [
        each.said for each in axis.parts()
    ]


def test_a_verdict_is_told_by_a_symbol_and_a_gap_by_hatching_not_by_colour_alone() -> None:
    svg = drawn(an_axis(B, G, U, N, probe={0: 7}, claims={1: (CLAIMED_FIX,)}), WIDE)
    first, second, third, gap = svg.findall(f"{SVG}g")
    texts = [[text.text for text in each.findall(f"{SVG}text")] for each in (first, second, third)]
    assert texts == [["✗", "7", "1.0"], ["✓", "1.1"], ["?", "1.2"]]
    assert second.find(f"{SVG}path") is not None
    hatch = gap.find(f"{SVG}rect")
    assert hatch is not None
    assert hatch.get("fill") == "url(#a-hatch)"
    assert svg.find(f"{SVG}defs/{SVG}pattern[@id='a-hatch']") is not None


def test_a_hundred_releases_fit_a_phone_and_two_rows_of_a_desk() -> None:
    axis = an_axis(*[B] * 60, *[G] * 40)
    assert picture(axis, "a", NARROW).width <= 328
    assert len({each.y for each in picture(axis, "a", WIDE).spots}) == 2


ROWS = [
    (an_axis(B), ["1.0 ✗"]),
    (an_axis(B, G), ["1.0 ✗", "1.1 ✓"]),
    (an_axis(B, B, B, B, G), ["1.0 ✗", "✗✗", "1.3 ✗", "1.4 ✓"]),
    (an_axis(*[B] * 30), ["1.0 ✗", "✗×28", "1.29 ✗"]),
    (an_axis(B, N, N, G, probe={0: 12, 3: 1}), ["1.0 ✗¹²", "░2░", "1.3 ✓¹"]),
    (an_axis(B, B, B, claims={1: (CLAIMED_FIX,)}), ["1.0 ✗", "▼1.1 ✗", "1.2 ✗"]),
    (an_axis(B, B, B, B, B, yanked={2: True}), ["1.0 ✗", "✗", "1.2 ✗", "✗", "1.4 ✗"]),
    (an_axis(N, claims={0: (CLAIMED_BROKEN,)}), ["▽1.0 ░"]),
    (an_axis(), []),
]


@pytest.mark.parametrize(("axis", "expected"), ROWS)
def test_as_text_the_ends_of_each_run_are_named(axis: Axis, expected: list[str]) -> None:
    assert [each.text for each in pieces(axis)] == expected


@given(AXES)
def test_as_text_every_release_is_counted(axis: Axis) -> None:
    total = 0
    for each in pieces(axis):
        counted = re.fullmatch(r"░(\d+)░|(.)×(\d+)|([✗✓?░]+)", each.text)
        if counted is None:
            total += 1
        else:
            gap, _, many, symbols = counted.groups()
            total += int(gap or many or len(symbols))
    assert total == len(axis.places)


def test_the_legend_names_what_occurs_and_nothing_else() -> None:
    axis = an_axis(B, N, G, claims={2: (CLAIMED_FIX,)}, probe={0: 1})
    assert axis.marks == (VERDICTS[B], VERDICTS[G], NOT_RUN, CLAIMED_FIX)
    assert [each.text for each in legend(axis)] == [
        "✗ bug present",
        "✓ bug absent",
        "░ not run",
        "▼ claimed fix",
        "¹ ² ³ steps of the search",
    ]
    assert not an_axis(B).numbered
