"""Which cells a case has: releases × interpreters × variants, and what each needs to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum

from packaging.version import Version

from runner.case import Case
from runner.environment import (
    Interpreter,
    Lock,
    Wanted,
    admitted_until,
    cutoff,
    pinned_requirement,
    pins,
    requirement_name,
)
from runner.errors import WrongUsage
from runner.metadata import Claims, Runner
from runner.releases import History, Release, satisfies
from runner.value import Value

PYTHON_RELEASED = {
    "3.6": date(2016, 12, 23),
    "3.7": date(2018, 6, 27),
    "3.8": date(2019, 10, 14),
    "3.9": date(2020, 10, 5),
    "3.10": date(2021, 10, 4),
    "3.11": date(2022, 10, 24),
    "3.12": date(2023, 10, 2),
    "3.13": date(2024, 10, 7),
    "3.14": date(2025, 10, 7),
    "3.15": date(2026, 10, 1),
}
"""First final release of each Python, from its release schedule (PEP 494 and its successors)."""


ANY = "3"
"""Stands for the interpreter of a series that none at hand may run."""


class Role(StrEnum):
    """Why a cell is in a run; one can have several."""

    BROKEN = "broken"
    FIXED = "fixed"
    BEFORE = "before"
    LATEST = "latest"
    CANDIDATE = "candidate"
    PROBE = "probe"
    CONTROL = "control"
    CONFIRM = "confirm"


class AsOf(StrEnum):
    """As of when dependencies are resolved, if not of a date."""

    RELEASE = "release"
    TODAY = "today"


class Series(Value):
    """All cells of one Python and one variant: the unit of which a boundary can be stated."""

    python: str
    """X.Y"""
    variant: str | None
    claims: Claims
    interpreter: Interpreter | None
    """None: not at hand, and the series stays untested."""
    note: str | None = None
    """What a reader should know of the choice of interpreter."""

    @property
    def name(self) -> str:
        return f"py{self.python}/{self.variant}" if self.variant else f"py{self.python}"


class Borrowed(Value):
    """Dependencies that are not the usual ones of a cell's release."""

    base: str
    """Id of the cell whose lock is taken, but for the package under test."""
    own: str
    """Id of the cell of this release as released: its wheel of the package is taken."""
    swapped: str | None = None
    """One package that is as in another lock, or absent as there,"""
    source: str | None = None
    """namely in that of the cell with this id."""


class Cell(Value):
    """One point of the matrix."""

    id: str
    version: str
    series: str
    """Name of its series."""
    control: bool = False
    borrowed: Borrowed | None = None
    """None: its dependencies are resolved as of its release."""


class Universe(Value):
    """Everything outside the case that decides its cells; with it a plan needs to ask nobody."""

    history: History
    pinned: dict[str, dict[str, Release]] = {}
    """Releases of other packages that the script pins: name → version → release."""
    interpreters: tuple[Interpreter, ...]
    as_of: AsOf | datetime = AsOf.RELEASE
    index: str = ""
    """Names where packages come from."""
    today: datetime
    """The start of the day of the run: `--as-of today` is stable for a day."""


def series_of(case: Case, universe: Universe, asked: tuple[str, ...] = ()) -> tuple[Series, ...]:
    """The series of a case: each variant on each of its interpreters.

    Args:
        asked: interpreters that the user named instead of the case's, as X.Y.

    Raises:
        WrongUsage: an interpreter that nobody ever heard of.
    """
    at_hand = {each.python: each for each in universe.interpreters}
    found = []
    for variant in case.variant_names():
        pythons, note = tuple(dict.fromkeys(asked)) or case.pythons(variant), None
        if pythons is None:
            python, note = _usual_python(case, universe)
            pythons = (python or ANY,)
        else:
            _refuse_unknown(pythons, at_hand, case)
        found += [
            Series(
                python=each,
                variant=variant,
                claims=case.claims(variant),
                interpreter=at_hand.get(each),
                note=note,
            )
            for each in pythons
        ]
    return tuple(found)


def cell_of(case: Case, series: Series, version: str, suffix: str = "") -> Cell:
    """The cell of one release in a series, with dependencies as of its release."""
    middle = f"{case.package}-{version}/{series.name}"
    return Cell(id=f"{case.id}/{middle}{suffix}", version=version, series=series.name)


def suffix_of(as_of: AsOf | datetime) -> str:
    """What an unusual cut-off adds to an id."""
    if isinstance(as_of, datetime):
        return f"@{as_of:%Y-%m-%d}"
    return "" if as_of is AsOf.RELEASE else f"@{as_of}"


def wanted(
    case: Case, universe: Universe, series: Series, cell: Cell, locks: Mapping[str, Lock]
) -> Wanted | Lock:
    """What to resolve for a cell; at once a lock where that follows from another cell's.

    Args:
        locks: of the cells that `cell` borrows from, by id.
    """
    if series.interpreter is None:
        raise AssertionError(f"{cell.id} has no interpreter and cannot be wanted")
    if cell.control and cell.borrowed:
        return locks[cell.borrowed.base].without(case.package)
    usual = _wanted_as_released(case, universe, series, series.interpreter, cell)
    if cell.borrowed is None:
        return usual
    return _wanted_exactly(case, usual, _borrowed(case, cell.borrowed, locks), cell)


def held_still(case: Case, cell: Cell, locks: Mapping[str, Lock]) -> Lock:
    """The lock of a cell with borrowed dependencies: the very wheels, not just the versions."""
    borrowed = cell.borrowed
    if borrowed is None:
        raise AssertionError(f"{cell.id} borrows nothing")
    own = [each for each in locks[borrowed.own].wheels if each.name == case.package]
    others = {each.name: each for each in locks[borrowed.base].without(case.package).wheels}
    if borrowed.swapped and borrowed.source:
        others.pop(borrowed.swapped, None)
        source = locks[borrowed.source].wheels
        others |= {each.name: each for each in source if each.name == borrowed.swapped}
    return Lock(wheels=tuple(sorted((*own, *others.values()), key=lambda each: each.name)))


def _borrowed(case: Case, borrowed: Borrowed, locks: Mapping[str, Lock]) -> dict[str, str]:
    versions = locks[borrowed.base].without(case.package).versions()
    if borrowed.swapped and borrowed.source:
        versions.pop(borrowed.swapped, None)
        source = locks[borrowed.source].versions()
        versions |= {name: each for name, each in source.items() if name == borrowed.swapped}
    return versions


def _wanted_exactly(case: Case, usual: Wanted, others: Mapping[str, str], cell: Cell) -> Wanted:
    """The same release with exactly these other packages, as far as its metadata allows them."""
    exact = {**others, case.package: cell.version}
    named = tuple(f"{name}=={version}" for name, version in sorted(others.items()))
    return usual.model_copy(
        update={"requirements": (*usual.requirements, *named), "exactly": exact, "as_of": None}
    )


def _wanted_as_released(
    case: Case, universe: Universe, series: Series, interpreter: Interpreter, cell: Cell
) -> Wanted:
    others = _other_requirements(case, series)
    pinned = {case.package: universe.history.find(cell.version)}
    for name, version in pins(others).items():
        pinned[name] = universe.pinned.get(name, {}).get(version)
    releases = {name: release for name, release in pinned.items() if release is not None}
    limits = {name: admitted_until(release) for name, release in releases.items()}
    return Wanted(
        requirements=(pinned_requirement(case, cell.version), *others),
        interpreter=interpreter,
        as_of=_as_of(case, universe, tuple(releases.values())),
        admitted={
            **case.uv.exclude_newer_package,
            **{name: until for name, until in limits.items() if until is not None},
        },
        uv=case.uv,
        index=universe.index,
    )


def _other_requirements(case: Case, series: Series) -> tuple[str, ...]:
    """What the script and the variant need beside the package, and pytest where that runs it."""
    others = (*case.dependencies, *case.variant(series.variant).dependencies)
    if case.metadata.runner is Runner.PYTEST and "pytest" not in map(requirement_name, others):
        return (*others, "pytest")
    return others


def _as_of(case: Case, universe: Universe, pinned: tuple[Release, ...]) -> datetime | None:
    """The user's word, then the script's own, then the release's day."""
    match universe.as_of:
        case AsOf.RELEASE if not universe.history.dated:
            return None
        case AsOf.RELEASE:
            return case.uv.exclude_newer or cutoff(pinned)
        case AsOf.TODAY:
            return universe.today
        case datetime() as day:
            return day


def pinned_names(case: Case) -> dict[str, str]:
    """Other packages that the script or a variant pins, whose upload times matter."""
    variants = (case.variant(name) for name in case.variant_names())
    return pins((*case.dependencies, *(each for v in variants for each in v.dependencies)))


def _usual_python(case: Case, universe: Universe) -> tuple[str | None, str | None]:
    """The interpreter of a case that names none, and what to say of the choice.

    The newest at hand that existed when the oldest claimed release or its predecessor was
    published and that these and the script allow; where only newer ones are at hand, the oldest.
    """
    releases = _claimed_releases(case, universe.history)
    allowed = [
        each
        for each in universe.interpreters
        if satisfies(each.version, case.requires_python)
        and all(release.allows(each.version) for release in releases)
    ]
    if not allowed:
        return None, "no interpreter at hand is allowed by the script and the releases"
    dates = [each.uploaded.date() for each in releases if each.uploaded]
    if not dates:
        return allowed[-1].python, None
    published = min(dates)
    existed = [each for each in allowed if _released(each.python) <= published]
    if existed:
        return existed[-1].python, None
    note = (
        f"Python {allowed[0].python} is newer than the oldest release judged here "
        f"({published}); no interpreter of that time is at hand"
    )
    return allowed[0].python, note


def _claimed_releases(case: Case, history: History) -> list[Release]:
    """What the claims of all variants name, as far as it exists, with its predecessors."""
    claims = [case.claims(variant) for variant in case.variant_names()]
    named = {version for each in claims for version in (*each.fixed, *each.broken)}
    before = [history.predecessor(version) for version in named]
    found = [history.find(version) for version in sorted(named, key=Version)]
    return [each for each in (*found, *before) if each is not None]


def _released(python: str) -> date:
    return PYTHON_RELEASED.get(python, date.max)


def _refuse_unknown(pythons: Iterable[str], at_hand: Iterable[str], case: Case) -> None:
    known = {*PYTHON_RELEASED, *at_hand}
    for python in pythons:
        if python not in known:
            raise WrongUsage(
                f"nobody has heard of Python {python}",
                hint=f"Known are {', '.join(sorted(known, key=Version))}.",
                case=case.id,
            )
