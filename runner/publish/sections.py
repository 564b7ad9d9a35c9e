"""The sections of a page about a case: what was measured, and what its script says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from packaging.version import Version

from runner.attempt import Attempt
from runner.publish import statements
from runner.publish.blocks import Block, Code, Facts, Links, Listing, Prose, Section, Table
from runner.publish.markers import SectionName
from runner.publish.published import Published
from runner.publish.standing import said_of_lack
from runner.render import survey, words
from runner.render.grid import released_as
from runner.render.marks import OUTCOMES, RESULTS, STATUSES, VERDICTS, claims_told
from runner.render.text import log_text
from runner.report import CellReport, Report, SeriesReport
from runner.verdict import Verdict

Logs = Callable[[str], Attempt | None]
"""The stored attempt of a name."""

TITLES = {
    SectionName.FIX: "The fix",
    SectionName.EVIDENCE: "Evidence",
    SectionName.VERIFIED_EXECUTION: "Verified Execution",
    SectionName.PROOF: "Proof and evidence",
    SectionName.COMPATIBILITY: "Version compatibility, as measured",
    SectionName.AFFECTED: "Affected ranges",
    SectionName.UPGRADE: "What to upgrade to",
    SectionName.SIGNATURE: "Failure signature",
    SectionName.REPRODUCTION: "Minimal reproduction",
    SectionName.ENVIRONMENT: "Environment",
    SectionName.AGAIN: "Run it again",
}
_OF_SCRIPT = (
    SectionName.FIX,
    SectionName.SIGNATURE,
    SectionName.REPRODUCTION,
    SectionName.AGAIN,
)
"""Sections that say something even where nothing was measured."""


def section(found: Published, name: SectionName, logs: Logs) -> Section:
    """One section; where nothing can be relied on it says so, and nothing that was measured."""
    blocks = (*warnings(found), *measured(found, name, logs))
    return Section(name=name, title=TITLES[name], blocks=blocks)


def measured(found: Published, name: SectionName, logs: Logs) -> tuple[Block, ...]:
    """What a section says beside its warnings, for a page that has them at its top."""
    return tuple(_MAKERS[name](found, logs)) if found.main or name in _OF_SCRIPT else ()


def warnings(found: Published) -> Iterator[Prose]:
    """What is to be known before anything measured is read."""
    if lack := said_of_lack(found.standing, found.case.id):
        yield Prose(text=lack, loud=True)
    for each in found.standing.withdrawn if found.main else ():
        why = each.withdrawn.why if each.withdrawn else ""
        yield Prose(text=f"An earlier run, {each.run}, was withdrawn: {why}", loud=True)
    if found.shared:
        yield Prose(
            text=f"This relies on attempts of what was withdrawn ({', '.join(found.shared)}). "
            f"Measure again: fixproof verify {found.case.id} --fresh",
            loud=True,
        )
    if found.expired and found.ran:
        yield Prose(
            text=f"This was measured on {found.ran:%Y-%m-%d}, more than 30 days ago. "
            f"Measure again: fixproof verify {found.case.id}",
            loud=True,
        )
    if newer := found.standing.newer:
        yield Prose(text=f"A newer run, {newer.run}, could not tell: {newer.summary}")


def _fix(found: Published, _logs: Logs) -> Iterator[Block]:
    measured = statements.first_fixed(found) if found.main else "nothing that can be relied on"
    yield Facts(pairs=(("Claimed to be fixed", claimed_fixed(found)), ("Measured", measured)))
    named = (("Issue", found.case.metadata.issue), ("Fix", found.case.metadata.fix))
    pairs = tuple((name, address) for name, address in named if address)
    if pairs:
        yield Links(pairs=pairs)


def claimed_fixed(found: Published) -> str:
    """Releases that the case names as fixed, whatever was measured."""
    claims = [found.case.claims(each) for each in found.case.variant_names()]
    named = dict.fromkeys(version for each in claims for version in each.fixed)
    return ", ".join(named) or "nothing is claimed"


def _evidence(found: Published, _logs: Logs) -> Iterator[Block]:
    yield Facts(pairs=statements.evidence(found))


def _verified_execution(found: Published, logs: Logs) -> Iterator[Block]:
    for report in [found.main] if found.main else []:
        yield Prose(text=f"{report.status}: {report.summary}")
        yield Facts(pairs=_execution(found, report))
        for each in report.series:
            yield from _logs_of(report, each, logs)


def _execution(found: Published, report: Report) -> tuple[tuple[str, str], ...]:
    return (
        ("Status", STATUSES[report.status].word),
        ("Outcome", OUTCOMES[report.outcome]),
        ("Mode", words.mode(report)),
        ("Last verified", statements.last_verified(found)),
        ("Package", report.case.package),
        ("Attempts", words.attempts(report)),
        ("Run", report.run),
        ("Case digest", report.case.sha256[:16]),
        ("Not tested", "; ".join(statements.not_tested(found))),
    )


def _logs_of(report: Report, series: SeriesReport, logs: Logs) -> Iterator[Block]:
    of = f", {words.name_of(series)}" if len(report.series) > 1 else ""
    for cell in words.shown_cells(words.cells_of(report, series), series):
        shown = words.telling_attempt(cell)
        stored = logs(shown.log) if shown else None
        if shown and stored:
            title = f"Log of {released_as(cell)}{of}: {VERDICTS[cell.verdict].word}, {shown.ending}"
            streams = [log_text(each) for each in (stored.stdout, stored.stderr)]
            yield Code(title=title, text="\n".join(filter(None, streams)) or "(no output)")


def _proof(found: Published, _logs: Logs) -> Iterator[Block]:
    for report in found.reports:
        if report.claims:
            yield Table(
                head=("Claimed", "Measured", "Why", "Where"),
                rows=tuple(
                    (said, RESULTS[each.result].word, each.why, where)
                    for said, where, each in claims_told(report)
                ),
            )
            break
    main = found.main
    for each in main.series if main else ():
        cells = words.cells_of(main, each) if main else None
        if cells:
            yield Facts(
                pairs=(
                    ("Series", words.name_of(each)),
                    ("Confirmation", words.confirmation(each)),
                    ("Control", words.control(cells)),
                    ("Dependencies", words.dependencies(cells, each)),
                )
            )


def _compatibility(found: Published, _logs: Logs) -> Iterator[Block]:
    report = found.survey or found.main
    if report is None:
        return
    for each in report.series:
        rows = tuple(_releases(report, each))
        if rows:
            head = ("Release", words.name_of(each), "Attempts that show the bug")
            yield Table(head=head, rows=rows)
    for why, which in survey.left_out(report):
        yield Prose(text=f"Left out, {why}: {which}")
    if found.survey is None:
        yield Prose(text=f"Nothing was measured of other releases: fixproof sweep {found.case.id}")


def _releases(report: Report, series: SeriesReport) -> Iterator[tuple[str, ...]]:
    if survey.is_survey(report):
        for row in survey.table(survey.axis_of(report, series)):
            yield f"{row.releases}", f"{row.mark.symbol} {row.mark.word}", row.told
        return
    cells = sorted(words.cells_of(report, series).released, key=_place)
    for _, same in groupby(cells, key=_place):
        for cell in same:
            mark = VERDICTS[cell.verdict]
            yield released_as(cell), f"{mark.symbol} {mark.word}", _counted(cell)


def _affected(found: Published, _logs: Logs) -> Iterator[Block]:
    report = found.survey
    said = [
        f"{words.name_of(each)}: {words.ranges(each.measured.affected)}"
        for each in (report.series if report else ())
        if each.measured.affected
    ]
    if said:
        yield Listing(items=tuple(said))
        return
    main = found.main
    shown = [
        cell.version
        for each in (main.series if main else ())
        for cell in (words.cells_of(main, each).released if main else ())
        if cell.verdict is Verdict.PRESENT
    ]
    listed = words.listed(sorted({*shown}, key=Version))
    yield Prose(text=f"Measured to have the bug: {listed or 'none'}.")
    yield Prose(text=f"Ranges were not measured: fixproof sweep {found.case.id}")


def _upgrade(found: Published, _logs: Logs) -> Iterator[Block]:
    report = found.survey
    advice = [
        f"{words.name_of(each)}: {said}"
        for each in (report.series if report else ())
        for said in survey.upgrades(each)
    ]
    if advice:
        yield Listing(items=tuple(advice))
        return
    main = found.main
    good = {each.measured.first_fixed for each in main.series} - {None} if main else set()
    if good:
        yield Prose(
            text=f"{', '.join(sorted(map(str, good), key=Version))}, measured without the bug."
        )
    else:
        yield Prose(text="No release was measured to be the first without the bug.")
    yield Prose(text=f"Other lines were not measured: fixproof sweep {found.case.id}")


def _signature(found: Published, _logs: Logs) -> Iterator[Block]:
    yield Code(text=found.case.metadata.signature, language="text")
    main = found.main
    if main is None:
        return
    shown = statements.reproduced(main)
    yield Prose(
        text=f"A regular expression, looked for in each line that the script prints. Seen: {shown}."
    )


def _reproduction(found: Published, _logs: Logs) -> Iterator[Block]:
    yield Code(text=found.script.rstrip("\n"), language="python")


def _environment(found: Published, _logs: Logs) -> Iterator[Block]:
    report = found.main
    if report is None:
        return
    yield Facts(
        pairs=(
            ("Platform", words.platform(report)),
            ("Python", ", ".join(each[7:] for each in statements.pythons(report)) or "none ran"),
            ("Sandbox", words.sandbox(report)),
            ("Limits of an attempt", words.limits(report)),
            ("Made by", f"fixproof {report.host.fixproof}, uv {report.host.uv}"),
        )
    )


def _again(found: Published, _logs: Logs) -> Iterator[Block]:
    again = [each.again for each in found.reports] or [f"fixproof verify {found.case.id}"]
    yield Code(text="\n".join(again), language="sh")


def _counted(cell: CellReport) -> str:
    return f"{cell.counts.present} of {cell.counts.judged}" if cell.counts.judged else ""


def _place(cell: CellReport) -> Version:
    return Version(cell.version)


_MAKERS: dict[SectionName, Callable[[Published, Logs], Iterator[Block]]] = {
    SectionName.FIX: _fix,
    SectionName.EVIDENCE: _evidence,
    SectionName.VERIFIED_EXECUTION: _verified_execution,
    SectionName.PROOF: _proof,
    SectionName.COMPATIBILITY: _compatibility,
    SectionName.AFFECTED: _affected,
    SectionName.UPGRADE: _upgrade,
    SectionName.SIGNATURE: _signature,
    SectionName.REPRODUCTION: _reproduction,
    SectionName.ENVIRONMENT: _environment,
    SectionName.AGAIN: _again,
}
