"""The odds of where a change is, and what a probe would tell of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.evidence import absence_needed
from runner.plans.posterior import STEADY, Rate, posterior

SILENT = st.lists(st.integers(0, 5), min_size=1, max_size=30)
RATES = st.builds(Rate, shown=st.integers(1, 20), silent=st.integers(0, 60))


def test_before_anything_ran_each_place_is_as_likely_as_another() -> None:
    found = posterior([0, 0, 0], Rate(shown=3, silent=0))
    assert found.places == (0.25,) * 4
    assert found.tails == (0.75, 0.5, 0.25)


def test_one_silent_attempt_of_a_sure_bug_is_proof() -> None:
    found = posterior([0, 0, 1, 0], STEADY)
    assert found.tails == pytest.approx((2 / 3, 1 / 3, 0, 0))


def test_for_a_sure_bug_the_middle_tells_most_and_what_is_known_tells_nothing() -> None:
    gains = posterior([0, 0, 0, 1, 0], STEADY).gains()
    assert gains[1] == pytest.approx(1)
    assert gains[0] == gains[2] < 1
    assert gains[3:] == (0, 0)


@pytest.mark.parametrize(("shown", "silent"), [(3, 0), (5, 0), (3, 7), (8, 20)])
def test_of_one_release_the_odds_are_those_that_a_claim_rests_on(shown: int, silent: int) -> None:
    enough = absence_needed(shown + silent, silent, 0.99)

    def still_broken(attempts: int) -> float:
        """Odds against those of the other place, which nothing speaks against."""
        places = posterior([attempts], Rate(shown=shown, silent=silent)).places
        return places[1] / places[0]

    assert still_broken(enough) <= 0.01 < still_broken(enough - 1)


@given(SILENT, RATES)
def test_the_odds_are_those_of_bayes_by_number(silent: list[int], rate: Rate) -> None:
    steps = [(each + 0.5) / 2000 for each in range(2000)]
    prior = [p**rate.shown * (1 - p) ** rate.silent for p in steps]
    weights = [
        sum(w * (1 - p) ** sum(silent[:place]) for p, w in zip(steps, prior, strict=True))
        for place in range(len(silent) + 1)
    ]
    expected = [each / sum(weights) for each in weights]
    assert posterior(silent, rate).places == pytest.approx(expected, abs=1e-3)


@given(SILENT, RATES)
def test_odds_fall_outward_and_sum_up(silent: list[int], rate: Rate) -> None:
    found = posterior(silent, rate)
    assert math.fsum(found.places) == pytest.approx(1)
    assert list(found.tails) == sorted(found.tails, reverse=True)
    assert len(found.tails) == len(silent)


@given(SILENT, st.one_of(st.just(STEADY), RATES))
def test_no_probe_tells_less_than_nothing_or_more_than_one_bit(
    silent: list[int], rate: Rate | None
) -> None:
    found = posterior(silent, rate)
    for gain, tail in zip(found.gains(), found.tails, strict=True):
        assert -1e-9 <= gain <= 1 + 1e-9
        if tail in (0, 1):
            assert gain == pytest.approx(0)


@given(SILENT, RATES)
def test_each_silence_makes_a_release_less_likely_broken(silent: list[int], rate: Rate) -> None:
    before = posterior(silent, rate).tails[0]
    assert posterior([silent[0] + 1, *silent[1:]], rate).tails[0] < before
