"""In which order a search made its probes, from what came of them: the search, gone through again.

Times would tell another order where attempts ran side by side, or were taken over from other runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.attempt import Facts
from runner.environment import Failure
from runner.findings import Want
from runner.matrix import Role, Series
from runner.plans.look import Look
from runner.plans.window import Survey


def order_of_probes(
    survey: Survey, series: Series, facts: Mapping[str, Facts], width: int
) -> tuple[str, ...]:
    """Ids of the cells of a search as it wants them, if nothing else is known than it asks for.

    What ran although it is not wanted so, since several ran at a time, comes last.
    """
    known: dict[str, Facts] = {}
    found: dict[str, None] = {}
    while True:
        look = Look(survey, series, known, width=width)
        wants = [each for each in look.wants if each.cell.id in facts]
        told = {each.cell.id: _more(each, known, facts[each.cell.id]) for each in wants}
        told = {name: each for name, each in told.items() if each != known.get(name)}
        if not told:
            return (*found, *(each for each in _ran(look, facts) if each not in found))
        known |= told
        tried = (name for name, each in told.items() if each.attempts or not _can_run(each))
        found |= {each: None for each in tried if look.table.cells[each].roles == (Role.PROBE,)}


def _can_run(facts: Facts) -> bool:
    return not isinstance(facts.lock, Failure)


def _ran(look: Look, facts: Mapping[str, Facts]) -> Iterable[str]:
    """The cells of the window that ran as released, apart from claims."""
    claims = {name for name, each in look.table.cells.items() if each.roles != (Role.PROBE,)}
    for cell in look.survey.cells(look.series).values():
        if cell.id in facts and facts[cell.id].attempts and cell.id not in claims:
            yield cell.id


def _more(want: Want, known: Mapping[str, Facts], whole: Facts) -> Facts:
    """What is known of a cell after the attempts that are wanted, as far as they were made."""
    made = len(known[want.cell.id].attempts) if want.cell.id in known else 0
    return whole.model_copy(update={"attempts": whole.attempts[: made + want.attempts]})
