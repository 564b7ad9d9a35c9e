"""What one worker remembers of the runs that it works on, so that it need not read all anew."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from runner.attempt import Facts
from runner.desk import Asked, Desk
from runner.plans.kinds import parse
from runner.report import Ground
from runner.store import Run
from runner.work import EVERYTHING, Item, News, Taken, Task, made_in, merged

_RUNS = 16
"""How many it remembers; few are at work at a time."""


class Known(NamedTuple):
    """What is known of a run up to a version."""

    run: Run
    asked: Asked | None
    """None: it has no plan yet."""
    version: int
    facts: Mapping[str, Facts]


class Memory:
    """Runs by id; those that were not thought of for long are forgotten."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: OrderedDict[str, Known] = OrderedDict()

    def of(self, item: Item) -> Known:
        """What is needed to work on an item: its run, and locks that it relies on."""
        known = self._known.get(item.run)
        if item.task is Task.PLAN:
            return known or self.up_to_date(item.run)
        if known and known.asked and _relied_on(item) <= known.facts.keys():
            self._known.move_to_end(item.run)
            return known
        return self.up_to_date(item.run)

    def lacking(self, item_id: str) -> int | None:
        """Since when news of the run of an item should be told with it; None where none need be.

        What was known when the item was made is known here, or it is to be told: an economy, on
        which nothing relies.
        """
        run_id, version = made_in(item_id)
        known = self._known.get(run_id)
        if known is None or known.asked is None:
            return EVERYTHING
        return known.version if known.version < version else None

    def hear(self, taken: Taken) -> None:
        """Remember what was told with an item."""
        run_id, news = taken.item.run, taken.news
        known = self._known.get(run_id)
        if taken.run is not None:
            known = Known(taken.run, _asked(taken.run), EVERYTHING, {})
        if news is not None and known is not None:
            self._learn(known, news)

    def of_run(self, run_id: str) -> Known:
        """What is known of a run; what it lacks is news since its version."""
        known = self._known.get(run_id)
        return known if known and known.asked else self.up_to_date(run_id)

    def up_to_date(self, run_id: str) -> Known:
        """All that is known of a run."""
        known = self._known.get(run_id)
        if known is None or known.asked is None:
            run = self._desk.stored(run_id)
            known = Known(run, _asked(run), EVERYTHING, {})
        return self._learn(known, self._desk.work.news(run_id, known.version))

    def _learn(self, known: Known, news: News) -> Known:
        facts = merged(known.facts, news)
        return self.remember(known._replace(version=news.version, facts=facts))

    def remember(self, known: Known) -> Known:
        """Take what is known for what is to be remembered."""
        self._known[known.run.id] = known
        self._known.move_to_end(known.run.id)
        if len(self._known) > _RUNS:
            self._known.popitem(last=False)
        return known

    def forget(self, run_id: str) -> None:
        """A run that ended, or of which it is not sure what became."""
        self._known.pop(run_id, None)


def _relied_on(item: Item) -> set[str]:
    """Ids of the cells of which something must be known to work on an item."""
    if item.cell is None:
        return set()
    if item.task is Task.ATTEMPT:
        return {item.cell.id}
    return set(item.cell.borrowed.cells) if item.cell.borrowed else set()


def _asked(run: Run) -> Asked | None:
    if not run.plan:
        return None
    return Asked(parse(run.plan), Ground.model_validate_json(run.ground))
