"""How many attempts a statement needs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.evidence import absence_needed, silence_needed

CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999])


def test_sixteen_silent_attempts_exclude_a_rate_of_a_quarter_at_the_usual_confidence() -> None:
    assert silence_needed(0.99) == 16


@pytest.mark.parametrize(
    ("attempts", "silent", "needed"),
    [(3, 0, 5), (5, 0, 4), (1, 0, 13), (6, 0, 3), (9, 0, 3), (10, 7, 21), (60, 57, 129)],
)
def test_an_absence_takes_as_many_attempts_as_the_measured_rate_asks_for(
    attempts: int, silent: int, needed: int
) -> None:
    assert absence_needed(attempts, silent, 0.99) == needed


def chance(attempts: int, silent: int, more: int) -> Fraction:
    """That a bug so often silent stays silent `more` times: B(1+s+n, 1+k) / B(1+s, 1+k)."""
    found = Fraction(1)
    for place in range(more):
        found *= Fraction(1 + silent + place, 2 + attempts + place)
    return found


@given(st.integers(1, 60), st.data(), CONFIDENCES)
def test_it_is_the_smallest_number_that_reaches_the_confidence(
    attempts: int, data: st.DataObject, confidence: float
) -> None:
    silent = data.draw(st.integers(0, attempts - 1))
    needed = absence_needed(attempts, silent, confidence)
    doubt = 1 - confidence
    assert chance(attempts, silent, needed) <= doubt * (1 + 1e-9)
    assert chance(attempts, silent, needed - 1) > doubt * (1 - 1e-9)


@given(st.integers(2, 60), st.data(), CONFIDENCES)
def test_a_rarer_bug_takes_more_attempts(
    attempts: int, data: st.DataObject, confidence: float
) -> None:
    silent = data.draw(st.integers(1, attempts - 1))
    rarer = absence_needed(attempts, silent, confidence)
    assert rarer >= absence_needed(attempts, silent - 1, confidence)


@given(st.integers(1, 60), CONFIDENCES)
def test_more_shows_of_a_certain_bug_never_take_more_attempts(
    attempts: int, confidence: float
) -> None:
    more = absence_needed(attempts + 1, 0, confidence)
    assert 1 <= more <= absence_needed(attempts, 0, confidence)


@given(st.integers(1, 60), st.data())
def test_more_confidence_never_takes_fewer_attempts(attempts: int, data: st.DataObject) -> None:
    silent = data.draw(st.integers(0, attempts - 1))
    found = [absence_needed(attempts, silent, each) for each in (0.8, 0.9, 0.99, 0.999)]
    assert found == sorted(found)
    assert [silence_needed(each) for each in (0.8, 0.9, 0.99, 0.999)] == sorted(
        silence_needed(each) for each in (0.8, 0.9, 0.99, 0.999)
    )
