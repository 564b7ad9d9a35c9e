"""Release lines that were worked on beside a newer one: that is how backports look."""

from __future__ import annotations

from collections.abc import Iterable

from runner.releases import History, Release
from runner.value import Value


class Line(Value):
    """One line that got uploads after a higher version existed."""

    late: tuple[str, ...]
    """Its releases that came after that, newest first."""
    tip: str | None
    """Its highest release before that: where the newer line left it."""


def parallel_lines(history: History, releases: Iterable[Release]) -> tuple[Line, ...]:
    """The lines among some releases, newest first; what has no upload time does not count."""
    lines: dict[tuple[int, ...], list[tuple[float, str]]] = {}
    for each in releases:
        if each.uploaded:
            line = lines.setdefault(history.line_of(each.version), [])
            line.append((each.uploaded.timestamp(), each.version))
    found = []
    above = float("inf")
    for line in reversed(lines.values()):
        late = [version for when, version in reversed(line) if when > above]
        early = [version for when, version in line if when <= above]
        if late:
            found.append(Line(late=tuple(late), tip=early[-1] if early else None))
        above = min(above, *(when for when, _ in line))
    return tuple(found)


def undated(releases: Iterable[Release]) -> bool:
    """Whether some release has no upload time, so that lines beside it cannot be told."""
    return any(each.uploaded is None for each in releases)
