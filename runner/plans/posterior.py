"""Where a change is, and what a further probe would tell: odds over the releases of a ray.

A *ray* goes from a release that shows the bug outward, upward or downward, release by release. The
bug is on the first j of its releases and not on the rest; each j from none to all is as likely as
another before anything ran (a uniform prior over the gaps). A release that shows the bug ends a
ray, so all that is known of its releases is how often they were silent. How likely that is under
j follows from the rate of the bug, of which nothing is known before either (design section 4): with
k attempts that showed it and s silent ones on broken releases it is the Beta integral B(1+k, 1+s).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from runner.value import Value


class Rate(Value):
    """What the releases that surely have the bug say of how often it shows."""

    shown: int
    silent: int


STEADY = None
"""A bug that shows each time: one silent attempt is proof of its absence."""


class Posterior(Value):
    """The odds of each place of a change, for a ray with n releases."""

    places: tuple[float, ...]
    """n + 1 of them: of the change being right before release 0, 1, …, or beyond all."""
    rates: tuple[float, ...]
    """How often the bug is expected to show, for each place."""

    @property
    def tails(self) -> tuple[float, ...]:
        """For each release of the ray, the odds that it has the bug."""
        beyond = list(accumulate(reversed(self.places)))
        return tuple(reversed(beyond[:-1]))

    def gains(self) -> tuple[float, ...]:
        """For each release, what one attempt of it is expected to tell of the place, in bits."""
        shows = _tails([p * r for p, r in zip(self.places, self.rates, strict=True)])
        noise = _tails([p * _entropy(r) for p, r in zip(self.places, self.rates, strict=True)])
        return tuple(_entropy(a) - b for a, b in zip(shows, noise, strict=True))


def posterior(silent: Sequence[int], rate: Rate | None) -> Posterior:
    """The odds, given how often each release of a ray was silent; `STEADY` for a sure bug."""
    below = [0, *accumulate(silent)]
    if rate is STEADY:
        possible = [float(each == 0) for each in below]
        total = sum(possible)
        return Posterior(
            places=tuple(each / total for each in possible), rates=(1.0,) * len(possible)
        )
    logs = {each: _log_beta(1 + rate.shown, 1 + rate.silent + each) for each in {*below}}
    highest = max(logs.values())
    weights = {each: math.exp(log - highest) for each, log in logs.items()}
    total = sum(weights[each] for each in below)
    return Posterior(
        places=tuple(weights[each] / total for each in below),
        rates=tuple((1 + rate.shown) / (2 + rate.shown + rate.silent + each) for each in below),
    )


def _tails(values: list[float]) -> list[float]:
    """Of each value but the last, the sum of those behind it."""
    return list(reversed(list(accumulate(reversed(values)))[:-1]))


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _entropy(chance: float) -> float:
    """In bits, of something that happens with this chance."""
    if not 0 < chance < 1:
        return 0.0
    return -chance * math.log2(chance) - (1 - chance) * math.log2(1 - chance)
