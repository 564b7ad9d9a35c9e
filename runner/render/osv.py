"""A sweep as a record in the Open Source Vulnerability format: what was measured broken."""

from __future__ import annotations

from typing import Any

from packaging.utils import canonicalize_name

from runner.errors import WrongUsage
from runner.releases import in_order
from runner.render.words import cells_of, name_of
from runner.report import Report, SeriesReport
from runner.verdict import Verdict

VERSION = "1.7.0"
"""Of the format."""
PREFIX = "FIXPROOF"
"""Begins ids. No public database has it: whoever publishes a record gives it an id of one."""


def record(report: Report) -> dict[str, Any]:
    """The record.

    Raises:
        WrongUsage: nothing was measured that could be said in it.
    """
    if report.kind != "sweep":
        raise WrongUsage(
            f"a {report.kind} measures no affected ranges, and an OSV record consists of them",
            hint=f"fixproof sweep {report.case.id} does.",
            case=report.case.id,
        )
    affected = [found for each in report.series if (found := _affected(report, each))]
    if not affected:
        raise WrongUsage(
            "there is no affected range that could be published",
            hint=report.summary,
            case=report.case.id,
        )
    return {
        "schema_version": VERSION,
        "id": f"{PREFIX}-{report.case.id}",
        "modified": _modified(report),
        "summary": report.case.title,
        "details": report.summary,
        "affected": affected,
        "references": _references(report),
        "credits": [{"name": "fixproof", "type": "TOOL"}],
        "database_specific": {
            "run": report.run,
            "status": report.status,
            "outcome": report.outcome,
            "confidence": report.measured.confidence,
            "again": report.again,
        },
    }


def _affected(report: Report, series: SeriesReport) -> dict[str, Any] | None:
    """What one series says; in one range either a fix or a last broken release, never both."""
    if not series.measured.affected:
        return None
    cells = cells_of(report, series).released
    return {
        "package": {
            "ecosystem": "PyPI",
            "name": report.case.package,
            "purl": f"pkg:pypi/{canonicalize_name(report.case.package)}",
        },
        "ranges": [
            {"type": "ECOSYSTEM", "events": [{name: each} for name, each in found.items()]}
            for found in series.measured.affected
        ],
        "versions": in_order(each.version for each in cells if each.verdict is Verdict.PRESENT),
        "database_specific": {"series": name_of(series), "python": series.python},
    }


def _modified(report: Report) -> str:
    """When the newest attempt ran: nothing later can change what is said."""
    ran = (attempt.ran for cell in report.cells for attempt in cell.attempts)
    return f"{max(ran):%Y-%m-%dT%H:%M:%S}Z"


def _references(report: Report) -> list[dict[str, str]]:
    found = (("REPORT", report.case.issue), ("FIX", report.case.fix))
    return [
        {"type": kind, "url": address}
        for kind, address in found
        if address and address.startswith(("http://", "https://"))
    ]
