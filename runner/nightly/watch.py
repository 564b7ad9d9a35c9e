"""Keeps watch for one night: does what is due, confirms what flips, keeps what it found.

It acts through a ground alone, and knows nothing of where attempts run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from runner.errors import FixproofError
from runner.nightly.changes import Change, Kind, changes, completes, flips, settled, untold
from runner.nightly.due import Due
from runner.nightly.ground import ENDS_THE_NIGHT, Ground
from runner.nightly.keeping import OpenNight
from runner.nightly.night import Entry, Night, NotLooked, Round, drawn_up, quarantined
from runner.nightly.noise import Noise, compare, first_of, runs_twice
from runner.nightly.quarantine import Quarantine
from runner.nightly.standing import Standing, nothing_left, standing_of, unreadable
from runner.nightly.survey import Survey, Wish, not_looked_at, not_sure_of
from runner.releases import History
from runner.report import Report

_Why = Literal["due", "confirm", "again"]


class _Looked(NamedTuple):
    """What came of a case."""

    entry: Entry
    report: Report | None = None
    """Where it ran, and may be run once more: of that."""


class Watch:
    """One night, from its survey to its end."""

    def __init__(
        self,
        ground: Ground,
        night: OpenNight,
        wish: Wish,
        quarantine: Quarantine,
        kept: Callable[[], None],
    ) -> None:
        """Be ready.

        Args:
            ground: what it stands on.
            night: the night.
            wish: what was asked of it.
            quarantine: which cases alarm nobody.
            kept: raises where somebody else keeps this night by now.
        """
        self._ground = ground
        self._night = night
        self._wish = wish
        self._today = ground.now().date()
        self._quarantine = quarantine
        self._kept = kept
        self._until = _until(night.began, ground.now(), wish.deadline)
        self._spare: tuple[Due, Report] | None = None

    def keep(self, found: Survey) -> Night:
        """Do what is due, and draw up what came of it."""
        done = {each.case: each for each in self._ground.nights.entries(self._night.id)}
        unsure = (self._bare(each, ()) for each in found.unsure)
        for each in (*self._broken(found), *self._gone(found), *unsure):
            if each.case not in done:
                self._enter(each, done)
        not_looked = [each for each in found.not_looked if each.case not in done]
        not_looked += [not_sure_of(e.standing) for e in done.values() if e.standing.missing]
        left = [each for each in found.due if each.case not in done]
        for asked, looking in self._in_turn(left, found):
            try:
                entry, report = looking.result()
            except ENDS_THE_NIGHT:
                raise
            except FixproofError as error:
                self._ground.note(f"{asked.case}: not looked at, because {error.message}")
                not_looked.append(not_looked_at(asked.case, error))
                continue
            self._enter(entry, done)
            self._spare = self._spared(asked, report)
        self._again_at_least_once(done)
        return self._drawn_up(found, done, tuple(not_looked), {each.case for each in left})

    def _in_turn(self, left: list[Due], found: Survey) -> Iterator[tuple[Due, Future[_Looked]]]:
        """Look at what is left until the night is over, several cases together; as they are done.

        What was begun is taken off `left`.
        """
        pending: dict[Future[_Looked], Due] = {}
        while True:
            while left and len(pending) < self._ground.at_a_time and not self._over:
                self._kept()
                asked = left.pop(0)
                self._ground.note(f"{asked.case}: {'; '.join(each.said for each in asked.causes)}")
                pending[self._ground.hands.submit(self._look, asked, found)] = asked
            if not pending:
                return
            ready, _ = wait(pending, return_when=FIRST_COMPLETED)
            for each in ready:
                yield pending.pop(each), each

    @property
    def _over(self) -> bool:
        return self._until is not None and self._ground.now() >= self._until

    # One case

    def _look(self, asked: Due, found: Survey) -> _Looked:
        listed, history = found.listed[asked.case], found.histories[asked.package]
        before = found.standings.get(asked.case)
        if before is not None and not before.removed and not history.releases:
            why = f"the index has no package {asked.package!r}"
            after = nothing_left(before, self._night.id, listed, history, why)
            return _Looked(self._entry(asked, (), before, after, history))
        halved = before.run if before is not None and before.suspected else None
        fresh = asked.fresh or self._wish.fresh
        report = self._verify(asked, "due", fresh=fresh, again=halved)
        first = standing_of(self._night.id, listed, report, history)
        confirms = completes(before, first)
        rounds = [self._round(report, "confirm" if confirms else "due")]
        if flips(before, first) and not confirms:
            again, why = self._confirm(asked, report)
            second = standing_of(self._night.id, listed, again, history) if again else None
            rounds += [self._round(again, "confirm")] if again else []
            after = settled(before, first, second, why)
            return _Looked(self._entry(asked, tuple(rounds), before, after, history))
        entry = self._entry(asked, tuple(rounds), before, first, history)
        if not rounds[0].attempts:
            return _Looked(entry)
        if runs_twice(self._night.id, asked.case):
            return _Looked(self._run_twice(entry, asked, report))
        return _Looked(entry, report)

    def _spared(self, asked: Due, report: Report | None) -> tuple[Due, Report] | None:
        """The case that runs twice where nobody else's turn it is; drawn, whatever the order."""
        if report is None:
            return self._spare
        names = [asked.case, *([self._spare[0].case] if self._spare else [])]
        return (asked, report) if first_of(self._night.id, names) == asked.case else self._spare

    def _confirm(self, asked: Due, first: Report) -> tuple[Report | None, str]:
        """A second round, in which nothing of the first is relied on; or why there is none."""
        if self._over:
            return None, "and the night was over before a second round"
        self._ground.note(f"{asked.case}: a second round must confirm it")
        try:
            return self._verify(asked, "confirm", fresh=True, again=first.run), ""
        except ENDS_THE_NIGHT:
            raise
        except FixproofError as error:
            return None, f"and no second round could be made: {error.message}"

    def _run_twice(self, entry: Entry, asked: Due, first: Report) -> Entry:
        """The same once more, under the same conditions: whether we agree with ourselves."""
        if self._over:
            return entry
        self._ground.note(f"{asked.case}: once more, to see whether we agree with ourselves")
        try:
            again = self._verify(asked, "again", fresh=True)
        except ENDS_THE_NIGHT:
            raise
        except FixproofError as error:
            self._ground.note(f"{asked.case}: that could not be done, because {error.message}")
            return entry
        noise, differ = compare(first, again)
        return entry.model_copy(
            update={
                "rounds": (*entry.rounds, self._round(again, "again")),
                "noise": noise,
                "disagreements": differ,
            }
        )

    def _again_at_least_once(self, done: dict[str, Entry]) -> None:
        """Where it was nobody's turn to run twice, one case does, of those that ran."""
        if self._spare is not None and not any(each.noise.pairs for each in done.values()):
            asked, first = self._spare
            self._enter(self._run_twice(done[asked.case], asked, first), done)

    def _verify(self, asked: Due, why: _Why, *, fresh: bool, again: str | None = None) -> Report:
        return self._ground.verify(
            asked.case,
            fresh=fresh,
            also=asked.also,
            purpose=f"{self._night.id}/{why}",
            until=self._until,
            again=again,
        )

    def _round(self, report: Report, why: _Why) -> Round:
        made = {each.log for cell in report.cells for each in cell.attempts if not each.reused}
        return Round(
            run=report.run,
            status=report.status,
            outcome=report.outcome,
            attempts=len(made),
            why=why,
            workers=self._ground.made_by(report.run) if made else (),
        )

    # What is kept

    def _entry(
        self,
        asked: Due,
        rounds: tuple[Round, ...],
        before: Standing | None,
        after: Standing,
        history: History,
    ) -> Entry:
        why = self._why_muted(asked.case)
        found = changes(before, after, history, muted=why is not None)
        return Entry(
            case=asked.case,
            package=asked.package,
            causes=asked.causes,
            rounds=rounds,
            changes=self._muted(asked.case, found),
            standing=after if why is None else untold(before, after),
            quarantined=why,
        )

    def _broken(self, found: Survey) -> tuple[Entry, ...]:
        """Cases that can no longer be read, each the first time."""
        entries = []
        for each in found.broken:
            before = found.standings.get(each.id)
            if before is None or before.removed or before.summary != each.why:
                after = unreadable(each, before, self._night.id)
                said = (Change(kind=Kind.UNJUDGED, case=each.id, said=each.why),)
                entries.append(self._bare(after, self._muted(each.id, said)))
        return tuple(entries)

    def _gone(self, found: Survey) -> tuple[Entry, ...]:
        said = "its file is gone from the corpus"
        return tuple(
            self._bare(
                each.model_copy(update={"night": self._night.id}),
                self._muted(each.case, (Change(kind=Kind.REMOVED, case=each.case, said=said),)),
            )
            for each in found.gone
        )

    def _bare(self, after: Standing, said: tuple[Change, ...]) -> Entry:
        """Of a case that nothing was run of."""
        return Entry(
            case=after.case,
            package=after.package,
            causes=(),
            rounds=(),
            changes=said,
            standing=after,
            quarantined=self._why_muted(after.case),
        )

    def _enter(self, entry: Entry, done: dict[str, Entry]) -> None:
        self._ground.nights.keep(entry, self._night.id)
        done[entry.case] = entry

    def _why_muted(self, case_id: str) -> str | None:
        found = self._quarantine.of(case_id, self._today)
        return found.reason if found else None

    def _muted(self, case_id: str, found: tuple[Change, ...]) -> tuple[Change, ...]:
        muted = self._why_muted(case_id) is not None
        return tuple(each.model_copy(update={"quarantined": muted}) for each in found)

    def _drawn_up(
        self,
        found: Survey,
        done: Mapping[str, Entry],
        not_looked: tuple[NotLooked, ...],
        left: set[str],
    ) -> Night:
        last = self._ground.nights.last()
        expired = self._quarantine.expired(self._today)
        return drawn_up(
            night=self._night.id,
            began=self._night.began,
            ended=self._ground.now(),
            cases=len(found.listed) + len(found.broken),
            selected=self._wish.only is not None,
            due=len({each.case for each in found.due} | done.keys()),
            entries=tuple(done.values()),
            more=tuple(
                Change(
                    kind=Kind.EXPIRED,
                    case=each.id,
                    said=f"its quarantine ended on {each.until} ({each.reason})",
                )
                for each in expired
            ),
            not_looked=not_looked,
            left_out=tuple(sorted(left)),
            left_before=self._left_before(last),
            quarantine=quarantined(self._quarantine, self._today),
            before=last.noise_ever.counts if last else Noise(),
        )

    def _left_before(self, last: Night | None) -> tuple[str, ...]:
        """What was left out before, of cases that this night does not look after."""
        only = self._wish.only
        if only is None or last is None:
            return ()
        return tuple({*last.left_out} - only)


def _until(began: datetime, now: datetime, deadline: timedelta | None) -> datetime | None:
    """When a night is over; one that is gone on with after that has its whole time once more."""
    if deadline is None:
        return None
    return began + deadline if now < began + deadline else now + deadline
