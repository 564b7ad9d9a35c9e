"""Releases on an axis, lowest first: what each showed, and in which order a search came by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from runner.render.marks import VERDICTS, Mark, Tone
from runner.value import Value
from runner.verdict import Verdict

NOT_RUN = Mark(symbol="░", word="not run", tone=Tone.QUIET)
CLAIMED_FIX = Mark(symbol="▼", word="claimed fix", tone=Tone.GOOD)
CLAIMED_BROKEN = Mark(symbol="▽", word="claimed broken", tone=Tone.BAD)


class Place(Value):
    """One release."""

    version: str
    verdict: Verdict | None
    """None: it was not run."""
    told: str = ""
    """Attempts that show the bug, of those that could be judged, or why nothing could be."""
    claims: tuple[Mark, ...] = ()
    probe: int | None = None
    """Which step of the search it was, from 1; None: it was run for another reason, or not."""
    yanked: bool = False

    @property
    def mark(self) -> Mark:
        return NOT_RUN if self.verdict is None else VERDICTS[self.verdict]

    @property
    def judged(self) -> bool:
        return self.verdict not in (None, Verdict.UNRESOLVED)

    @property
    def tags(self) -> tuple[str, ...]:
        """What there is to say of it beyond its mark."""
        probe = () if self.probe is None else (f"step {self.probe} of the search",)
        return (*(each.word for each in self.claims), *(["yanked"] if self.yanked else []), *probe)

    @property
    def notable(self) -> bool:
        return bool(self.tags)

    @property
    def said(self) -> str:
        """All of it, in words."""
        more = filter(None, (self.told, *self.tags))
        return ", ".join((f"{self.version}: {self.mark.word}", *more))


class Gap(Value):
    """Neighbours that were not run, and of which there is nothing else to say."""

    places: tuple[Place, ...]

    @property
    def said(self) -> str:
        first, last = self.places[0].version, self.places[-1].version
        if len(self.places) == 1:
            return f"{first}: not run"
        return f"{first} to {last}: {len(self.places)} releases, not run"


class Axis(Value):
    """All releases that one series was asked about."""

    name: str
    """Of the series."""
    package: str
    places: tuple[Place, ...]

    @property
    def title(self) -> str:
        return f"Releases of {self.package}, {self.name}"

    @property
    def description(self) -> str:
        """What the picture shows, for who does not see it: runs of releases that are alike."""
        return "; ".join(_alike(tuple(run)) for _, run in groupby(self.places, _word)) + "."

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Those that occur, for a legend."""
        shown = {each.mark for each in self.places}
        claimed = {mark for each in self.places for mark in each.claims}
        known = (*VERDICTS.values(), NOT_RUN, CLAIMED_FIX, CLAIMED_BROKEN)
        return tuple(each for each in known if each in shown | claimed)

    @property
    def numbered(self) -> bool:
        """Whether any place is a step of a search."""
        return any(each.probe is not None for each in self.places)

    def parts(self) -> Iterator[Place | Gap]:
        """Places, with neighbours that nothing is known of taken together."""
        for plain, run in groupby(self.places, _is_unknown):
            if plain:
                yield Gap(places=tuple(run))
            else:
                yield from run


def _is_unknown(place: Place) -> bool:
    return place.verdict is None and not place.claims


def _word(place: Place) -> str:
    return place.mark.word


def _alike(run: tuple[Place, ...]) -> str:
    first, last = run[0], run[-1]
    many = "" if len(run) == 1 else f" to {last.version} ({len(run)} releases)"
    claims = "".join(f", {each.version} is a {mark.word}" for each in run for mark in each.claims)
    return f"{first.version}{many}: {first.mark.word}{claims}"
