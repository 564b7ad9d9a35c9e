"""What series say of one claim, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from runner.claims import Result
from runner.counts import shows
from runner.findings import CellFindings, ConfirmationResult
from runner.pages.claimed import same
from runner.pages.witness import Evidence, Witness
from runner.sentences import followed, name_of

RunCell = tuple[str, CellFindings]
"""A cell, and the run that it is of."""


class Told(NamedTuple):
    """What became of a claim, and why."""

    result: Result
    why: str
    cells: tuple[RunCell, ...] = ()


Say = Callable[[tuple[Witness, ...]], Told]
"""What the witnesses of one series say."""


def told_of(result: Result, cells: Iterable[RunCell], why: str = "") -> Told:
    """A result with the counts of the cells that it rests on."""
    listed = tuple(dict.fromkeys((run, cell.cell.id) for run, cell in cells))
    by_id = {(run, cell.cell.id): (run, cell) for run, cell in cells}
    kept = tuple(by_id[each] for each in listed)
    said = counted([cell for _, cell in kept])
    return Told(result, f"{why}: {said}" if why else said, kept)


def counted(cells: Sequence[CellFindings]) -> str:
    """Cells in counts: "3 of 3 attempts show the bug on 0.12.2, 0 of 5 on 0.12.3"."""
    unique = list({each.cell.version: each for each in cells}.values())
    return ", ".join(shows(each, first=at == 0) for at, each in enumerate(unique))


def together(evidence: Evidence, say: Say) -> Told:
    """All series have to agree: one that contradicts is enough, and one that cannot tell."""
    return _first(evidence, say, (Result.CONTRADICTED, Result.UNTESTED, Result.CONFIRMED))


def first_told(evidence: Evidence, say: Say, enough: Result) -> Told:
    """One series is enough for one result; for any other, all have to agree."""
    others = (Result.UNTESTED, Result.CONTRADICTED, Result.CONFIRMED)
    return _first(evidence, say, (enough, *others))


def _first(evidence: Evidence, say: Say, order: tuple[Result, ...]) -> Told:
    """What the series say that have the first of some results."""
    by = {name: (witnesses, say(witnesses)) for name, witnesses in evidence.by_series().items()}
    result = next(each for each in order if any(told.result is each for _, told in by.values()))
    agreeing = [pair for pair in by.values() if pair[1].result is result]
    cells = tuple(cell for _, told in agreeing for cell in told.cells)
    reasons: dict[str, list[str]] = {}
    for witnesses, told in agreeing:
        series = witnesses[0].findings.series
        reasons.setdefault(told.why, []).append(name_of(series.python, series.variant))
    if len(by) == 1 or (len(reasons) == 1 and len(agreeing) == len(by)):
        return Told(result, next(iter(reasons)), cells)
    said = [f"{' and '.join(names)}: {why}" for why, names in reasons.items()]
    said += _otherwise(by.values()) if result is Result.CONTRADICTED else []
    return Told(result, "; ".join(said), cells)


def _otherwise(told: Iterable[tuple[tuple[Witness, ...], Told]]) -> list[str]:
    """What the series say that confirm a claim which others contradict."""
    confirming = [
        (w[0].findings.series, said) for w, said in told if said.result is Result.CONFIRMED
    ]
    return [f"but {name_of(one.python, one.variant)}: {said.why}" for one, said in confirming]


def differs_at(version: str, witnesses: tuple[Witness, ...]) -> Told | None:
    """That a change at this release is a dependency's and not the package's, where it is."""
    for each in witnesses:
        confirmations = tuple(
            one
            for one in each.findings.confirmations
            if one.result is ConfirmationResult.DIFFERS and same(one.newer, version)
        )
        said = followed(each.findings.model_copy(update={"confirmations": confirmations}))
        if said:
            ids = {name for one in confirmations for name in one.cells}
            cells = [cell for cell in each.findings.cells if cell.cell.id in ids]
            return Told(Result.CONTRADICTED, said, tuple((each.run, cell) for cell in cells))
    return None
