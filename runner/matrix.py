"""Which cells a case has: releases × interpreters × variants, and what each needs to run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from runner.candidate import Candidate
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
from runner.metadata import Claims, Runner
from runner.pythons import refuse_unknown, usual_python
from runner.releases import History, Release, satisfies
from runner.value import Value

ANY = "3"
"""Stands for the interpreter of a series that none at hand may run."""


CANDIDATE = "@candidate"
"""Ends the id of a cell that stands for no release: its version may be that of one."""


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

    @property
    def cells(self) -> tuple[str, ...]:
        """Ids of the cells whose locks it is made of."""
        return (self.base, self.own, *([self.source] if self.source else []))


class Cell(Value):
    """One point of the matrix."""

    id: str
    version: str
    series: str
    """Name of its series."""
    control: bool = False
    candidate: bool = False
    """It stands for a build that is no release, whatever release has the same version."""
    borrowed: Borrowed | None = None
    """None: its dependencies are resolved as of its release."""

    @property
    def plain_id(self) -> str:
        """Without what its id says of dependencies; a candidate is still one."""
        return self.id.partition("@")[0] + (CANDIDATE if self.candidate else "")

    @property
    def called(self) -> str:
        """Its version, in sentences and in the ids of others."""
        return f"the candidate {self.version}" if self.candidate else self.version


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
    candidate: Candidate | None = None
    """The build that is asked about in place of the claimed fix."""


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
            python, note = usual_python(
                case, universe.history, universe.interpreters, universe.candidate
            )
            pythons = (python or ANY,)
        else:
            refuse_unknown(pythons, at_hand, case)
        for each in pythons:
            interpreter, said = at_hand.get(each), note
            if interpreter and not satisfies(interpreter.version, case.requires_python):
                interpreter = None
                said = f"the script asks for Python {case.requires_python}, which {each} is not"
            found.append(
                Series(
                    python=each,
                    variant=variant,
                    claims=_claims(case, variant, universe.candidate),
                    interpreter=interpreter,
                    note=said,
                )
            )
    return tuple(found)


def _claims(case: Case, variant: str | None, candidate: Candidate | None) -> Claims:
    claims = case.claims(variant)
    return claims.of_candidate(candidate.called) if candidate else claims


def cell_of(case: Case, series: Series, version: str, suffix: str = "") -> Cell:
    """The cell of one release in a series, with dependencies as of its release."""
    middle = f"{case.package}-{version}/{series.name}"
    return Cell(id=f"{case.id}/{middle}{suffix}", version=version, series=series.name)


def candidate_cell(case: Case, series: Series, as_of: AsOf | datetime) -> Cell | None:
    """The cell of the build that a series asks about; None where it asks about releases alone."""
    version = series.claims.candidate
    if version is None:
        return None
    cell = cell_of(case, series, version, f"{suffix_of(as_of)}{CANDIDATE}")
    return cell.model_copy(update={"candidate": True})


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
    usual = wanted_naturally(case, universe, series, series.interpreter, cell)
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


def wanted_naturally(
    case: Case, universe: Universe, series: Series, interpreter: Interpreter, cell: Cell
) -> Wanted:
    """With the dependencies of its day: a release's own, or today's for a candidate."""
    others = _other_requirements(case, series)
    pinned = {case.package: None if cell.candidate else universe.history.find(cell.version)}
    for name, version in pins(others).items():
        pinned[name] = universe.pinned.get(name, {}).get(version)
    releases = {name: release for name, release in pinned.items() if release is not None}
    limits = {name: admitted_until(release) for name, release in releases.items()}
    return Wanted(
        requirements=(pinned_requirement(case, cell.version), *others),
        interpreter=interpreter,
        as_of=_as_of(case, universe, cell, tuple(releases.values())),
        admitted={
            **case.uv.exclude_newer_package,
            **{name: until for name, until in limits.items() if until is not None},
        },
        uv=case.uv.admitting_wheels_of(case.package) if cell.candidate else case.uv,
        index=universe.index,
        candidate=universe.candidate if cell.candidate else None,
    )


def _other_requirements(case: Case, series: Series) -> tuple[str, ...]:
    """What the script and the variant need beside the package, and pytest where that runs it."""
    others = (*case.dependencies, *case.variant(series.variant).dependencies)
    if case.metadata.runner is Runner.PYTEST and "pytest" not in map(requirement_name, others):
        return (*others, "pytest")
    return others


def _as_of(
    case: Case, universe: Universe, cell: Cell, pinned: tuple[Release, ...]
) -> datetime | None:
    """The user's word, then the script's own, then the release's day; a candidate's is today."""
    match universe.as_of:
        case AsOf.RELEASE if not universe.history.dated:
            return None
        case AsOf.RELEASE if cell.candidate:
            return case.uv.exclude_newer or universe.today
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
