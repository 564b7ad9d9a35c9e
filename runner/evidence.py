"""How many attempts a statement needs. Pure arithmetic: it knows neither cells nor releases."""

from __future__ import annotations

import math

SHOWN = 3
"""Times that a release expected broken has to show the bug."""
MOST = 60
"""Attempts of one release at most."""
EXCLUDED_RATE = 0.25
"""The rate of reproduction that silence alone is asked to exclude."""
DEFAULT_CONFIDENCE = 0.99


def silence_needed(confidence: float) -> int:
    """Attempts without the bug that exclude a rate of `EXCLUDED_RATE` or more; 16 at 0.99.

    For a release of which nothing is known but that it was silent: (1 − 0.25)ⁿ is 1 − confidence,
    with n rounded to the nearest (0.75¹⁶ is 0.01002).
    """
    return max(1, round(math.log(1 - confidence) / math.log(1 - EXCLUDED_RATE)))


def absence_needed(attempts: int, silent: int, confidence: float) -> int:
    """Attempts without the bug that make its absence believable.

    The smallest n with Π_{i<n} (1 + silent + i) / (2 + attempts + i) ≤ 1 − confidence: the chance
    that a bug which `attempts` attempts showed all but `silent` times stays silent n more times,
    under a uniform prior of its rate (design section 4). 3 of 3 asks for 5, 5 of 5 for 4.

    Args:
        attempts: attempts on the releases that showed the bug; at least one.
        silent: how many of these did not show it; fewer than `attempts`.
        confidence: strictly between 0 and 1.
    """
    chance, needed = 1.0, 0
    while chance > 1 - confidence:
        chance *= (1 + silent + needed) / (2 + attempts + needed)
        needed += 1
    return needed


MOST_SILENT = 200
"""Attempts without the bug at most; a bug so rare that more were needed is `too_rare` to judge."""


def chance_of_silence(attempts: int, silent: int, times: int) -> float:
    """The chance that `absence_needed` is about: that such a bug stays silent so many times."""
    return math.prod((1 + silent + each) / (2 + attempts + each) for each in range(times))
