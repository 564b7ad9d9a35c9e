"""What is shown of a run while it goes on, and at its end."""

from __future__ import annotations

from io import StringIO

import pytest

from runner.findings import Progress
from runner.matrix import Cell
from runner.progress import LiveView, progress
from tests.builders import BUG, facts

CELL = Cell(id="demo/pkg-1.1/py3.8", version="1.1", series="py3.8")


class Terminal(StringIO):
    """Keeps what is shown."""

    def isatty(self) -> bool:
        return True


def watched(stream: Terminal, *, ended_by: type[BaseException] | None) -> str:
    with progress(stream) as view:
        assert isinstance(view, LiveView)
        view.searching((Progress(series="py3.8", steps=1, left=4),))
        view.running(CELL)
        view.finished(CELL, facts(BUG))
        if ended_by:
            raise ended_by
    return stream.getvalue()


def test_a_search_that_came_to_its_end_is_done() -> None:
    shown = watched(Terminal(), ended_by=None)
    assert "done (1 attempt, " in shown
    assert "py3.8: 1 release judged, at most 4 to go" in shown


def test_what_was_interrupted_is_not_called_done() -> None:
    terminal = Terminal()
    with pytest.raises(KeyboardInterrupt):
        watched(terminal, ended_by=KeyboardInterrupt)
    shown = terminal.getvalue()
    assert "stopped (1 attempt, " in shown
    assert "done" not in shown
