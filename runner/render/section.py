"""The "Verified Execution" section of a fix page: a report and the logs it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import BytecodeCache

from runner.attempt import Attempt
from runner.outcome import Status
from runner.render import survey, words
from runner.render.privacy import Privacy
from runner.render.templating import markdown_templates
from runner.render.text import block, code, inline, log_text
from runner.report import CellReport, Measured, Report, SeriesReport
from runner.sandbox import Stream
from runner.value import Value

Logs = Callable[[str], Attempt | None]
"""The stored attempt of a name."""


class ShownLog(Value):
    """One attempt's log on the page."""

    title: str
    stdout: str
    stderr: str
    name: str


class ShownSeries(Value):
    """One series on the page."""

    name: str
    status: Status
    summary: str
    evidence: tuple[str, ...]
    python: str
    dependencies: str
    confirmation: str
    control: str
    upgrades: tuple[str, ...]
    releases: tuple[survey.Row, ...]
    """Of a sweep or a bisection: the window, lowest first."""
    troubles: tuple[tuple[str, str], ...]
    """Releases without an environment, and what the resolver or the build said."""
    logs: tuple[ShownLog, ...]


def markdown(
    report: Report, logs: Logs, *, compiled: BytecodeCache | None = None, user_home: str = ""
) -> str:
    """The section. It names nothing as fact that was not measured.

    Args:
        report: what was found.
        logs: the stored attempts.
        compiled: where compiled templates are kept; without one they are compiled again.
        user_home: shown as `~` in logs: a page need not tell who made it.
    """
    filters: dict[str, Callable[..., Any]] = {"inline": inline, "code": code, "block": block}
    template = markdown_templates(compiled, filters).get_template("section.md.j2")
    return Privacy(user_home=user_home).hide(template.render(_context(report, logs)))


def _context(report: Report, logs: Logs) -> dict[str, Any]:
    return {
        "report": report,
        "mode": words.mode(report),
        "ran": f"{report.ran:%Y-%m-%d %H:%M:%S}" if report.ran else "nothing ran",
        "claimed": {
            kind: words.claimed(report, kind) for kind in ("fixed", "broken", "unaffected")
        },
        "candidate": words.candidate(report),
        "attempts": words.attempts(report),
        "sandbox": words.sandbox(report),
        "platform": words.platform(report),
        "limits": words.limits(report),
        "not_shown": survey.not_shown(report),
        "left_out": survey.left_out(report),
        "history": _history(report.measured) if survey.is_survey(report) else (),
        "series": [_series(report, each, logs) for each in report.series],
    }


def _series(report: Report, series: SeriesReport, logs: Logs) -> ShownSeries:
    cells = words.cells_of(report, series)
    counted = words.shown_cells(cells, series)
    of_window = survey.is_survey(report)
    if of_window:  # the rest is in its table
        cells = cells.model_copy(update={"released": counted})
    return ShownSeries(
        name=words.name_of(series),
        status=series.status,
        summary="" if of_window and series.summary == report.summary else series.summary,
        evidence=tuple(words.evidence(each) for each in cells.released),
        python=words.interpreter(cells, series),
        dependencies=words.dependencies(cells, series),
        confirmation=words.confirmation(series),
        control=words.control(cells),
        upgrades=survey.upgrades(series),
        releases=survey.table(survey.axis_of(report, series)) if of_window else (),
        troubles=tuple(
            (each.version, _detail(each.detail)) for each in cells.released if each.detail
        ),
        logs=tuple(_shown_logs(counted, logs)),
    )


def _history(measured: Measured) -> tuple[tuple[str, str], ...]:
    """When the bug came and went, as far as it is stated for all series."""
    facts = (
        ("Introduced", measured.first_broken or ""),
        ("Affected", words.ranges(measured.affected or ())),
    )
    return tuple(each for each in facts if each[1])


def _detail(said: str) -> str:
    return log_text(Stream(head=said.encode()))


def _shown_logs(cells: Iterable[CellReport], logs: Logs) -> Iterable[ShownLog]:
    """One attempt of each cell: the first that says what its cell says."""
    for cell in cells:
        shown = words.telling_attempt(cell)
        stored = logs(shown.log) if shown else None
        if shown and stored:
            yield ShownLog(
                title=f"{cell.version}: {cell.verdict}, {shown.ending}, {shown.seconds:.1f} s",
                stdout=log_text(stored.stdout),
                stderr=log_text(stored.stderr),
                name=shown.log,
            )
