"""Between which releases a bug came and went, and what stays unknown: one pure function."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runner.releases import in_order
from runner.value import Value
from runner.verdict import Verdict


class FixedIn(Value):
    """Where the fix came, or the bug, as a range."""

    after: str | None
    """The last release without it; None if nothing below could be judged."""
    by: str | None
    """The first release known to have it; None if none above `after` is."""
    unknown: tuple[str, ...]
    """Candidates between these two that were not judged."""


class Boundaries(Value):
    """What the judged releases of a series say of the bug's history (design section 6)."""

    first_fixed: str | None = None
    fixed_in: FixedIn | None = None
    last_broken: str | None = None
    first_broken: str | None = None
    tested: tuple[str, ...] = ()
    """All that were judged, lowest first."""


def boundaries(candidates: tuple[str, ...], verdicts: Mapping[str, Verdict]) -> Boundaries:
    """State boundaries, in PEP 440 order, and only those that no unjudged candidate blurs.

    Args:
        candidates: final releases that are neither yanked nor skipped, in any order.
        verdicts: of those that were run; what is not in it, or `unresolved`, is unjudged.
            Releases that are no candidates (yanked ones) count as broken, never as a fix.
    """
    judged = {each: said for each, said in verdicts.items() if said is not Verdict.UNRESOLVED}
    ordered = in_order((*candidates, *judged))
    offered = {*candidates}
    broken = [at for at, each in enumerate(ordered) if judged.get(each) is Verdict.PRESENT]
    good = [
        at
        for at, each in enumerate(ordered)
        if judged.get(each) is Verdict.ABSENT and each in offered
    ]
    fixed_in = _fixed_in(ordered, broken, good, judged.keys())
    certain = fixed_in is not None and fixed_in.after is not None and not fixed_in.unknown
    below = [each for each in ordered[: broken[0]] if each in offered] if broken else []
    right_below = judged.get(below[-1]) if below else None
    return Boundaries(
        first_fixed=fixed_in.by if fixed_in and certain else None,
        fixed_in=fixed_in,
        last_broken=ordered[broken[-1]] if broken else None,
        first_broken=ordered[broken[0]] if broken and right_below is Verdict.ABSENT else None,
        tested=tuple(each for each in ordered if each in judged),
    )


def broken_in(candidates: tuple[str, ...], verdicts: Mapping[str, Verdict]) -> FixedIn | None:
    """Where the bug came first: between the lowest broken release and the highest good one below.

    Args:
        candidates, verdicts: as `boundaries` takes them.
    """
    broken = in_order(each for each, said in verdicts.items() if said is Verdict.PRESENT)
    if not broken:
        return None
    ordered = in_order((*candidates, broken[0]))
    below = [each for each in ordered[: ordered.index(broken[0])] if each in candidates]
    good = [at for at, each in enumerate(below) if verdicts.get(each) is Verdict.ABSENT]
    return FixedIn(
        after=below[good[-1]] if good else None,
        by=broken[0],
        unknown=tuple(below[good[-1] + 1 :] if good else below),
    )


def _fixed_in(
    ordered: tuple[str, ...], broken: list[int], good: list[int], judged: Collection[str]
) -> FixedIn | None:
    """Between the last broken release and the first good one above it; places are in `ordered`."""
    after = broken[-1] if broken else None
    by = next((at for at in good if after is None or at > after), None)
    if after is None and by is None:
        return None
    first, end = (0 if after is None else after + 1), (len(ordered) if by is None else by)
    unknown = tuple(each for each in ordered[first:end] if each not in judged)
    if after is None and not unknown:
        return None
    return FixedIn(
        after=None if after is None else ordered[after],
        by=None if by is None else ordered[by],
        unknown=unknown,
    )
