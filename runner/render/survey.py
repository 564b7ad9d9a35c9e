"""What a sweep or a bisection says of each release of its window, and of those it left out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from runner.affected import Upgrade
from runner.matrix import Role
from runner.releases import in_order
from runner.render import words
from runner.render.axis import CLAIMED_BROKEN, CLAIMED_FIX, Axis, Place
from runner.render.marks import Mark
from runner.report import CellReport, Report, SeriesReport
from runner.sentences import REASONS
from runner.value import Value

_CLAIMS = {Role.FIXED: CLAIMED_FIX, Role.BROKEN: CLAIMED_BROKEN}


class Row(Value):
    """Neighbours that showed the same."""

    releases: str
    mark: Mark
    told: str
    """Attempts that show the bug of those that could be judged, or why nothing could be."""
    more: str
    """What else there is to say of a release that stands alone."""


def is_survey(report: Report) -> bool:
    """Whether a report is about a window of releases, and not just about claims."""
    return report.kind != "verify"


def axis_of(report: Report, series: SeriesReport) -> Axis:
    """The window of a series, and what was run beyond it."""
    cells = {each.version: each for each in words.cells_of(report, series).released}
    steps = _steps(series, cells.values())
    return Axis(
        name=words.name_of(series),
        package=report.case.package,
        places=tuple(
            _place(each, cells.get(each), steps.get(each))
            for each in in_order((*series.window, *cells))
        ),
    )


def table(axis: Axis) -> tuple[Row, ...]:
    """Every release, lowest first; neighbours that showed the same stand in one row."""
    return tuple(_row(tuple(run)) for _, run in groupby(axis.places, _alike))


def left_out(report: Report) -> tuple[tuple[str, str], ...]:
    """Why releases are no part of a window, and which these are."""
    if not is_survey(report):
        return ()
    reasons = dict.fromkeys(each.why for each in report.skipped)
    return tuple(
        (why, words.listed([each.version for each in report.skipped if each.why == why]))
        for why in reasons
    )


def upgrades(series: SeriesReport) -> tuple[str, ...]:
    """Where users of broken releases find the fix, one sentence for each release to take."""
    return tuple(
        _advice(to, tuple(lines)) for to, lines in groupby(series.upgrade_to, lambda each: each.to)
    )


def not_shown(report: Report) -> str:
    """What a reader could take from the report, and must not."""
    parts = list(words.not_shown(report))
    for each in report.series if is_survey(report) else ():
        of = f"{words.name_of(each)}: " if len(report.series) > 1 else ""
        parts += [f"{of}{said}" for said in _not_shown(axis_of(report, each), each)]
    return "; ".join(parts)


def _not_shown(axis: Axis, series: SeriesReport) -> Iterable[str]:
    judged = {each.version for each in axis.places if each.judged}
    newest = series.window[-1:]
    if newest and newest[0] not in judged:
        yield f"the newest release of the window, {newest[0]}, could not be judged"
    silent = sum(each.verdict is None for each in axis.places)
    if silent and series.measured.assumes:
        were = "1 release was" if silent == 1 else f"{silent} releases were"
        yield f"{were} not run, and this is taken for granted: {series.measured.assumes}"


def _place(version: str, cell: CellReport | None, step: int | None) -> Place:
    if cell is None:
        return Place(version=version, verdict=None)
    counts = cell.counts
    judged = f"{counts.present} of {counts.judged}" if counts.judged else ""
    return Place(
        version=version,
        verdict=cell.verdict if cell.attempts or cell.detail else None,
        told=REASONS[cell.reason] if cell.reason else judged,
        claims=tuple(_CLAIMS[each] for each in cell.roles if each in _CLAIMS),
        probe=step,
        yanked=cell.yanked,
    )


def _steps(series: SeriesReport, cells: Iterable[CellReport]) -> dict[str, int]:
    """Releases of a search, numbered in the order in which it came by them."""
    places = {each: at for at, each in enumerate(series.search.probes if series.search else (), 1)}
    return {each.version: places[each.id] for each in cells if each.id in places}


def _alike(place: Place) -> tuple[object, ...]:
    """Equal for neighbours of which there is the same to say; idle steps of a search are alike."""
    alone = place.claims or place.yanked or (place.probe and place.judged)
    return place.mark.word, place.told, place.version if alone else ""


def _row(run: tuple[Place, ...]) -> Row:
    first, last = run[0], run[-1]
    each = " each" if len(run) > 1 and first.judged else ""
    return Row(
        releases=first.version
        if len(run) == 1
        else f"{first.version} to {last.version} ({len(run)} releases)",
        mark=first.mark,
        told=f"{first.told}{each}",
        more=", ".join(first.tags) if len(run) == 1 else "",
    )


def _advice(to: str | None, lines: tuple[Upgrade, ...]) -> str:
    broken = [version for each in lines for version in each.broken]
    who = broken[0] if len(broken) == 1 else f"{broken[0]} to {broken[-1]}"
    if to is None:
        return f"{who}: no release above is known to be good"
    line = ", of the same line" if all(each.same_line for each in lines) else ""
    return f"{who}: {to} is the nearest release known to be good{line}"
