"""Which items of work a run needs now, beside those that it has: from a need to changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from runner.attempt import Attempt, Facts
from runner.case import Case
from runner.findings import Conclusion, Need
from runner.matrix import Cell
from runner.metadata import Claims
from runner.value import Value
from runner.verdict import Verdict, observe
from runner.work import Task, Waiting


class Piece(Value):
    """One item to make."""

    task: Task
    cell: Cell | None = None
    doubled: bool = False


class Changes(NamedTuple):
    """What is to change so that a run has just the items that it needs."""

    add: tuple[Piece, ...] = ()
    withdraw: tuple[str, ...] = ()
    """Ids of items that nobody has begun and nobody needs any more."""
    trouble: str | None = None
    """What is needed was given up: the run ends with this."""
    conclusion: Conclusion | None = None
    """The run ends: nothing is needed, and nothing is being done."""


class _Sort(NamedTuple):
    """Items that can stand for each other."""

    task: Task
    cell: str | None
    doubled: bool


def first(waiting: Iterable[Waiting]) -> Changes:
    """What a run without a plan needs."""
    return Changes() if any(waiting) else Changes(add=(Piece(task=Task.PLAN),))


def changes(
    outcome: Need | Conclusion, facts: Mapping[str, Facts], waiting: tuple[Waiting, ...]
) -> Changes:
    """What a run needs, less what it has.

    What is being done is let be done: all attempts are kept, and count (as the local driver has
    it). So a run with a conclusion waits for what is still going on.
    """
    if isinstance(outcome, Conclusion):
        idle = tuple(each.id for each in waiting if not each.begun)
        busy = len(idle) < len(waiting)
        return Changes(withdraw=idle, conclusion=None if busy else outcome)
    begun = Counter(_sort(each) for each in waiting if each.begun)
    needed, pieces = _needed(outcome, facts, begun)
    there: dict[_Sort, list[Waiting]] = defaultdict(list)
    for each in waiting:
        there[_sort(each)].append(each)
    add = [
        piece
        for sort, piece in pieces.items()
        for _ in range(needed[sort] - len(there.get(sort, ())))
    ]
    withdraw = [each.id for sort, found in there.items() for each in _too_many(found, needed[sort])]
    return Changes(add=tuple(add), withdraw=tuple(withdraw), trouble=_trouble(outcome, waiting))


def says_nothing_new(
    case: Case, claims: Claims, cell: Cell, before: tuple[Attempt, ...], attempt: Attempt
) -> bool:
    """Whether an attempt says what the one before it says of the bug, or what is claimed.

    Of what was asked for, some remains to be done then, and nothing else. Not so with one that is
    unresolved: a second one with the same reason ends the matter.
    """
    if attempt.doubled or cell.control:
        return False
    said = observe(case, attempt).says
    if said is Verdict.UNRESOLVED:
        return False
    if before:
        return said is observe(case, before[-1]).says
    return cell.version in (claims.fixed if said is Verdict.ABSENT else claims.broken)


def _trouble(need: Need, waiting: tuple[Waiting, ...]) -> str | None:
    """Why something that is wanted, and not just prepared ahead, cannot be had."""
    wanted = {each.cell.id for each in need.wants}
    return next((each.trouble for each in waiting if each.trouble and each.cell in wanted), None)


def _needed(
    need: Need, facts: Mapping[str, Facts], begun: Counter[_Sort]
) -> tuple[Counter[_Sort], dict[_Sort, Piece]]:
    """How many items of each sort, and what such an item is, most urgent first."""
    counts: Counter[_Sort] = Counter()
    pieces: dict[_Sort, Piece] = {}

    def ask(task: Task, cell: Cell, count: int, *, doubled: bool = False) -> None:
        sort = _Sort(task, cell.id, doubled)
        if sort not in pieces and count:
            counts[sort] = count
            pieces[sort] = Piece(task=task, cell=cell, doubled=doubled)

    left = _left(need, begun)
    for want in need.wants:
        if _unprepared(want.cell, facts):
            ask(Task.PREPARE, want.cell, 1)
            continue
        count = want.attempts
        if left is not None:
            count = min(count, left)
            left -= count
        ask(Task.ATTEMPT, want.cell, count, doubled=want.doubled)
    for cell in need.ahead:
        if _unprepared(cell, facts):
            ask(Task.PREPARE, cell, 1)
    return counts, pieces


def _left(need: Need, begun: Counter[_Sort]) -> int | None:
    """Attempts that may be made of what is wanted: what runs unwanted is taken off first."""
    if need.left is None:
        return None
    running = Counter({sort: n for sort, n in begun.items() if sort.task is Task.ATTEMPT})
    running.subtract(
        {_Sort(Task.ATTEMPT, each.cell.id, each.doubled): each.attempts for each in need.wants}
    )
    return max(0, need.left - (+running).total())


def _sort(waiting: Waiting) -> _Sort:
    return _Sort(waiting.task, waiting.cell, waiting.doubled)


def _unprepared(cell: Cell, facts: Mapping[str, Facts]) -> bool:
    return facts.get(cell.id, Facts()).lock is None


def _too_many(found: list[Waiting], needed: int) -> list[Waiting]:
    """Those beyond need that nobody has begun."""
    idle = [each for each in found if not each.begun]
    beyond = max(0, len(found) - needed)
    return idle[len(idle) - min(beyond, len(idle)) :]
