"""Whose turn it is where a second opinion is wanted."""

from __future__ import annotations

import pytest

from runner.avoidance import LONGEST, SENDS, Avoided, Patience, Present, others
from runner.queues import Capability, Priority, intake_of, queue_of

DOCKER = Capability(arch="x86_64", sandbox="docker")
QUEUE = queue_of(Priority.NIGHTLY, DOCKER)


@pytest.mark.parametrize(
    ("present", "found"),
    [
        ((), set()),
        ((Present("me", DOCKER),), set()),
        ((Present("me", DOCKER), Present("you", DOCKER)), {"you"}),
        ((Present("you", Capability(arch="x86_64", sandbox="bubblewrap")),), set()),
        ((Present("you", Capability(arch="aarch64", sandbox="docker")),), set()),
    ],
)
def test_another_worker_is_one_that_serves_the_queue(
    present: tuple[Present, ...], found: set[str]
) -> None:
    assert others(present, "me", QUEUE) == found


def test_what_asks_for_nothing_may_be_done_by_any() -> None:
    queue = intake_of(Priority.NIGHTLY, Capability())
    assert others([Present("you", DOCKER)], "me", queue) == {"you"}


def test_where_another_is_alive_it_is_waited_for_however_often_messages_come() -> None:
    patience, often = Patience(), Avoided(QUEUE, sends=1000)
    assert not patience.is_over("a", often, another=True, now=10)
    assert not patience.is_over("a", often, another=True, now=10 + LONGEST - 1)
    assert not patience.is_over("b", often, another=True, now=10 + LONGEST)
    assert patience.is_over("a", often, another=True, now=10 + LONGEST)


def test_where_no_other_is_alive_a_few_messages_are_waited_for() -> None:
    patience = Patience()
    for sends in range(1, SENDS + 1):
        assert not patience.is_over("a", Avoided(QUEUE, sends), another=False, now=0)
    assert patience.is_over("a", Avoided(QUEUE, SENDS + 1), another=False, now=0)
