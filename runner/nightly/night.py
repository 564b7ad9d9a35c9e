"""One night as a document, `fixproof.night/1`: what changed first, then the rest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from runner.errors import NightBlind
from runner.nightly.changes import Change, Kind, exit_code
from runner.nightly.due import Cause, Due
from runner.nightly.noise import Disagreement, Noise
from runner.nightly.quarantine import Quarantine
from runner.nightly.standing import Standing
from runner.outcome import Outcome, Status
from runner.value import Value

MOST_UNSEEN = 0.1
"""The share of its cases that a night may not look at, or leave out, and still count as well."""


class Round(Value):
    """One run of a case in a night."""

    run: str
    status: Status
    outcome: Outcome
    attempts: int
    """That it made itself."""
    why: Literal["due", "confirm", "again"]
    """Due, to confirm another status, or to see whether we agree with ourselves."""
    workers: tuple[str, ...] = ()
    """That made its attempts; who made most of them comes first."""


class Entry(Value):
    """What a night did about one case."""

    case: str
    package: str
    causes: tuple[Cause, ...]
    rounds: tuple[Round, ...]
    changes: tuple[Change, ...]
    standing: Standing
    """Where it stands now."""
    noise: Noise = Noise()
    disagreements: tuple[Disagreement, ...] = ()
    quarantined: str | None = None
    """Why it alarms nobody."""

    @property
    def attempts(self) -> int:
        return sum(each.attempts for each in self.rounds)


class NotLooked(Value):
    """A case that was not looked at tonight, because of trouble of ours."""

    case: str
    why: str
    kind: str
    """As of an error: `index_unreachable`, ..."""
    exit_code: int


class NoiseReport(Value):
    """How often cells that ran twice under the same conditions disagreed."""

    pairs: int
    disagreed: int
    rate: float | None
    low: float | None
    """Of Wilson's interval at 0.95; None where nothing ran twice."""
    high: float | None

    @classmethod
    def of(cls, noise: Noise) -> NoiseReport:
        low, high = noise.interval() or (None, None)
        return cls(
            pairs=noise.pairs, disagreed=noise.disagreed, rate=noise.rate, low=low, high=high
        )

    @property
    def counts(self) -> Noise:
        return Noise(pairs=self.pairs, disagreed=self.disagreed)


class QuarantineReport(Value):
    """A case that alarms nobody, or no longer."""

    case: str
    reason: str
    until: str
    """The last day of it."""
    expired: bool
    stranger: bool = False
    """The corpus has no such case, or no longer."""


class Night(Value):
    """What one night found."""

    schema_: Literal["fixproof.night/1"] = Field(default="fixproof.night/1", alias="schema")
    night: str
    began: datetime
    ended: datetime
    cases: int
    """In the corpus, or selected of it."""
    due: int
    attempts: int
    """That were made tonight."""
    exit_code: int
    """Of what changed: 0 nothing alarming, 1 newly failing or withdrawn, 3 cannot be judged, above
    that the trouble that kept it from looking at more than a small share of its cases."""
    changes: tuple[Change, ...]
    """Most alarming first."""
    entries: tuple[Entry, ...]
    not_looked: tuple[NotLooked, ...]
    left_out: tuple[str, ...]
    """Due, and not begun because of the deadline, now or before: these come first next time."""
    selected: bool = False
    """Whether `cases` are what somebody named, and not the corpus."""
    unseen: int = 0
    """Of `cases`, those that tonight did not look at, or left out."""
    quarantine: tuple[QuarantineReport, ...]
    noise: NoiseReport
    """Tonight."""
    noise_ever: NoiseReport
    """In all nights so far."""

    @property
    def whole(self) -> bool:
        """Whether it is a night for a watcher: of the corpus, and it saw enough of it."""
        return not self.selected and not self.blind

    @property
    def blind(self) -> bool:
        """Whether it saw too little for its silence to mean anything."""
        return self.unseen > MOST_UNSEEN * self.cases

    def document(self) -> str:
        """As JSON."""
        return self.model_dump_json(by_alias=True)


class DueDocument(Value):
    """What a night would do now."""

    schema_: Literal["fixproof.due/1"] = Field(default="fixproof.due/1", alias="schema")
    cases: int
    due: tuple[Due, ...]
    """In the order in which it would be done."""
    not_looked: tuple[NotLooked, ...]

    def document(self) -> str:
        """As JSON."""
        return self.model_dump_json(by_alias=True)


def drawn_up(  # noqa: PLR0913 - all that a night has
    *,
    night: str,
    began: datetime,
    ended: datetime,
    cases: int,
    selected: bool = False,
    due: int,
    entries: tuple[Entry, ...],
    more: Iterable[Change],
    not_looked: tuple[NotLooked, ...],
    left_out: tuple[str, ...],
    left_before: tuple[str, ...] = (),
    quarantine: tuple[QuarantineReport, ...],
    before: Noise,
) -> Night:
    """The document of a night.

    Args:
        night: its id.
        began: when it began,
        ended: and ended.
        cases: how many it looked after,
        selected: which somebody named.
        due: how many were due.
        entries: what it did.
        more: changes that are of no entry.
        not_looked: what it could not look at.
        left_out: what it had no time for,
        left_before: and what nights before had not, of cases that it does not look after.
        quarantine: who alarms nobody.
        before: the noise of all nights before.
    """
    changes = tuple(
        sorted(
            (*(change for each in entries for change in each.changes), *more),
            key=lambda each: (each.quarantined, list(Kind).index(each.kind), each.case),
        )
    )
    unseen = len({*(each.case for each in not_looked), *left_out})
    noise = sum((each.noise for each in entries), Noise())
    return Night(
        night=night,
        began=began,
        ended=ended,
        cases=cases,
        selected=selected,
        due=due,
        attempts=sum(each.attempts for each in entries),
        exit_code=exit_code(changes) or _blind(not_looked, unseen, cases),
        changes=changes,
        entries=tuple(sorted(entries, key=lambda each: each.case)),
        not_looked=not_looked,
        left_out=tuple(sorted({*left_out, *left_before})),
        unseen=unseen,
        quarantine=quarantine,
        noise=NoiseReport.of(noise),
        noise_ever=NoiseReport.of(before + noise),
    )


def quarantined(found: Quarantine, today: date) -> tuple[QuarantineReport, ...]:
    """Who alarms nobody today, or no longer."""
    return tuple(
        QuarantineReport(
            case=each.id,
            reason=each.reason,
            until=str(each.until),
            expired=each.expired(today),
            stranger=each.id in found.strangers,
        )
        for each in found.cases
    )


def _blind(not_looked: tuple[NotLooked, ...], unseen: int, cases: int) -> int:
    """The exit code of what kept a night from looking at its cases, where that is too many."""
    if unseen <= MOST_UNSEEN * cases:
        return 0
    return not_looked[0].exit_code if not_looked else NightBlind.exit_code


def worth_telling(night: Night) -> bool:
    """Whether somebody is to be told of it unasked."""
    return night.blind or any(not each.quarantined for each in night.changes)
