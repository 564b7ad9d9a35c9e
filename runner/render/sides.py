"""What is different between the sides of a series, and what is not."""

from __future__ import annotations

from collections.abc import Iterable

from runner.render.grid import Square, released_as, square
from runner.report import CellReport
from runner.value import Value

NOT_INSTALLED = "not installed"
ABSENT = "absent"


class Side(Value):
    """One release as released."""

    label: str
    square: Square


class Fact(Value):
    """Something that is known of each side."""

    name: str
    values: tuple[str, ...]
    code: bool = False
    """Whether it is to be read character by character."""


class Sides(Value):
    """The sides of a series beside each other."""

    sides: tuple[Side, ...]
    facts: tuple[Fact, ...]
    comparison: str
    """What comes of comparing the dependencies."""
    dependencies: tuple[Fact, ...]
    """Those that are not the same everywhere."""
    same: tuple[str, ...]
    """Those that are."""


def sides(cells: tuple[CellReport, ...]) -> Sides:
    """Compare cells that stand for releases as released."""
    installed = [each for each in cells if each.lock_sha256]
    found = [dict(_split(each.dependencies)) for each in installed]
    names = sorted({name for each in found for name in each})
    facts = [
        Fact(
            name=name,
            values=tuple(
                dict(_split(each.dependencies)).get(name, ABSENT)
                if each.lock_sha256
                else NOT_INSTALLED
                for each in cells
            ),
        )
        for name in names
    ]
    same = {name for name in names if len({each.get(name) for each in found}) == 1}
    return Sides(
        sides=tuple(Side(label=released_as(each), square=square(each)) for each in cells),
        facts=_facts(cells),
        comparison=_comparison(len(installed), len(same), len(names)),
        dependencies=tuple(each for each in facts if each.name not in same),
        same=tuple(f"{name} {found[0][name]}" for name in names if name in same),
    )


def _comparison(installed: int, same: int, names: int) -> str:
    if installed > 1:
        return "Dependencies that differ" if same < names else "Dependencies: none differs"
    return "Dependencies: only one side could be installed" if installed else "Nothing installed"


def _facts(cells: tuple[CellReport, ...]) -> tuple[Fact, ...]:
    return (
        Fact(name="Loaded version", values=tuple(_loaded(each) for each in cells)),
        Fact(name="Loaded from", values=tuple(_location(each) for each in cells), code=True),
        Fact(name="Dependencies as of", values=tuple(_as_of(each) for each in cells)),
        Fact(name="Lock", values=tuple(_lock(each) for each in cells), code=True),
    )


def _loaded(cell: CellReport) -> str:
    if cell.loaded is None:
        return "not looked at" if cell.lock_sha256 else NOT_INSTALLED
    return cell.loaded.version or ABSENT


def _location(cell: CellReport) -> str:
    return (cell.loaded and cell.loaded.location) or "nowhere"


def _as_of(cell: CellReport) -> str:
    if cell.as_of is None:
        return "today: the index has no upload time" if cell.lock_sha256 else NOT_INSTALLED
    return f"{cell.as_of:%Y-%m-%d %H:%M:%S} UTC"


def _lock(cell: CellReport) -> str:
    return cell.lock_sha256[:16] if cell.lock_sha256 else "none"


def _split(dependencies: Iterable[str]) -> Iterable[tuple[str, str]]:
    for each in dependencies:
        name, _, version = each.partition("==")
        yield name, version
