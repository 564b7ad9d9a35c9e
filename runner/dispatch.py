"""Which items of work a run needs now, beside those that it has: from a need to changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from runner.attempt import Attempt, Facts
from runner.case import Case
from runner.findings import Conclusion, Need, Want
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

    asked = [_asked(want, facts, begun) for want in need.wants]
    left = _left(need, asked, begun)
    for task, want, count in asked:
        if left is not None and task is not Task.PREPARE:
            count = min(count, left)  # noqa: PLW2901 - what is left of it
            left -= count
        ask(task, want.cell, count, doubled=want.doubled)
    for cell in need.ahead:
        whole = _Sort(Task.FIRST, cell.id, doubled=False)
        if _unprepared(cell, facts) and whole not in pieces and not begun[whole]:
            ask(Task.PREPARE, cell, 1)
    return counts, pieces


def _asked(want: Want, facts: Mapping[str, Facts], begun: Counter[_Sort]) -> tuple[Task, Want, int]:
    """What a want comes to, if there is no limit."""
    if not _unprepared(want.cell, facts):
        return Task.ATTEMPT, want, want.attempts
    if begun[_Sort(Task.PREPARE, want.cell.id, doubled=False)]:
        return Task.PREPARE, want, 1
    return Task.FIRST, want, 1


def _left(need: Need, asked: Iterable[tuple[Task, Want, int]], begun: Counter[_Sort]) -> int | None:
    """Attempts that may be made of what is wanted: what runs unwanted is taken off first."""
    if need.left is None:
        return None
    running = Counter({sort: n for sort, n in begun.items() if sort.task is not Task.PREPARE})
    running.subtract({_Sort(task, each.cell.id, each.doubled): n for task, each, n in asked})
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
