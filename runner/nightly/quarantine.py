"""Cases that alarm nobody for a while: what `quarantine.toml` in the corpus says of them."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from datetime import date

from pydantic import ValidationError

from runner.errors import WrongUsage
from runner.value import Value

FILE = "quarantine.toml"
_LIKE = 'It is like: [[case]]\nid = "uvicorn-824"\nreason = "waits for a wheel"\nuntil = 2026-03-01'


class Quarantined(Value):
    """One case that is run and shown, and alarms nobody."""

    id: str
    reason: str
    until: date
    """The last day of it."""

    def expired(self, today: date) -> bool:
        return today > self.until


class Quarantine(Value):
    """All of them."""

    cases: tuple[Quarantined, ...] = ()
    strangers: tuple[str, ...] = ()
    """Ids that the corpus does not have, or no longer."""

    def of(self, case_id: str, today: date) -> Quarantined | None:
        """Why a case alarms nobody today; None if it does."""
        found = next((each for each in self.cases if each.id == case_id), None)
        return None if found is None or found.expired(today) else found

    def muted(self, today: date) -> frozenset[str]:
        """The ids of those that alarm nobody today."""
        return frozenset(each.id for each in self.cases if not each.expired(today))

    def expired(self, today: date) -> tuple[Quarantined, ...]:
        """Those whose time is over, and that still stand in the file."""
        return tuple(each for each in self.cases if each.expired(today))


def parse(text: str, known: Collection[str]) -> Quarantine:
    """The quarantine that a file states.

    Args:
        text: TOML.
        known: the ids of the corpus.

    Raises:
        WrongUsage: it cannot be read, or names a case twice.
    """
    try:
        table = tomllib.loads(text)
        listed = table.pop("case", [])
        if table or not isinstance(listed, list):
            raise WrongUsage(f"{FILE} has something else than [[case]] tables", hint=_LIKE)
        cases = tuple(Quarantined.model_validate(each) for each in listed)
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"{FILE} is not TOML: {error}", hint=_LIKE) from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'a case'}: {each['msg']}"
            for each in error.errors()
        )
        raise WrongUsage(f"{FILE} has a case that cannot be read: {faults}", hint=_LIKE) from error
    ids = [each.id for each in cases]
    for each in ids:
        if ids.count(each) > 1:
            raise WrongUsage(f"{FILE} names {each!r} twice")
    return Quarantine(cases=cases, strangers=tuple(each for each in ids if each not in known))
