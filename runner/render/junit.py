"""Reports as JUnit XML, as the Jenkins and GitLab families of CI servers read it.

A suite a case; in it a test for each claim of each series, and one for each series as a whole: a
run can fail (a later release is broken again) where every claim by itself holds. A document has
failures where a report says FAIL, and errors where one says INCONCLUSIVE or there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import assert_never
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from runner.attempt import Attempt
from runner.claims import ClaimResult, Result
from runner.errors import FixproofError
from runner.outcome import Status
from runner.render import words
from runner.render.marks import claim_said
from runner.render.privacy import Privacy
from runner.render.text import log_text, visible
from runner.report import CellReport, Report, SeriesReport

Logs = Callable[[str], Attempt | None]
"""The stored attempt of a name."""

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
"""Neither controls, which are made visible, nor characters that XML may hold."""


def junit(results: Iterable[Report | FixproofError], logs: Logs, *, user_home: str = "") -> str:
    """The document.

    Args:
        results: what was found of each case, or why nothing was.
        logs: the stored attempts.
        user_home: shown as `~`.
    """
    writer = _Writer(logs, Privacy(user_home=user_home))
    root = Element("testsuites", name="fixproof")
    for each in results:
        root.append(writer.trouble(each) if isinstance(each, FixproofError) else writer.suite(each))
    for suite in root:
        _count(suite, suite.iter("testcase"))
    _count(root, root.iter("testcase"))
    del root.attrib["skipped"]
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document.decode()


class _Writer:
    """Makes elements of which every text is harmless."""

    def __init__(self, logs: Logs, privacy: Privacy) -> None:
        self._logs = logs
        self._privacy = privacy

    def suite(self, report: Report) -> Element:
        """One report."""
        suite = self._element("testsuite", name=report.case.id, package=report.case.package)
        if report.ran:
            suite.set("timestamp", f"{report.ran:%Y-%m-%dT%H:%M:%S}")
        properties = SubElement(suite, "properties")
        for name, value in _properties(report):
            properties.append(self._element("property", name=name, value=value))
        for series in report.series:
            for claim in report.claims:
                if (claim.python, claim.variant) == (series.python, series.variant):
                    suite.append(self._claim(report, claim))
            suite.append(self._series(report, series))
        return suite

    def trouble(self, error: FixproofError) -> Element:
        """A case of which there is no report."""
        name = error.case or "fixproof"
        suite = self._element("testsuite", name=name)
        case = self._element("testcase", classname=_class(name), name="can be run", time="0.000")
        case.append(self._element("error", str(error), message=error.message, type=error.kind))
        suite.append(case)
        return suite

    def _claim(self, report: Report, claim: ClaimResult) -> Element:
        """One claim of one series, with the logs of what it rests on."""
        cells = [each for each in report.cells if each.id in claim.cells]
        case = self._test(report, f"{claim_said(report, claim)} ({words.name_of(claim)})", cells)
        match claim.result:
            case Result.CONFIRMED:
                pass
            case Result.CONTRADICTED:
                case.append(self._ended("failure", claim.result, claim.why, report, cells))
            case Result.UNTESTED:
                case.append(self._ended("skipped", claim.result, claim.why, report, cells))
            case _:
                assert_never(claim.result)
        if logs := "\n\n".join(self._log(each) for each in cells if each.attempts):
            case.append(self._element("system-out", logs))
        return case

    def _series(self, report: Report, series: SeriesReport) -> Element:
        """A series as a whole: also what no claim of it says."""
        found = words.cells_of(report, series)
        cells = [*found.released, *found.others]
        case = self._test(report, f"as a whole ({words.name_of(series)})", cells)
        kind = _kind(report, series)
        if kind is not None:
            said = series.outcome or series.status
            case.append(self._ended(kind, said, series.summary, report, cells))
        return case

    def _test(self, report: Report, name: str, cells: list[CellReport]) -> Element:
        seconds = sum(each.seconds for cell in cells for each in cell.attempts)
        return self._element(
            "testcase", classname=_class(report.case.id), name=name, time=f"{seconds:.3f}"
        )

    def _ended(
        self, kind: str, said: str, why: str, report: Report, cells: list[CellReport]
    ) -> Element:
        """How a test ended that did not pass. Some servers show the message, some the text."""
        evidence = [f"{each.id}\n    {words.evidence(each)}" for each in cells]
        text = "\n".join([why, "", *evidence, "", "Run it again:", f"    {report.again}"])
        return self._element(kind, text, message=why, type=said)

    def _log(self, cell: CellReport) -> str:
        """One attempt of a cell: the first that says what its cell says."""
        shown = words.telling_attempt(cell)
        stored = self._logs(shown.log) if shown else None
        title = f"==== {cell.id}: {cell.verdict}"
        if shown is None or stored is None:
            return title
        parts = [f"{title}, {shown.ending}, {shown.seconds:.1f} s", log_text(stored.stdout)]
        if errors := log_text(stored.stderr):
            parts += ["---- standard error", errors]
        return "\n".join(parts)

    def _element(self, kind: str, text: str = "", **attributes: str) -> Element:
        made = Element(kind, {name: self._harmless(each) for name, each in attributes.items()})
        made.text = self._harmless(text) or None
        return made

    def _harmless(self, text: str) -> str:
        return _NO_CHARACTER.sub("\ufffd", visible(self._privacy.hide(text)))


def _kind(report: Report, series: SeriesReport) -> str | None:
    """What a test of a whole series ends with; None if it passes."""
    match series.status:
        case Status.PASS:
            return None
        case Status.FAIL:
            return "failure"
        case Status.INCONCLUSIVE:
            return "error"
        case Status.UNTESTED:
            alone = all(each.status is Status.UNTESTED for each in report.series)
            return "error" if alone else "skipped"
        case _:
            assert_never(series.status)


def _properties(report: Report) -> tuple[tuple[str, str], ...]:
    return (
        ("status", report.status),
        ("outcome", report.outcome),
        ("mode", report.mode),
        ("summary", report.summary),
        ("title", report.case.title),
        ("run", report.run),
        ("kind", report.kind),
        ("sandbox", words.sandbox(report)),
        ("fixproof", report.host.fixproof),
    )


def _class(case: str) -> str:
    """Servers take what is before the last dot for a package."""
    return f"fixproof.{case.replace('.', '_')}"


def _count(element: Element, cases: Iterable[Element]) -> None:
    """Tests by how they ended, as attributes."""
    found = list(cases)
    element.set("tests", str(len(found)))
    for name, kind in _COUNTED.items():
        element.set(name, str(sum(each.find(kind) is not None for each in found)))
    element.set("time", f"{sum(float(each.get('time', 0)) for each in found):.3f}")
