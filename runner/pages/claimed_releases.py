"""Whether the releases that a page names exist, and whether it names the same ones everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.version import Version

from runner.pages.claimed import (
    Named,
    Ranged,
    first_fixed,
    fixes,
    ranges,
    rows,
    same,
    should_have_fix,
)
from runner.pages.finding import Finding, Kind, finding
from runner.pages.page import Field, Page, Statement, quoted
from runner.releases import History

_ROWS = (Field.BROKEN_ROW, Field.FIXED_ROW, Field.UNAFFECTED_ROW)


def release_findings(page: Page, history: History | None) -> Iterator[Finding]:
    """All that is wrong with the releases of a page.

    Args:
        history: what the index has; None where the package is not known.
    """
    if history is not None:
        yield from _missing(page, history)
        yield from _yanked(page, history)
    yield from _unreadable(page)
    yield from _differing(page)
    yield from _table(page)
    yield from _ranges(page)


def _missing(page: Page, history: History) -> Iterator[Finding]:
    for version, statements in _named(page).items():
        if history.find(version) is None:
            said = f"The package index has no release {version} of {history.package}."
            yield finding(Kind.NO_SUCH_RELEASE, said, statements)


def _yanked(page: Page, history: History) -> Iterator[Finding]:
    fixed = (*first_fixed(page), *rows(page, Field.FIXED_ROW))
    for version, statements in _by_version(fixed).items():
        release = history.find(version)
        if release is not None and release.yanked:
            said = f"{version}, which is said to have the fix, was withdrawn (yanked)."
            yield finding(Kind.YANKED_RELEASE, said, statements)


def _unreadable(page: Page) -> Iterator[Finding]:
    for named in first_fixed(page):
        if not named.versions:
            said = f"{quoted(named.statement.value)} names no release where a fixed one should be."
            yield finding(Kind.NOT_A_RELEASE, said, [named.statement])
    for ranged in ranges(page):
        if ranged.affected is None:
            said = f"Nobody can tell which releases {quoted(ranged.statement.value)} means."
            yield finding(Kind.NOT_A_RELEASE, said, [ranged.statement])


def _differing(page: Page) -> Iterator[Finding]:
    """Two places that say different first fixed releases; one may name more of them than others."""
    named = [each for each in first_fixed(page) if each.versions]
    sets = [frozenset(map(Version, each.versions)) for each in named]
    if sets and frozenset().union(*sets) not in sets:
        by = _by_version(named)
        told = " and ".join(f"{version} ({_lines(said)})" for version, said in by.items())
        said = f"The page calls different releases the first fixed one: {told}."
        yield finding(Kind.FIRST_FIXED_DIFFERS, said, (each.statement for each in named))


def _table(page: Page) -> Iterator[Finding]:
    """Rows that contradict each other, or the text."""
    broken, fixed = rows(page, Field.BROKEN_ROW), rows(page, Field.FIXED_ROW)
    good = (*fixed, *rows(page, Field.UNAFFECTED_ROW))
    for one in broken:
        for other in good:
            if same(one.versions[0], other.versions[0]):
                said = f"The table calls {one.versions[0]} both broken and good."
                places = [one.statement, other.statement]
                yield finding(Kind.TABLE_CONTRADICTS_ITSELF, said, places)
    text = fixes(page)
    if text:
        yield from _rows_against_text(page, broken, fixed, text)


def _rows_against_text(
    page: Page, broken: tuple[Named, ...], fixed: tuple[Named, ...], text: tuple[str, ...]
) -> Iterator[Finding]:
    where = [each.statement for each in first_fixed(page)][:1]
    called = " and ".join(text)
    for each in broken:
        if should_have_fix(each.versions[0], text):
            said = f"The table calls {each.versions[0]} broken; the text says fixed from {called}."
            yield finding(Kind.TABLE_CONTRADICTS_TEXT, said, [each.statement, *where])
    for each in fixed:
        if not should_have_fix(each.versions[0], text):
            said = f"The table calls {each.versions[0]} fixed; the text says fixed from {called}."
            yield finding(Kind.TABLE_CONTRADICTS_TEXT, said, [each.statement, *where])
    later = [each for each in fixed if should_have_fix(each.versions[0], text)]
    if later and not any(same(each.versions[0], one) for each in later for one in text):
        lowest = min((each.versions[0] for each in later), key=Version)
        said = f"The lowest fixed release of the table is {lowest}; the text says {called}."
        yield finding(
            Kind.TABLE_NAMES_OTHER_FIX, said, [*(each.statement for each in later), *where]
        )


def _ranges(page: Page) -> Iterator[Finding]:
    """Ranges that hold what they cannot, and rows that should be in one and are not."""
    readable = [each for each in ranges(page) if each.affected]
    text = fixes(page)
    for each in _distinct(readable):
        said = each.affected
        if said and any(span.empty for span in said.spans):
            what = f"The range {each.statement.value} ends below its start."
            yield finding(Kind.EMPTY_RANGE, what, [each.statement])
        inside = [version for version in text if said and said.contains(version)]
        if inside:
            what = f"{each.statement.value} is said to be affected, and {inside[0]} in it fixed."
            yield finding(Kind.RANGE_CONTAINS_FIX, what, _alike(readable, each))
    if readable:
        yield from _rows_against_ranges(page, readable, text)


def _rows_against_ranges(
    page: Page, readable: list[Ranged], text: tuple[str, ...]
) -> Iterator[Finding]:
    stated = " and ".join(dict.fromkeys(each.statement.value for each in readable))
    for each in rows(page, *_ROWS):
        (version,) = each.versions
        broken = each.statement.field is Field.BROKEN_ROW
        inside = any(one.affected and one.affected.contains(version) for one in readable)
        if broken and not inside:
            said = f"The table calls {version} broken; affected are said to be {stated}."
            yield finding(Kind.ROW_OUTSIDE_RANGE, said, [each.statement, readable[0].statement])
        elif not broken and inside and version not in text:
            said = f"The table calls {version} good; affected are said to be {stated}."
            yield finding(Kind.ROW_OUTSIDE_RANGE, said, [each.statement, readable[0].statement])


def _distinct(readable: list[Ranged]) -> list[Ranged]:
    """One statement of each range."""
    return list({each.statement.value: each for each in reversed(readable)}.values())[::-1]


def _alike(readable: list[Ranged], one: Ranged) -> Iterable[Statement]:
    return (each.statement for each in readable if each.affected == one.affected)


def _named(page: Page) -> dict[str, list[Statement]]:
    """Every release that the page makes a claim of, with the places."""
    found = _by_version((*first_fixed(page), *rows(page, *_ROWS)))
    for each in ranges(page):
        for version in each.affected.named if each.affected else ():
            found.setdefault(version, []).append(each.statement)
    return found


def _by_version(named: Iterable[Named]) -> dict[str, list[Statement]]:
    found: dict[str, list[Statement]] = {}
    for each in named:
        for version in each.versions:
            found.setdefault(version, []).append(each.statement)
    return found


def _lines(statements: list[Statement]) -> str:
    numbers = list(dict.fromkeys(str(each.place.line) for each in statements))
    return f"line {numbers[0]}" if len(numbers) == 1 else f"lines {', '.join(numbers)}"
