"""The headline of a report: what all its series come to, in a sentence or a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.answers import answer
from runner.findings import SeriesFindings
from runner.outcome import Decision, Status
from runner.releases import History
from runner.sentences import name_of, why_untested

Judged = tuple[SeriesFindings, Decision]
"""A series, and what it comes to."""
_MOST_NAMED = 3
"""Series, or kinds of answers, that are named one by one."""


def headline(leading: Judged, counted: Sequence[Judged], history: History) -> str:
    """The sentence of the series that decides; where others say otherwise, it says of which.

    Args:
        leading: the series that decides.
        counted: all that were tested, the leading one among them.
        history: of the package.
    """
    groups = _alike(counted)
    if len(groups) == 1:
        return f"{answer(*leading, history)}{_so_say(len(counted))}"
    if leading[1].status is Status.PASS:
        return _all_pass(groups, counted, history)
    ahead = next(each for each in groups if leading in each)
    names = _called(ahead, counted)
    others = " ".join(_passing(counted))
    return " ".join(filter(None, (f"{_listed(names)}: {answer(*ahead[0], history)}", others)))


def _passing(counted: Sequence[Judged]) -> Iterator[str]:
    """Which series pass where others do not."""
    passed = [each for each in counted if each[1].status is Status.PASS]
    affected = [each for each in passed if each[0].series.claims.affected]
    if affected:
        yield f"Passing: {_listed(_called(affected, counted))}."
    yield from _spared([each for each in passed if each not in affected], counted)


def _spared(group: Sequence[Judged], counted: Sequence[Judged]) -> Iterator[str]:
    """Which series have no bug, and were said to have none."""
    if group:
        yield f"Without the bug, as claimed: {_listed(_called(group, counted))}."


def _all_pass(groups: list[list[Judged]], counted: Sequence[Judged], history: History) -> str:
    """Answers that do not speak against each other: a fix, then a bug, then who has none."""
    affected = [each for each in groups if each[0][0].series.claims.affected]
    affected.sort(key=lambda each: not each[0][0].series.claims.names_a_fix)
    said = [
        f"{_listed(_called(each, counted))}: {answer(*each[0], history)}"
        for each in affected[:_MOST_NAMED]
    ]
    more = sum(len(each) for each in affected[_MOST_NAMED:])
    said += [f"{more} more series pass."] if more else []
    spared = [pair for each in groups if each not in affected for pair in each]
    return " ".join([*said, *_spared(spared, counted)])


def nothing_tested(found: Sequence[SeriesFindings]) -> str:
    """What to say where there was no series that could be tested."""
    reasons = dict.fromkeys(why_untested(each) for each in found)
    return f"Nothing could be tested: {'; '.join(reasons)}."


def _alike(counted: Sequence[Judged]) -> list[list[Judged]]:
    """Series that give the same answer, in their order; only how often they ran may differ."""
    groups: dict[object, list[Judged]] = {}
    for each in counted:
        findings, decision = each
        claims, stated = findings.series.claims, findings.boundaries
        asked = (claims.fixed, claims.candidate, claims.affected)
        measured = (stated.first_fixed, stated.fixed_in, stated.first_broken, findings.broken_in)
        key = (decision.status, decision.outcome, asked, measured)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _called(group: Sequence[Judged], counted: Sequence[Judged]) -> list[str]:
    """The series of a group; a variant by its name alone where none of it is elsewhere."""
    inside = [findings.series for findings, _ in group]
    outside = {findings.series.variant for findings, _ in counted if findings.series not in inside}
    names = [
        each.variant
        if each.variant and each.variant not in outside
        else name_of(each.python, each.variant)
        for each in inside
    ]
    return list(dict.fromkeys(names))


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return " and ".join([*names[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _so_say(number: int) -> str:
    match number:
        case 1:
            return ""
        case 2:
            return " Both series say so."
        case _:
            return f" All {number} series say so."
