"""From what a plan needs to the items that its run lacks, and those that it has in vain."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.attempt import Facts
from runner.dispatch import Changes, Piece, changes, first, says_nothing_new
from runner.findings import Conclusion, Need, Want
from runner.matrix import Cell
from runner.metadata import Claims
from runner.work import Task, Waiting
from tests.builders import BUG, GOOD, ODD, Said, a_case, a_failure, a_lock, an_attempt

CELLS = {name: Cell(id=name, version="1.0", series="py3.8") for name in "abc"}
RESOLVED = {name: Facts(lock=a_lock(pkg="1.0")) for name in "abc"}
DONE = Conclusion(series=())
_TASKS = {"p": Task.PREPARE, "f": Task.FIRST}


def want(name: str, attempts: int = 1, *, doubled: bool = False) -> Want:
    return Want(cell=CELLS[name], attempts=attempts, doubled=doubled)


def need(*wants: Want, ahead: str = "", left: int | None = None) -> Need:
    return Need(wants=wants, ahead=tuple(CELLS[each] for each in ahead), left=left)


def waiting(described: str) -> tuple[Waiting, ...]:
    """`a` an attempt of cell a, `A` one that a worker has, `d:a` a doubled one.

    `f:a` is the first attempt, with its preparation, and `p:a` a preparation alone.
    """
    found = []
    for number, word in enumerate(described.split()):
        kind, _, name = word.rpartition(":")
        task = _TASKS.get(kind, Task.ATTEMPT)
        found.append(Waiting(str(number), task, name.lower(), kind == "d", name.isupper()))
    return tuple(found)


def described(found: Changes) -> str:
    """What is added as `waiting` reads it, then what is withdrawn."""
    return " ".join([*map(_word, found.add), *(f"-{each}" for each in found.withdraw)])


def _word(piece: Piece) -> str:
    assert piece.cell is not None
    kinds = [f"{kind}:" for kind, task in _TASKS.items() if piece.task is task]
    kind = kinds[0] if kinds else "d:" if piece.doubled else ""
    return kind + piece.cell.id


@pytest.mark.parametrize(
    ("asked", "resolved", "there", "expected"),
    [
        (need(want("a", 3)), "", "", "f:a"),
        (need(want("a", 3)), "", "f:a", ""),
        (need(want("a", 3)), "", "f:A", ""),
        (need(want("a", 3)), "", "p:a", "f:a -0"),
        (need(want("a", 3)), "", "p:A", ""),
        (need(want("a", 3)), "a", "f:a", "a a a -0"),
        (need(ahead="a"), "", "f:a", "p:a -0"),
        (need(ahead="a"), "", "f:A", ""),
        (need(want("a", 3)), "a", "", "a a a"),
        (need(want("a", 3)), "a", "a A", "a"),
        (need(want("a", 3)), "a", "a a a", ""),
        (need(want("a", 1)), "a", "a a a", "-1 -2"),
        (need(want("a", 1)), "a", "A a a", "-1 -2"),
        (need(want("a", 1)), "a", "a A A", "-0"),
        (need(want("a", 1)), "a", "A A A", ""),
        (need(want("a", 2), want("b", 1)), "a", "", "a a f:b"),
        (need(want("b", 1), want("a", 2)), "ab", "", "b a a"),
        (need(want("a", 1)), "ab", "b B b", "a -0 -2"),
        (need(want("a", 1, doubled=True)), "a", "", "d:a"),
        (need(want("a", 1, doubled=True)), "a", "a", "d:a -0"),
        (need(want("a", 1)), "a", "p:a", "a -0"),
        (need(want("a", 1), ahead="bc"), "a", "", "a p:b p:c"),
        (need(want("a", 1), ahead="bc"), "ac", "p:b", "a"),
        (need(want("a", 1), want("b", 1), ahead="b"), "a", "", "a f:b"),
        (need(want("a", 3), want("b", 3), left=4), "ab", "", "a a a b"),
        (need(want("a", 3), want("b", 3), left=4), "ab", "A A", "a b"),
        (need(want("a", 3), want("b", 3), left=4), "abc", "C C", "a a"),
        (need(want("a", 3), want("b", 3), left=0), "ab", "b", "-0"),
        (need(want("a", 3), want("b", 1), left=2), "b", "", "f:a b"),
        (need(want("a", 3), want("b", 1), left=1), "b", "", "f:a"),
        (need(want("a", 3), want("b", 3), left=3), "b", "f:A", "b b"),
        (need(want("b", 3), left=2), "b", "f:A", "b"),
    ],
)
def test_a_run_gets_the_items_that_it_lacks(
    asked: Need, resolved: str, there: str, expected: str
) -> None:
    facts = {name: RESOLVED[name] for name in resolved}
    assert described(changes(asked, facts, waiting(there))) == expected


def test_a_cell_that_cannot_be_installed_is_not_prepared_again() -> None:
    facts = {"b": Facts(lock=a_failure())}
    assert described(changes(need(want("a"), ahead="b"), facts, ())) == "f:a"


@pytest.mark.parametrize(
    ("there", "withdrawn", "ends"),
    [("", (), True), ("a a", ("0", "1"), True), ("a A", ("0",), False), ("p:A", (), False)],
)
def test_a_run_ends_when_nothing_is_going_on(
    there: str, withdrawn: tuple[str, ...], *, ends: bool
) -> None:
    found = changes(DONE, {}, waiting(there))
    assert found == Changes(withdraw=withdrawn, conclusion=DONE if ends else None)


def test_a_run_without_a_plan_is_planned_once() -> None:
    assert first(()) == Changes(add=(Piece(task=Task.PLAN),))
    assert first([Waiting("0", Task.PLAN, None, doubled=False, begun=False)]) == Changes()


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), unique_by=lambda pair: pair[0]),
    st.sets(st.sampled_from("abc")),
    st.lists(
        st.sampled_from(["a", "A", "b", "B", "c", "C", "p:a", "p:B", "f:a", "f:C"]), max_size=12
    ),
    st.none() | st.integers(0, 9),
)
def test_what_is_there_after_the_changes_needs_no_change(
    wants: list[tuple[str, int]], resolved: set[str], there: list[str], left: int | None
) -> None:
    asked = need(*(want(name, count) for name, count in wants), left=left)
    facts = {name: RESOLVED[name] for name in resolved}
    before = waiting(" ".join(there))
    found = changes(asked, facts, before)
    after = [each for each in before if each.id not in found.withdraw]
    assert {each for each in before if each.begun} <= set(after)
    after += [
        Waiting(f"new-{number}", each.task, each.cell.id, each.doubled, begun=False)
        for number, each in enumerate(found.add)
        if each.cell
    ]
    assert changes(asked, facts, tuple(after)) == Changes()
    attempts = Counter(each.begun for each in after if each.task is not Task.PREPARE)
    if left is not None:
        assert attempts[False] <= max(0, left - attempts[True])


# What need not be asked about at once


@pytest.mark.parametrize(
    ("version", "before", "said", "nothing_new"),
    [
        ("1.0", (), BUG, True),
        ("1.0", (), GOOD, False),
        ("1.2", (), GOOD, True),
        ("1.2", (), BUG, False),
        ("1.1", (), BUG, False),
        ("1.1", (), GOOD, False),
        ("1.1", (BUG,), BUG, True),
        ("1.1", (BUG, GOOD), GOOD, True),
        ("1.1", (GOOD, BUG), GOOD, False),
        ("1.1", (ODD,), ODD, False),
        ("1.1", (ODD,), BUG, False),
    ],
)
def test_an_attempt_that_says_what_was_expected_says_nothing_new(
    version: str, before: tuple[Said, ...], said: Said, *, nothing_new: bool
) -> None:
    claims, cell = Claims(fixed=("1.2",), broken=("1.0",)), CELLS["a"].model_copy()
    cell = cell.model_copy(update={"version": version})
    earlier = tuple(an_attempt(each, number=number) for number, each in enumerate(before))
    asked = (a_case(), claims, cell, earlier)
    assert says_nothing_new(*asked, an_attempt(said, number=9)) is nothing_new
    assert not says_nothing_new(*asked, an_attempt(said, number=9, doubled=True))


def test_what_a_control_says_is_always_asked_about() -> None:
    cell = CELLS["a"].model_copy(update={"control": True})
    earlier = (an_attempt(GOOD, number=1),)
    assert not says_nothing_new(a_case(), Claims(), cell, earlier, an_attempt(GOOD, number=2))
