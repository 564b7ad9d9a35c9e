"""The "Verified Execution" section of a fix page: a report and the logs it rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined

from runner.attempt import Attempt
from runner.claims import ClaimResult
from runner.matrix import Role
from runner.outcome import Mode, Status
from runner.render.text import block, code, inline, log_text
from runner.report import AttemptReport, CellReport, Report, SeriesReport
from runner.sandbox import Stream
from runner.value import Value
from runner.verdict import Verdict

Logs = Callable[[str], Attempt | None]
"""The stored attempt of a name."""

_MODES = {
    Mode.BOTH: "both: the broken and the fixed side were run",
    Mode.FIXED_ONLY: "fixed_only: no broken side was judged, so nothing shows that there was a bug",
    Mode.BROKEN_ONLY: "broken_only: no fixed side was judged, so nothing shows that it was fixed",
    Mode.NONE: "none: nothing could be judged",
}


MOST_LOGS = 6
"""Logs of one series that a page shows."""
_SITE_PACKAGES = re.compile(r"[^\s\"']*/envs/[0-9a-f]{32}/lib/python[0-9.]+/site-packages/")


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
    template = _templates(compiled).get_template("section.md.j2")
    section = _SITE_PACKAGES.sub("…/site-packages/", template.render(_context(report, logs)))
    return section.replace(user_home, "~") if user_home.strip("/") else section


def _templates(compiled: BytecodeCache | None) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        bytecode_cache=compiled,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; each foreign text goes through a filter
    )
    environment.filters.update(inline=inline, code=code, block=block)
    return environment


def _context(report: Report, logs: Logs) -> dict[str, Any]:
    attempts = [attempt for cell in report.cells for attempt in cell.attempts]
    return {
        "report": report,
        "mode": _MODES[report.mode],
        "ran": f"{report.ran:%Y-%m-%d %H:%M:%S}" if report.ran else "nothing ran",
        "claimed": {kind: _claimed(report, kind) for kind in ("fixed", "broken", "unaffected")},
        "attempts": _attempts(attempts),
        "sandbox": _sandbox(report),
        "platform": f"Linux {report.host.kernel} {report.host.arch}",
        "limits": _limits(report),
        "not_shown": _not_shown(report),
        "series": [_series(report, each, logs) for each in report.series],
    }


def _claimed(report: Report, kind: str) -> str:
    """Versions with what became of the claim; where series differ, of which."""
    of_kind = [each for each in report.claims if each.kind == kind]
    parts = []
    for version in dict.fromkeys(each.version for each in of_kind):
        results: dict[str, list[str]] = {}
        for each in of_kind:
            if each.version == version:
                results.setdefault(each.result, []).append(_name(each))
        alike = len(results) == 1
        said = (r if alike else f"{r}: {' and '.join(names)}" for r, names in results.items())
        parts.append(f"{version} ({'; '.join(said)})")
    return ", ".join(parts)


def _attempts(attempts: list[AttemptReport]) -> str:
    reused = sum(each.reused for each in attempts)
    if reused == 0:
        return f"{len(attempts)}"
    if reused == len(attempts):
        return f"{reused}, none ran now: all were taken over from earlier runs of the same content"
    return f"{len(attempts)}, of which {reused} were taken over from earlier runs"


def _sandbox(report: Report) -> str:
    sandbox = report.sandbox
    isolation = "isolated" if sandbox.isolated else "NOT ISOLATED"
    network = "no network" if sandbox.network == "none" else "the host's network"
    missing = f"; not enforced: {', '.join(sandbox.unenforced)}" if sandbox.unenforced else ""
    base = f", base {sandbox.base}" if sandbox.base else ""
    return f"{sandbox.kind}, {isolation}, {network}{base}{missing}"


def _limits(report: Report) -> str:
    limits = report.sandbox.limits
    silence = f", {limits.silence:g} s of silence" if limits.silence else ""
    return (
        f"{limits.timeout:g} s{silence}, {limits.memory} MiB of memory, "
        f"{limits.processes} processes"
    )


def _not_shown(report: Report) -> str:
    """What a reader could take from the section, and must not."""
    roles = {role for cell in report.cells for role in cell.roles}
    parts = []
    if Role.LATEST not in roles:
        parts.append("no later release was run, so this does not say that the newest one is good")
    untested = [each for each in report.series if each.status is Status.UNTESTED]
    for each in untested:
        why = each.summary.removeprefix("Untested: ").removesuffix(".")
        parts.append(f"{_name(each)} is untested: {why}")
    return "; ".join(parts)


def _name(series: SeriesReport | ClaimResult) -> str:
    variant = f"{series.variant}, " if series.variant else ""
    return f"{variant}Python {series.python}"


def _series(report: Report, series: SeriesReport, logs: Logs) -> ShownSeries:
    cells = [
        each
        for each in report.cells
        if each.variant == series.variant and _minor(each.python) == series.python
    ]
    released = [each for each in cells if not {Role.CONTROL, Role.CONFIRM} & {*each.roles}]
    pythons = sorted({each.python for each in released}) or [series.python]
    note = f" ({series.note})" if series.note else ""
    return ShownSeries(
        name=_name(series),
        status=series.status,
        summary=series.summary,
        evidence=tuple(_evidence(each) for each in released),
        python=f"{', '.join(pythons)}{note}",
        dependencies=_dependencies(released, series),
        confirmation=_confirmation(series),
        control=_control(cells),
        troubles=tuple((each.version, _detail(each.detail)) for each in released if each.detail),
        logs=tuple(_shown_logs(released, logs)),
    )


def _detail(said: str) -> str:
    return log_text(Stream(head=said.encode()))


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _evidence(cell: CellReport) -> str:
    counts = cell.counts
    roles = ", ".join(cell.roles)
    yanked = ", yanked" if cell.yanked else ""
    if cell.verdict is Verdict.UNRESOLVED:
        ran = f" after {counts.unresolved} attempts" if counts.unresolved else ""
        return f"{cell.version} ({roles}{yanked}): unresolved ({cell.reason}){ran}"
    said = f"{counts.present} of {counts.judged} attempts show the bug"
    doubt = f", {counts.unresolved} more said nothing" if counts.unresolved else ""
    return f"{cell.version} ({roles}{yanked}): {said}{doubt}"


def _dependencies(released: list[CellReport], series: SeriesReport) -> str:
    """As of when, and what differs between the sides."""
    dates = [
        f"{each.version} as of {each.as_of:%Y-%m-%d %H:%M:%S}"
        if each.as_of
        else f"{each.version} as of today (the index has no upload time)"
        for each in released
        if each.lock_sha256
    ]
    if not dates:
        return "none could be installed"
    if series.confirmation is None:
        return "; ".join(dates)
    differs = ", ".join(str(each) for each in series.confirmation.differs)
    between = f"between the sides differ: {differs}" if differs else "the same on both sides"
    return f"{'; '.join(dates)}; {between}"


def _confirmation(series: SeriesReport) -> str:
    match series.confirmation and series.confirmation.result:
        case None:
            return "no boundary to confirm"
        case "same":
            return "same: with identical dependencies on both sides the verdicts are the same"
        case "differs":
            return "differs: with identical dependencies on both sides the verdict does not change"
        case _:
            return "impossible: the two releases cannot run with identical dependencies"


def _control(cells: list[CellReport]) -> str:
    for each in cells:
        if Role.CONTROL in each.roles:
            if each.verdict is Verdict.UNRESOLVED:
                return (
                    f"without the package the script is unresolved ({each.reason}), as it must be"
                )
            return f"without the package the script still says {each.verdict}: it proves nothing"
    return "not run"


def _shown_logs(released: list[CellReport], logs: Logs) -> Iterable[ShownLog]:
    """One attempt of each cell that counts: the first that says what its cell says.

    These are the claimed releases with their predecessors, and where none of them shows the bug,
    the newest release that does.
    """
    shown_cells = [each for each in released if each.roles != (Role.PROBE,)]
    telling = [each for each in released if each.verdict is Verdict.PRESENT]
    if not any(each in shown_cells for each in telling):
        shown_cells = [*telling[-1:], *shown_cells]
    for cell in shown_cells[:MOST_LOGS]:
        shown = next((a for a in cell.attempts if a.observation is cell.verdict), None)
        stored = logs(shown.log) if shown else None
        if shown and stored:
            yield ShownLog(
                title=f"{cell.version}: {cell.verdict}, {shown.ending}, {shown.seconds:.1f} s",
                stdout=log_text(stored.stdout),
                stderr=log_text(stored.stderr),
                name=shown.log,
            )
