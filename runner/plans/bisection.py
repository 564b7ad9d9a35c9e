"""The plan of `bisect`: between which releases a bug came and went, with few attempts.

Claims first, then the ends of the window and what looks like backports, then the search; at last
both neighbours of each change get the attempts that a claim would, and one set of dependencies.
Like every plan it has no state: where it is follows from what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from runner.attempt import Facts
from runner.findings import Conclusion, Need, OpenRange, Progress
from runner.matrix import Cell, Role, Series
from runner.plans.bisected import conclude
from runner.plans.budget import spent, within
from runner.plans.look import Look
from runner.plans.question import Roles, add_role, cells_of_roles, claimed_roles, lowest_first
from runner.plans.search import Ray, View
from runner.plans.window import Survey


class BisectionPlan(Survey):
    """Everything that decides what a bisection runs."""

    kind: Literal["bisect"] = "bisect"
    budget: int | None = None
    """Attempts at most, all counted; None: as many as it takes."""
    width: int = 1
    """Probes at a time."""


def step(plan: BisectionPlan, facts: Mapping[str, Facts]) -> Need | Conclusion:
    """What to run next, or, where nothing is left to ask, what was found.

    Args:
        facts: what is known of each cell, by id; a cell of which nothing is known may be left out.
    """
    left = None if plan.budget is None else max(0, plan.budget - spent(facts))
    looks = _looks(plan, facts, left)
    wants = within((want for each in looks for want in each.wants), left)
    if wants:
        wanted = {each.cell.id for each in wants}
        likely = (cell for each in looks for cell in each.ahead if cell.id not in wanted)
        ahead = dict.fromkeys(likely)
        return Need(wants=wants, ahead=tuple(ahead), left=left)
    return _concluded(plan, looks)


def so_far(plan: BisectionPlan, facts: Mapping[str, Facts]) -> Conclusion:
    """The best answer at any time: what is certain by now, and how likely the rest is."""
    return _concluded(plan, _looks(plan, facts, None))


def planned(plan: BisectionPlan, series: Series) -> dict[Cell, tuple[Role, ...]]:
    """The cells that are known before anything ran, with their roles, lowest release first."""
    return cells_of_roles(plan, series, roles_of(plan, series))


def roles_of(plan: BisectionPlan, series: Series) -> Roles:
    """The claims, and the ends of the window."""
    roles = claimed_roles(plan, series)
    candidates = plan.window(series).candidates
    for release in (*candidates[-1:], *candidates[:1]):
        if release.version not in roles:
            add_role(plan, roles, release.version, Role.PROBE)
    return lowest_first(plan, roles)


def progress_of(plan: BisectionPlan, facts: Mapping[str, Facts]) -> tuple[Progress, ...]:
    """How far each series is."""
    return tuple(_progress(each) for each in _looks(plan, facts, None))


def _concluded(plan: BisectionPlan, looks: list[Look]) -> Conclusion:
    return Conclusion(
        series=tuple(conclude(each, width=plan.width, budget=plan.budget) for each in looks)
    )


def _looks(plan: BisectionPlan, facts: Mapping[str, Facts], left: int | None) -> list[Look]:
    return [Look(plan, each, facts, width=plan.width, left=left) for each in plan.series]


def _progress(look: Look) -> Progress:
    view = look.table.view()
    ranges = tuple(_open_range(view, each) for each in view.rays if not view.closed(each))
    steps = sum(each.tried for each in view.spots)
    known = view.steady and bool(ranges or not look.wants)
    left = sum(each.releases.bit_length() for each in ranges) if known else None
    return Progress(series=look.series.name, steps=steps, left=left, ranges=ranges)


def _open_range(view: View, ray: Ray) -> OpenRange:
    end = next((at for at, each in enumerate(ray.spots) if view.solid(each)), None)
    ends = ray.anchor.version, None if end is None else ray.spots[end].version
    after, by = ends if ray.upward else ends[::-1]
    return OpenRange(after=after, by=by, releases=sum(each.open for each in ray.spots[:end]))
