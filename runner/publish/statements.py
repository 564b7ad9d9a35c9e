"""The evidence of a case as short statements: each is measured, or says that it was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.version import Version

from runner.evidence import chance_of_silence
from runner.publish.published import Published
from runner.render import survey, words
from runner.report import CellReport, Report, SeriesReport
from runner.verdict import Verdict

Fact = tuple[str, str]

_LEAST = 0.001
"""Smaller chances are not told apart: nothing is certain."""


def evidence(found: Published) -> tuple[Fact, ...]:
    """The evidence, by name: what readers look for first."""
    main = found.main
    if main is None:
        return ()
    facts = (
        ("Reproduced", reproduced(main)),
        ("First fixed release", first_fixed(found)),
        ("Claimed to be fixed", words.claimed(main, "fixed")),
        ("Claimed to be broken", words.claimed(main, "broken")),
        ("Claimed not to have it", words.claimed(main, "unaffected")),
        ("Last verified", last_verified(found)),
        ("Confidence", confidence(main)),
        ("Platform", f"{words.platform(main)}; {', '.join(pythons(main))}"),
        ("Not tested", "; ".join(not_tested(found))),
    )
    return tuple((name, said) for name, said in facts if said)


def reproduced(report: Report) -> str:
    """Whether the bug was seen: yes, 3 of 3 attempts on 0.12.2."""
    return _alike((words.name_of(each), _seen(report, each)) for each in report.series)


def first_fixed(found: Published) -> str:
    """The release, and over how many it was measured; where runs differ, what each says."""
    said = {each.measured.first_fixed for each in found.reports} - {None}
    followed = next(filter(None, map(words.followed, found.reports)), "")
    if followed:
        return f"none stated: the verdict follows {followed}, not the package"
    if len(said) > 1:
        each = (f"{report.kind}: {report.measured.first_fixed}" for report in found.reports)
        return f"the runs differ ({', '.join(each)})"
    count = len(judged(found.reports))
    over = f"measured over {count} release{'s' * (count != 1)}"
    if said:
        return f"{said.pop()}, {over}"
    main = found.survey or found.main
    ranged = words.between(main.measured.fixed_in) if main else ""
    return f"not pinned down: {ranged} ({over})" if ranged else "not measured"


def last_verified(found: Published) -> str:
    """The time of the oldest attempt relied on."""
    if found.ran is None:
        return "nothing ran"
    count = sum(len(cell.attempts) for each in found.reports for cell in each.cells)
    expired = "; older than 30 days: due to be measured again" if found.expired else ""
    return f"{found.ran:%Y-%m-%d %H:%M} UTC, the oldest of {count} attempts relied on{expired}"


def confidence(report: Report) -> str:
    """That an absence is one, and how that was computed."""
    return _alike((words.name_of(each), _sure(report, each)) for each in report.series)


def not_tested(found: Published) -> tuple[str, ...]:
    """What a reader could take from the page, and must not."""
    main = found.main
    if main is None:
        return ()
    parts = [*words.not_shown(main)]
    if found.survey:
        parts = [each for each in parts if not each.startswith("no later release was run")]
        parts += [each for each in survey.not_shown(found.survey).split("; ") if each not in parts]
    else:
        parts.append("releases beside those named here")
    variants = {each.variant for report in found.reports for each in report.series}
    missing = [each for each in found.case.variant_names() if each not in variants]
    parts += [f"the variant {each}" for each in missing if each]
    parts.append(f"platforms other than Linux {main.host.arch}, and other Pythons")
    return tuple(filter(None, parts))


def judged(reports: Iterable[Report]) -> frozenset[str]:
    """Releases, as released, of which some run could tell whether they have the bug."""
    return frozenset(
        cell.version
        for report in reports
        for each in report.series
        for cell in words.cells_of(report, each).released
        if cell.verdict is not Verdict.UNRESOLVED
    )


def pythons(report: Report) -> tuple[str, ...]:
    """The interpreters that attempts ran with."""
    ran = {cell.python for cell in report.cells if cell.attempts}
    return tuple(f"Python {each}" for each in sorted(ran, key=Version))


def _seen(report: Report, series: SeriesReport) -> str:
    cells = list(_judged_cells(report, series))
    shown = [each for each in cells if each.verdict is Verdict.PRESENT]
    if shown:
        last = max(shown, key=lambda each: Version(each.version))
        return f"yes, {last.counts.present} of {last.counts.judged} attempts on {last.version}"
    silent = [f"0 of {each.counts.judged} on {each.version}" for each in cells]
    return f"no: {', '.join(silent[: words.NAMED])}" if silent else "not tested"


def _sure(report: Report, series: SeriesReport) -> str:
    cells = list(_judged_cells(report, series))
    shown = [each for each in cells if each.verdict is Verdict.PRESENT]
    silent = [each for each in cells if each.verdict is Verdict.ABSENT]
    if shown and words.followed(report):
        return f"none stated: the verdict follows {words.followed(report)}, not the package"
    if not silent:
        return "none stated: no absence was measured"
    fixed = next((c for c in silent if c.version == series.measured.first_fixed), silent[-1])
    times, asked = fixed.counts.absent, report.measured.confidence
    if not shown:
        return f"none stated: nothing shows the bug, so {times} silent attempts tell little"
    attempts = sum(each.counts.judged for each in shown)
    seen = sum(each.counts.present for each in shown)
    chance = chance_of_silence(attempts, attempts - seen, times)
    sure = f"{1 - chance:.3f}" if chance >= _LEAST else f"more than {1 - _LEAST}"
    return (
        f"{sure} that {fixed.version} does not have it ({asked:g} was asked for): a bug "
        f"that {seen} of {attempts} attempts showed stays silent {times} times in a row with a "
        f"chance of {chance:.2g} (uniform prior of its rate)"
    )


def _judged_cells(report: Report, series: SeriesReport) -> Iterator[CellReport]:
    for each in words.cells_of(report, series).released:
        if each.verdict is not Verdict.UNRESOLVED:
            yield each


def _alike(said: Iterable[Fact]) -> str:
    """What all series say, once; where they differ, which says what."""
    by_text: dict[str, list[str]] = {}
    for name, text in said:
        by_text.setdefault(text, []).append(name)
    if len(by_text) == 1:
        return next(iter(by_text))
    return "; ".join(f"{' and '.join(names)}: {text}" for text, names in by_text.items())
