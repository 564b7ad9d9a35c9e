"""The service as a whole, simulated: whatever happens to workers and messages, runs end the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from runner.adapters.sql_store import SqlStore
from runner.adapters.sql_tables import run_attempts
from runner.avoidance import LONGEST
from runner.desk import Silent
from runner.endings import cancel
from runner.errors import (
    EnvironmentTrouble,
    FixproofError,
    Interrupted,
    SandboxTrouble,
    UnknownPackage,
    WrongUsage,
)
from runner.local_driver import LocalDriver
from runner.matrix import series_of
from runner.plans.bisection import BisectionPlan
from runner.plans.kinds import AnyPlan, step
from runner.store import Run
from runner.sweeping import LEASE
from runner.troubles import MOST_TRIES
from tests.builders import (
    TODAY,
    Said,
    Trial,
    World,
    a_case,
    a_history,
    a_universe,
    broken_in,
)
from tests.service.corpus import CORPUS, the_plan
from tests.service.simulation import MOST_TICKS, Died, Service, SimulatedDesk, essence, report_of

MakeService = Callable[..., Service]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with nothing in it; to copy it is quicker than to make one."""
    file = tmp_path_factory.mktemp("empty") / "empty.sqlite3"
    SqlStore(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def make(tmp_path: Path, empty: Path) -> Iterator[MakeService]:
    made: list[Service] = []
    serial = count()

    def service(world: World, **words: Any) -> Service:
        while len(made) > 2:
            made.pop(0).close()
        file = tmp_path / f"{next(serial)}.sqlite3"
        shutil.copyfile(empty, file)
        made.append(Service(f"sqlite:///{file}", world, **words))
        return made[-1]

    yield service
    for each in made:
        each.close()


def undisturbed(make: MakeService, name: str = "holds") -> dict[str, Any]:
    """What a run comes to if nothing happens to anybody."""
    world, plan = CORPUS[name]
    service = make(world)
    service.submit(plan)
    service.drain()
    return essence(service.report())


def driven_here(service: Service, plan: AnyPlan) -> dict[str, Any]:
    """What the local driver makes of a plan."""
    desk: SimulatedDesk = service.desk
    service.plans[plan.case.id] = plan
    run = Run(
        id="local",
        kind=plan.kind,
        case_id=plan.case.id,
        inputs_sha256="asked",
        plan=plan.model_dump_json(),
        ground="",
        began=TODAY,
    )
    asked, _ = desk.plan(run)
    run = run.model_copy(update={"ground": asked.ground.model_dump_json()})
    service.store.runs.begin(run)
    runs = desk.service(run, asked)
    driver = LocalDriver(
        runs=runs, step=partial(step, plan), stop=lambda: None, listener=Silent(), jobs=1
    )
    runs.report(driver.drive({}))
    return essence(report_of(service.store, "local"))


@pytest.mark.parametrize("name", CORPUS)
def test_both_drivers_come_to_the_same_conclusion(make: MakeService, name: str) -> None:
    world, plan = CORPUS[name]
    assert undisturbed(make, name) == driven_here(make(world), plan)


def test_a_run_makes_no_more_attempts_than_it_needs(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)
    service.drain()
    assert len(service.machine.ran) == service.report().measured.attempts == 10
    assert service.left() == 0


def test_attempts_of_an_earlier_run_are_taken_over(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    for name in ("run-1", "run-2"):
        service.submit(plan, name)
        service.drain()
    assert len(service.machine.ran) == 10
    assert essence(service.report("run-1")) == essence(service.report("run-2"))


# Second opinions


def workers_of(service: Service, run: str = "run-1") -> set[str]:
    """Who made the attempts of a run."""
    query = sa.select(run_attempts.c.worker).where(run_attempts.c.run_id == run).distinct()
    return {row.worker for row in service.store.work._database.all(query)}


def test_who_is_avoided_leaves_all_to_another_that_is_alive_however_long_it_is_busy(
    make: MakeService,
) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    avoided, another = service.carrier, service._worker()
    service.post.alive = ("worker-0", "worker-1")
    service.submit(plan, avoid="worker-0")
    service.carrier = another
    service.deliver()  # it plans, and goes on until it has made an attempt
    began = service.clock.monotonic
    while service.clock.monotonic - began < LONGEST - 60:  # it does something else
        service.carrier = avoided
        while service.deliver():
            pass
        service.tick()
    assert len(service.machine.ran) == 1
    service.carrier = another
    service.drain()
    assert workers_of(service) == {"worker-1"}


def test_another_that_died_is_waited_for_no_longer(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.post.alive = ("worker-0", "worker-1")
    service.submit(plan, avoid="worker-0")
    for _ in range(20):
        service.deliver()
        service.tick()
    assert service.machine.ran == []
    service.post.alive = ("worker-0",)
    began = service.clock.monotonic
    service.drain()
    assert service.clock.monotonic - began < 60
    assert workers_of(service) == {"worker-0"}


def test_another_that_never_comes_is_not_waited_for_forever(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.post.alive = ("worker-0", "worker-1")
    service.submit(plan, avoid="worker-0")
    service.drain()
    assert workers_of(service) == {"worker-0"}


# Workers


@pytest.mark.parametrize(("name", "stride"), [("holds", 2), ("dependencies differ", 11)])
def test_a_worker_may_die_at_any_point(make: MakeService, name: str, stride: int) -> None:
    world, plan = CORPUS[name]
    expected = undisturbed(make, name)
    for last in range(stride, 1000, stride):
        service = make(world)
        service.submit(plan)
        service.points.last = service.points.passed + last
        service.drain()
        assert essence(service.report()) == expected, last
        assert service.left() == 0, last
        if not service.died:
            break
    assert last > 150


def test_the_database_may_fail_at_any_point(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    for last in range(3, 1000, 9):
        service = make(world)
        service.submit(plan)
        service.points.ending = OperationalError("SELECT", {}, Exception("it is away"))
        service.points.last = service.points.passed + last
        service.drain()
        assert essence(service.report()) == expected, last
        assert service.left() == 0, last
        if service.points.passed < service.points.last:
            break
    assert last > 150


def test_a_worker_that_is_told_to_stop_hands_its_item_back(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    service.machine.troubles.extend([None, None, Interrupted("told to stop")] * 5)
    began = service.clock.monotonic
    service.drain()
    assert essence(service.report()) == expected
    assert service.clock.monotonic == began, "nobody had to find out"
    assert not any(service.machine.troubles)


def test_who_asks_may_die_at_any_point(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    for last in range(1, 20):
        service = make(world)
        service.points.last = last
        with suppress(Died):
            service.submit(plan)
        asked = service.store.runs.run("run-1") is not None
        service.drain()
        assert not asked or essence(service.report()) == expected, last
    assert asked


@pytest.mark.parametrize("every", [3, 7, 11])
def test_workers_may_die_again_and_again(make: MakeService, every: int) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    for moment in range(400):
        service.points.last = service.points.passed + every + moment // 4
        while service.deliver():
            service.points.last = service.points.passed + every + moment // 4
        if not service.unfinished():
            break
        service.points.last = None
        service.tick()
    assert service.died > 3
    run = service.store.runs.run("run-1")
    assert run is not None
    if run.outcome == "trouble":  # an item that was lost with so many workers is given up
        assert f"lost {MOST_TRIES} times" in str(run.summary)
    else:
        assert essence(service.report()) == expected
    assert service.left() == 0


def test_a_task_that_always_kills_its_worker_ends_its_run(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)

    def die() -> None:
        service.points.last = service.points.passed + 1

    service.machine.during = die
    service.drain()
    run = service.store.runs.run("run-1")
    assert run is not None
    assert (run.status, run.outcome) == ("INCONCLUSIVE", "trouble")
    assert run.summary == f"a task of it was lost {MOST_TRIES} times, with the worker that had it"
    for _ in range(int(LEASE) + 2):
        service.tick()
    assert service.left() == 0


def test_a_worker_that_was_believed_dead_has_no_say_any_more(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    frozen: list[str] = []

    def freeze() -> None:
        """The first attempt stands still for long, without a heartbeat; others go on."""
        if frozen:
            return
        frozen.append(service.machine.ran[-1])
        held, service.desk.held[:] = list(service.desk.held), []
        other = service._worker()
        for _ in range(30):
            service.tick()
            while (item := service.post.next()) is not None:
                other.carry_out(item)
        service.desk.held[:] = held

    service.machine.during = freeze
    service.drain()
    assert essence(service.report()) == expected
    assert len(service.machine.ran) == 11
    assert service.machine.ran.count(frozen[0]) == 2
    kept = [
        each.id for facts in service.store.runs.facts("run-1").values() for each in facts.attempts
    ]
    assert len(kept) == len(set(kept)) == 10


def test_a_worker_that_is_slow_and_alive_keeps_its_item(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)

    def dawdle() -> None:
        for _ in range(int(LEASE) * 2):
            service.tick()

    service.machine.during = dawdle
    service.drain()
    assert len(service.machine.ran) == 10


def test_a_run_that_has_nothing_to_do_is_looked_at_again(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    for _ in range(6):
        service.deliver()
    with service.store._database.begin() as connection:
        connection.execute(sa.text("DELETE FROM work"))
    service.drain()
    assert essence(service.report()) == expected


# Messages


def test_every_message_may_come_twice(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.post.twice = True
    service.submit(plan)
    service.drain()
    assert essence(service.report()) == expected
    assert len(service.machine.ran) == 10


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_messages_may_be_lost(make: MakeService, every: int) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    for number in range(60):
        if number % every == 0:
            service.post.next()
        else:
            service.deliver()
        service.tick()
    service.drain()
    assert essence(service.report()) == expected
    assert len(service.machine.ran) == 10


def test_a_broker_may_come_back_empty(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    for moment in range(40):
        service.deliver()
        if moment % 4 == 0:
            service.post.answers = False
            service.post.queues.clear()
            service.tick(30)
            service.post.answers = True
        service.tick()
    service.drain()
    assert essence(service.report()) == expected
    assert len(service.machine.ran) == 10


def test_a_message_of_nothing_does_nothing(make: MakeService) -> None:
    service = make(CORPUS["holds"][0])
    service.hand("run-7/1.1")
    assert service.left() == 0


# Time


@pytest.mark.parametrize("hours", [-1, 1, -24])
@pytest.mark.parametrize("moment", [1, 4, 9])
def test_a_clock_may_jump(make: MakeService, hours: int, moment: int) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.submit(plan)
    for _ in range(moment):
        service.deliver()
    item = service.post.next()
    assert item is not None
    service.store.work.take(item, "somebody who dies")
    service.clock.wall += timedelta(hours=hours)
    began = service.clock.monotonic
    service.drain()
    assert essence(service.report()) == expected
    assert service.clock.monotonic - began < LEASE + 10


# Sweepers


def test_two_sweepers_do_nothing_twice(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world, sweepers=2)
    service.submit(plan)
    sent: list[int] = []
    for _ in range(30):
        item = service.post.next()
        if item is not None:
            service.store.work.take(item, "somebody who dies")
        for _ in range(20):
            service.tick()
            sent.append(sum(len(each) for each in service.post.queues.values()))
        service.deliver()
    service.drain()
    assert essence(service.report()) == expected
    assert max(sent) <= 10, "as many messages as items, and no more"


# Trouble of ours


def test_a_run_whose_plan_cannot_be_read_ends_and_says_so(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)
    service.deliver()
    with service.store.work.turn("run-1") as turn:
        turn.keep_plan('{"kind": "of tomorrow"}', "{}", turn.run.queue, by="worker-9")
    service.carrier = service._worker()
    for _ in range(MOST_TICKS):
        with suppress(Exception):  # told to Celery, which logs it
            service.deliver()
        if not service.unfinished():
            break
        service.tick()
    run = service.store.runs.run("run-1")
    assert run is not None
    assert run.ended is not None
    assert "a fault of fixproof's own" in (run.summary or "")
    assert service.left() == 0


@pytest.mark.parametrize(
    "trouble", [SandboxTrouble("engine away"), EnvironmentTrouble("no index")], ids=lambda e: e.kind
)
def test_trouble_of_ours_passes(make: MakeService, trouble: FixproofError) -> None:
    world, plan = CORPUS["holds"]
    expected = undisturbed(make)
    service = make(world)
    service.machine.troubles.extend([trouble, None, trouble, trouble, None, None, trouble, None])
    service.submit(plan)
    service.drain()
    assert essence(service.report()) == expected
    assert len(service.machine.ran) == 10


def test_trouble_that_does_not_pass_ends_the_run_and_says_why(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)
    for _ in range(8):
        service.deliver()
    began = service.clock.monotonic
    service.machine.troubles.extend([SandboxTrouble("the engine is away")] * 500)
    service.drain()
    run = service.store.runs.run("run-1")
    assert run is not None
    assert (run.status, run.outcome) == ("INCONCLUSIVE", "trouble")
    assert f"{MOST_TRIES} times: the engine is away" in str(run.summary)
    assert 300 < service.clock.monotonic - began < 1500
    assert service.left() == 0


@pytest.mark.parametrize("version", [f"1.{number}" for number in range(0, 24, 2)])
def test_trouble_with_what_is_prepared_ahead_counts_only_if_it_is_wanted(
    make: MakeService, version: str
) -> None:
    case = a_case(fixed="1.9", broken=["1.0"])
    universe = a_universe(a_history(*(f"1.{number}" for number in range(24))))
    plan = BisectionPlan(case=case, universe=universe, series=series_of(case, universe))
    world = World(broken_in(*(f"1.{number}" for number in range(9))))
    here, service = make(world), make(world)
    for each in (here, service):
        each.machine.never.add(version)
    try:
        expected = driven_here(here, plan)
    except EnvironmentTrouble:
        expected = {}
    service.submit(plan)
    service.drain()
    run = service.store.runs.run("run-1")
    assert run is not None
    if expected:
        assert essence(service.report()) == expected
    else:
        assert run.outcome == "trouble"
        assert f"pkg-{version}/" in str(run.summary)
        assert str(run.summary).endswith("there is no uv")
    assert service.left() == 0


@pytest.mark.parametrize("wrong", [UnknownPackage("no such package"), WrongUsage("no Python 3.99")])
def test_what_is_wrong_with_a_question_is_not_asked_again(
    make: MakeService, wrong: FixproofError
) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.machine.troubles.append(wrong)
    service.submit(plan)
    service.drain()
    run = service.store.runs.run("run-1")
    assert run is not None
    assert (run.outcome, run.summary) == ("trouble", f"planning: {wrong.message}")
    assert service.clock.monotonic < 1010


def test_a_fault_of_our_own_ends_one_run_with_its_reason(make: MakeService) -> None:
    world, plan = CORPUS["holds"]

    def faulty(_trial: Trial) -> Said:
        raise ZeroDivisionError("oh")

    service = make(World(faulty, world.dependencies))
    service.submit(plan)
    for _ in range(1000):
        try:
            service.drain()
        except ZeroDivisionError:
            continue
        break
    run = service.store.runs.run("run-1")
    assert run is not None
    assert "a fault of fixproof's own: ZeroDivisionError('oh')" in str(run.summary)


# Cancelling


@pytest.mark.parametrize("moment", range(0, 14, 3))
def test_a_cancelled_run_ends_at_once(make: MakeService, moment: int) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)
    for _ in range(moment):
        service.deliver()
    with service.store.work.turn("run-1") as turn:
        cancel(turn, service.clock.wall)
    ran = len(service.machine.ran)
    service.drain()
    run = service.store.runs.run("run-1")
    assert run is not None
    assert (run.status, run.outcome) == (None, "cancelled")
    assert len(service.machine.ran) == ran
    assert service.left() == 0


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "too late to stop"])
def test_a_worker_finds_out_that_its_run_was_cancelled(make: MakeService, *, stopped: bool) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)
    heard: list[bool] = []

    def cancelled() -> None:
        ((item, owner),) = service.desk.held
        assert service.store.work.beat(item, owner)
        with service.store.work.turn("run-1") as turn:
            cancel(turn, service.clock.wall)
        heard.append(service.store.work.beat(item, owner))
        assert service.left() == 1, "the worker has not said yet that it left it"
        if stopped:
            raise Interrupted("the run has ended")

    service.machine.during = cancelled
    service.drain()
    assert heard == [False]
    assert service.left() == 0
    assert not any(facts.attempts for facts in service.store.runs.facts("run-1").values())


def test_what_a_dead_worker_had_of_a_cancelled_run_is_forgotten(make: MakeService) -> None:
    world, plan = CORPUS["holds"]
    service = make(world)
    service.submit(plan)
    item = service.post.next()
    assert item is not None
    service.store.work.take(item, "somebody who dies")
    with service.store.work.turn("run-1") as turn:
        cancel(turn, service.clock.wall)
    assert service.left() == 1
    for _ in range(int(LEASE) + 2):
        service.tick()
    assert service.left() == 0


# Whose turn it is


def test_what_was_begun_goes_before_what_is_new(make: MakeService) -> None:
    world, _ = CORPUS["holds"]
    service = make(world)
    for number in range(5):
        service.submit(the_plan(f"case-{number}"), f"run-{number}")
    begun: list[int] = []
    while service.deliver():
        planned = [each for each in service.store.runs.recent(10) if each.plan]
        begun.append(sum(each.ended is None for each in planned))
    assert not service.unfinished()
    assert max(begun) == 1, "a run was finished before the next was begun"
