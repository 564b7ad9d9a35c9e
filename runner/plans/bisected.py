"""What a bisection found in one series, as far as it is certain enough to be stated."""

from __future__ import annotations

from collections.abc import Mapping

from runner.boundaries import Boundaries, FixedIn
from runner.findings import Reached, Search, SeriesFindings
from runner.matrix import Role
from runner.plans.budget import spent
from runner.plans.lines import undated
from runner.plans.look import Look
from runner.plans.posterior import posterior
from runner.plans.question import missing
from runner.plans.replay import order_of_probes
from runner.plans.search import Ray, View
from runner.plans.stated import Stated, stated
from runner.plans.window import Window
from runner.releases import in_order
from runner.verdict import Verdict

ASSUMES = "one change between tested neighbours"
UNDATED = "no release line that was worked on beside a newer one: the index gives no upload times"


def conclude(look: Look, *, width: int, budget: int | None) -> SeriesFindings:
    """What is known of a series, whether or not its search came to its end."""
    if look.wants:
        look.confirm()  # where dependencies are the same, that takes no attempt
    view = look.table.view()
    verdicts = _certain(view, look)
    _mark(look, verdicts, view)
    history, window, confirmations = look.table.history, look.window, look.table.confirmations
    found = stated(history, window, verdicts, confirmations)
    looked_at = (each.version for each in view.spots if each.present or each.silent)
    judged = (each.cell.version for each in look.table.judged())
    found = _left_open(found, view, verdicts, history.order)
    if look.vacuous:
        found = Stated(Boundaries(), None, ())
    return SeriesFindings(
        series=look.series,
        kind="bisect",
        cells=look.table.cell_findings(),
        confirmations=confirmations,
        boundaries=found.boundaries.model_copy(update={"tested": in_order((*looked_at, *judged))}),
        broken_in=found.broken_in,
        missing=missing(look.survey, look.series),
        window=tuple(each.version for each in window.candidates),
        skipped=(*window.skipped, *window.yanked),
        assumes=_assumes(view, window),
        search=Search(
            probes=order_of_probes(look.survey, look.series, look.table.facts, width),
            budget=budget,
            spent=spent(look.table.facts),
            exhausted=bool(look.wants),
            reached=_reached(view),
        ),
        upgrades=found.upgrades,
    )


def _certain(view: View, look: Look) -> dict[str, Verdict]:
    """Verdicts that boundaries may rest on: less than what single cells say.

    A silent release is good if that is certain from each release with the bug that it could
    belong to; where none shows the bug, nothing is.
    """
    found = {each.version: Verdict.PRESENT for each in view.spots if each.present}
    if not found:
        return look.table.certain()
    rays = view.rays
    doubted = {spot.version for ray in rays for spot in {*ray.spots} - {*view.believed(ray)}}
    good = {spot.version for ray in rays for spot in ray.spots} - doubted
    return found | dict.fromkeys(good, Verdict.ABSENT)


def _left_open(
    found: Stated, view: View, verdicts: Mapping[str, Verdict], order: Mapping[str, int]
) -> Stated:
    """Where a search was cut off, what was found on one way of the code need not hold on another.

    A backport that is good is not the first fix as long as the newer line beside it was not
    searched, and nor is the bug as young as an older line that has a fix would make it.
    """
    for ray in view.rays:
        change = _open_change(ray, verdicts)
        stated = found.boundaries.fixed_in if ray.upward else found.broken_in
        bound = (stated.by if ray.upward else stated.after) if stated else None
        beyond = [
            each.version for each in ray.spots if each.open and each.version in change.unknown
        ]
        if view.closed(ray) or bound is None or not beyond:
            continue
        at = order[bound]
        if ray.upward and order[beyond[-1]] > at:
            known = found.boundaries.model_copy(update={"first_fixed": None, "fixed_in": change})
            found = found._replace(boundaries=known)
        elif not ray.upward and order[beyond[-1]] < at:
            known = found.boundaries.model_copy(update={"first_broken": None})
            found = found._replace(boundaries=known, broken_in=change)
    return _not_followed(found, view, verdicts)


def _not_followed(found: Stated, view: View, verdicts: Mapping[str, Verdict]) -> Stated:
    """The first release above all that shows the bug is its fix if nothing above may have it.

    Where what is above does not follow upon the bug, that takes a look at each of them.
    """
    change, aside = found.boundaries.fixed_in, view.aside()
    left = [at for at, each in enumerate(aside) if each.open and not each.tried]
    if change is None or not left:
        return found
    above = (each.version for each in aside[left[-1] :] if each.version in verdicts)
    spots = [each.version for each in view.spots]
    by = next(above, None)
    first = spots.index(change.after) + 1 if change.after else 0
    unknown = tuple(
        each.version
        for each in view.spots[first : spots.index(by) if by else None]
        if each.version not in verdicts
    )
    ranged = FixedIn(after=change.after, by=by, unknown=unknown)
    known = found.boundaries.model_copy(update={"first_fixed": None, "fixed_in": ranged})
    return found._replace(boundaries=known)


def _open_change(ray: Ray, verdicts: Mapping[str, Verdict]) -> FixedIn:
    """The change of a ray, as far as it is certain."""
    good = (at for at, each in enumerate(ray.spots) if each.version in verdicts)
    at = next(good, len(ray.spots))
    unknown = [each.version for each in ray.spots[:at]]
    end = ray.spots[at].version if at < len(ray.spots) else None
    if ray.upward:
        return FixedIn(after=ray.anchor.version, by=end, unknown=tuple(unknown))
    return FixedIn(after=end, by=ray.anchor.version, unknown=tuple(reversed(unknown)))


def _mark(look: Look, verdicts: dict[str, Verdict], view: View) -> None:
    """Let cells of the search say what is certain of them, and no more."""
    silent = {each.version: each.silent for each in view.spots if each.silent}
    shown = Verdict.PRESENT in verdicts.values()
    for each in look.table.released():
        version = each.cell.version
        if each.roles == (Role.PROBE,) and shown and version in silent:
            enough = silent[version] + (verdicts.get(version) is not Verdict.ABSENT)
            marked = each.model_copy(update={"absence": enough})
            look.table.cells[each.cell.id] = marked


def _reached(view: View) -> tuple[Reached, ...]:
    found = []
    for ray in view.outermost():
        at = ray.first_silent
        if at is None or (view.steady and ray.spots[at] in view.believed(ray)):
            continue
        tails = posterior([each.silent for each in ray.spots], view.rate).tails
        ends = ray.anchor.version, ray.spots[at].version
        after, by = ends if ray.upward else ends[::-1]
        found.append(
            Reached(
                change="fixed" if ray.upward else "broken",
                after=after,
                by=by,
                confidence=round(1 - tails[at], 4),
            )
        )
    return tuple(found)


def _assumes(view: View, window: Window) -> str | None:
    if all(each.tried for each in view.spots):
        return None
    return f"{ASSUMES}; {UNDATED}" if undated(window.candidates) else ASSUMES
