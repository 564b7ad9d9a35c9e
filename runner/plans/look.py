"""One look at the search of one series: what it wants next, as things are known now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice, zip_longest

from packaging.version import Version

from runner.attempt import Facts
from runner.evidence import SHOWN
from runner.findings import Want
from runner.matrix import Cell, Role, Series
from runner.plans.confirmation import Boundary, confirm
from runner.plans.lines import undated
from runner.plans.question import claimed_roles
from runner.plans.search import Ray, Spot, View, picks, split, spread
from runner.plans.seen import Seen
from runner.plans.window import Survey
from runner.verdict import Verdict

MOST_LATE = 3
"""Releases of a line that was worked on beside a newer one, at most, to find one to judge."""


class Look:
    """Made for one step, and thrown away."""

    def __init__(
        self,
        survey: Survey,
        series: Series,
        facts: Mapping[str, Facts],
        *,
        width: int = 1,
        left: int | None = None,
    ) -> None:
        """Look at a series.

        Args:
            survey: the question; of its window, that of the series counts.
            width: probes at a time.
            left: attempts that may still be made; None: as many as it takes.
        """
        self.series = series
        self.survey = survey
        self.table = Seen(survey, series, facts)
        self.window = self.table.window
        self.vacuous = False
        self.ahead: tuple[Cell, ...] = ()
        self._width = width
        self._left = left
        self._first: list[str] = []
        self.wants = self._look() if series.interpreter else ()

    def _look(self) -> tuple[Want, ...]:
        self.table.add_releases(claimed_roles(self.survey, self.series))
        self.table.add_known()
        self.vacuous = self.table.vacuous(self.table.add_control())
        if self.vacuous:
            return ()
        for stage in (self._ask, self._ends, self._search):
            wants = stage()
            urgent = [self._begun(each) for each in wants if not self._repeats(each)]
            if urgent:
                rest = (each for each in wants if self._repeats(each))
                return (*urgent, *(each.model_copy(update={"patient": True}) for each in rest))
        return wants or self._differing() or self.confirm()

    @property
    def _fills(self) -> bool:
        """Whether what repeats a claim may wait for slots that the search leaves free.

        With one slot nothing is won by it; with a budget claims go before the search, and so they
        do where the bug does not always show: how often it does is what the search goes by.
        """
        return self._width > 1 and self._left is None and self.table.sampling.steady

    def _begun(self, want: Want) -> Want:
        """Of a cell of which nothing is known one attempt, where the others can wait."""
        counts = self.table.sampling.counts(self.table.cells[want.cell.id])
        alone = self._fills and not counts.judged and not want.cell.control
        return want.model_copy(update={"attempts": 1}) if alone else want

    def _repeats(self, want: Want) -> bool:
        """Whether the answer needs these attempts, and the search none of them to go on."""
        sample = self.table.cells[want.cell.id]
        counts = self.table.sampling.counts(sample)
        shown = counts.present if sample.expected_broken else counts.absent
        told = 0 < shown == counts.judged and not want.doubled
        return self._fills and told and not sample.cell.control

    def _ask(self) -> tuple[Want, ...]:
        """What the table needs: first what was named so, then claims, then probes."""
        rank = {name: place for place, name in enumerate(self._first)}
        wants = sorted(
            self.table.ask(),
            key=lambda each: (
                rank.get(each.cell.id, len(rank)),
                self.table.cells[each.cell.id].roles == (Role.PROBE,),
            ),
        )
        if wants and not self.ahead:
            self.ahead = tuple(self._next())
        return tuple(wants)

    def _ends(self) -> tuple[Want, ...]:
        """Both ends of the window, and the lines that were worked on beside a newer one."""
        candidates = self.window.candidates
        for release in (*candidates[-1:], *candidates[:1]):
            self.table.probe(release.version)
        for late in self.window.late:
            newest = (each for each in late[:MOST_LATE] if not self.table.spot(each).lost)
            for version in islice(newest, 1):
                self.table.probe(version)
        if not self.table.sampling.steady:
            for spot in self.table.view().apart():
                self.table.hear(spot)
        return self._ask()

    def _search(self) -> tuple[Want, ...]:
        """On each ray a probe where it tells most; what a ray has found is settled."""
        view = self.table.view()
        rays = view.rays
        still_open = [each for each in rays if not view.closed(each)]
        width = max(1, self._width // max(1, len(still_open)))
        ahead: list[Cell] = []
        free = self._width
        for ray in rays:
            found = self._settled(view, ray)
            if found:  # the side with the bug first: its rate says how often the other runs
                sides = (found.older, found.newer)
                for side in sides if ray.upward else sides[::-1]:
                    self.table.settle(side)
                    self._first.append(side.cell.id)
                near = (*self._next_line(view, found, ray), *self._next_final(view, found, ray))
                for spot in (*view.beside(ray), *near):
                    self.table.hear(spot)
                ahead += self._confirming(found)
                continue
            places = picks(view, ray, width)[:free]
            free -= len(places)
            self._look_again(ray, places)
            ahead += self._after(view, ray, places, width)
        self.ahead = tuple(ahead)
        return self._ask()

    def _next_line(self, view: View, found: Boundary, ray: Ray) -> Iterable[Spot]:
        """Without upload times, what is nearest to a change beyond the line that has it.

        Nobody can tell whether it came before the change, so that it need not have it.
        """
        if not undated(self.window.candidates):
            return ()
        line_of, order = self.table.history.line_of, self.table.history.order
        own = (found.newer if ray.upward else found.older).cell.version
        beyond = (
            each
            for each in (view.spots if ray.upward else view.spots[::-1])
            if (order[each.version] > order[own]) is ray.upward
            and line_of(each.version) != line_of(own)
            and not each.lost
        )
        return islice(beyond, 1)

    def _next_final(self, view: View, found: Boundary, ray: Ray) -> Iterable[Spot]:
        """What users would be told to take where a pre-release has the fix."""
        history = self.table.history
        if not ray.upward or not Version(found.newer.cell.version).is_prerelease:
            return ()
        at = history.order[found.newer.cell.version]
        final = {each.version for each in history.offered}
        above = (each for each in view.spots if history.order[each.version] > at)
        return islice((each for each in above if each.version in final and not each.lost), 1)

    def _settled(self, view: View, ray: Ray) -> Boundary | None:
        """Both sides of what a ray has found; also where the budget would not last for more."""
        at = ray.first_silent
        if at is None:
            return None
        if view.closed(ray):
            return self.table.boundary(ray, at)
        if self._left is None:
            return None
        missing = max(0, view.needed - ray.spots[at].silent) + max(0, SHOWN - ray.anchor.present)
        last_chance = self._left < missing + self._width
        return self.table.boundary(ray, at) if 0 < missing <= self._left and last_chance else None

    def _look_again(self, ray: Ray, places: Iterable[int]) -> None:
        for at, times in Counter(places).items():
            spot = ray.spots[at]
            sample = self.table.probe(spot.version)
            more = {"looks": spot.silent + times}
            self.table.cells[sample.cell.id] = sample.model_copy(update=more)
            self._first.append(sample.cell.id)

    def _differing(self) -> tuple[Want, ...]:
        """Where all that was judged agrees, look for a release that differs, in the largest gaps.

        So too where the releases above all that shows the bug agree, but do not follow upon it. A
        silent release between two that show a bug which does not always show is asked again.
        """
        view = self.table.view()
        aside = view.aside()
        if not self.series.claims.affected:
            return ()
        if aside:
            for at in spread(aside, self._width):
                self.table.hear(aside[at])
            return self._ask()
        if any(spot.silent for ray in view.rays for spot in ray.spots):
            return ()
        shown = [at for at, each in enumerate(view.spots) if each.present]
        within = view.spots[shown[0] : shown[-1]] if shown else view.spots
        for spot in within:
            if shown and spot.silent:
                self.table.settle(self.table.probe(spot.version))
        for at in spread(within, self._width):
            self.table.probe(within[at].version)
        return self._ask()

    def confirm(self) -> tuple[Want, ...]:
        """Hold the dependencies still at each change that was found, and where a claim has one."""
        view = self.table.view()
        rays = [(each, each.first_silent) for each in view.rays if view.closed(each)]
        found = [self.table.boundary(ray, at) for ray, at in rays if at is not None]
        found += self.table.never_offered(self.window.offered)
        unresolved = Verdict.UNRESOLVED
        return self.table.confirm(
            each
            for each in dict.fromkeys(found)
            if unresolved not in (self.table.says(each.older), self.table.says(each.newer))
        )

    def _confirming(self, boundary: Boundary) -> Iterable[Cell]:
        """What will hold the dependencies still at a change, if it stays the one."""
        step = confirm(self.survey.case, self.table.sampling, boundary)
        return (each.cell for each in step.samples)

    def _next(self) -> Iterable[Cell]:
        """What is likely to be wanted once claims and ends are judged: most ends are good."""
        view = self.table.view()
        ends = [each.version for each in (*view.spots[-1:], *view.spots[:1]) if not each.tried]
        likely = replace(
            view,
            spots=tuple(
                each._replace(silent=1, tried=True) if each.version in ends else each
                for each in view.spots
            ),
        )
        rays = likely.rays
        middle = [ray.spots[at] for ray in rays for at in picks(likely, ray, self._width)]
        return (self.table.cell(each) for each in (*ends, *(spot.version for spot in middle)))

    def _after(self, view: View, ray: Ray, places: list[int], width: int) -> Iterable[Cell]:
        """What is likely to be wanted after probes at these places: of each way one, then more."""
        ways = [rest for rest in split(ray, places) if rest.spots] if places else []
        wanted = [[rest.spots[at] for at in picks(view, rest, width)] for rest in ways]
        for spots in zip_longest(*wanted):
            yield from (self.table.cell(each.version) for each in spots if each and not each.tried)
