"""The answer of a sweep or a bisection as one sentence; of a verify, what `sentences` says."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from typing import Literal

from packaging.version import Version

from runner.boundaries import FixedIn
from runner.findings import ConfirmationResult, SeriesFindings
from runner.outcome import Decision, Outcome
from runner.releases import History
from runner.sentences import followed, summary, why_unresolved
from runner.verdict import Reason, Verdict

_NAMED = 3
"""Releases that a sentence names; of more it tells how many."""


def answer(findings: SeriesFindings, decision: Decision, history: History) -> str:
    """What a series comes to, in a sentence or two: the answer, and claims that do not hold."""
    of_claims = summary(findings, decision, history)
    if findings.kind == "verify" or decision.outcome in (None, Outcome.VACUOUS):
        return of_claims
    found = [
        *(*_dependencies(findings), *_history(findings), *_between(findings, history)),
        *(*_unconfirmed(findings), *_cut_off(findings)),
    ]
    whole = " ".join(f"{each[0].upper()}{each[1:]}." for each in found)
    if decision.outcome in (Outcome.OK, Outcome.FOLLOWS_DEPENDENCY):
        return whole
    return f"{whole} {of_claims.removeprefix(f'{followed(findings)} ')}"


def _history(findings: SeriesFindings) -> Iterable[str]:
    """When the bug came and went."""
    stated = findings.boundaries
    cells = findings.released()
    silent = [each for each in cells if each.judgement.counts.absent]
    shown = [each for each in cells if each.judgement.verdict is Verdict.PRESENT]
    if not findings.window and cells:
        yield "the window has no release, so only those that the claims name were run"
    if not findings.window and not cells:
        yield "the window has no release that could be run"
    elif not shown and not silent:
        yield f"cannot tell, because {why_unresolved(cells)}"
    elif not shown:
        yield f"{_no_change(findings)}: {_counted(findings, 'none')} the bug"
    elif not [each for each in silent if each.judgement.counts.present == 0]:
        yield f"{_no_change(findings)}: {_counted(findings, 'each')} the bug"
    else:
        parts = [part for part in (_fix(findings), _begin(findings)) if part]
        told = "; ".join(parts) or f"{stated.last_broken} shows the bug"
        yield _both_ends(findings) or told


def _both_ends(findings: SeriesFindings) -> str:
    """That what shows the bug has no known end on either side."""
    fixed, broken, window = findings.boundaries.fixed_in, findings.broken_in, findings.window
    if not (fixed and broken and window) or fixed.by or broken.after:
        return ""
    if (broken.by, fixed.after) != (window[0], window[-1]):
        return ""
    return f"both ends of the window, {window[0]} and {window[-1]}, show the bug"


def _between(findings: SeriesFindings, history: History) -> Iterable[str]:
    """That an older line has the fix too, or that the bug was gone for a while."""
    lines: list[str] = []
    gaps: list[str] = []
    for good, next_broken in _good_between(findings):
        backported = history.came_before(next_broken, good[0])
        (lines if backported else gaps).append(_from_to(good))
    if lines:
        yield f"in older lines, {_listed(lines)} {_do(lines)} not show it"
    if gaps:
        yield f"between releases that show it, {_listed(gaps)} {_do(gaps)} not"


def _from_to(versions: list[str]) -> str:
    return f"{versions[0]} to {versions[-1]}" if versions[1:] else versions[0]


def _do(ranges: list[str]) -> str:
    return "do" if ranges[1:] or " to " in ranges[0] else "does"


def _good_between(findings: SeriesFindings) -> Iterable[tuple[list[str], str]]:
    """Good releases with broken ones on both sides, with the next broken one above them."""
    told = (Verdict.PRESENT, Verdict.ABSENT)
    judged = [each for each in findings.released() if each.judgement.verdict in told]
    judged.sort(key=lambda each: Version(each.cell.version))
    runs = [
        (verdict, [each.cell.version for each in cells])
        for verdict, cells in groupby(judged, key=lambda each: each.judgement.verdict)
    ]
    for at in range(1, len(runs) - 1):
        if runs[at][0] is Verdict.ABSENT:
            yield runs[at][1], runs[at + 1][1][0]


def _listed(names: list[str]) -> str:
    shown = names[:_NAMED]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return " and ".join([*shown, *more])


def _fix(findings: SeriesFindings) -> str:
    stated = findings.boundaries
    change = stated.fixed_in
    if stated.first_fixed:
        sure = _confidence(findings, stated.first_fixed)
        return f"{stated.first_fixed} is the first fixed release{sure}"
    if change is None:
        return ""
    if change.by is None:
        unknown = _why_unknown(findings, change)
        if findings.window[-1:] == (change.after,):
            return f"the newest release of the window, {change.after}, shows the bug"
        still = f"{change.after} still shows the bug"
        return f"{still}, and no release above it is known to be good{unknown}"
    if change.after is None:
        return f"{change.by} does not show the bug{_why_unknown(findings, change)}"
    return f"fixed between {change.after} and {change.by}{_why_unknown(findings, change)}"


def _begin(findings: SeriesFindings) -> str:
    stated = findings.boundaries
    change = findings.broken_in
    if stated.first_broken:
        return f"introduced in {stated.first_broken}{_confidence(findings, stated.first_broken)}"
    if change is None:
        return ""
    if change.after:
        return f"introduced between {change.after} and {change.by}{_why_unknown(findings, change)}"
    if change.unknown:
        unknown = _why_unknown(findings, change)
        return f"{change.by} shows it, and nothing is known of those below{unknown}"
    if change.by not in findings.window:
        return f"{change.by} shows it, and the window has no release below it"
    return f"the lowest release of the window, {change.by}, shows it"


def _why_unknown(findings: SeriesFindings, change: FixedIn) -> str:
    """Of the releases of a range which could not be judged, which were silent, which never ran."""
    ran = {
        each.cell.version: each.judgement.counts
        for each in findings.released()
        if each.judgement.reason is not Reason.NOT_RUN
    }
    quiet = [each for each in change.unknown if each in ran and ran[each].absent]
    lost = [each for each in change.unknown if each in ran and each not in quiet]
    left = [each for each in change.unknown if each not in ran]
    parts = [f"{_named(lost)} could not be judged"] if lost else []
    parts += [f"{_named(quiet)} did not show it, too few times to tell"] if quiet else []
    parts += [f"{_named(left)} {'was' if len(left) == 1 else 'were'} not run"] if left else []
    return f" ({', '.join(parts)})" if parts else ""


def _named(versions: list[str]) -> str:
    if len(versions) <= _NAMED:
        return " and ".join(versions)
    return f"{len(versions)} releases from {versions[0]} to {versions[-1]}"


def _no_change(findings: SeriesFindings) -> str:
    """What a search that did not come to its end cannot say."""
    if findings.search and findings.search.exhausted:
        return "no change seen so far"
    return "no change seen in the window" if findings.window else "no change seen"


def _counted(findings: SeriesFindings, which: Literal["each", "none"]) -> str:
    judged, window = len(findings.boundaries.tested), len(findings.window)
    of_all = f" (of {window} in the window)" if window > judged else ""
    if judged == 1:
        shows = "shows" if which == "each" else "does not show"
        return f"the one judged release{of_all} {shows}"
    return f"{which} of the {judged} judged releases{of_all} shows"


def _dependencies(findings: SeriesFindings) -> Iterable[str]:
    """Changes that are no change of the package."""
    for each in findings.confirmations:
        if each.result is ConfirmationResult.DIFFERS:
            of = str(each.follows) if each.follows else "its dependencies"
            yield f"between {each.older} and {each.newer} the verdict follows {of}, not the package"


def _unconfirmed(findings: SeriesFindings) -> Iterable[str]:
    """Changes of which it could not be shown that they are the package's."""
    for each in findings.confirmations:
        if each.result is ConfirmationResult.IMPOSSIBLE:
            yield (
                f"{each.older} and {each.newer} cannot run with identical dependencies, so this "
                "does not show that the package alone made the difference there"
            )


def _cut_off(findings: SeriesFindings) -> Iterable[str]:
    """What to think of an answer that could not be made as certain as was asked."""
    search = findings.search
    spent = search.spent if search else 0
    if search and search.exhausted and (search.budget is None or spent < search.budget):
        yield "the search did not come to its end"
    elif search and search.exhausted:
        counted = "1 attempt" if search.budget == 1 else f"{search.budget} attempts"
        yield f"the budget of {counted} ended before the search did"
    stated = findings.boundaries
    for each in search.reached if search else ():
        if each.by not in (stated.first_fixed, stated.first_broken):
            change = "fixed" if each.change == "fixed" else "introduced"
            sure = _floored(each.confidence)
            yield f"{change} after {each.after} and by {each.by} with a confidence of {sure}"


def _confidence(findings: SeriesFindings, version: str) -> str:
    """How sure a stated change is, where that was measured."""
    reached = findings.search.reached if findings.search else ()
    sure = [_floored(each.confidence) for each in reached if each.by == version]
    return f" (confidence {sure[0]})" if sure else ""


def _floored(confidence: float) -> float:
    """Three digits, never rounded up."""
    return math.floor(confidence * 1000) / 1000
