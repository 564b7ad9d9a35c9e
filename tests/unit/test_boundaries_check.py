"""What `make boundaries` takes for wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.boundaries import REPROS, TRUE, Answer, Found, wrong

NAME = "uvicorn-824/py3.9/h11"
TRULY = TRUE["uvicorn-824/h11"]


def said(answer: Answer = TRULY, **words: Any) -> Found:
    usual: dict[str, Any] = {
        "ranges": {"fixed_in": {"after": "0.12.2", "by": "0.12.3"}, "broken_in": None},
        "verdicts": {"0.12.2": "present", "0.12.3": "absent"},
        "cost": "12 (4 of 63)",
        "summary": "0.12.3 is the first fixed release.",
    }
    return Found(answer=answer, **(usual | words))


def fixed_in(after: str | None, by: str | None) -> dict[str, Any]:
    return {"ranges": {"fixed_in": {"after": after, "by": by}, "broken_in": None}}


def test_what_both_say_and_what_is_true_is_not_wrong() -> None:
    assert list(wrong(NAME, said(), said())) == []


@pytest.mark.parametrize("other", [Answer(), TRULY._replace(follows="wsproto 0.15.0 → 1.0.0")])
def test_what_is_not_true_is_wrong_even_if_both_say_so(other: Answer) -> None:
    told = list(wrong(NAME, said(other), said(other)))
    assert [each.split()[0] for each in told] == ["bisect", "sweep"]


def test_a_case_of_which_nobody_wrote_down_what_is_true_is_wrong() -> None:
    assert len(list(wrong("uvicorn-1/py3.9/None", said(), said()))) == 2


def test_a_release_of_which_they_say_the_opposite_is_named() -> None:
    swept = said(verdicts={"0.12.2": "absent", "0.13.0": "absent"})
    assert list(wrong(NAME, said(), swept)) == ["0.12.2 is present by bisect, absent by sweep"]


@pytest.mark.parametrize(
    ("by_bisect", "by_sweep", "borne_out"),
    [
        (fixed_in("0.12.2", "0.12.3"), fixed_in("0.12.2", "0.12.3"), True),
        (fixed_in("0.12.0", None), fixed_in("0.12.2", "0.12.3"), True),
        (fixed_in(None, "0.13.0"), fixed_in("0.12.2", "0.12.3"), True),
        (fixed_in("0.12.2", "0.12.3"), fixed_in("0.12.0", "0.12.3"), False),
        (fixed_in("0.12.2", "0.12.3"), fixed_in("0.30.0", None), False),
        (fixed_in("0.12.2", "0.12.3"), {"ranges": {"fixed_in": None, "broken_in": None}}, False),
        ({"ranges": {"fixed_in": None, "broken_in": None}}, fixed_in("0.12.2", None), True),
    ],
)
def test_a_search_may_leave_open_what_a_sweep_closes_and_not_the_other_way_round(
    by_bisect: dict[str, Any],
    by_sweep: dict[str, Any],
    borne_out: bool,  # noqa: FBT001 - a table
) -> None:
    assert (list(wrong(NAME, said(**by_bisect), said(**by_sweep))) == []) is borne_out


def test_of_each_case_it_is_written_down_what_is_true() -> None:
    assert {each.stem for each in REPROS.glob("*.py")} == {each.split("/")[0] for each in TRUE}
