"""What every plan is asked about, and the cells that its claims name before anything ran."""

from __future__ import annotations

from runner.case import Case
from runner.evidence import DEFAULT_CONFIDENCE
from runner.matrix import Borrowed, Cell, Role, Series, Universe, candidate_cell, cell_of, suffix_of
from runner.value import Value


class Question(Value):
    """Everything outside a plan's own method that decides what it runs."""

    case: Case
    universe: Universe
    series: tuple[Series, ...]
    confidence: float = DEFAULT_CONFIDENCE

    def cell(self, series: Series, version: str) -> Cell:
        """The cell of one release, as released or as of the day that was asked for."""
        return cell_of(self.case, series, version, suffix_of(self.universe.as_of))

    def control(self, target: Cell) -> Cell:
        """The same as `target` minus the package under test."""
        return target.model_copy(
            update={
                "id": f"{target.plain_id}@control",
                "control": True,
                "borrowed": Borrowed(base=target.id, own=target.id),
            }
        )

    def candidate(self, series: Series) -> Cell | None:
        """The cell of the build that stands in for the claimed fixes, if there is one."""
        return candidate_cell(self.case, series, self.universe.as_of)


CONTROL_ROLES = (
    *(Role.FIXED, Role.CANDIDATE, Role.BROKEN),
    *(Role.BEFORE, Role.LATEST, Role.PROBE),
)
"""The control is made of the highest cell of the first of these that has an environment."""

Roles = dict[str, list[Role]]
"""Which releases a series runs, and as what."""


def claimed_roles(question: Question, series: Series) -> Roles:
    """The claimed releases and the predecessors of claimed fixes, lowest first."""
    history, claims = question.universe.history, series.claims
    roles: Roles = {}
    for version in claims.broken:
        add_role(question, roles, version, Role.BROKEN)
    for version in claims.fixed:
        add_role(question, roles, version, Role.FIXED)
    fixes = (*claims.fixed, *claims.replaced)
    for version in fixes:
        before = history.predecessor(
            version, apart_from=fixes
        )  # where a variant without the bug would show it, too
        add_role(question, roles, before.version if before else None, Role.BEFORE)
    return lowest_first(question, roles)


def add_role(question: Question, roles: Roles, version: str | None, role: Role) -> None:
    """Give a release one more role, if the index has it."""
    release = question.universe.history.find(version) if version else None
    if release is not None and role not in roles.setdefault(release.version, []):
        roles[release.version].append(role)


def lowest_first(question: Question, roles: Roles) -> Roles:
    """The same, in the order of the history."""
    order = question.universe.history.order
    return dict(sorted(roles.items(), key=lambda item: order[item[0]]))


def cells_of_roles(
    question: Question, series: Series, roles: Roles
) -> dict[Cell, tuple[Role, ...]]:
    """The cells of these releases, with the control, as far as it is known beforehand."""
    cells = {question.cell(series, version): tuple(found) for version, found in roles.items()}
    candidate = question.candidate(series)
    if candidate is not None:
        cells[candidate] = (Role.CANDIDATE,)
    target = _control_target(list(cells.items()))
    if target is not None:
        cells[question.control(target)] = (Role.CONTROL,)
    return cells


def missing(question: Question, series: Series) -> tuple[str, ...]:
    """Claimed releases that the index does not have."""
    claimed = (*series.claims.broken, *series.claims.fixed)
    return tuple(each for each in claimed if question.universe.history.find(each) is None)


def _control_target(cells: list[tuple[Cell, tuple[Role, ...]]]) -> Cell | None:
    for role in CONTROL_ROLES:
        of_role = [cell for cell, roles in cells if role in roles]
        if of_role:
            return of_role[-1]
    return None
