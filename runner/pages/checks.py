"""All that can be said of a page without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runner.pages.claimed import claims
from runner.pages.claimed_dates import date_findings, verification_findings
from runner.pages.claimed_releases import release_findings
from runner.pages.finding import Finding, Kind, finding
from runner.pages.origin import origin_findings
from runner.pages.page import Field, Page
from runner.pages.shown import reproduction_findings, signature_findings
from runner.releases import History


def check(page: Page, history: History | None, now: datetime) -> tuple[Finding, ...]:
    """Everything that is wrong, in the order of the kinds.

    Args:
        history: what the index has of the page's package; None where it is not known.
        now: UTC.
    """
    return (
        *_whole(page),
        *release_findings(page, history),
        *origin_findings(page, history),
        *date_findings(page, history, now),
        *verification_findings(page),
        *reproduction_findings(page),
        *signature_findings(page),
    )


def ambiguous(page: Page) -> Finding | None:
    """That a page is about more than one fix: then nobody can tell which claim is about which."""
    if len(page.issues) < 2:  # noqa: PLR2004 - more than one
        return None
    named = " and ".join(f"#{each}" for each in page.issues)
    said = f"The page is about several issues, {named}: each needs a page of its own."
    return finding(Kind.SEVERAL_FIXES, said, page.all(Field.ISSUE))


def unknown_package(page: Page) -> Finding:
    """That the index does not know the package, where the page names it; else that nobody does."""
    named = page.first(Field.PACKAGE)
    if named:
        said = f"The package index has no package {named.value}."
        return finding(Kind.NO_SUCH_PACKAGE, said, [named])
    said = "Which package the page is about cannot be told: the index has none of that name."
    return finding(Kind.INCOMPLETE, said, page.all(Field.REPOSITORY)[:1])


def _whole(page: Page) -> Iterator[Finding]:
    """Whether a page has what makes it one, and only once."""
    several = ambiguous(page)
    if several:
        yield several
    if not page.issues:
        yield finding(Kind.INCOMPLETE, "The page names no issue.")
    if page.package is None:
        yield finding(Kind.INCOMPLETE, "The page names no package and no repository.")
    if not page.all(Field.FIRST_FIXED):
        yield finding(Kind.INCOMPLETE, "The page names no first fixed release.")
    elif not claims(page):
        yield finding(Kind.INCOMPLETE, "The page claims nothing that a run could test.")
