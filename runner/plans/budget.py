"""How many attempts a run has made, and what of its wishes it can still afford."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.attempt import Facts
from runner.findings import Want


def spent(facts: Mapping[str, Facts]) -> int:
    """Attempts of all cells; what earlier runs had made already costs nothing."""
    return sum(not attempt.reused for each in facts.values() for attempt in each.attempts)


def within(wants: Iterable[Want], left: int | None) -> tuple[Want, ...]:
    """The most urgent wants, as far as the attempts that are left go."""
    if left is None:
        return tuple(wants)
    found = []
    for want in wants:
        if left > 0:
            found.append(want.model_copy(update={"attempts": min(want.attempts, left)}))
        left -= want.attempts
    return tuple(found)
