"""Simulated histories of a bug: what is true of each release, and whether an answer fits it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from packaging.version import Version

from runner.boundaries import Boundaries, boundaries
from runner.case import Case
from runner.findings import SeriesFindings
from runner.matrix import series_of
from runner.plans.bisection import BisectionPlan
from runner.plans.sweep import SweepPlan
from runner.releases import History
from runner.verdict import Verdict
from tests.builders import (
    BUG,
    ERROR,
    GOOD,
    LONG_AGO,
    Dependencies,
    Said,
    Trial,
    World,
    a_case,
    a_failure,
    a_history,
    a_release,
    a_universe,
)


@dataclass(frozen=True)
class Past:
    """A package whose releases have a bug or not."""

    versions: tuple[str, ...]
    """Lowest first."""
    broken: frozenset[str]
    rate: float = 1.0
    """How often a broken release shows the bug."""
    lost: frozenset[str] = frozenset()
    """Releases that cannot be installed."""
    yanked: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    """Releases that do not allow the Python."""
    fixed: tuple[str, ...] = ()
    """Claimed."""
    said_broken: tuple[str, ...] = ()
    """Claimed."""
    days: tuple[int, ...] = ()
    """When each release came; without them one came a day."""
    once: bool = False
    """Whether on each way of the code the bug came at most once, and went at most once."""
    seed: int = 0

    def world(self) -> World:
        return World(self._behave, self._dependencies)

    def bisection(
        self, *, budget: int | None = None, width: int = 1, confidence: float = 0.99
    ) -> BisectionPlan:
        case, universe = self._case(), a_universe(self._history())
        return BisectionPlan(
            case=case,
            universe=universe,
            series=series_of(case, universe),
            budget=budget,
            width=width,
            confidence=confidence,
        )

    def sweep(self, *, confidence: float = 0.99) -> SweepPlan:
        case, universe = self._case(), a_universe(self._history())
        return SweepPlan(
            case=case, universe=universe, series=series_of(case, universe), confidence=confidence
        )

    def wrong(self, findings: SeriesFindings) -> list[str]:
        """What of an answer is not so, or, where the bug came but once, not what a sweep says."""
        stated, found = findings.boundaries, self._no_upgrades(findings)
        seen = {
            each.cell.version
            for each in findings.released()
            if each.judgement.verdict is Verdict.PRESENT
        }
        counted = [each for each in self.versions if self.is_offered(each) or each in seen]
        if self.once:
            whole = self._whole(counted)
            found += [
                f"{name} {getattr(stated, name)}, not {getattr(whole, name)}"
                for name in ("first_fixed", "first_broken")
                if getattr(stated, name) not in (None, getattr(whole, name))
            ]
        if stated.first_fixed and not self._turns(counted, stated.first_fixed, broken=False):
            found.append(f"first_fixed {stated.first_fixed}")
        if stated.first_broken and not self._turns(counted, stated.first_broken, broken=True):
            found.append(f"first_broken {stated.first_broken}")
        for name, change, after_broken in (
            ("fixed_in", stated.fixed_in, True),
            ("broken_in", findings.broken_in, False),
        ):
            if change is None:
                continue
            if change.after and (change.after in self.broken) is not after_broken:
                found.append(f"{name}.after {change.after}")
            if change.by and (change.by in self.broken) is after_broken:
                found.append(f"{name}.by {change.by}")
        return found

    def is_offered(self, version: str) -> bool:
        """Whether somebody could be told to take a release."""
        return not (version in self.yanked | self.barred or Version(version).is_prerelease)

    def _no_upgrades(self, findings: SeriesFindings) -> list[str]:
        """What is said to be an upgrade, and does not help, or cannot be had."""
        order = self.versions.index
        return [
            f"upgrade {each}"
            for each in findings.upgrades
            if not self.broken.issuperset(each.broken)
            or (
                each.to is not None
                and (
                    each.to in self.broken
                    or not self.is_offered(each.to)
                    or order(each.to) < order(each.broken[-1])
                )
            )
        ]

    def _whole(self, counted: Sequence[str]) -> Boundaries:
        """What there is to say if all that can be judged is."""
        verdicts = {
            each: Verdict.PRESENT if each in self.broken else Verdict.ABSENT
            for each in counted
            if each not in self.lost
        }
        return boundaries(tuple(filter(self.is_offered, counted)), verdicts)

    def _turns(self, counted: Sequence[str], version: str, *, broken: bool) -> bool:
        """Whether a release is the first after a change."""
        if version not in counted:
            return False
        at = counted.index(version)
        below = counted[at - 1] in self.broken if at else None
        return (version in self.broken) is broken and below is not None and below is not broken

    def _case(self) -> Case:
        claims = {"fixed": [*self.fixed] or None, "broken": [*self.said_broken] or None}
        return a_case("demo", **claims)

    def _history(self) -> History:
        days = self.days or tuple(range(len(self.versions)))
        return a_history(
            *(
                a_release(
                    version,
                    uploaded=LONG_AGO + timedelta(days=day),
                    yanked=version in self.yanked,
                    requires_python=">=99" if version in self.barred else "",
                )
                for version, day in zip(self.versions, days, strict=True)
            )
        )

    def _behave(self, trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        drawn = random.Random(f"{self.seed}/{trial.cell}/{trial.number}").random()
        return BUG if trial.version in self.broken and drawn < self.rate else GOOD

    def _dependencies(self, version: str) -> Dependencies:
        return a_failure() if version in self.lost | self.barred else {"dep": "1.0"}


KINDS = ("one range", "holes", "several ranges", "lines", "left out")


def a_past(rng: random.Random, kind: str, *, rate: float, most: int = 500) -> Past:
    """A history by chance: where its bug begins and ends, and what is claimed of it."""
    size = rng.randint(2, rng.choice((10, 50, most)))
    lined = kind == "lines"
    versions, days = _with_lines(rng, size) if lined else _in_a_row(size)
    left_out = rng.choice((0.05, 0.2)) if kind == "left out" else 0.0
    versions = tuple(f"{each}rc1" if rng.random() < left_out else each for each in versions)
    yanked, barred = ({each for each in versions if rng.random() < left_out} for _ in range(2))
    broken = _with_backports(rng, versions, days) if lined else _ranges(rng, versions, kind)
    lost = {each for each in versions if kind == "holes" and rng.random() < rng.choice((0.1, 0.4))}
    fixed, said_broken = _claims(rng, versions, broken)
    return Past(
        versions=versions,
        broken=frozenset(broken),
        rate=rate,
        lost=frozenset(lost),
        yanked=frozenset(yanked),
        barred=frozenset(barred),
        fixed=fixed,
        said_broken=said_broken,
        days=days,
        once=kind != "several ranges",
        seed=rng.getrandbits(64),
    )


def _in_a_row(size: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return tuple(f"1.{each}.0" for each in range(size)), tuple(range(size))


def _with_lines(rng: random.Random, size: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Lines one after the other, minor or major ones; some go on after the next one has begun.

    None begins before there is a release of the line below it.
    """
    found: list[tuple[int, int, int]] = []
    lines = [[0, 0]]
    for day in range(1, size + 1):
        chance = rng.random()
        if chance < 0.2 and lines[-1][1]:
            lines.append([len(lines), 0])
        line = rng.choice(lines) if chance > 0.9 else lines[-1]
        found.append((line[0], line[1], day))
        line[1] += 1
    found.sort()
    name = rng.choice(("1.{}.{}", "{}.{}"))
    return tuple(name.format(a, b) for a, b, _ in found), tuple(day for _, _, day in found)


def _with_backports(
    rng: random.Random, versions: tuple[str, ...], days: tuple[int, ...]
) -> set[str]:
    """The bug came one day on the newest line and went on another; older lines got it or not."""
    came, went = sorted(rng.choices(range(1, len(versions) + 2), k=2))
    line = {each: each.rsplit(".", 1)[0] for each in versions}
    begun: dict[str, int] = {}
    for version, day in zip(versions, days, strict=True):
        begun[line[version]] = min(day, begun.get(line[version], day))
    backported = {each: rng.choice((0, 2, 10**6)) for each in begun}
    broken = set()
    for version, day in zip(versions, days, strict=True):
        newer = [each for each in begun.values() if begun[line[version]] < each <= day]
        left = min(newer) if newer else day  # when the line was left by what came after it
        has = came <= min(day, left)
        fixed = went <= left or (day >= went + backported[line[version]])
        if has and not fixed:
            broken.add(version)
    return broken


def _ranges(rng: random.Random, versions: tuple[str, ...], kind: str) -> set[str]:
    number = rng.randint(2, 3) if kind == "several ranges" else 1
    ends = sorted(rng.choices(range(len(versions) + 1), k=2 * number))
    pairs = zip(ends[::2], ends[1::2], strict=True)
    return {each for first, last in pairs for each in versions[first:last]}


def _claims(
    rng: random.Random, versions: tuple[str, ...], broken: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """True ones most often; sometimes any; never both of one release."""
    turns = [
        newer for older, newer in pairwise(versions) if older in broken and newer not in broken
    ]
    shown = sorted(broken, key=versions.index)
    fixed = rng.choice(turns) if turns and rng.random() < 0.6 else rng.choice(versions)
    other = rng.choice(shown) if shown and rng.random() < 0.6 else rng.choice(versions)
    if rng.random() < 0.7:
        return (fixed,), ()
    return ((), (other,)) if fixed == other or rng.random() < 0.5 else ((fixed,), (other,))
