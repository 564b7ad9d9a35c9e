"""Release lines that were worked on beside a newer one, and how releases follow upon each other.

That is how backports look. A release that is above a fix in order, and was there before it came, is
of another line, and need not have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.releases import History, Release


def parallel_lines(history: History, releases: Iterable[Release]) -> tuple[tuple[str, ...], ...]:
    """Of each line that got uploads after a higher version existed those uploads, newest first.

    The newest line comes first; what has no upload time does not count.
    """
    lines: dict[tuple[int, ...], list[tuple[float, str]]] = {}
    for each in releases:
        if each.uploaded:
            line = lines.setdefault(history.line_of(each.version), [])
            line.append((each.uploaded.timestamp(), each.version))
    found = []
    above = float("inf")
    for line in reversed(lines.values()):
        late = tuple(version for when, version in reversed(line) if when > above)
        found += [late] if late else []
        above = min(above, *(when for when, _ in line))
    return tuple(found)


def ways(history: History, versions: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """How releases follow upon each other: up to each last one, the newest of these first.

    A release follows the one below it in its line; the first of a line follows the highest one that
    was there when it came. Without parallel lines, or upload times, there is one way: all in order.
    """
    ordered = sorted({*versions}, key=history.order.__getitem__)
    before: dict[str, str | None] = {}
    for at, version in enumerate(ordered):
        below = ordered[at - 1] if at else None
        if below is None or history.line_of(below) == history.line_of(version):
            before[version] = below
        else:
            lower = reversed(ordered[:at])
            there = (each for each in lower if not history.came_before(version, each))
            before[version] = next(there, None)
    followed = {*before.values()}
    return tuple(_way(each, before) for each in reversed(ordered) if each not in followed)


def undated(releases: Iterable[Release]) -> bool:
    """Whether some release has no upload time, so that lines beside it cannot be told."""
    return any(each.uploaded is None for each in releases)


def _way(last: str, before: Mapping[str, str | None]) -> tuple[str, ...]:
    """From the first release to this one."""
    found = []
    at: str | None = last
    while at is not None:
        found.append(at)
        at = before[at]
    return tuple(reversed(found))
