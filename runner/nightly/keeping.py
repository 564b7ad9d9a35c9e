"""The ports to what nights leave behind, and to who keeps watch now."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from runner.nightly.night import Entry, Night
from runner.nightly.standing import Standing
from runner.outcome import Status
from runner.value import Value


class OpenNight(NamedTuple):
    """A night that did not end, and how often its keeper was heard."""

    id: str
    began: datetime
    owner: str
    beats: int
    """Goes up as long as somebody keeps it; -1 where its keeper left it."""
    wish: str = ""
    """What was asked of it when it was begun, as JSON; empty where that is not known."""


class Look(Value):
    """What one night that ended made of one case."""

    began: datetime
    """When the night began."""
    status: Status
    """Where the case stood then."""
    run: str
    """What that relied on; empty where nothing could be run."""
    rounds: tuple[str, ...] = ()
    """The runs that the night made of it."""
    removed: bool = False
    """Its file was gone from the corpus."""


class NightHistory(Protocol):
    """Nights that ended, as a history shows them. Raises as `EvidenceStore`."""

    def looks(self, case: str, limit: int) -> tuple[Look, ...]:
        """What nights made of a case, the newest first."""
        ...

    def counted(self) -> dict[str, int]:
        """How many nights looked at each case, by id."""
        ...

    def began(self, limit: int) -> tuple[datetime, ...]:
        """When each night began, the newest first."""
        ...


class Ledger(Protocol):
    """What was found, and where cases stand. Raises as `EvidenceStore`."""

    def keep(self, entry: Entry, night_id: str) -> None:
        """What was done about a case; again to say more."""
        ...

    def entries(self, night_id: str) -> tuple[Entry, ...]: ...

    def standings(self) -> dict[str, Standing]:
        """Where each case stands, by id: what the night says that was begun last and looked."""
        ...

    def last(self) -> Night | None:
        """The night that was begun last, of those that ended; whatever clocks said then."""
        ...


class NightStore(Ledger, NightHistory, Protocol):
    """The same, and nights themselves: one at a time is kept."""

    def begin(self, night_id: str, began: datetime, owner: str, wish: str = "") -> bool:
        """Begin a night; False if one is open, whoever keeps it, or that one has been kept."""
        ...

    def open(self) -> OpenNight | None: ...

    def take_over(self, seen: OpenNight, owner: str) -> bool:
        """Keep a night from now on; False if it was heard of since, or another was faster."""
        ...

    def beat(self, night_id: str, owner: str) -> bool:
        """Say that it is kept; False if somebody else keeps it."""
        ...

    def leave(self, night_id: str, owner: str) -> None:
        """Let the next one go on with it at once."""
        ...

    def end(self, night: Night, owner: str) -> None: ...

    def night(self, night_id: str) -> Night | None: ...
