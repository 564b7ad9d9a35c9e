"""A store of made-up records: cases of simulated bugs, with a night of runs for each day.

Of each case the runs of its last night can be drawn up; those of other nights only where their
status differs from the night before. Every fifth case is looked at by one night in thirty, and run
by hand on the other days.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runner.adapters.case_files import CaseFiles
from runner.adapters.sql_database import AnyConnection, Database
from runner.adapters.sql_evidence import row_of, text_of
from runner.adapters.sql_nights import SqlNights
from runner.adapters.sql_tables import (
    attempts,
    loads,
    locks,
    night_cases,
    run_attempts,
    run_cells,
    runs,
)
from runner.attempt import Attempt
from runner.case import Case
from runner.environment import Lock
from runner.matrix import series_of
from runner.nightly.due import Cause, Why
from runner.nightly.night import Entry, Round, drawn_up
from runner.nightly.noise import Noise
from runner.nightly.standing import Standing
from runner.outcome import Outcome, Status
from runner.plans.kinds import AnyPlan
from runner.plans.sweep import SweepPlan
from runner.sandbox import Stream
from tests.builders import (
    LATER,
    Simulation,
    World,
    a_ground,
    a_history,
    a_plan,
    a_report,
    a_script,
    a_universe,
    broken_in,
)

RELEASES = tuple(f"1.{each}" for each in range(24))
NAMES = ("parser", "router", "codec", "pool", "cache", "session", "queue", "mapper")
ENDINGS = (
    "loses the last line of a long answer",
    "hangs when the other side closes first",
    "leaks a handle for every refused request",
    "takes a quoted comma for a separator",
)
LOG = (
    b"\x1b[1;31mBUG\x1b[0m: seen once more <b>&amp;</b>\nTraceback (most recent call last):\n"
    + b"".join(b'  File "demo.py", line %d, in step\n' % each for each in range(12))
)


def corpus(folder: Path, cases: int) -> list[str]:
    """Write the scripts of so many cases; their ids."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"case-{each:04}" for each in range(1, cases + 1)]
    for at, case_id in enumerate(ids):
        fixed = f"1.{at % 20 + 2}"
        (folder / f"{case_id}.py").write_text(
            a_script(
                title=f"The {NAMES[at % len(NAMES)]} {ENDINGS[at % len(ENDINGS)]}",
                fixed=fixed,
                issue=f"https://example.org/pkg/issues/{at + 100}",
                fix=f"https://example.org/pkg/pull/{at + 101}",
                body=f"import pkg\n\npkg.step({at})\nprint('fine')\n",
            )
        )
    return ids


class MadeUp:
    """Fills a database."""

    def __init__(self, home: Path, repros: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._database = Database(f"sqlite:///{home / 'fixproof.sqlite3'}")
        self._nights = SqlNights(self._database)
        self._cases = CaseFiles(repros=repros, copies=home / "cases")

    def fill(self, ids: list[str], nights: int, *, last: datetime = LATER) -> None:
        """So many nights of each case, up to the last; every tenth case has a sweep too."""
        for back in reversed(range(nights)):
            self._night(last - timedelta(days=back), len(ids))
        for at, case_id in enumerate(ids):
            case, _ = self._cases.load(case_id)
            with self._database.begin() as connection:
                light = [*self._runs(connection, case, at, nights, last)]
                if light:
                    connection.execute(sa.insert(runs), light)
                looked = range(0, nights, 30 if at % 5 == 4 else 1)
                entries = [
                    _entry(case, last - timedelta(days=back), failing=back in _ill(at))
                    for back in looked
                ]
                connection.execute(sa.insert(night_cases), entries)
                if at % 10 == 0:
                    self._keep(connection, _sweep(case), last - timedelta(hours=1))

    def night(self, case_id: str, when: datetime, *, failing: bool = False) -> str:
        """One more night, that looked at one case."""
        case, _ = self._cases.load(case_id)
        self._night(when, 1)
        with self._database.begin() as connection:
            connection.execute(sa.insert(night_cases), _entry(case, when, failing=failing))
            return self._keep(connection, _verify(case), when, failing=failing)

    def close(self) -> None:
        self._database.close()

    def _night(self, began: datetime, cases: int) -> None:
        name = _night_id(began)
        self._nights.begin(name, began, "made up")
        night = drawn_up(
            night=name,
            began=began,
            ended=began,
            cases=cases,
            due=cases,
            entries=(),
            more=(),
            not_looked=(),
            left_out=(),
            quarantine=(),
            before=Noise(),
        )
        self._nights.end(night, "made up")

    def _runs(
        self, connection: AnyConnection, case: Case, at: int, nights: int, last: datetime
    ) -> Iterator[dict[str, Any]]:
        """The last one is kept with all its evidence; of one in eight cases, a week failed."""
        ill = _ill(at)
        for back in range(nights):
            when, failing = last - timedelta(days=back), back in ill
            if (
                back in (0, nights - 1)
                or back + 1 in ill
                or (back not in ill and back + 1 == ill.stop)
            ):
                self._keep(connection, _verify(case), when, failing=failing)
            else:
                yield _row(_run_id(case, when), "verify", case, "", when, failing=failing)

    def _keep(
        self, connection: AnyConnection, plan: AnyPlan, when: datetime, *, failing: bool = False
    ) -> str:
        simulation = Simulation(plan, World(broken_in(*_broken(plan))))
        conclusion = simulation.run()
        name = f"{_run_id(plan.case, when)}{'-sweep' if plan.kind == 'sweep' else ''}"
        ground = a_ground(
            run=name, kind=plan.kind, again=f"fixproof {plan.kind} {plan.case.id} --fresh"
        )
        report = a_report(plan, conclusion, ground)
        row = _row(name, plan.kind, plan.case, plan.model_dump_json(), when, failing=failing)
        row |= {"ground": ground.model_dump_json()}
        if not failing:
            row |= {"status": report.status, "outcome": report.outcome, "summary": report.summary}
        connection.execute(sa.insert(runs), row)
        for cell_id, facts in simulation.facts.items():
            key = f"{name}/{cell_id}"
            if isinstance(facts.lock, Lock):
                values = {"pylock": facts.lock.pylock(), "failure": None, "detail": None}
                connection.execute(sa.insert(locks), {"key": key, **values, "made": text_of(when)})
            if facts.loaded:
                connection.execute(sa.insert(loads), {"key": key, **facts.loaded.model_dump()})
            linked = {"run_id": name, "cell_id": cell_id}
            keys = {"lock": key, "loaded": key, "attempts": key}
            connection.execute(sa.insert(run_cells), linked | keys)
            for number, each in enumerate(facts.attempts):
                kept = _named(each, f"{key}#{number}", when)
                connection.execute(sa.insert(attempts), row_of(key, kept))
                connection.execute(
                    sa.insert(run_attempts), linked | {"attempt_id": kept.id, "reused": False}
                )
        return name


def _named(attempt: Attempt, name: str, when: datetime) -> Attempt:
    changes: dict[str, object] = {"id": name, "ran": when}
    if attempt.stdout.head.startswith(b"BUG"):
        changes["stdout"] = Stream(head=LOG)
    return attempt.model_copy(update=changes)


def _ill(at: int) -> range:
    """The nights back in which a case failed."""
    return range(20, 27) if at % 8 == 3 else range(0)


def _run_id(case: Case, when: datetime) -> str:
    return f"{when:%Y%m%d-%H%M%S}-{case.id}"


def _night_id(began: datetime) -> str:
    return f"night-{began:%Y%m%d-%H%M%S}"


def _entry(case: Case, when: datetime, *, failing: bool) -> dict[str, Any]:
    """What a night made of a case: its verify, once."""
    run, night = _run_id(case, when), _night_id(when)
    status, outcome = (Status.FAIL, Outcome.STILL_BROKEN) if failing else (Status.PASS, Outcome.OK)
    standing = Standing(
        night=night,
        case=case.id,
        package=case.package,
        sha256=case.sha256,
        run=run,
        status=status,
        outcome=outcome,
        summary="It is still broken." if failing else "It is the first fixed release.",
        ran=when,
        latest=RELEASES[-1],
        uploaded=None,
    )
    entry = Entry(
        case=case.id,
        package=case.package,
        causes=(Cause(why=Why.EXPIRES, said="what is known of it is about to get too old"),),
        rounds=(Round(run=run, status=status, outcome=outcome, attempts=9, why="due"),),
        changes=(),
        standing=standing,
    )
    return {
        "night_id": night,
        "case_id": case.id,
        "standing": standing.model_dump_json(),
        "entry": zlib.compress(entry.model_dump_json().encode()),
    }


def _row(
    name: str, kind: str, case: Case, plan: str, when: datetime, *, failing: bool
) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "case_id": case.id,
        "inputs_sha256": "asked",
        "plan": zlib.compress(plan.encode()),
        "ground": "{}",
        "began": text_of(when),
        "ended": text_of(when),
        "status": Status.FAIL if failing else Status.PASS,
        "outcome": "still_broken" if failing else "ok",
        "summary": "It is still broken." if failing else "It is the first fixed release.",
        "case_sha256": case.sha256,
    }


def _broken(plan: AnyPlan) -> tuple[str, ...]:
    (fixed,) = plan.case.metadata.fixed
    return RELEASES[: RELEASES.index(fixed)]


def _verify(case: Case) -> AnyPlan:
    return a_plan(case, a_universe(a_history(*RELEASES)))


def _sweep(case: Case) -> AnyPlan:
    universe = a_universe(a_history(*RELEASES))
    return SweepPlan(
        case=case, universe=universe, series=series_of(case, universe), confidence=0.99
    )
