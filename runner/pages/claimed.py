"""What a page claims of releases, put together from all the places where it says so."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from packaging.version import Version

from runner.outcome import past_a_fix
from runner.pages.page import Field, Page, Place, Statement
from runner.pages.ranges import Affected, affected, listed, released
from runner.releases import in_order
from runner.value import Value


class Named(Value):
    """A statement, and the releases that it names."""

    versions: tuple[str, ...]
    """As PEP 440 spells them; none where the statement names no release."""
    statement: Statement


class Ranged(Value):
    """A statement about affected releases."""

    affected: Affected | None
    """None: nobody can tell what it means."""
    statement: Statement


class ClaimKind(StrEnum):
    """What can be claimed, and tested."""

    FIRST_FIXED = "first_fixed"
    """This release is the first one without the bug."""
    FIXED = "fixed"
    """This release does not have the bug any more."""
    UNAFFECTED = "unaffected"
    """This release does not have the bug."""
    BROKEN = "broken"
    """This release has the bug."""
    RANGE = "range"
    """All releases of a range have the bug."""
    PYTHON = "python"
    """The bug shows on this Python."""
    REPRODUCED = "reproduced"
    """The publisher has seen the bug."""


class PageClaim(Value):
    """One claim, with every place where the page makes it."""

    kind: ClaimKind
    subject: str
    """The release, the range, or the Python."""
    versions: tuple[str, ...] = ()
    """Releases that it names."""
    companions: tuple[str, ...] = ()
    """Of a first fixed release: those that are named with it, of other lines; itself too."""
    range: Affected | None = None
    places: tuple[Place, ...]


_OF_ROW = {
    Field.BROKEN_ROW: ClaimKind.BROKEN,
    Field.FIXED_ROW: ClaimKind.FIXED,
    Field.UNAFFECTED_ROW: ClaimKind.UNAFFECTED,
}


def first_fixed(page: Page) -> tuple[Named, ...]:
    """Every statement of a first fixed release."""
    return tuple(
        Named(versions=listed(each.value), statement=each) for each in page.all(Field.FIRST_FIXED)
    )


def fixes(page: Page) -> tuple[str, ...]:
    """All releases that are somewhere called the first fixed one, lowest first."""
    return in_order(version for each in first_fixed(page) for version in each.versions)


def rows(page: Page, *fields: Field) -> tuple[Named, ...]:
    """Rows of the version table; a release is named by each."""
    return tuple(
        Named(versions=(version,), statement=each)
        for each in page.all(*fields)
        if (version := released(each.value))
    )


def ranges(page: Page) -> tuple[Ranged, ...]:
    """Every statement of affected releases."""
    return tuple(
        Ranged(affected=affected(each.value[:500]), statement=each)
        for each in page.all(Field.AFFECTED)
    )


def claims(page: Page) -> tuple[PageClaim, ...]:
    """All that runs can test, each once, in the order of the page."""
    made = [*_fixes(page), *_rows(page), *_ranges(page), *_others(page)]
    merged: dict[tuple[ClaimKind, str], PageClaim] = {}
    for each in made:
        known = merged.get((each.kind, each.subject))
        merged[each.kind, each.subject] = _merged(known, each) if known else each
    return tuple(merged.values())


def reproduced(page: Page) -> bool | None:
    """Whether the publisher says to have seen the bug; None where nothing is said."""
    said = page.value(Field.REPRODUCED)
    return None if said is None else _yes(said)


def _yes(said: str | None) -> bool:
    return (said or "").strip("`* ").casefold().startswith(("yes", "true"))


def _merged(one: PageClaim, other: PageClaim) -> PageClaim:
    places = {each.line: each for each in (*one.places, *other.places)}
    return one.model_copy(
        update={
            "places": tuple(places.values()),
            "companions": in_order((*one.companions, *other.companions)),
        }
    )


def _fixes(page: Page) -> Iterable[PageClaim]:
    for each in first_fixed(page):
        for version in each.versions:
            yield PageClaim(
                kind=ClaimKind.FIRST_FIXED,
                subject=version,
                versions=(version,),
                companions=in_order(each.versions),
                places=(each.statement.place,),
            )


def _rows(page: Page) -> Iterable[PageClaim]:
    for each in rows(page, *_OF_ROW):
        (version,) = each.versions
        kind, place = _OF_ROW[each.statement.field], each.statement.place
        yield PageClaim(kind=kind, subject=version, versions=(version,), places=(place,))


def _ranges(page: Page) -> Iterable[PageClaim]:
    for each in ranges(page):
        said, place = each.affected, each.statement.place
        for version in said.single if said else ():
            yield PageClaim(
                kind=ClaimKind.BROKEN, subject=version, versions=(version,), places=(place,)
            )
        if said and said.whole:
            yield PageClaim(
                kind=ClaimKind.RANGE,
                subject=spelt(said),
                versions=said.named,
                range=said,
                places=(place,),
            )


def _others(page: Page) -> Iterable[PageClaim]:
    for each in page.all(Field.SHOWS_ON_PYTHON):
        python = ".".join(each.value.split(".")[:2])
        yield PageClaim(kind=ClaimKind.PYTHON, subject=python, places=(each.place,))
    for each in page.all(Field.UPSTREAM) if _yes(page.value(Field.UPSTREAM)) else ():
        for version in fixes(page):
            yield PageClaim(
                kind=ClaimKind.FIXED, subject=version, versions=(version,), places=(each.place,)
            )
    if reproduced(page):
        places = tuple(each.place for each in page.all(Field.REPRODUCED))
        yield PageClaim(kind=ClaimKind.REPRODUCED, subject="the bug", places=places)


def spelt(said: Affected) -> str:
    """A range as one writes it."""
    parts = [str(each) for each in said.spans]
    return ", ".join([*parts, *([said.specifier] if said.specifier else [])])


def same(one: str, other: str) -> bool:
    """Whether two spellings name one release."""
    return Version(one) == Version(other)


def should_have_fix(version: str, fixed: tuple[str, ...]) -> bool:
    """Whether a release is a claimed fix, or one that comes after it in its line or above all."""
    return any(same(version, each) for each in fixed) or past_a_fix(version, fixed)
