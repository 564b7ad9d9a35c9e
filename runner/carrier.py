"""Carries out items of work for one worker, and advances the runs that they belong to.

It decides nothing of what runs: it asks the plan after each thing that became known, and keeps what
is needed next as items. Whatever stops it in the middle, the database knows how to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar, assert_never

from runner.attempt import Attempt, Facts
from runner.desk import Asked, Desk
from runner.dispatch import Changes, changes, first
from runner.endings import conclude, end_in_trouble
from runner.environment import Failure, Lock
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
from runner.store import CellKeys
from runner.troubles import MOST_TRIES, retry_after
from runner.value import digest
from runner.work import Item, News, Task, Ticket, Turn, merged

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

    def __init__(self, desk: Desk, *, name: str) -> None:
        self._desk = desk
        self._name = name
        self._memory = Memory(desk)

    def carry_out(self, item_id: str) -> None:
        """Do one item, unless it is done, withdrawn, or somebody else's."""
        owner = f"{self._name}/{self._desk.new_id()}"
        item = self._insist(lambda: self._desk.work.take(item_id, owner))
        if item is None:
            return
        with self._desk.holding(item, owner):
            try:
                made = self._make(item)
                self._insist(lambda: self._settle(item, owner, made))
            except Interrupted:
                self._leave(item, owner)
            except FixproofError as error:
                self._trouble(item, owner, error)
            except Exception as error:
                fault = FixproofError(f"a fault of fixproof's own: {error!r}")
                self._trouble(item, owner, fault)
                raise

    def advance(self, run_id: str) -> None:
        """Look at a run, and see to it that it has the items that it needs, or ends."""
        known = self._memory.up_to_date(run_id)
        with self._desk.work.turn(run_id) as turn:
            facts = _facts_now(turn, known)
            tickets = () if turn.run.ended else self._advance(turn, known.asked, facts)
        self._send(tickets)

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
                return Made(planned=self._desk.plan(self._desk.stored(item.run)))
            case Task.PREPARE:
                return self._prepare(item)
            case Task.ATTEMPT:
                return self._attempt(item)
            case _:
                assert_never(item.task)

    def _prepare(self, item: Item) -> Made:
        """Resolve a cell; where nothing of it was run before, also install it and look inside."""
        known, cell = self._memory.up_to_date(item.run), _cell(item)
        service = self._desk.service(known.run, _asked(known))
        keys, facts = service.find(cell, known.facts)
        if isinstance(facts.lock, Lock) and (facts.loaded is None or not facts.attempts):
            _, facts = service.install(cell, facts)
        if isinstance(facts.lock, Failure):
            keys = service.keep(cell, facts.lock)
        return Made(keys=keys, facts=facts)

    def _attempt(self, item: Item) -> Made:
        known, cell = self._memory.of(item), _cell(item)
        service = self._desk.service(known.run, _asked(known))
        environment, facts = service.install(cell, known.facts[cell.id])
        if environment is None:  # it could be installed when it was prepared
            raise EnvironmentTrouble(f"the environment of {cell.id} is gone, and cannot be made")
        name = f"{cell.id}#{digest('attempt-of/1', item.id)[:12]}"
        attempt = service.once(cell, environment, doubled=item.doubled, name=name)
        return Made(attempt=attempt, attempt_key=service.evidence_key(cell, facts))

    # What comes of it

    def _settle(self, item: Item, owner: str, made: Made) -> None:
        """Keep a result and what follows from it in one transaction, if it is still wanted."""
        known = self._memory.of(item)
        with self._desk.work.turn(item.run) as turn:
            if not turn.settle(item.id, owner) or turn.run.ended:
                return
            facts = merged(_facts_now(turn, known), _keep(turn, item, made))
            asked = made.planned[0] if made.planned else known.asked
            tickets = self._advance(turn, asked, facts)
        if turn.run.ended or made.planned:
            self._memory.forget(item.run)
        else:
            self._memory.remember(known._replace(version=turn.run.version, facts=facts))
        self._send(tickets)

    def _advance(
        self, turn: Turn, asked: Asked | None, facts: Mapping[str, Facts]
    ) -> tuple[Ticket, ...]:
        """Ask the plan, under the lock of the run; the messages to send once that is kept."""
        waiting = turn.waiting()
        needed = changes(step(asked.plan, facts), facts, waiting) if asked else first(waiting)
        turn.withdraw(needed.withdraw)
        if needed.conclusion is not None and asked is not None:
            conclude(turn, asked, needed.conclusion, self._desk.now())
        if needed.trouble is not None:
            end_in_trouble(turn, needed.trouble, self._desk.now())
            return ()
        items = _items(turn, needed)
        turn.add(items, self._desk.now())
        return tuple(Ticket(each.id, each.queue) for each in items)

    def _leave(self, item: Item, owner: str) -> None:
        """Somebody wants this worker to stop, or the run has ended."""
        if not self._desk.work.hand_back(item.id, owner):
            with self._desk.work.turn(item.run) as turn:
                turn.settle(item.id, owner)
            return
        self._send([Ticket(item.id, item.queue)])

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
        known = self._memory.up_to_date(item.run)
        with self._desk.work.turn(item.run) as turn:
            if not turn.give_up(item.id, owner, why) or turn.run.ended:
                turn.settle(item.id, owner)
            elif item.task is Task.PREPARE and item.tries >= MOST_TRIES:
                self._advance(turn, known.asked, _facts_now(turn, known))  # it may be in vain
            else:
                end_in_trouble(turn, why, self._desk.now())
        self._memory.forget(item.run)

    def _send(self, tickets: Iterable[Ticket]) -> None:
        """What cannot be sent now is found by the sweeper."""
        with suppress(BrokerTrouble):
            self._desk.send(tickets)

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


def _keep(turn: Turn, item: Item, made: Made) -> News:
    """Write down what came of an item; the same as news."""
    if made.planned is not None:
        (plan, ground), queue = made.planned
        turn.keep_plan(plan.model_dump_json(), ground.model_dump_json(), queue)
        return News(turn.run.version, {}, ())
    cell = _cell(item).id
    if made.attempt is not None:
        turn.keep_attempt(cell, made.attempt_key, made.attempt)
        return News(turn.run.version, {}, ((cell, made.attempt),))
    if made.keys is None or made.facts is None:
        raise AssertionError(f"nothing was made of {item.id}")
    turn.keep_cell(cell, made.keys, made.facts.attempts)
    ran = tuple((cell, each) for each in made.facts.attempts)
    return News(turn.run.version, {cell: made.facts.model_copy(update={"attempts": ()})}, ran)


def _items(turn: Turn, needed: Changes) -> tuple[Item, ...]:
    return tuple(
        Item(
            id=f"{turn.run.id}/{turn.run.version}.{number}",
            run=turn.run.id,
            task=piece.task,
            queue=turn.run.queue,
            cell=piece.cell,
            doubled=piece.doubled,
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
