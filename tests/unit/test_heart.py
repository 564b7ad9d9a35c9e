"""The heart of a process: whatever troubles it, it beats on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.errors import StoreTrouble
from runner.work import Item, Task
from worker.heart import Heart

ITEM = Item(id="run-1/1", run="run-1", task=Task.ATTEMPT, queue="queue")
PATIENCE = 60


class Beats:
    """Answers of a database to heartbeats, one after the other; then it says no."""

    def __init__(self, *answers: Callable[[], bool]) -> None:
        self._answers = list(answers)

    def beat(self, item_id: str, owner: str) -> bool:
        assert (item_id, owner) == (ITEM.id, "me/1")
        return self._answers.pop(0)() if self._answers else False


def raises(error: Exception) -> Callable[[], bool]:
    def answer() -> bool:
        raise error

    return answer


def test_trouble_says_neither_yes_nor_no_and_a_heart_beats_on() -> None:
    left = threading.Event()
    work = Beats(raises(StoreTrouble("away")), raises(OSError("of a driver")), lambda: True)
    heart = Heart(work, left.set, every=0.01)
    heart.start()
    with heart.holding(ITEM, "me/1"):
        assert left.wait(PATIENCE), "it heard at last that the item is not its own"
        assert not work._answers, "and not before"


def test_what_cannot_be_stopped_at_once_is_stopped_later() -> None:
    left = threading.Event()
    stops = [raises(OSError("an engine is away"))]

    def stop() -> None:
        if stops:
            stops.pop()()
        left.set()

    heart = Heart(Beats(), stop, every=0.01)
    heart.start()
    with heart.holding(ITEM, "me/1"):
        assert left.wait(PATIENCE)
