"""What a report says, in plain words without markup: shared by all formats that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.version import Version

from runner import sentences
from runner.boundaries import FixedIn
from runner.candidate import CandidateKind
from runner.claims import ClaimResult
from runner.findings import ConfirmationResult
from runner.matrix import Role
from runner.outcome import Mode, Status
from runner.report import AttemptReport, CellReport, Report, SeriesReport
from runner.value import Value
from runner.verdict import Verdict

MODES = {
    Mode.BOTH: "both: the broken and the fixed side were run",
    Mode.FIXED_ONLY: "fixed_only: no broken side was judged, so nothing shows that there was a bug",
    Mode.BROKEN_ONLY: "broken_only: no fixed side was judged, so nothing shows that it was fixed",
    Mode.NONE: "none: nothing could be judged",
}
_FOUND_BY_SEARCH = "broken_only: no fix is claimed; where it was fixed, other releases show"
NAMED = 12
"""Releases that are named one by one where several have one thing in common."""
MOST_LOGS = 6
"""Cells of one series whose logs are shown."""


class SeriesCells(Value):
    """The cells of one series."""

    released: tuple[CellReport, ...]
    """Those that stand for a release as released."""
    others: tuple[CellReport, ...]
    """Controls and confirmations."""


def cells_of(report: Report, series: SeriesReport) -> SeriesCells:
    """The cells of a series, in the order of the report."""
    cells = [
        each
        for each in report.cells
        if each.variant == series.variant and minor(each.python) == series.python
    ]
    aside = [each for each in cells if {Role.CONTROL, Role.CONFIRM} & {*each.roles}]
    return SeriesCells(
        released=tuple(each for each in cells if each not in aside), others=tuple(aside)
    )


def minor(python: str) -> str:
    """3.11.4 is a 3.11."""
    return ".".join(python.split(".")[:2])


def name_of(series: SeriesReport | ClaimResult) -> str:
    """A series, as one calls it."""
    return sentences.name_of(series.python, series.variant)


def claimed(report: Report, kind: str) -> str:
    """Versions with what became of the claim; where series differ, of which."""
    of_kind = [each for each in report.claims if each.kind == kind]
    parts = []
    for version in dict.fromkeys(each.version for each in of_kind):
        results: dict[str, list[str]] = {}
        for each in of_kind:
            if each.version == version:
                results.setdefault(each.result, []).append(name_of(each))
        alike = len(results) == 1
        said = (r if alike else f"{r}: {' and '.join(names)}" for r, names in results.items())
        parts.append(f"{version} ({'; '.join(said)})")
    return ", ".join(parts)


def attempts(report: Report) -> str:
    """How many there were, and how many of them did not run now."""
    made = [attempt for cell in report.cells for attempt in cell.attempts]
    reused = sum(each.reused for each in made)
    if reused == 0:
        return f"{len(made)}"
    if reused == len(made):
        return f"{reused}, none ran now: all were taken over from earlier runs of the same content"
    return f"{len(made)}, of which {reused} were taken over from earlier runs"


def sandbox(report: Report) -> str:
    """Where attempts ran, and what held."""
    found = report.sandbox
    isolation = "isolated" if found.isolated else "NOT ISOLATED"
    network = "no network" if found.network == "none" else "the host's network"
    missing = f"; not enforced: {', '.join(found.unenforced)}" if found.unenforced else ""
    base = f", base {found.base}" if found.base else ""
    runtime = f", runtime {found.runtime}" if found.runtime else ""
    return f"{found.kind}, {isolation}, {network}{base}{runtime}{missing}"


def limits(report: Report) -> str:
    """What one attempt could use."""
    held = report.sandbox.limits
    silence = f", {held.silence:g} s of silence" if held.silence else ""
    return f"{held.timeout:g} s{silence}, {held.memory} MiB of memory, {held.processes} processes"


def platform(report: Report) -> str:
    """The machine, as far as it can matter."""
    return f"Linux {report.host.kernel} {report.host.arch}"


def not_shown(report: Report) -> tuple[str, ...]:
    """What a reader could take from the report, and must not."""
    roles = {role for cell in report.cells for role in cell.roles}
    parts = []
    if report.candidate and report.candidate.replaces:
        fixes = " and ".join(report.candidate.replaces)
        parts.append(f"{fixes}, claimed to be fixed, was not run: the candidate stood in for it")
    elif report.kind == "verify" and not report.candidate and Role.LATEST not in roles:
        parts.append("no later release was run, so this does not say that the newest one is good")
    untested = [each for each in report.series if each.status is Status.UNTESTED]
    for each in untested:
        why = each.summary.removeprefix("Untested: ").removesuffix(".")
        parts.append(f"{name_of(each)} is untested: {why}")
    if report.case.reads_version:
        parts.append(
            "the script reads a version number: where it decides by that, this shows the number "
            "and not the behaviour"
        )
    return tuple(parts)


def candidate(report: Report) -> str:
    """Which build it was: whoever has the file can tell."""
    found = report.candidate
    if found is None:
        return ""
    what = {
        CandidateKind.WHEEL: "the wheel",
        CandidateKind.SDIST: "a wheel built of",
        CandidateKind.FOLDER: "a wheel built of the folder",
    }
    of = "its content" if found.kind is CandidateKind.FOLDER else "it"
    return f"{found.version}, {what[found.kind]} {found.file} (sha256 of {of}: {found.sha256})"


def listed(versions: Sequence[str]) -> str:
    """Releases that have something in common, lowest first."""
    if len(versions) <= NAMED:
        return ", ".join(versions)
    return f"{len(versions)} releases from {versions[0]} to {versions[-1]}"


def mode(report: Report) -> str:
    """Which sides of the claims were judged, and what that shows."""
    found = any(each.measured.first_fixed for each in report.series)
    return _FOUND_BY_SEARCH if report.mode is Mode.BROKEN_ONLY and found else MODES[report.mode]


def between(fixed_in: FixedIn | None) -> str:
    """Where the fix came, as far as that is known; nothing where no release shows the bug."""
    if fixed_in is None or fixed_in.after is None:
        return ""
    by = f"{fixed_in.by} at the latest" if fixed_in.by else "none is known"
    unknown = f"; not judged: {listed(fixed_in.unknown)}" if fixed_in.unknown else ""
    return f"above {fixed_in.after}, {by}{unknown}"


def followed(report: Report) -> str:
    """The dependency that a verdict follows; empty where it follows the package."""
    for each in report.series:
        if each.confirmation and each.confirmation.result is ConfirmationResult.DIFFERS:
            return str(each.confirmation.follows or "the dependencies")
    return ""


def ranges(affected: tuple[dict[str, str], ...]) -> str:
    """Ranges as OSV events, in words."""
    return ", ".join(_range(each) for each in affected)


def _range(events: Mapping[str, str]) -> str:
    if "fixed" in events:
        return f"{events['introduced']} up to {events['fixed']}, which is fixed"
    if "last_affected" in events:
        return (
            f"{events['introduced']} to {events['last_affected']}, of later ones nothing is known"
        )
    return f"{events['introduced']} and later"


def interpreter(cells: SeriesCells, series: SeriesReport) -> str:
    """Which Python ran, and why this one where that needs a word."""
    pythons = sorted({each.python for each in cells.released}) or [series.python]
    note = f" ({series.note})" if series.note else ""
    return f"{', '.join(pythons)}{note}"


def evidence(cell: CellReport) -> str:
    """A release with its counts."""
    counts = cell.counts
    roles = ", ".join(cell.roles)
    yanked = ", yanked" if cell.yanked else ""
    if cell.verdict is Verdict.UNRESOLVED:
        ran = f" after {counts.unresolved} attempts" if counts.unresolved else ""
        return f"{cell.version} ({roles}{yanked}): unresolved ({cell.reason}){ran}"
    said = f"{counts.present} of {counts.judged} attempts show the bug"
    doubt = f", {counts.unresolved} more said nothing" if counts.unresolved else ""
    return f"{cell.version} ({roles}{yanked}): {said}{doubt}"


def dependencies(cells: SeriesCells, series: SeriesReport) -> str:
    """As of when, and what differs between the sides."""
    dates = [
        f"{each.version} as of {each.as_of:%Y-%m-%d %H:%M:%S}"
        if each.as_of
        else f"{each.version} as of today (the index has no upload time)"
        for each in cells.released
        if each.lock_sha256
    ]
    if not dates:
        return "none could be installed"
    if series.confirmation is None:
        return "; ".join(dates)
    differs = ", ".join(str(each) for each in series.confirmation.differs)
    between = f"between the sides differ: {differs}" if differs else "the same on both sides"
    return f"{'; '.join(dates)}; {between}"


def confirmation(series: SeriesReport) -> str:
    """Whether the boundary holds with one set of dependencies."""
    match series.confirmation and series.confirmation.result:
        case None:
            return "no boundary to confirm"
        case "same":
            return "the boundary holds with identical dependencies on both sides"
        case "differs" if series.window:
            return "not every boundary holds with identical dependencies (see above)"
        case "differs":
            return "the boundary does not hold with identical dependencies on both sides"
        case _:
            return "impossible: the two sides cannot run with identical dependencies"


def control(cells: SeriesCells) -> str:
    """What the script says where the package is missing."""
    for each in cells.others:
        if Role.CONTROL in each.roles:
            if each.verdict is Verdict.UNRESOLVED:
                return (
                    f"without the package the script is unresolved ({each.reason}), as it must be"
                )
            return f"without the package the script still says {each.verdict}: it proves nothing"
    return "not run"


def shown_cells(cells: SeriesCells, series: SeriesReport) -> tuple[CellReport, ...]:
    """The cells that count: the claimed releases with their predecessors, and the boundary.

    Where none of them shows the bug, the newest release that does comes first.
    """
    boundary = {series.measured.last_broken, series.measured.first_fixed}
    if series.broken_in and series.broken_in.after:
        boundary |= {series.broken_in.after, series.broken_in.by}
    if series.confirmation and series.confirmation.result is ConfirmationResult.DIFFERS:
        boundary |= {part for each in cells.others for part in (each.version, _deps_of(each.id))}
    counted = [
        each for each in cells.released if each.roles != (Role.PROBE,) or each.version in boundary
    ]
    telling = [each for each in cells.released if each.verdict is Verdict.PRESENT]
    if not any(each in counted for each in telling):
        counted = [*telling[-1:], *counted]
    return tuple(sorted(counted[:MOST_LOGS], key=lambda each: Version(each.version)))


def _deps_of(cell_id: str) -> str:
    """The release whose dependencies a cell has beside its own, where it has."""
    return cell_id.rpartition("@deps=")[2]


def telling_attempt(cell: CellReport) -> AttemptReport | None:
    """The first attempt that says what its cell says."""
    return next((each for each in cell.attempts if each.observation is cell.verdict), None)
