"""What is known of one series, as a search sees it: of each release a spot."""

from __future__ import annotations

from collections.abc import Mapping

from runner.attempt import Facts
from runner.environment import Failure
from runner.matrix import Cell, Role, Series
from runner.plans.confirmation import Boundary
from runner.plans.sampling import Sample
from runner.plans.search import Ray, Spot, View
from runner.plans.table import Table
from runner.plans.window import Survey
from runner.verdict import Verdict


class Seen(Table):
    """The table of a search; like any, made for one look and thrown away."""

    def __init__(self, survey: Survey, series: Series, facts: Mapping[str, Facts]) -> None:
        super().__init__(survey, series, facts)
        self.survey = survey
        self.window = survey.window(series)
        self._cells = survey.cells(series)

    def add_known(self) -> None:
        """Have all releases of the window that anything is known of."""
        for version, cell in self._cells.items():
            if self._known(cell):
                self.probe(version)

    def view(self) -> View:
        """What is known of each release, of the window and of the claims."""
        versions = {each.version for each in self.window.candidates}
        for each in self.released():
            shows = self.sampling.counts(each).present
            if shows or each.cell.version in self.window.offered:
                versions.add(each.cell.version)
        sampling = self.sampling
        ordered = sorted(versions, key=self.history.order.__getitem__)
        at = {version: place for place, version in enumerate(ordered)}
        return View(
            spots=tuple(self.spot(each) for each in ordered),
            steady=sampling.steady,
            needed=sampling.needed,
            confidence=sampling.confidence,
            ways=tuple(tuple(at[each] for each in way if each in at) for way in self.window.ways),
        )

    def boundary(self, ray: Ray, at: int) -> Boundary:
        """Where a ray begins, and its release at a place; both ran."""
        anchor = self.cells[self.cell(ray.anchor.version).id]
        other = self.cells[self.cell(ray.spots[at].version).id]
        older, newer = (anchor, other) if ray.upward else (other, anchor)
        return Boundary(older=older, newer=newer)

    def hear(self, spot: Spot) -> None:
        """Probe what no ray goes over: with all attempts where silence alone says little."""
        sample = self.probe(spot.version)
        if not self.sampling.steady:
            self.settle(sample)

    def cell(self, version: str) -> Cell:
        """The cell of a release, of the window or beyond it."""
        return self._cells.get(version) or self.survey.cell(self.series, version)

    def probe(self, version: str) -> Sample:
        """Have a release looked at, if it is not yet."""
        cell = self.cell(version)
        return self.cells.get(cell.id) or self.add(cell, Role.PROBE)

    def spot(self, version: str) -> Spot:
        """What is known of a release."""
        sample = self.cells.get(self.cell(version).id)
        if sample is None or not self._known(sample.cell):
            return Spot(version)
        sampling = self.sampling
        believed = sampling.at_once(sample)
        if believed.verdict is Verdict.UNRESOLVED and believed.counts.absent:
            return Spot(version, tried=True, open=False)  # what contradicts itself is not silent
        return Spot(
            version,
            present=believed.counts.present,
            silent=believed.counts.absent,
            tried=True,
            open=not believed.counts.present and sampling.may_tell(sample),
        )

    def _known(self, cell: Cell) -> bool:
        known = self.sampling.facts_of(cell)
        return bool(known.attempts) or isinstance(known.lock, Failure)
