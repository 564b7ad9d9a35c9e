"""How often a wrong boundary is stated, in simulated histories.

`python -m benchmarks.bisection_odds [HISTORIES] [KIND] [SEED]`

There are windows up to 500 releases; holes, several ranges, parallel lines; claims that hold and
claims that do not; bugs that show at rates drawn uniformly from (0, 1), and each time. KIND is
`bisect`, or `sweep`; another SEED draws other histories.

Wrong is what is not so, and, where the bug came and went but once on each way of the code, what a
look at all releases would not state. It exits 1 if such a thing is stated of a bug that shows each
time, or, over all rates, more often than 1 − confidence.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from runner.evidence import DEFAULT_CONFIDENCE
from tests.builders import Simulation
from tests.histories import KINDS, Past, a_past

BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0)

SAID_EVERY = 100
"""Histories between two words of how far it is."""


class Ran(NamedTuple):
    """One bisection, or sweep."""

    past: Past
    kind: str
    attempts: int
    stated: int
    """Boundaries that were stated, of the two that could be."""
    wrong: tuple[str, ...]


def main(histories: int = 2000, plan: str = "bisect", seed: int = 5) -> int:
    rng = random.Random(seed)
    began = time.monotonic()
    each = max(1, histories // (2 * len(KINDS)))
    kinds = [kind for kind in KINDS for _ in range(each)]
    asked = [(kind, a_past(rng, kind, rate=1.0)) for kind in kinds]
    asked += [(kind, a_past(rng, kind, rate=rng.random())) for kind in kinds]
    ran = list(carried_out(asked, plan))
    sure, flaky = ran[: len(kinds)], ran[len(kinds) :]
    print(f"{len(ran)} of {plan} in {time.monotonic() - began:.0f} s")
    table("a bug that shows each time", by_kind(sure))
    table("rates drawn uniformly from (0, 1)", by_kind(flaky))
    table("the same by rate", by_rate(flaky))
    never, seldom = share(sure), share(flaky)
    held = never == 0 and seldom <= 1 - DEFAULT_CONFIDENCE
    told = f"a bug that shows each time {never:.4f} (0), any rate {seldom:.4f}"
    print(f"\nwrong of {told} (≤ {1 - DEFAULT_CONFIDENCE:.2f})  {'reached' if held else 'MISSED'}")
    return 0 if held else 1


def carried_out(asked: list[tuple[str, Past]], plan: str) -> Iterator[Ran]:
    """Each of the histories, in their order, on all processors; what is wrong is said at once."""
    with ProcessPoolExecutor() as pool:
        ran = pool.map(partial(run, plan=plan), *zip(*asked, strict=True), chunksize=4)
        for number, one in enumerate(ran, start=1):
            if one.wrong:
                named = f"{one.kind}, rate {one.past.rate:.3f}, seed {one.past.seed}"
                print(f"wrong: {named}: {', '.join(one.wrong)}", flush=True)
            if number % SAID_EVERY == 0:
                print(f"{number} of {len(asked)}", flush=True)
            yield one


def share(ran: list[Ran]) -> float:
    """Of histories those in which something wrong was stated."""
    return sum(bool(each.wrong) for each in ran) / len(ran)


def run(kind: str, past: Past, plan: str) -> Ran:
    simulation = Simulation(past.sweep() if plan == "sweep" else past.bisection(), past.world())
    (found,) = simulation.run(at_most=100_000).series
    stated = (found.boundaries.first_fixed, found.boundaries.first_broken)
    return Ran(past, kind, simulation.made, sum(map(bool, stated)), tuple(past.wrong(found)))


def by_kind(ran: list[Ran]) -> dict[str, list[Ran]]:
    return {**{kind: [each for each in ran if each.kind == kind] for kind in KINDS}, "all": ran}


def by_rate(ran: list[Ran]) -> dict[str, list[Ran]]:
    return {
        f"{lower:.2f} to {upper:.2f}": [each for each in ran if lower <= each.past.rate < upper]
        for lower, upper in pairwise((0.0, *BUCKETS))
    }


def table(title: str, rows: dict[str, list[Ran]]) -> None:
    heads = ("histories", "stated", "wrong", "share", "median of attempts", "most")
    print(f"\n{title}\n  {'':18}" + "".join(f"{head:>{len(head) + 2}}" for head in heads))
    for name, ran in rows.items():
        if not ran:
            continue
        wrong = sum(bool(each.wrong) for each in ran)
        made = [each.attempts for each in ran]
        cells = (len(ran), sum(each.stated for each in ran), wrong, f"{share(ran):.4f}")
        cells = (*cells, round(statistics.median(made)), max(made))
        texts = (f"{cell:>{len(head) + 2}}" for cell, head in zip(cells, heads, strict=True))
        print(f"  {name:18}" + "".join(texts))


if __name__ == "__main__":
    number, *kind, seed = [*sys.argv[1:], *("2000", "bisect", "5")[len(sys.argv) - 1 :]]
    sys.exit(main(int(number), kind[0], int(seed)))
