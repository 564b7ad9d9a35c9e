"""A beat that is real but for its clock, which hurries, and for its nights' runs, which pretend.

python -m tests.service.beating BEGAN NIGHTS: minutes are counted from BEGAN, in seconds since 1970;
it ends by itself once so many nights have ended. The corpus is in `repros/` of its folder.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from runner.adapters.sql_store import SqlStore
from runner.adapters.sql_tables import nights
from runner.at_night import Asked, keep_watch
from runner.desk import Silent
from runner.errors import BrokerTrouble, FixproofError, Interrupted, StoreTrouble
from runner.findings import Progress
from runner.nightly.night import Night
from runner.options import Options
from runner.releases import History
from runner.report import Report
from runner.settings import read
from runner.wiring import Program
from tests.builders import a_script
from tests.service.corpus import CORPUS
from tests.service.pretence import submit
from tests.service.simulation import report_of
from worker.broker import CeleryBroker
from worker.night import ServiceGround
from worker.schedule import Beat, Schedule

NAMES = ("holds", "vacuous")
"""Cases of the corpus, each named as what it does."""
HURRY = 20.0
"""Seconds of the beat's clock in one second."""
_EVERY = 0.2


def write_corpus(folder: Path) -> None:
    (folder / "repros").mkdir()
    for each in NAMES:
        (folder / "repros" / f"{each}.py").write_text(a_script(fixed="1.2"), encoding="utf-8")


def ended(store: SqlStore) -> list[Night]:
    """All nights that ended."""
    with store._database.begin() as connection:
        ids = connection.execute(sa.select(nights.c.id).where(nights.c.ended.is_not(None))).all()
    found = (store.nights.night(each.id) for each in ids)
    return [each for each in found if each is not None]


class Nobody(Silent):
    """Watches a night."""

    def searching(self, found: tuple[Progress, ...]) -> None: ...


class Untold:
    """Tells people nothing of a night."""

    def began(self, night_id: str) -> None: ...

    def tell(self, night: Night) -> None: ...


class PretendedGround(ServiceGround):
    """Workers that pretend, and the index of what they pretend."""

    _serial = count()

    def history(self, package: str) -> History:  # noqa: ARG002 - there is but one
        return CORPUS["holds"][1].universe.history

    def verify(
        self,
        case_id: str,
        *,
        fresh: bool,  # noqa: ARG002 - always
        also: tuple[str, ...],  # noqa: ARG002 - the port has it
        purpose: str,  # noqa: ARG002 - the port has it
        until: datetime | None,  # noqa: ARG002 - the port has it
        again: str | None = None,  # noqa: ARG002 - the port has it
    ) -> Report:
        store = self._program.store
        run = f"{case_id}-{os.getpid()}-{next(self._serial)}"
        ticket = submit(store, case_id, run, nightly=True)
        with suppress(BrokerTrouble):
            self._broker.send([ticket])
        while not store.runs.has_ended(run):
            if self._over.wait(_EVERY):
                raise Interrupted("the night ended before")
        return report_of(store, run)


class Hurried(threading.Event):
    """Waits as long as the hurried clock says; over once enough nights have ended."""

    def __init__(self, store: SqlStore, most: int) -> None:
        super().__init__()
        self._store = store
        self._most = most

    def wait(self, timeout: float | None = None) -> bool:
        with suppress(FixproofError):
            if self._store.nights.open() is None and len(ended(self._store)) >= self._most:
                self.set()
        return super().wait(None if timeout is None else max(timeout / HURRY, _EVERY))


def store_of(program: Program) -> SqlStore:
    """The database, as soon as it is there: until then compose would start the beat again."""
    while True:
        with suppress(StoreTrouble):
            return program.store
        time.sleep(_EVERY)


def main(began: float, most: int) -> None:
    program = Program(read(sandbox="bubblewrap"))
    told = Hurried(store_of(program), most)

    def now() -> datetime:
        return datetime.fromtimestamp(began, tz=UTC) + timedelta(
            seconds=(time.time() - began) * HURRY
        )

    def keep(night_id: str) -> None:
        broker = CeleryBroker(program.settings.broker_url)
        ground = PretendedGround(program, Options(), Nobody(), broker)
        keep_watch(program, Asked(), ground, Nobody(), Untold(), night_id=night_id)

    def open_night() -> str | None:
        found = program.store.nights.open()
        return found.id if found else None

    Beat(
        Schedule("* * * * *"),
        now=now,
        keep=keep,
        open_night=open_night,
        told=told,
        say=print,
        fault=print,
    ).beat_on()


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
