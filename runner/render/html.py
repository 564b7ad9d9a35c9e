"""A report as one page to look at: it asks nobody for anything, and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from jinja2 import BytecodeCache

from runner.attempt import Attempt
from runner.render import survey, words
from runner.render.axis import Axis
from runner.render.axis_picture import NARROW, WIDE, Picture, picture
from runner.render.grid import grid, released_as
from runner.render.logs import ShownStream, shown_stream
from runner.render.marks import OUTCOMES, RESULTS, STATUSES, VERDICTS, Mark, claims_told
from runner.render.privacy import Privacy
from runner.render.sides import Sides, sides
from runner.render.templating import html_templates, style
from runner.report import CellReport, Measured, Report, SeriesReport
from runner.sandbox import Stream
from runner.value import Value

Logs = Callable[[str], Attempt | None]
"""The stored attempt of a name."""


class ShownLog(Value):
    """One attempt's log beside others."""

    label: str
    mark: Mark
    ending: str
    name: str
    streams: tuple[tuple[str, ShownStream], ...]

    @property
    def found(self) -> int:
        return sum(stream.found for _, stream in self.streams)


class ShownTrouble(Value):
    """A release that could not be installed, and what was said of that."""

    version: str
    said: ShownStream


class ShownWindow(Value):
    """The releases of a series of a sweep or a bisection."""

    name: str
    axis: Axis
    wide: Picture
    """For large screens,"""
    narrow: Picture
    """and for small ones."""
    rows: tuple[survey.Row, ...]
    upgrades: tuple[str, ...]


class ShownSeries(Value):
    """One series."""

    name: str
    status: Mark
    summary: str
    python: str
    sides: Sides
    measured: tuple[tuple[str, str], ...]
    confirmation: str
    differs: tuple[str, ...]
    control: str
    troubles: tuple[ShownTrouble, ...]
    logs: tuple[ShownLog, ...]


def page(
    report: Report, logs: Logs, *, compiled: BytecodeCache | None = None, user_home: str = ""
) -> str:
    """The page.

    Args:
        report: what was found.
        logs: the stored attempts.
        compiled: where compiled templates are kept; without one they are compiled again.
        user_home: shown as `~`: a page need not tell who made it.
    """
    privacy = Privacy(user_home=user_home)
    template = html_templates(compiled, privacy).get_template("report.html.j2")
    return template.render(frame() | context(report, logs, privacy))


def frame() -> dict[str, Any]:
    """What every page needs: its style, and a policy that allows that style and nothing else."""
    sheet = style()
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return {
        "style": sheet,
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
    }


def context(report: Report, logs: Logs, privacy: Privacy) -> dict[str, Any]:
    """What the template of a report is given."""
    return {
        "report": report,
        "status": STATUSES[report.status],
        "outcome": OUTCOMES[report.outcome],
        "facts": _facts(report),
        "not_shown": survey.not_shown(report),
        "grid": grid(report),
        "windows": windows(report),
        "left_out": survey.left_out(report),
        "claims": [
            (said, where, RESULTS[each.result], each) for said, where, each in claims_told(report)
        ],
        "series": [_series(report, each, logs, privacy) for each in report.series],
        "ground": _ground(report),
        "attempts": [
            (cell, [(each, VERDICTS[each.observation]) for each in cell.attempts])
            for cell in report.cells
            if cell.attempts
        ],
    }


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The few things that a reader wants to know first, by name."""
    claimed = {kind: words.claimed(report, kind) for kind in ("fixed", "broken", "unaffected")}
    facts = (
        ("Candidate", words.candidate(report)),
        ("Asked of the candidate" if report.candidate else "Claimed to be fixed", claimed["fixed"]),
        ("Claimed to be broken", claimed["broken"]),
        ("Claimed not to have it", claimed["unaffected"]),
        *measured(report.measured),
        ("Sides", words.mode(report)),
        ("Attempts", words.attempts(report)),
        ("Ran", f"{report.ran:%Y-%m-%d %H:%M} UTC" if report.ran else "nothing ran"),
    )
    return tuple((name, said) for name, said in facts if said)


def measured(found: Measured) -> tuple[tuple[str, str], ...]:
    """What was measured of the bug's history, by name."""
    facts = (
        ("First broken", found.first_broken),
        ("Last broken", found.last_broken),
        ("First fixed", found.first_fixed or words.between(found.fixed_in)),
        ("Affected", words.ranges(found.affected or ())),
        ("Assumed", found.assumes),
    )
    return tuple((name, said) for name, said in facts if said)


def _ground(report: Report) -> tuple[tuple[str, str], ...]:
    """Where it ran, by name."""
    return (
        ("Sandbox", words.sandbox(report)),
        ("Limits of an attempt", words.limits(report)),
        ("Confidence in an absence", f"{report.measured.confidence}"),
        ("Platform", words.platform(report)),
        ("Made by", f"fixproof {report.host.fixproof}, uv {report.host.uv}"),
    )


def _series(report: Report, series: SeriesReport, logs: Logs, privacy: Privacy) -> ShownSeries:
    cells = words.cells_of(report, series)
    shown = words.shown_cells(cells, series)
    signature = report.case.signature
    return ShownSeries(
        name=words.name_of(series),
        status=STATUSES[series.status],
        summary=series.summary,
        python=words.interpreter(cells, series),
        sides=sides(shown),
        measured=measured(series.measured),
        confirmation=words.confirmation(series),
        differs=tuple(str(each) for each in series.confirmation.differs)
        if series.confirmation
        else (),
        control=words.control(cells),
        troubles=tuple(
            ShownTrouble(version=each.version, said=_said(each.detail, privacy))
            for each in (shown if survey.is_survey(report) else cells.released)
            if each.detail
        ),
        logs=tuple(
            found for each in shown if (found := _log(each, signature, logs, privacy)) is not None
        ),
    )


def windows(report: Report) -> tuple[ShownWindow, ...]:
    if not survey.is_survey(report):
        return ()
    return tuple(_window(report, each, f"axis-{at}") for at, each in enumerate(report.series, 1))


def _window(report: Report, series: SeriesReport, anchor: str) -> ShownWindow:
    axis = survey.axis_of(report, series)
    return ShownWindow(
        name=words.name_of(series),
        axis=axis,
        wide=picture(axis, f"{anchor}-wide", WIDE),
        narrow=picture(axis, f"{anchor}-narrow", NARROW),
        rows=survey.table(axis),
        upgrades=survey.upgrades(series),
    )


def _said(detail: str, privacy: Privacy) -> ShownStream:
    return shown_stream(Stream(head=detail.encode()), None, privacy)


def _log(cell: CellReport, signature: str, logs: Logs, privacy: Privacy) -> ShownLog | None:
    """One attempt of a cell: the first that says what its cell says."""
    shown = words.telling_attempt(cell)
    stored = logs(shown.log) if shown else None
    if shown is None or stored is None:
        return None
    return ShownLog(
        label=released_as(cell),
        mark=VERDICTS[cell.verdict],
        ending=f"{shown.ending} after {shown.seconds:.1f} s",
        name=shown.log,
        streams=(
            ("Standard output", shown_stream(stored.stdout, signature, privacy)),
            ("Standard error", shown_stream(stored.stderr, signature, privacy)),
        ),
    )
