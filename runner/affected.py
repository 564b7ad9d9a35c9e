"""What measured releases mean for users: which are affected, and where the fix is found."""

from __future__ import annotations

from collections.abc import Container, Mapping

from runner.releases import History
from runner.value import Value
from runner.verdict import Verdict


class Upgrade(Value):
    """Where users of broken releases of one line find the fix."""

    broken: tuple[str, ...]
    """Releases measured broken, lowest first."""
    to: str | None
    """The nearest release above that is measured good, not yanked, and allows this Python."""
    same_line: bool
    """Whether it is of the same line; where it is not, no measured release of that line will do."""


def affected(
    history: History, offered: Container[str], verdicts: Mapping[str, Verdict]
) -> tuple[dict[str, str], ...]:
    """Measured ranges as OSV events, lowest first.

    What is not `offered`, a yanked release or a pre-release, counts, but never as a fix. What is
    not judged ends no range. A range that nothing ends has no `fixed`; if releases follow
    it of which nothing is known, it has a `last_affected`.
    """
    found: list[dict[str, str]] = []
    inside, last = False, ""
    for version in sorted(verdicts, key=history.order.__getitem__):
        if verdicts[version] is Verdict.PRESENT:
            found += [] if inside else [{"introduced": version}]
            inside, last = True, version
        elif inside and verdicts[version] is Verdict.ABSENT and version in offered:
            found[-1]["fixed"] = version
            inside = False
    newest = history.latest()
    if inside and newest and history.order[newest.version] > history.order[last]:
        found[-1]["last_affected"] = last
    return tuple(found)


def upgrades(
    history: History, candidates: tuple[str, ...], verdicts: Mapping[str, Verdict]
) -> tuple[Upgrade, ...]:
    """For each line with broken releases, the nearest good one above; in the line where it can be.

    Args:
        candidates: what users of this Python could be told to take, lowest first.
        verdicts: of releases that were judged.
    """
    order = history.order
    final = {each.version for each in history.offered}
    good = [each for each in candidates if each in final and verdicts.get(each) is Verdict.ABSENT]
    broken = [each for each, said in verdicts.items() if said is Verdict.PRESENT]
    found: dict[tuple[tuple[int, ...], str | None, bool], list[str]] = {}
    for version in sorted(broken, key=order.__getitem__):
        line = history.line_of(version)
        above = [each for each in good if order[each] > order[version]]
        own = [each for each in above if history.line_of(each) == line]
        to = next(iter((*own, *above)), None)
        found.setdefault((line, to, bool(own)), []).append(version)
    return tuple(
        Upgrade(broken=tuple(versions), to=to, same_line=own)
        for (_, to, own), versions in found.items()
    )
