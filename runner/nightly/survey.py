"""What a night finds when it begins: cases, what the index has, and what is due."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from runner.errors import FixproofError, IndexUnreachable, UnknownPackage
from runner.nightly.changes import removed
from runner.nightly.due import Due, due, in_turn, missing_since
from runner.nightly.ground import ENDS_THE_NIGHT, Ground
from runner.nightly.night import NotLooked
from runner.nightly.standing import BrokenListing, Listed, Standing
from runner.releases import History
from runner.value import Value


class Wish(Value):
    """What was asked of a night."""

    only: frozenset[str] | None = None
    """The cases that somebody named; None for all."""
    fresh: bool = False
    """Nothing that was made before is relied on."""
    deadline: timedelta | None = None
    """After that nothing new begins."""


class Survey(NamedTuple):
    """What a night finds when it begins."""

    listed: Mapping[str, Listed]
    """The cases that it looks after, by id."""
    broken: tuple[BrokenListing, ...]
    standings: Mapping[str, Standing]
    histories: Mapping[str, History]
    due: tuple[Due, ...]
    not_looked: tuple[NotLooked, ...]
    gone: tuple[Standing, ...]
    """Cases whose files are gone since."""
    unsure: tuple[Standing, ...]
    """Cases of which the index lacks releases for the first time, or lists them again."""


def survey(
    ground: Ground,
    corpus: tuple[Listed | BrokenListing, ...],
    wish: Wish,
    *,
    now: datetime,
    night: str = "",
    muted: Collection[str] = (),
) -> Survey:
    """What is due now; nothing is run. Cases in quarantine are `muted`."""
    looked_after = [each for each in corpus if wish.only is None or each.id in wish.only]
    listed = {each.id: each for each in looked_after if isinstance(each, Listed)}
    standings = ground.nights.standings()
    histories, troubles = _histories(ground, listed)
    last = ground.nights.last()
    waited = {*last.left_out, *(each.case for each in last.not_looked)} if last else set()
    found = (
        due(
            each,
            standings.get(each.id),
            histories[each.package],
            now=now,
            asked=wish.only is not None,
            waited=each.id in waited,
            muted=each.id in muted,
        )
        for each in listed.values()
        if each.package in histories
    )
    known = {each.id for each in corpus}
    unsure = tuple(_unsure(listed, standings, histories, night))
    not_yet = {each.case for each in unsure if each.missing}
    return Survey(
        listed=listed,
        broken=tuple(each for each in looked_after if isinstance(each, BrokenListing)),
        standings=standings,
        histories=histories,
        due=in_turn(each for each in found if each and each.case not in not_yet),
        not_looked=(
            *(
                not_looked_at(each.id, troubles[each.package])
                for each in listed.values()
                if each.package in troubles
            ),
            *(not_sure_of(each) for each in unsure if each.missing),
        ),
        gone=removed(standings, known, night) if wish.only is None else (),
        unsure=unsure,
    )


def _unsure(
    listed: Mapping[str, Listed],
    standings: Mapping[str, Standing],
    histories: Mapping[str, History],
    night: str,
) -> Iterator[Standing]:
    """What is kept of cases because of what the index lacks; what it lacks twice is believed."""
    for name, each in listed.items():
        before = standings.get(name)
        if before is None or before.removed or each.package not in histories:
            continue
        missing = missing_since(before, histories[each.package])
        if {*missing} - {*before.missing} or (before.missing and not missing):
            yield before.model_copy(update={"night": night, "missing": missing})


def not_sure_of(standing: Standing) -> NotLooked:
    """A case that waits for another night, as the index may be wrong."""
    lacks = ", ".join(standing.missing)
    said = f"the index no longer lists {standing.package} {lacks}: believed if it still does not"
    return not_looked_at(standing.case, IndexUnreachable(f"{said} the next night"))


def not_looked_at(case_id: str, error: FixproofError) -> NotLooked:
    """A case that trouble kept the night from."""
    return NotLooked(case=case_id, why=error.message, kind=error.kind, exit_code=error.exit_code)


def _histories(
    ground: Ground, listed: Mapping[str, Listed]
) -> tuple[dict[str, History], dict[str, FixproofError]]:
    """What the index has of each package; asked for once each."""
    histories: dict[str, History] = {}
    troubles: dict[str, FixproofError] = {}
    for package in sorted({each.package for each in listed.values()}):
        try:
            histories[package] = ground.history(package)
        except UnknownPackage:  # it may have been there before: that is for the watch to say
            histories[package] = History(package=package, releases=(), fetched=ground.now())
        except ENDS_THE_NIGHT:
            raise
        except FixproofError as error:
            troubles[package] = error
    return histories, troubles
