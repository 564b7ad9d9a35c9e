"""Whether what a page says of days and runs can be so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runner.pages.claimed import fixes, reproduced
from runner.pages.days import Moment, moment
from runner.pages.finding import Finding, Kind, finding
from runner.pages.page import Field, Page, Statement, quoted
from runner.releases import History

_NO_DATE = frozenset({"", "-", "–", "—", "never", "n/a", "none", "not yet", "unknown"})
_DATED = (Field.LAST_VERIFIED, Field.RAN, Field.QUOTE_DATE)


def date_findings(page: Page, history: History | None, now: datetime) -> Iterator[Finding]:
    """Dates that cannot be read, or are in an order that cannot be.

    Args:
        now: UTC; what lies behind it has not happened.
    """
    yield from _unreadable(page)
    for each, told in _told(page, *_DATED):
        if told.earliest > now:
            said = f"{_NAMES[each.field]} {told}, which is in the future."
            yield finding(Kind.DATE_IN_FUTURE, said, [each])
    yield from _before_release(page, history)
    yield from _before_run(page)


def verification_findings(page: Page) -> Iterator[Finding]:
    """What is called verified, and what was run for it."""
    passed = [each for each in page.all(Field.STATUS) if each.value.casefold().startswith("pass")]
    refused = [] if reproduced(page) is not False else list(page.all(Field.REPRODUCED))
    modes = list(page.all(Field.MODE))
    if passed and refused:
        said = "The page says PASS, and also that nothing was executed."
        yield finding(Kind.PASS_NOT_EXECUTED, said, [*passed, *refused])
    one_sided = [each for each in modes if not each.value.casefold().startswith("both")]
    if passed and one_sided:
        said = (
            f"PASS in mode {one_sided[0].value}: no broken release was run beside the fixed one, "
            "so nothing shows that there was a bug, or that this release fixed it."
        )
        yield finding(Kind.PASS_PROVES_NOTHING, said, [*passed, *one_sided])
    if passed and not modes:
        said = "The page says PASS, and does not say which sides were run."
        yield finding(Kind.PASS_WITHOUT_MODE, said, passed)
    verified = [each for each, _ in _told(page, Field.LAST_VERIFIED)]
    if verified and refused:
        said = "The page says when it was last verified, and also that the bug was not reproduced."
        yield finding(Kind.VERIFIED_NOT_EXECUTED, said, [*verified, *refused])
    confidence = page.all(Field.CONFIDENCE)
    if confidence and not page.all(Field.COUNTS):
        said = f"Confidence {confidence[0].value} is stated, and no attempt that it could rest on."
        yield finding(Kind.CONFIDENCE_WITHOUT_ATTEMPTS, said, confidence)


_NAMES = {
    Field.LAST_VERIFIED: "Last verified:",
    Field.RAN: "Ran:",
    Field.QUOTE_DATE: "A quote is dated",
}


def _told(page: Page, *fields: Field) -> Iterator[tuple[Statement, Moment]]:
    for each in page.all(*fields):
        told = moment(each.value)
        if told:
            yield each, told


def _unreadable(page: Page) -> Iterator[Finding]:
    for each in page.all(Field.LAST_VERIFIED, Field.RAN):
        if moment(each.value) is None and each.value.strip().casefold() not in _NO_DATE:
            said = f"{quoted(each.value)} stands where a date should be."
            yield finding(Kind.NOT_A_DATE, said, [each])


def _before_release(page: Page, history: History | None) -> Iterator[Finding]:
    for version in fixes(page):
        release = history.find(version) if history else None
        if release is None or release.uploaded is None:
            continue
        early = [
            (each, told)
            for each, told in _told(page, Field.LAST_VERIFIED, Field.RAN)
            if told.latest < release.uploaded
        ]
        if early:
            said = (
                f"{version} came on {release.uploaded:%Y-%m-%d}; the page says that it was "
                f"verified on {early[0][1]}."
            )
            yield finding(Kind.VERIFIED_BEFORE_RELEASE, said, [each for each, _ in early])


def _before_run(page: Page) -> Iterator[Finding]:
    """What ran later than it was last verified was verified later, or verified nothing."""
    verified, ran = [*_told(page, Field.LAST_VERIFIED)], [*_told(page, Field.RAN)]
    late = [(v, r) for v in verified for r in ran if v[1].latest < r[1].earliest]
    if late:
        said = (
            f"Last verified on {late[0][0][1]}, says the page; and that it ran on {late[0][1][1]}."
        )
        statements = [*(v[0] for v, _ in late), *(r[0] for _, r in late)]
        yield finding(Kind.VERIFIED_BEFORE_RUN, said, statements)
