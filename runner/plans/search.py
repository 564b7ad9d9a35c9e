"""Where a bisection looks next: a pure function over what is known of each release.

From each release that shows the bug and has one beside it that may not, a *ray* goes outward, to
the end of the window, or of a line, or to the next release that shows it. Somewhere on a ray the
bug ends; probes go to the release that tells most of where. What a ray has found is *closed*:
beyond it nothing can be known better, or the nearest release that can be judged is good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from runner.evidence import MOST_SILENT
from runner.plans.posterior import STEADY, Posterior, Rate, posterior

LEAST_GAIN = 1e-5
"""Bits that an attempt has to be expected to tell, or it is not worth its time."""
MOST_UNRESOLVED = 16
"""Releases that cannot be judged, at most, before a search gives up on what is behind them."""


class Spot(NamedTuple):
    """One release on the way of a search."""

    version: str
    present: int = 0
    silent: int = 0
    tried: bool = False
    open: bool = True
    """Whether a further attempt may be judged."""

    @property
    def lost(self) -> bool:
        """Whether it cannot be judged."""
        return not (self.open or self.present or self.silent)


class Ray(NamedTuple):
    """The releases outward from one that shows the bug, up to the next one that does."""

    anchor: Spot
    spots: tuple[Spot, ...]
    upward: bool

    @property
    def nearest(self) -> int | None:
        """The place of the first release that can be judged."""
        return next((at for at, each in enumerate(self.spots) if not each.lost), None)

    @property
    def first_silent(self) -> int | None:
        """The place of the first release that did not show the bug."""
        return next((at for at, each in enumerate(self.spots) if each.silent), None)


@dataclass(frozen=True)
class View:
    """All that a search knows."""

    spots: tuple[Spot, ...]
    """Lowest release first."""
    steady: bool
    """Whether each release that showed the bug showed it each time."""
    needed: int
    """Attempts that an absence takes."""
    confidence: float
    ways: tuple[tuple[int, ...], ...] = ()
    """Places of releases that follow upon each other; none: all do, in order."""

    @property
    def doubt(self) -> float:
        """Odds that are left against a change: two are stated, and both have to hold together."""
        return (1 - self.confidence) / 2

    def solid(self, spot: Spot) -> bool:
        """Whether a release is good by what itself has shown."""
        enough = 1 if self.steady else self.needed
        return not spot.present and spot.silent >= enough

    @cached_property
    def rows(self) -> list[list[Spot]]:
        """The releases of each way that code went, lowest first."""
        return [[self.spots[at] for at in way] for way in self.ways] or [[*self.spots]]

    def ranges(self, row: Sequence[Spot]) -> list[tuple[int, int]]:
        """First and last place of each stretch with the bug; a solid release parts two."""
        found: list[tuple[int, int]] = []
        parted = True
        for at, spot in enumerate(row):
            if spot.present and parted:
                found.append((at, at))
                parted = False
            elif spot.present:
                found[-1] = (found[-1][0], at)
            parted = parted or self.solid(spot)
        return found

    @cached_property
    def rays(self) -> list[Ray]:
        """Those that are not empty, along each way, and those to both ends of the window.

        Of a way the newest change comes first, then the oldest, then those between.
        """
        along = (ray for row in self.rows for ray in self._rays_along(row))
        return list(dict.fromkeys((*along, *self.outermost())))

    def outermost(self) -> list[Ray]:
        """The ray to the end of the window and the one to its start, as far as they exist.

        They go by the order of versions, whatever followed upon what: so are boundaries stated.
        """
        shown = [at for at, each in enumerate(self.spots) if each.present]
        if not shown:
            return []
        first, last = shown[0], shown[-1]
        up = Ray(self.spots[last], _write_off(self.spots[last + 1 :]), upward=True)
        down = Ray(self.spots[first], _write_off(self.spots[:first][::-1]), upward=False)
        return [each for each in (up, down) if each.spots]

    def apart(self) -> list[Spot]:
        """The newest silent release of each way on which nothing shows the bug.

        No ray tells how sure they are. Below all that shows it, the ray to the start does.
        """
        lowest = next((at for at, each in enumerate(self.spots) if each.present), None)
        if lowest is None:
            return []
        above = {*self.spots[lowest:]}
        silent = (
            [each for each in row if each.silent and each in above]
            for row in self.rows
            if not any(each.present for each in row)
        )
        return [each[-1] for each in silent if each]

    def aside(self) -> list[Spot]:
        """Above all that shows the bug, the releases that are on no way with one that does.

        What is good on such a way at both its ends may have the bug between them, as it has come
        elsewhere: no ray goes over them, and the first that is good follows upon nothing broken.
        """
        highest = max((at for at, each in enumerate(self.spots) if each.present), default=None)
        if highest is None:
            return []
        followed = {
            spot.version for row in self.rows if any(each.present for each in row) for spot in row
        }
        return [each for each in self.spots[highest:] if each.version not in followed]

    def beside(self, ray: Ray) -> list[Spot]:
        """Where the bug came with a release, what else followed the good one before it.

        It may have come where both went on from, and nothing else on that way shows it.
        """
        at = ray.first_silent
        if ray.upward or at is None:
            return []
        ways = [row for row in self.rows if not any(each.present for each in row)]
        behind = (row[row.index(ray.spots[at]) + 1 :] for row in ways if ray.spots[at] in row)
        nearest = (next((each for each in row if not each.lost), None) for row in behind)
        return [each for each in nearest if each]

    @cached_property
    def rate(self) -> Rate:
        """What the stretches with the bug say of how often it shows."""
        shown = sum(each.present for each in self.spots)
        within = {
            spot
            for row in self.rows
            for first, last in self.ranges(row)
            for spot in row[first : last + 1]
        }
        return Rate(shown=shown, silent=sum(each.silent for each in within))

    def _rays_along(self, row: Sequence[Spot]) -> list[Ray]:
        ranges = self.ranges(row)
        ends = [-1, *(last for _, last in ranges)]
        starts = [*(first for first, _ in ranges), len(row)]
        up = [
            Ray(row[last], _write_off(row[last + 1 : start]), upward=True)
            for (_, last), start in zip(ranges, starts[1:], strict=True)
        ]
        down = [
            Ray(row[first], _write_off(row[end + 1 : first][::-1]), upward=False)
            for (first, _), end in zip(ranges, ends[:-1], strict=True)
        ]
        return [each for each in (*up[-1:], *down[:1], *up[:-1], *down[1:]) if each.spots]

    def odds(self, ray: Ray) -> Posterior:
        """Of each place of the change on a ray, to decide where to look."""
        rate = STEADY if self.steady else self.rate
        return posterior([each.silent for each in ray.spots], rate)

    def closed(self, ray: Ray) -> bool:
        """Whether the change is known to be right before the nearest release to be judged."""
        at = ray.nearest
        if at is None or not ray.spots[at].silent:
            return False
        return self.odds(ray).tails[at] <= self.doubt

    def believed(self, ray: Ray) -> list[Spot]:
        """The releases of a ray of which it is certain enough that they do not have the bug."""
        tails = posterior([each.silent for each in ray.spots], self.rate).tails
        settled = False
        found = []
        for at, spot in enumerate(ray.spots):
            settled = settled or (self.steady and spot.silent >= self.needed)
            certain = settled or tails[at] <= self.doubt
            alone = at == ray.nearest and spot.silent < self.needed
            if spot.silent and certain and not alone:
                found.append(spot)
        return found


def picks(view: View, ray: Ray, width: int = 1) -> list[int]:
    """Places on a ray that tell most, `width` of them or fewer; one twice is two attempts.

    For one probe that is the one with the highest expected gain; several at a time split what is
    known of the place into equal parts. None where nothing more can be told.
    """
    if view.closed(ray) or ray.nearest is None:
        return []
    if not view.steady and view.needed > MOST_SILENT:
        return []
    if len(_lost_at_first(ray.spots)) >= MOST_UNRESOLVED:
        return _edges(ray)[:width]
    odds = view.odds(ray)
    gains = [
        gain * chance if spot.open else 0.0
        for gain, chance, spot in zip(
            odds.gains(), _chances_to_judge(ray.spots), ray.spots, strict=True
        )
    ]
    telling = [at for at, gain in enumerate(gains) if gain > LEAST_GAIN]
    if not telling:
        return []
    if width == 1:
        return [max(telling, key=lambda at: gains[at])]
    tails = odds.tails
    parts = [part / (width + 1) for part in range(width, 0, -1)]
    found = [min(telling, key=lambda at, part=part: abs(tails[at] - part)) for part in parts]  # type: ignore[misc] # a default
    return sorted({*found}) if view.steady else sorted(found)


def split(ray: Ray, probed: Sequence[int]) -> Iterable[Ray]:
    """What may remain of a ray after these probes: one for each way in which they may go."""
    places = sorted({*probed})
    for shown in range(len(places) + 1):
        spots = list(ray.spots)
        for at in places[shown:]:
            spots[at] = spots[at]._replace(silent=spots[at].silent + 1, tried=True)
        if shown:
            at = places[shown - 1]
            yield Ray(spots[at]._replace(present=1), tuple(spots[at + 1 :]), ray.upward)
        else:
            yield Ray(ray.anchor, tuple(spots), ray.upward)


def spread(spots: Sequence[Spot], width: int = 1) -> list[int]:
    """Places in the middle of the largest gaps, where nothing tells which to prefer."""
    judged = any(each.present or each.silent for each in spots)
    if not judged and sum(each.lost for each in spots) >= MOST_UNRESOLVED:
        return []
    tried = [each.tried for each in spots]
    found = []
    for _ in range(width):
        gap = max(_gaps(tried), key=len, default=range(0))
        if not gap:
            break
        middle = gap[len(gap) // 2]
        tried[middle] = True
        found.append(middle)
    return found


def _write_off(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Among many that cannot be judged nobody looks further: what lies between is lost, too."""
    lost = _lost_at_first(spots)
    if len(lost) < MOST_UNRESOLVED:
        return tuple(spots)
    return tuple(
        each._replace(open=False) if not each.tried and lost[0] < at < lost[-1] else each
        for at, each in enumerate(spots)
    )


def _edges(ray: Ray) -> list[int]:
    """Places in the middle between what can be judged and a group that was written off."""
    lost = _lost_at_first(ray.spots)
    beyond = range(lost[-1] + 1, ray.first_silent or 0)
    return [gap[len(gap) // 2] for gap in (range(lost[0]), beyond) if gap]


def _lost_at_first(spots: Sequence[Spot]) -> list[int]:
    """Places of what cannot be judged, up to the first release that could be."""
    known = next((at for at, each in enumerate(spots) if each.silent), None)
    return [at for at, each in enumerate(spots[:known]) if each.lost]


def _chances_to_judge(spots: Sequence[Spot]) -> list[float]:
    """Releases that cannot be judged often adjoin: far from a group of them the chance is best.

    A group are those with none between them that could be judged. Beside a single one the chance
    is even; the wider a group has proved to be, the further away is "far". Within a group it is
    less the more it has.
    """
    chances = [1.0] * len(spots)
    for group in _groups(spots):
        width = group[-1] - group[0] + 1
        for at, spot in enumerate(spots):
            if not spot.silent:
                distance = min(abs(at - each) for each in group)
                share = len(group) if group[0] < at < group[-1] else 1
                chances[at] = min(chances[at], distance / (distance + width) / share)
    return chances


def _groups(spots: Sequence[Spot]) -> list[list[int]]:
    """Places of what cannot be judged, parted by what could be."""
    found: list[list[int]] = []
    parted = True
    for at, spot in enumerate(spots):
        if spot.lost and parted:
            found.append([])
        if spot.lost:
            found[-1].append(at)
        parted = (parted and not spot.lost) or bool(spot.silent)
    return found


def _gaps(tried: Sequence[bool]) -> list[range]:
    """The stretches that nobody looked at."""
    found, start = [], 0
    for at, each in enumerate([*tried, True]):
        if each:
            found.append(range(start, at))
            start = at + 1
    return found
