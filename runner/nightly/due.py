"""What is due tonight, and why; in the order in which it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from packaging.version import Version

from runner.errors import WrongUsage
from runner.nightly.standing import Listed, Offer, Standing, offer_of
from runner.outcome import Outcome, Status
from runner.releases import History
from runner.value import Value, digest

EXPIRES = timedelta(days=30)
"""As `runs.EXPIRES`: the age at which evidence is no longer relied on."""
SPREAD = 10
"""Nights over which what would expire together is spread; it is looked at that much earlier."""
MOST_NEW = 5
"""New releases beside the newest that one night looks at, the newest of them."""


class Why(StrEnum):
    """Why a case is due, most urgent first."""

    ASKED = "asked"
    """Somebody named it."""
    DOUBT = "doubt"
    """Two rounds of an earlier night disagreed."""
    UNTOLD = "untold"
    """It changed while it was in quarantine, and that is over."""
    WITHDRAWN = "withdrawn"
    """The index no longer offers a release that it was verified with."""
    NEW_RELEASE = "new_release"
    CHANGED = "changed"
    """Its files are others."""
    NEW = "new"
    """No night has looked at it yet."""
    UNJUDGED = "unjudged"
    """It could not be judged last time."""
    EXPIRES = "expires"
    """What is known of it is about to get too old."""


class Cause(Value):
    """One reason for which a case is due."""

    why: Why
    said: str
    """In words: `1.4 came`."""


class Due(Value):
    """One case that is to be looked at tonight."""

    case: str
    package: str
    causes: tuple[Cause, ...]
    """Never empty; most urgent first."""
    waited: bool = False
    """It was due before, and left out."""
    fresh: bool = False
    """Nothing that was made before is relied on."""
    also: tuple[str, ...] = ()
    """New releases beside the newest that should have the fix."""


def due(
    listed: Listed,
    standing: Standing | None,
    history: History,
    *,
    now: datetime,
    asked: bool = False,
    waited: bool = False,
    muted: bool = False,
) -> Due | None:
    """Whether a case is to be looked at tonight, and why; None if it need not.

    Args:
        listed: the case.
        standing: where it stands; None if no night has looked at it.
        history: what the index has of its package.
        now: when the night began.
        asked: whether somebody named it.
        waited: whether it was left out the last time.
        muted: whether it is in quarantine.
    """
    causes = [Cause(why=Why.ASKED, said="it was named")] if asked else []
    if standing is None or standing.removed:
        causes.append(Cause(why=Why.NEW, said="no night has looked at it yet"))
    else:
        causes += _causes(listed, standing, history, now)
        if standing.known_as and not standing.doubt and not muted:
            said = f"{standing.status} was told nobody while it was in quarantine"
            causes.append(Cause(why=Why.UNTOLD, said=said))
    if not causes:
        return None
    whys = {each.why for each in causes}
    return Due(
        case=listed.id,
        package=listed.package,
        causes=tuple(sorted(causes, key=lambda each: list(Why).index(each.why))),
        waited=waited,
        fresh=bool(whys & {Why.EXPIRES, Why.DOUBT}),
        also=new_beside(listed, standing, history),
    )


def in_turn(found: Iterable[Due]) -> tuple[Due, ...]:
    """First what was left out before, then by the most urgent reason, then by id."""
    order = list(Why)
    return tuple(
        sorted(
            found, key=lambda each: (not each.waited, order.index(each.causes[0].why), each.case)
        )
    )


def lifetime(case_id: str) -> timedelta:
    """How long a night relies on evidence of a case: cases of one age come in different nights."""
    earlier = int(digest("nightly-spread/1", case_id)[:8], 16) % SPREAD
    return EXPIRES - timedelta(days=1 + earlier)


def selected(ids: Collection[str], patterns: Iterable[str]) -> frozenset[str]:
    """The cases that ids and patterns (* and ?) name.

    Raises:
        WrongUsage: one of them names nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        like = {each for each in ids if fnmatchcase(each, pattern)}
        if not like:
            raise WrongUsage(
                f"no case of the corpus is like {pattern!r}",
                hint="Name ids, or patterns with * and ?.",
            )
        found |= like
    return frozenset(found)


def new_since(standing: Standing, history: History) -> tuple[str, ...]:
    """The offered releases that came after a case was last looked at, lowest first."""
    known = {each.version for each in standing.releases}
    latest = history.latest()
    return tuple(
        each.version
        for each in history.offered
        if each.version not in known
        and (
            (each is latest and each.version != standing.latest)
            or (each.uploaded and standing.uploaded and each.uploaded > standing.uploaded)
        )
    )


def new_beside(listed: Listed, standing: Standing | None, history: History) -> tuple[str, ...]:
    """New releases beside the newest that come after a claimed fix: they should have it."""
    latest = history.latest()
    if standing is None or not listed.fixed or latest is None:
        return ()
    first = min(Version(each) for each in listed.fixed)
    found = [
        each
        for each in new_since(standing, history)
        if Version(each) > first and each != latest.version
    ]
    return tuple(found[-MOST_NEW:])


def gone_since(standing: Standing, history: History) -> tuple[tuple[str, Offer], ...]:
    """Releases that a case was verified with, and that the index offered then, but not now."""
    now = [(each, offer_of(each.version, history)) for each in standing.releases]
    return tuple(
        (each.version, offer)
        for each, offer in now
        if offer is not each.offer and offer is not Offer.THERE
    )


def missing_since(standing: Standing, history: History) -> tuple[str, ...]:
    """Of these, what the index does not even list; a mirror may just have lost it for a while."""
    found = gone_since(standing, history)
    return tuple(version for version, offer in found if offer is Offer.GONE)


def _causes(listed: Listed, standing: Standing, history: History, now: datetime) -> Iterator[Cause]:
    if standing.doubt:
        yield Cause(why=Why.DOUBT, said=f"two rounds disagreed: {standing.doubt}")
    for version, offer in gone_since(standing, history):
        said = "was yanked" if offer is Offer.YANKED else "is gone from the index"
        yield Cause(why=Why.WITHDRAWN, said=f"{version} {said}")
    came = new_since(standing, history)
    if came:
        yield Cause(why=Why.NEW_RELEASE, said=f"{', '.join(came[-MOST_NEW:])} came")
    if listed.sha256 != standing.sha256:
        yield Cause(why=Why.CHANGED, said="its files are others")
    if (standing.status, standing.outcome) == (Status.INCONCLUSIVE, Outcome.UNRESOLVED):
        yield Cause(why=Why.UNJUDGED, said="it could not be judged last time")
    if standing.ran is not None and now - standing.ran >= lifetime(listed.id):
        yield Cause(why=Why.EXPIRES, said=f"its evidence is of {standing.ran:%Y-%m-%d}")
