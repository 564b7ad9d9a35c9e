"""Which boundaries of the package a sweep or a bisection may state."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from runner.affected import Upgrade, upgrades
from runner.boundaries import Boundaries, FixedIn, boundaries, broken_in
from runner.findings import Confirmation, ConfirmationResult
from runner.plans.window import Window
from runner.releases import History
from runner.verdict import Verdict


class Stated(NamedTuple):
    """What may be said of a series."""

    boundaries: Boundaries
    broken_in: FixedIn | None
    upgrades: tuple[Upgrade, ...]


def stated(
    history: History,
    window: Window,
    verdicts: Mapping[str, Verdict],
    confirmations: Iterable[Confirmation],
) -> Stated:
    """What verdicts say of the history, without the changes that follow a dependency."""
    offered = candidates(history, window, verdicts)
    found = Stated(
        boundaries(offered, verdicts),
        broken_in(offered, verdicts),
        upgrades(history, offered, verdicts),
    )
    for each in confirmations:
        if each.result is ConfirmationResult.DIFFERS:
            found = _without(found, each.newer)
    return _confirmed(found, {each.newer for each in confirmations})


def _confirmed(found: Stated, newer: Container[str | None]) -> Stated:
    """A change that nobody came to confirm, since a budget ended, is no more than a range."""
    known = found.boundaries
    unconfirmed = {
        name: None
        for name, version in (
            ("first_fixed", known.first_fixed),
            ("first_broken", known.first_broken),
        )
        if version not in newer
    }
    return found._replace(boundaries=known.model_copy(update=unconfirmed))


def _without(found: Stated, newer: str) -> Stated:
    """Without the change that came with a release, if it is one of those stated.

    Nor is the release an upgrade: that it is good is not its own doing.
    """
    known = found.boundaries
    found = found._replace(upgrades=tuple(each for each in found.upgrades if each.to != newer))
    if known.fixed_in and known.fixed_in.by == newer:
        update = {"first_fixed": None, "fixed_in": None}
        found = found._replace(boundaries=known.model_copy(update=update))
    if found.broken_in and found.broken_in.by == newer:
        known = found.boundaries.model_copy(update={"first_broken": None})
        found = found._replace(boundaries=known, broken_in=None)
    return found


def candidates(
    history: History, window: Window, verdicts: Mapping[str, Verdict]
) -> tuple[str, ...]:
    """What a boundary may be stated of, lowest first.

    Where a claim lies beyond the window, so does what is between: nobody may look there, and so
    nobody knows.
    """
    order = history.order
    inside = {each.version for each in window.candidates}
    places = [order[each] for each in (*inside, *verdicts)]
    between = [
        each for each in window.outside if places and min(places) <= order[each] <= max(places)
    ]
    return tuple(sorted({*inside, *between}, key=order.__getitem__))
