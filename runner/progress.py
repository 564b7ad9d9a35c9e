"""What is going on, for whoever watches: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from runner.attempt import Facts
from runner.environment import Failure
from runner.matrix import Cell
from runner.runs import Listener

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_REFRESHES = 8
"""A second, on a terminal."""


@contextmanager
def progress(stream: TextIO) -> Iterator[Listener]:
    """A listener for as long as something runs."""
    view: LiveView | PlainLines = LiveView(stream) if stream.isatty() else PlainLines(stream)
    try:
        yield view
    finally:
        view.close()


class PlainLines:
    """A line for each thing that happens."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen: dict[str, int] = {}

    def resolving(self, cell: Cell) -> None:
        self._say(f"resolving {cell.id}")

    def installing(self, cell: Cell) -> None:
        self._say(f"installing {cell.id}")

    def running(self, cell: Cell) -> None:
        """Only its end is worth a line."""

    def finished(self, cell: Cell, facts: Facts) -> None:
        if isinstance(facts.lock, Failure):
            self._say(f"cannot be installed ({facts.lock.kind}): {cell.id}")
        seen = self._seen.get(cell.id, 0)
        for place, attempt in list(enumerate(facts.attempts, start=1))[seen:]:
            how = "reused" if attempt.reused else f"{attempt.seconds:.1f} s"
            self._say(f"{cell.id} attempt {place}: {attempt.ending} ({how})")
        self._seen[cell.id] = len(facts.attempts)

    def close(self) -> None:
        self._stream.flush()

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


class LiveView:
    """A table of cells, made when the first thing happens: what is reused needs none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._doing: dict[str, str] = {}
        self._endings: dict[str, list[str]] = {}
        self._running: dict[str, int] = {}
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._live: Live | None = None

    def resolving(self, cell: Cell) -> None:
        self._show(cell, "resolving")

    def installing(self, cell: Cell) -> None:
        self._show(cell, "installing")

    def running(self, cell: Cell) -> None:
        with self._lock:
            self._running[cell.id] = self._running.get(cell.id, 0) + 1
        self._show(cell, "running")

    def finished(self, cell: Cell, facts: Facts) -> None:
        with self._lock:
            known = len(self._endings.get(cell.id, ()))
            new = [each for each in facts.attempts[known:] if not each.reused]
            left = self._running.get(cell.id, 0) - len(new)
            self._running[cell.id] = max(0, left)
            self._endings[cell.id] = [str(each.ending) for each in facts.attempts]
        failed = isinstance(facts.lock, Failure)
        state = "cannot be installed" if failed else "running" if left > 0 else "waiting"
        self._show(cell, state if facts.attempts or failed else "resolved")

    def close(self) -> None:
        if self._live is not None:
            self._live.update(self._table(ended=True))
            self._live.stop()

    def _show(self, cell: Cell, doing: str) -> None:
        with self._lock:
            self._doing[cell.id] = doing
            if self._live is None:
                self._live = self._start()
            self._live.update(self._table())

    def _start(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        live = Live(console=Console(file=self._stream, stderr=True), refresh_per_second=_REFRESHES)
        live.start()
        return live

    def _table(self, *, ended: bool = False) -> Table:
        from rich.table import Table

        seconds = time.monotonic() - self._began
        total = sum(len(each) for each in self._endings.values())
        table = Table(
            title=f"{total} attempts, {seconds:.0f} s",
            title_justify="left",
            box=None,
            padding=(0, 2),
        )
        for name in ("cell", "attempts", "endings", "now"):
            table.add_column(name, justify="right" if name == "attempts" else "left")
        for cell_id, doing in self._doing.items():
            endings = self._endings.get(cell_id, [])
            now = "" if ended and doing != "cannot be installed" else doing
            table.add_row(cell_id, str(len(endings)), _summed(endings), now)
        return table


def _summed(endings: list[str]) -> str:
    """`exit 1 ×3, timeout`."""
    counted = {each: endings.count(each) for each in endings}
    return ", ".join(f"{each} ×{n}" if n > 1 else each for each, n in counted.items())
