"""What is going on, for whoever watches: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from runner.attempt import Facts
from runner.environment import Failure
from runner.findings import OpenRange, Progress
from runner.matrix import Cell

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_REFRESHES = 4
"""A second, on a terminal."""


@contextmanager
def progress(stream: TextIO) -> Iterator[PlainLines | LiveView]:
    """A listener for as long as something runs; what ends by an exception is not called done."""
    view = LiveView(stream) if stream.isatty() else PlainLines(stream)
    done = False
    try:
        yield view
        done = True
    finally:
        view.close(done=done)


class PlainLines:
    """A line for each thing that happens."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen: dict[str, int] = {}
        self._ranges: dict[str, tuple[OpenRange, ...]] = {}

    def doing(self, what: str) -> None:
        self._say(what)

    def note(self, what: str) -> None:
        self._say(what)

    def searching(self, found: tuple[Progress, ...]) -> None:
        """A line for each series in which the range that remains is another one."""
        for each in found:
            if each.ranges and self._ranges.get(each.series) != each.ranges:
                self._say(said(each))
            self._ranges[each.series] = each.ranges

    def resolving(self, cell: Cell) -> None:
        self._say(f"resolving {cell.id}")

    def building(self, cell: Cell, what: str) -> None:
        self._say(f"building {what} for {cell.id}")

    def installing(self, cell: Cell) -> None:
        self._say(f"installing {cell.id}")

    def running(self, cell: Cell) -> None:
        """Only its end is worth a line."""

    def finished(self, cell: Cell, facts: Facts) -> None:
        if isinstance(facts.lock, Failure):
            self._say(f"cannot be installed ({facts.lock.kind}): {cell.id}")
        seen = self._seen.get(cell.id, 0)
        self._seen[cell.id] = len(facts.attempts)
        reused = sum(each.reused for each in facts.attempts)
        if reused and not seen:
            self._say(f"{cell.id}: {reused} attempts of earlier runs taken over")
        elif len(facts.attempts) > seen:
            latest = facts.attempts[-1]
            self._say(
                f"{cell.id} attempt {len(facts.attempts)}: {latest.ending}, {latest.seconds:.1f} s"
            )

    def close(self, *, done: bool = True) -> None:  # noqa: ARG002 - what ended it is told elsewhere
        self._stream.flush()

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


class LiveView:
    """A table of cells; it comes with the first thing that takes time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._what = ""
        self._notes: list[str] = []
        self._progress: tuple[Progress, ...] = ()
        self._doing: dict[str, str] = {}
        self._endings: dict[str, list[str]] = {}
        self._running: dict[str, int] = {}
        self._began = time.monotonic()
        self._lock = threading.RLock()
        self._live: Live | None = None

    def doing(self, what: str) -> None:
        with self._lock:
            self._what = what
            self._start()

    def note(self, what: str) -> None:
        """Shown above the table, if there comes to be one."""
        with self._lock:
            self._notes.append(what)

    def searching(self, found: tuple[Progress, ...]) -> None:
        with self._lock:
            self._progress = found

    def resolving(self, cell: Cell) -> None:
        self._show(cell, "resolving")

    def building(self, cell: Cell, what: str) -> None:
        self._show(cell, f"building {what}")

    def installing(self, cell: Cell) -> None:
        self._show(cell, "installing")

    def running(self, cell: Cell) -> None:
        with self._lock:
            self._running[cell.id] = self._running.get(cell.id, 0) + 1
            self._show(cell, "running")

    def finished(self, cell: Cell, facts: Facts) -> None:
        with self._lock:
            new = len(facts.attempts) - len(self._endings.get(cell.id, ()))
            left = max(0, self._running.get(cell.id, 0) - new)
            self._running[cell.id] = left
            self._endings[cell.id] = [str(each.ending) for each in facts.attempts]
            if isinstance(facts.lock, Failure):
                self._doing[cell.id] = f"cannot be installed ({facts.lock.kind})"
            else:
                self._doing[cell.id] = "running" if left else ""

    def close(self, *, done: bool = True) -> None:
        with self._lock:
            self._what = "" if done else "stopped"
            self._running.clear()
            if self._progress or not done:  # what came of it is told by the report
                self._doing.clear()
        if self._live is not None:
            self._live.stop()

    def _show(self, cell: Cell, doing: str) -> None:
        with self._lock:
            self._what = ""
            self._doing[cell.id] = doing
            self._start()

    def _start(self) -> None:
        if self._live is not None:
            return
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            console=Console(file=self._stream, stderr=True),
            get_renderable=self._picture,
            refresh_per_second=_REFRESHES,
        )
        self._live.start()

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            total = sum(len(each) for each in self._endings.values())
            seconds = time.monotonic() - self._began
            made = f"{total} attempt{'' if total == 1 else 's'}, {seconds:.0f} s"
            title = "; ".join([made, *self._notes])
            searches = [Text(said(each)) for each in self._progress]
            if not self._doing:
                return Group(Text(f"{self._what or 'done'} ({title})"), *searches)
            return Group(Text(title, "italic"), *searches, self._table())

    def _table(self) -> RenderableType:
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("cell", "attempts", "endings", "now"):
            table.add_column(name, justify="right" if name == "attempts" else "left")
        for cell_id, doing in self._doing.items():
            if doing or not self._progress:  # of many cells those that something is done with
                endings = self._endings.get(cell_id, [])
                table.add_row(cell_id, str(len(endings)), _summed(endings), doing)
        return table


def said(progress: Progress) -> str:
    """How far a search is, and what remains of it."""
    steps = f"{progress.steps} release{'' if progress.steps == 1 else 's'} judged"
    left = "" if progress.left is None else f", at most {progress.left} to go"
    ranges = [f"; {_range(each)}" for each in progress.ranges]
    return f"{progress.series}: {steps}{left}{''.join(ranges)}"


def _range(open_range: OpenRange) -> str:
    where = {
        (True, True): f"a change between {open_range.after} and {open_range.by}",
        (True, False): f"a change above {open_range.after}",
        (False, True): f"a change below {open_range.by}",
        (False, False): "a change somewhere",
    }[open_range.after is not None, open_range.by is not None]
    return f"{where}, {open_range.releases} releases may tell"


def _summed(endings: list[str]) -> str:
    """`exit 1 ×3, timeout`."""
    counted = {each: endings.count(each) for each in endings}
    return ", ".join(f"{each} ×{n}" if n > 1 else each for each, n in counted.items())
