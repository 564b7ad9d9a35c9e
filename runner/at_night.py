"""Keeps a night's watch on this machine: takes it, says all the time that it does, ends it."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import ParamSpec, Protocol, TypeVar

from runner.adapters.corpus_files import CorpusFiles
from runner.errors import FixproofError, NightTaken
from runner.nightly import quarantine
from runner.nightly.due import selected
from runner.nightly.ground import Ground
from runner.nightly.keeping import NightStore, OpenNight
from runner.nightly.night import DueDocument, Night
from runner.nightly.standing import BrokenListing, Listed
from runner.nightly.survey import Survey, Wish, survey
from runner.nightly.watch import Watch
from runner.options import Options
from runner.outcome import Status
from runner.releases import History
from runner.report import Report
from runner.running import Watcher, carry_out
from runner.settings import repros
from runner.value import Value
from runner.wiring import Program

HEARTBEAT = 2.0
"""Seconds between two heartbeats of a night."""
LEASE = 12.0
"""Seconds without one after which its keeper is believed to be gone."""


_Words = ParamSpec("_Words")
_Anything = TypeVar("_Anything")


class Asked(Value):
    """What the command line asks of a night."""

    patterns: tuple[str, ...] = ()
    """Ids of cases, or patterns; none for all."""
    failed: str | None = None
    """A run or a night: only what did not hold in it."""
    fresh: bool = False
    deadline: timedelta | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the whole corpus."""
        return not self.patterns and self.failed is None


class Here(Executor):
    """Does what it is given at once, in the thread that gives it."""

    def submit(
        self, work: Callable[_Words, _Anything], /, *args: _Words.args, **words: _Words.kwargs
    ) -> Future[_Anything]:
        future: Future[_Anything] = Future()
        try:
            future.set_result(work(*args, **words))
        except Exception as error:  # noqa: BLE001 - raised again by who asks for the result
            future.set_exception(error)
        return future


class LocalGround:
    """A night on this machine: runs are carried out by its own threads."""

    def __init__(self, program: Program, options: Options, listener: Watcher) -> None:
        self._program = program
        self._options = options
        self._listener = listener
        self.nights: NightStore = program.store.nights
        self.now = program.now
        self.hands: Executor = Here()
        self.at_a_time = 1

    def history(self, package: str) -> History:
        self._listener.doing(f"asking the package index for {package}")
        return self._program.index.history(package)

    def verify(
        self,
        case_id: str,
        *,
        fresh: bool,
        also: tuple[str, ...],
        purpose: str,  # noqa: ARG002 - an interrupted run is gone on with by its question
        until: datetime | None,  # noqa: ARG002 - nobody is waited for
        again: str | None = None,  # noqa: ARG002 - there is no other worker
    ) -> Report:
        asked = {"fresh": fresh, "still": True, "also": also}
        options = self._options.model_copy(update=asked)
        return carry_out(self._program, "verify", case_id, options, self._listener)

    def made_by(self, run_id: str) -> tuple[str, ...]:  # noqa: ARG002 - as above
        return (platform.node(),)

    def note(self, what: str) -> None:
        self._listener.note(what)

    def leave(self) -> None:
        """Nothing is waited for."""


class NightGround(Ground, Protocol):
    """What a night stands on, and can be left."""

    @property
    def nights(self) -> NightStore: ...

    def leave(self) -> None:
        """Wait for nothing any more."""
        ...


class News(Protocol):
    """Tells people of a night."""

    def began(self, night_id: str) -> None:
        """Say that this process keeps it."""
        ...

    def tell(self, night: Night) -> None:
        """Say what it found."""
        ...


Corpus = tuple[Listed | BrokenListing, ...]


def due_tonight(program: Program, asked: Asked, options: Options, listener: Watcher) -> DueDocument:
    """What a night would do now, and why; nothing is run, and nothing kept.

    Raises:
        WrongUsage: it names what is not there.
    """
    ground, corpus = LocalGround(program, options, listener), _corpus(program).listed()
    wish = _wish(program, asked, corpus)
    muted = _quarantine(program, corpus).muted(program.now().date())
    found = survey(ground, corpus, wish, now=program.now(), muted=muted)
    return DueDocument(cases=_counted(found), due=found.due, not_looked=found.not_looked)


def keep_watch(
    program: Program,
    asked: Asked,
    ground: NightGround,
    listener: Watcher,
    news: News,
    *,
    night_id: str | None = None,
) -> Night:
    """Keep one night, or go on with one that was stopped, with what was asked of that.

    Where that looks after what somebody named, and this one after all, both are kept.

    Args:
        program: what it stands on.
        asked: what it is to look after.
        ground: what carries its runs out.
        listener: who watches it.
        news: tells people of it; before it counts as ended, so that a kill loses no message.
        night_id: the one that it is to be, if none is open; None for a new one.

    Raises:
        WrongUsage: it names what is not there.
        NightTaken: another process keeps it, or has kept it, or one is open for other cases.
        FixproofError: trouble that no case would be spared; the next one goes on.
    """
    corpus = _corpus(program).listed()
    wish = _wish(program, asked, corpus)
    quarantined = _quarantine(program, corpus)
    owner = f"{platform.node()}/{os.getpid()}/{program.new_id()}"

    def keep(night: OpenNight) -> Night:
        its = _wish_of(night, wish)
        with _keeping(ground.nights, night.id, owner) as kept:
            news.began(night.id)
            now = program.now()
            muted = quarantined.muted(now.date())
            found = survey(ground, corpus, its, now=now, night=night.id, muted=muted)
            document = Watch(ground, night, its, quarantined, kept).keep(found)
            kept()
            news.tell(document)
            ground.nights.end(document, owner)
        return document

    with _leaving(ground):
        while True:
            night = _taken(program, owner, listener, wish, night_id)
            document = keep(night)
            if _wish_of(night, wish).only == wish.only:
                return document


def _wish_of(night: OpenNight, wish: Wish) -> Wish:
    """What was asked of a night when it was begun; where that is not known, what is now."""
    return Wish.model_validate_json(night.wish) if night.wish else wish


def _corpus(program: Program) -> CorpusFiles:
    return CorpusFiles(repros(), program.cases, program.documents)


def _counted(found: Survey) -> int:
    return len(found.listed) + len(found.broken)


def _quarantine(program: Program, corpus: Corpus) -> quarantine.Quarantine:
    return quarantine.parse(_corpus(program).quarantine(), {each.id for each in corpus})


def _wish(program: Program, asked: Asked, corpus: Corpus) -> Wish:
    only = None
    known = {each.id for each in corpus}
    if asked.patterns:
        only = selected(known, asked.patterns)
    if asked.failed is not None:
        failed = _failed_in(program, asked.failed) & known
        only = failed if only is None else only & failed
    return Wish(only=only, fresh=asked.fresh, deadline=asked.deadline)


def _failed_in(program: Program, named: str) -> frozenset[str]:
    """What did not hold in a night, or in a run."""
    night = program.store.nights.night(named)
    if night is not None:
        held = (each for each in night.entries if each.standing.status is not Status.PASS)
        return frozenset({*(each.case for each in held), *(e.case for e in night.not_looked)})
    run = program.stored(named)
    return frozenset() if run.status == Status.PASS else frozenset({run.case_id})


def _taken(
    program: Program, owner: str, listener: Watcher, wish: Wish, night_id: str | None
) -> OpenNight:
    """A night that this process keeps."""
    nights, began = program.store.nights, program.now()
    night_id = night_id or f"night-{began:%Y%m%d-%H%M%S}-{program.new_id()[:4]}"
    asked = wish.model_dump_json()
    while not nights.begin(night_id, began, owner, asked):
        seen = nights.open()
        if seen is None:
            if nights.night(night_id) is not None:
                raise NightTaken(f"{night_id} has been kept already")
            continue  # the one that was open has just ended
        if wish.only not in (None, _wish_of(seen, wish).only):
            raise NightTaken(
                f"{seen.id} did not end, and looks after other cases",
                hint="fixproof nightly without a name goes on with it.",
            )
        if seen.beats >= 0:
            listener.note(f"{seen.id} did not end: is somebody keeping it?")
            time.sleep(LEASE)
        if nights.take_over(seen, owner):
            listener.note(f"going on with {seen.id}")
            return seen
        raise NightTaken(
            f"{seen.id} is being kept by another process: {seen.owner}",
            hint="One night at a time; this one may be called again when that is over.",
        )
    return OpenNight(night_id, began, owner, 0, asked)


@contextmanager
def _leaving(ground: NightGround) -> Iterator[None]:
    try:
        yield
    finally:
        ground.leave()


@contextmanager
def _keeping(nights: NightStore, night_id: str, owner: str) -> Iterator[Callable[[], None]]:
    """Say all the time that a night is kept; what is given raises once somebody else keeps it."""
    over, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT):
            try:
                if not nights.beat(night_id, owner):
                    lost.set()
            except FixproofError:  # it may answer again before the lease is over
                continue

    def kept() -> None:
        if lost.is_set():
            raise NightTaken(f"{night_id} was not heard of for a while, and another keeps it now")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        over.set()
        thread.join()
        with suppress(FixproofError):  # what ended the night matters more
            nights.leave(night_id, owner)
