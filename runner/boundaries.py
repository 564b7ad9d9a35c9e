"""Between which releases a bug came and went, and what stays unknown; one function for all plans."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version

from runner.releases import in_order
from runner.value import Value
from runner.verdict import Verdict


class FixedIn(Value):
    """Where the fix came, as a range."""

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
    ordered = in_order(candidates)
    broken = in_order(each for each, said in judged.items() if said is Verdict.PRESENT)
    good = tuple(each for each in ordered if judged.get(each) is Verdict.ABSENT)
    unknown = tuple(each for each in ordered if each not in judged)
    fixed_in = _fixed_in(broken, good, unknown)
    certain = fixed_in is not None and fixed_in.after is not None and not fixed_in.unknown
    return Boundaries(
        first_fixed=fixed_in.by if certain and fixed_in else None,
        fixed_in=fixed_in,
        last_broken=broken[-1] if broken else None,
        first_broken=_first_broken(broken, ordered, judged),
        tested=in_order(judged),
    )


def _fixed_in(
    broken: tuple[str, ...], good: tuple[str, ...], unknown: tuple[str, ...]
) -> FixedIn | None:
    after = broken[-1] if broken else None
    above = [each for each in good if after is None or Version(each) > Version(after)]
    by = above[0] if above else None
    if after is None and by is None:
        return None
    between = tuple(
        each
        for each in unknown
        if (after is None or Version(each) > Version(after))
        and (by is None or Version(each) < Version(by))
    )
    if after is None and not between:
        return None
    return FixedIn(after=after, by=by, unknown=between)


def _first_broken(
    broken: tuple[str, ...], ordered: tuple[str, ...], judged: Mapping[str, Verdict]
) -> str | None:
    """The lowest broken release, if the candidate right below it was judged good."""
    if not broken:
        return None
    below = [each for each in ordered if Version(each) < Version(broken[0])]
    return broken[0] if below and judged.get(below[-1]) is Verdict.ABSENT else None
