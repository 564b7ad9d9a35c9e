"""Carries out items of work for one worker, and advances the runs that they belong to.

It decides nothing of what runs: it asks the plan after each thing that became known, and keeps what
is needed next as items. Whatever stops it in the middle, the database knows how to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar, assert_never

from runner.attempt import Attempt, Facts
from runner.avoidance import Patience, others
from runner.desk import Asked, Desk
from runner.dispatch import Changes, changes, first, says_nothing_new
from runner.endings import conclude, end_in_trouble
from runner.environment import Environment, Failure, Lock
from runner.errors import (
    BrokerTrouble,
    EnvironmentTrouble,
    FixproofError,
    Interrupted,
    StoreTrouble,
)
from runner.matrix import Cell
from runner.memory import Known, Memory
from runner.plans.kinds import step
from runner.runs import Runs
from runner.store import CellKeys
from runner.troubles import MOST_TRIES, retry_after
from runner.value import digest
from runner.work import Item, News, Taken, Task, Ticket, Turn, id_of_item, merged, worker_of

_PATIENCE = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0)
"""Seconds between tries to reach a database that was there before."""
_Anything = TypeVar("_Anything")


class Made(NamedTuple):
    """What came of an item, and is still to be kept."""

    planned: tuple[Asked, str] | None = None
    keys: CellKeys | None = None
    facts: Facts | None = None
    """Of its cell, with the attempts that are taken over."""
    attempt: Attempt | None = None
    attempt_key: str = ""


class Carrier:
    """Takes items, does them, keeps what came of them; one at a time."""

    def __init__(self, desk: Desk, *, name: str, clock: Callable[[], float]) -> None:
        """Stand at a desk.

        Args:
            desk: what it does its work with.
            name: of its worker, and of itself after a slash.
            clock: seconds; it only goes forward.
        """
        self._desk = desk
        self._clock = clock
        self._patience = Patience()
        self._name = name
        self._worker = worker_of(name)
        self._memory = Memory(desk)

    def carry_out(self, item_id: str) -> None:
        """Do one item, unless it is done, withdrawn, or somebody else's.

        Who plans or prepares goes on with what that was for, until it has made one attempt.
        """
        owner = f"{self._name}/{self._desk.new_id()}"
        since = self._memory.lacking(item_id)
        taken = self._insist(lambda: self._desk.work.take(item_id, owner, since=since))
        if taken is None:
            taken = self._insist(lambda: self._take_avoided(item_id, owner))
        while taken is not None:
            own = self._do(taken, owner)
            taken = Taken(own) if own else None

    def _do(self, taken: Taken, owner: str) -> Item | None:
        """Do an item that is leased; the one that this owner has next, if it has one."""
        item = taken.item
        with self._desk.holding(item, owner):
            try:
                self._memory.hear(taken)
                made = self._make(item)
                return self._insist(lambda: self._settle(item, owner, made))
            except Interrupted:
                self._leave(item, owner)
            except FixproofError as error:
                self._trouble(item, owner, error)
            except Exception as error:
                fault = FixproofError(f"a fault of fixproof's own: {error!r}")
                self._trouble(item, owner, fault)
                raise
        return None

    def advance(self, run_id: str) -> None:
        """Look at a run, and see to it that it has the items that it needs, or ends."""
        known = self._memory.of_run(run_id)
        with self._desk.work.turn(run_id) as turn:
            if turn.run.ended:
                return
            facts = _facts_now(turn, known)
            items = self._advance(turn, known.asked, facts)
        self._learn(turn, known._replace(version=turn.run.version, facts=facts))
        self._send(items)

    def abandon(self, run_id: str, why: str) -> None:
        """End a run without a conclusion."""
        with self._desk.work.turn(run_id) as turn:
            if not turn.run.ended:
                end_in_trouble(turn, why, self._desk.now())
        self._memory.forget(run_id)

    # What an item asks for

    def _make(self, item: Item) -> Made:
        match item.task:
            case Task.PLAN:
                return Made(planned=self._desk.plan(self._memory.of(item).run))
            case Task.PREPARE | Task.FIRST:
                return self._prepare(item)
            case Task.ATTEMPT:
                return self._attempt(item)
            case _:
                assert_never(item.task)

    def _prepare(self, item: Item) -> Made:
        """Resolve a cell; where nothing of it was run before, also install it and look inside.

        One that is wanted is then run at once.
        """
        known, cell = self._memory.of(item), _cell(item)
        service = self._desk.service(known.run, _asked(known))
        keys, facts = service.find(cell, known.facts)
        environment = None
        if isinstance(facts.lock, Lock) and (facts.loaded is None or not facts.attempts):
            environment, facts = service.enter(cell, facts)
        if isinstance(facts.lock, Failure):
            keys = service.keep(cell, facts.lock)
        made = Made(keys=keys, facts=facts)
        if environment is None or facts.attempts or item.task is Task.PREPARE:
            return made
        attempt = _run(item, service, environment)
        return made._replace(attempt=attempt, attempt_key=keys.attempts)

    def _attempt(self, item: Item) -> Made:
        known, cell = self._memory.of(item), _cell(item)
        service = self._desk.service(known.run, _asked(known))
        environment, facts = service.install(cell, known.facts[cell.id])
        if environment is None:  # it could be installed when it was prepared
            raise EnvironmentTrouble(f"the environment of {cell.id} is gone, and cannot be made")
        attempt = _run(item, service, environment)
        return Made(attempt=attempt, attempt_key=service.evidence_key(cell, facts))

    # What comes of it

    def _settle(self, item: Item, owner: str, made: Made) -> Item | None:
        """Keep a result and what follows from it in one transaction, if it is still wanted."""
        known = self._memory.of(item)
        if _as_expected(known, item, made):
            self._settle_quietly(item, owner, made)
            return None
        with self._desk.work.turn(item.run, (item.id, owner)) as turn:
            if not turn.settled or turn.run.ended:
                return None
            facts = merged(_facts_now(turn, known), _keep(turn, item, made, self._worker))
            asked = made.planned[0] if made.planned else known.asked
            heir = owner if made.attempt is None else None
            items = self._advance(turn, asked, facts, heir)
        self._learn(turn, Known(known.run, asked, turn.run.version, facts))
        own = items[0].model_copy(update={"tries": 1}) if items and heir else None
        self._send(items[1:] if own else items)
        return own

    def _settle_quietly(self, item: Item, owner: str, made: Made) -> None:
        """Keep an attempt that is as those before it: the plan is asked after the last item."""
        known, cell, attempt = self._memory.of(item), _cell(item).id, made.attempt
        if attempt is None:
            raise AssertionError(f"{item.id} made no attempt")
        kept = self._desk.work.keep_attempt(item, owner, cell, made.attempt_key, attempt)
        if kept is not None and kept.version == known.version + 1:
            news = News(kept.version, {}, ((cell, attempt),))
            facts = merged(known.facts, news)
            self._memory.remember(known._replace(version=kept.version, facts=facts))
        more = kept.more if kept is not None else None
        if more is None:
            more = self._desk.work.busy(item.run)
        if not more:
            self.advance(item.run)

    def _advance(
        self,
        turn: Turn,
        asked: Asked | None,
        facts: Mapping[str, Facts],
        heir: str | None = None,
    ) -> tuple[Item, ...]:
        """Ask the plan, under the lock of the run; the items that are new, the most urgent first.

        Args:
            heir: who goes on with the first of them at once.
        """
        waiting = turn.waiting()
        needed = changes(step(asked.plan, facts), facts, waiting) if asked else first(waiting)
        turn.withdraw(needed.withdraw)
        if needed.conclusion is not None and asked is not None:
            conclude(turn, asked, needed.conclusion, self._desk.now())
        if needed.trouble is not None:
            end_in_trouble(turn, needed.trouble, self._desk.now())
            return ()
        items = _items(turn, needed)
        turn.add(items, self._desk.now(), heir)
        return items

    def _take_avoided(self, item_id: str, owner: str) -> Taken | None:
        """Take what another worker should rather have, where there is none that will."""
        found = self._desk.work.avoiding(item_id, owner)
        if found is None:
            return None
        another = bool(others(self._desk.present(), self._worker, found.queue))
        if self._patience.is_over(item_id, found, another=another, now=self._clock()):
            return self._desk.work.take(item_id, owner, avoided=True)
        self._pass_on(item_id, owner)
        return None

    def _pass_on(self, item_id: str, owner: str) -> None:
        """Send it once more if this is the first to find it: others wait longer, if any do."""
        queue = self._desk.work.pass_on(item_id, owner)
        if queue is not None:
            with suppress(BrokerTrouble):
                self._desk.send([Ticket(item_id, queue)])

    def _leave(self, item: Item, owner: str) -> None:
        """Somebody wants this worker to stop, or the run has ended."""
        if not self._desk.work.hand_back(item.id, owner):
            with self._desk.work.turn(item.run, (item.id, owner)):
                return
        self._send([item])

    def _trouble(self, item: Item, owner: str, error: FixproofError) -> None:
        """Let an item wait for better times, or end its run with the reason."""
        self._desk.met(item, error)
        delay = retry_after(error, item.tries, item.id)
        if delay is not None:
            self._insist(
                lambda: self._desk.work.postpone(item.id, owner, delay=delay, trouble=str(error))
            )
            return
        tried = f", {item.tries} times" if item.tries >= MOST_TRIES else ""
        why = f"{item.cell.id if item.cell else 'planning'}{tried}: {error.message}"
        ahead = item.task is Task.PREPARE and item.tries >= MOST_TRIES  # maybe in vain
        known = self._memory.up_to_date(item.run) if ahead else None
        items: tuple[Item, ...] = ()
        with self._desk.work.turn(item.run) as turn:
            if not turn.give_up(item.id, owner, why) or turn.run.ended:
                turn.settle(item.id, owner)
            elif known is not None:
                items = self._advance(turn, known.asked, _facts_now(turn, known))
            else:
                end_in_trouble(turn, why, self._desk.now())
        self._memory.forget(item.run)
        self._send(items)

    def _learn(self, turn: Turn, known: Known) -> None:
        """Remember what a turn found, as long as there is something to do."""
        if turn.run.ended:
            self._memory.forget(known.run.id)
        else:
            self._memory.remember(known)

    def _send(self, items: Iterable[Item]) -> None:
        """What cannot be sent now is found by the sweeper."""
        with suppress(BrokerTrouble):
            self._desk.send([Ticket(each.id, each.queue) for each in items])

    def _insist(self, action: Callable[[], _Anything]) -> _Anything:
        """A database that is being restarted costs patience, not a result."""
        for seconds in _PATIENCE:
            try:
                return action()
            except StoreTrouble:
                self._desk.sleep(seconds)
        return action()


def _facts_now(turn: Turn, known: Known) -> Mapping[str, Facts]:
    """The facts of a run at the moment in which its lock is held."""
    if known.version == turn.run.version - 1:
        return known.facts
    return merged(known.facts, turn.news(known.version))


def _run(item: Item, service: Runs, environment: Environment) -> Attempt:
    """Make the attempt of an item; made again, it has the same name."""
    cell = _cell(item)
    name = f"{cell.id}#{digest('attempt-of/1', item.id)[:12]}"
    return service.once(cell, environment, doubled=item.doubled, name=name)


def _as_expected(known: Known, item: Item, made: Made) -> bool:
    """Whether nothing follows from a result but that there is one item less to do.

    That is an economy, and nothing relies on it.
    """
    if item.task is not Task.ATTEMPT or made.attempt is None:
        return False
    plan, cell = _asked(known).plan, _cell(item)
    claims = next(each.claims for each in plan.series if each.name == cell.series)
    return says_nothing_new(plan.case, claims, cell, known.facts[cell.id].attempts, made.attempt)


def _keep(turn: Turn, item: Item, made: Made, worker: str) -> News:
    """Write down what came of an item; the same as news."""
    if made.planned is not None:
        (plan, ground), queue = made.planned
        turn.keep_plan(plan.model_dump_json(), ground.model_dump_json(), queue, by=worker)
        return News(turn.run.version, {}, ())
    cell, cells = _cell(item).id, {}
    ran: tuple[Attempt, ...] = ()
    if made.keys is not None and made.facts is not None:
        ran = made.facts.attempts
        turn.keep_cell(cell, made.keys, made.facts)
        cells[cell] = made.facts.model_copy(update={"attempts": ()})
    if made.attempt is not None:
        turn.keep_attempt(cell, made.attempt_key, made.attempt, by=worker)
        ran += (made.attempt,)
    return News(turn.run.version, cells, tuple((cell, each) for each in ran))


def _items(turn: Turn, needed: Changes) -> tuple[Item, ...]:
    return tuple(
        Item(
            id=id_of_item(turn.run.id, turn.run.version, number),
            run=turn.run.id,
            task=piece.task,
            queue=turn.run.queue,
            cell=piece.cell,
            doubled=piece.doubled,
            avoid=turn.run.avoid,
        )
        for number, piece in enumerate(needed.add)
    )


def _asked(known: Known) -> Asked:
    if known.asked is None:
        raise AssertionError(f"run {known.run.id} has items of cells and no plan")
    return known.asked


def _cell(item: Item) -> Cell:
    if item.cell is None:
        raise AssertionError(f"{item.id} is of no cell")
    return item.cell
