"""A night's watch over a ground that is made up: what it runs, confirms, keeps and says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from xml.etree import ElementTree as ET

import pytest

from runner.at_night import Here
from runner.errors import (
    FixproofError,
    IndexUnreachable,
    NightBlind,
    NoSpace,
    StoreTrouble,
    UnknownPackage,
)
from runner.nightly.changes import Kind
from runner.nightly.due import Why
from runner.nightly.keeping import OpenNight
from runner.nightly.night import DueDocument, Entry, Night, worth_telling
from runner.nightly.quarantine import Quarantine, Quarantined
from runner.nightly.standing import BrokenListing, Listed, Standing
from runner.nightly.survey import Wish, survey
from runner.nightly.watch import Watch
from runner.outcome import Outcome, Status
from runner.releases import History
from runner.render.night import digest, due_markdown, headline, junit, markdown, page
from runner.report import Report
from tests.builders import (
    LATER,
    World,
    a_case,
    a_history,
    a_plan,
    a_universe,
    broken_in,
    verify,
)

HISTORY = a_history("1.0", "1.1", "1.2", "1.3")


@cache
def reports() -> dict[Status, Report]:
    """One report of each status, of the same case."""
    plan = a_plan(a_case(), a_universe(HISTORY), latest=True)
    good = verify(plan, World(broken_in("1.0", "1.1"))).report
    bad = verify(plan, World(broken_in("1.0", "1.1", "1.3"))).report
    odd = {"status": Status.INCONCLUSIVE, "outcome": Outcome.UNRESOLVED}
    assert (good.status, bad.status) == (Status.PASS, Status.FAIL)
    return {Status.PASS: good, Status.FAIL: bad, Status.INCONCLUSIVE: good.model_copy(update=odd)}


def listed(name: str, package: str = "pkg", sha256: str = "") -> Listed:
    return Listed(id=name, package=package, sha256=sha256 or a_case().sha256, fixed=("1.2",))


class Store:
    """Nights in memory; fulfils `Ledger`."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Entry]] = {}
        self.ended: list[Night] = []

    def keep(self, entry: Entry, night_id: str) -> None:
        self.kept.setdefault(night_id, {})[entry.case] = entry

    def entries(self, night_id: str) -> tuple[Entry, ...]:
        return tuple(self.kept.get(night_id, {}).values())

    def standings(self) -> dict[str, Standing]:
        return {
            name: each.standing for night in self.kept for name, each in self.kept[night].items()
        }

    def last(self) -> Night | None:
        return self.ended[-1] if self.ended else None


class FakeGround:
    """Says what is scripted for each case, and loudly when that runs out."""

    def __init__(self) -> None:
        self.nights = Store()
        self.hands = Here()
        self.at_a_time = 1
        self.script: dict[str, deque[Status | FixproofError]] = {}
        self.histories: dict[str, History | FixproofError] = {"pkg": HISTORY}
        self.verified: list[tuple[str, bool]] = []
        self.asked: list[str] = []
        self.purposes: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.workers = ["one"]
        self.at = LATER
        self.takes = timedelta(minutes=10)
        self._runs = count()
        self._nights = count(1)

    def now(self) -> datetime:
        return self.at

    def history(self, package: str) -> History:
        self.asked.append(package)
        found = self.histories[package]
        if isinstance(found, FixproofError):
            raise found
        return found

    def verify(
        self,
        case_id: str,
        *,
        fresh: bool,
        also: tuple[str, ...],
        purpose: str,
        until: datetime | None,
        again: str | None = None,
    ) -> Report:
        assert also == ()
        assert until is None or until.tzinfo
        self.purposes.append((case_id, purpose))
        assert fresh or again is None
        self.verified.append((case_id, fresh))
        self.at += self.takes
        said = self.script[case_id].popleft()
        if isinstance(said, FixproofError):
            raise said
        report = reports()[said]
        cells = tuple(
            each.model_copy(
                update={
                    "attempts": tuple(
                        attempt.model_copy(update={"ran": self.at}) for attempt in each.attempts
                    )
                }
            )
            for each in report.cells
        )
        run = f"run-{next(self._runs)}"
        return report.model_copy(update={"run": run, "ran": self.at, "cells": cells})

    def made_by(self, run_id: str) -> tuple[str, ...]:
        return (self.workers[int(run_id.removeprefix("run-")) % len(self.workers)],)

    def note(self, what: str) -> None:
        self.notes.append(what)

    def night(
        self,
        *corpus: Listed | BrokenListing,
        wish: Wish | None = None,
        quarantine: Quarantine | None = None,
        night_id: str | None = None,
        script: Mapping[str, Iterable[Status | FixproofError]] | None = None,
        **more: Iterable[Status | FixproofError],
    ) -> Night:
        """One night, in which each case says what is scripted."""
        self.script = {name: deque(each) for name, each in {**(script or {}), **more}.items()}
        self.at += timedelta(days=1)
        self.verified, self.asked = [], []
        wish = wish or Wish()
        night = OpenNight(night_id or f"night-{next(self._nights)}", self.at, "me", 0)
        muted = quarantine or Quarantine()
        quiet = muted.muted(self.at.date())
        found = survey(self, corpus, wish, now=self.at, night=night.id, muted=quiet)
        watch = Watch(self, night, wish, muted, lambda: None)
        made = watch.keep(found)
        self.nights.ended.append(made)
        return made


def kinds(night: Night) -> list[tuple[Kind, str]]:
    return [(each.kind, each.case) for each in night.changes]


PASS, FAIL, ODD = Status.PASS, Status.FAIL, Status.INCONCLUSIVE
A, B = listed("a"), listed("b")


def test_a_night_with_nothing_due_runs_nothing() -> None:
    ground = FakeGround()
    ground.night(A, B, a=[PASS, PASS], b=[PASS, PASS])
    quiet = ground.night(A, B)
    assert (quiet.due, quiet.entries, quiet.changes, quiet.exit_code) == (0, (), (), 0)
    assert ground.asked == ["pkg"]
    assert headline(quiet) == "nothing changed"


def test_one_case_a_night_runs_twice_and_nothing_else_does() -> None:
    ground = FakeGround()
    night = ground.night(A, B, a=[PASS, PASS], b=[PASS, PASS])
    assert sorted(ground.verified) in (
        [("a", False), ("a", True), ("b", False)],
        [("a", False), ("b", False), ("b", True)],
    )
    assert night.noise.pairs == len(reports()[PASS].cells)
    assert night.noise.disagreed == 0


def test_that_we_disagree_with_ourselves_is_counted() -> None:
    ground = FakeGround()
    night = ground.night(A, a=[PASS, FAIL])
    assert kinds(night) == [(Kind.ADDED, "a")]
    assert night.noise.disagreed == 1
    assert "disagreed" in markdown(night)
    assert "Said two things" in markdown(night)


def test_trouble_while_running_twice_costs_only_that() -> None:
    ground = FakeGround()
    night = ground.night(A, a=[PASS, IndexUnreachable("down")])
    assert (kinds(night), night.noise.pairs) == ([(Kind.ADDED, "a")], 0)
    with pytest.raises(NoSpace):
        ground.night(A, B, b=[PASS, NoSpace("full")])


def test_each_round_is_asked_for_by_a_name_of_its_own() -> None:
    ground = FakeGround()
    ground.night(A, B, night_id="night-7", a=[FAIL, FAIL], b=[PASS, PASS])
    assert ground.purposes == [
        ("a", "night-7/due"),
        ("a", "night-7/confirm"),
        ("b", "night-7/due"),
        ("b", "night-7/again"),
    ]


def test_a_case_whose_turn_it_is_runs_twice_at_once() -> None:
    ground = FakeGround()
    names = [f"case{n}" for n in range(150)]
    night = ground.night(*map(listed, names), script={each: [PASS, PASS] for each in names})
    twice = [each.case for each in night.entries if len(each.rounds) == 2]
    assert 0 < len(twice) < 10


def test_another_status_is_believed_after_a_second_fresh_round() -> None:
    ground = FakeGround()
    ground.night(A, a=[PASS, PASS])
    changed = listed("a", sha256="6" * 64)
    night = ground.night(changed, a=[FAIL, FAIL])
    assert ground.verified == [("a", False), ("a", True)]
    assert kinds(night) == [(Kind.FAILING, "a")]
    assert night.exit_code == 1
    assert headline(night) == "1 newly failing"


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        (["one", "two"], "| a | one | two |"),
        (["one"], "| a | one | one: no other worker was there for it |"),
    ],
)
def test_a_night_says_who_made_a_second_round(workers: list[str], said: str) -> None:
    ground = FakeGround()
    ground.night(A, a=[PASS, PASS])
    ground.workers = workers
    night = ground.night(listed("a", sha256="6" * 64), a=[FAIL, FAIL])
    (entry,) = night.entries
    assert [each.workers for each in entry.rounds] == [(workers[0],), (workers[-1],)]
    assert said in markdown(night)


@pytest.mark.parametrize("second", [PASS, ODD, IndexUnreachable("down")])
def test_what_a_second_round_does_not_show_is_looked_at_again(
    second: Status | FixproofError,
) -> None:
    ground = FakeGround()
    ground.night(A, a=[PASS, PASS])
    changed = listed("a", sha256="6" * 64)
    night = ground.night(changed, a=[FAIL, second])
    assert kinds(night) == [(Kind.DOUBT, "a")]
    assert night.entries[0].standing.status is PASS
    again = ground.night(changed.model_copy(update={"sha256": a_case().sha256}), a=[PASS, PASS])
    assert ground.verified[0] == ("a", True)
    assert again.changes == ()


@pytest.mark.parametrize("status", [FAIL, ODD])
def test_a_new_case_that_nothing_confirmed_alarms_once_it_is(status: Status) -> None:
    ground = FakeGround()
    tight = Wish(deadline=timedelta(minutes=5))
    first = ground.night(A, wish=tight, a=[status])
    assert (kinds(first), first.exit_code) == ([(Kind.DOUBT, "a"), (Kind.ADDED, "a")], 0)
    assert first.entries[0].standing.status is ODD
    second = ground.night(A, wish=tight, a=[status])
    told = {FAIL: (Kind.FAILING, 1), ODD: (Kind.UNJUDGED, 3)}[status]
    assert (kinds(second), second.exit_code) == ([(told[0], "a")], told[1])
    assert ground.verified == [("a", True)]
    assert [each.why for each in second.entries[0].rounds] == ["confirm"]


def test_a_new_case_of_which_two_rounds_disagree_is_asked_again_and_alarms_then() -> None:
    ground = FakeGround()
    ground.night(A, a=[FAIL, ODD])
    again = ground.night(A, a=[FAIL, PASS])
    assert (kinds(again), again.exit_code) == ([(Kind.DOUBT, "a")], 0)
    known = ground.night(A, a=[FAIL, FAIL])
    assert (kinds(known), known.exit_code) == ([(Kind.FAILING, "a")], 1)
    assert ground.night(A).changes == ()


def test_a_full_disk_ends_the_night_in_any_round() -> None:
    ground = FakeGround()
    with pytest.raises(NoSpace):
        ground.night(A, a=[NoSpace("full")])
    with pytest.raises(NoSpace):
        ground.night(A, a=[FAIL, NoSpace("full")])


def test_trouble_with_a_case_is_said_and_the_night_goes_on() -> None:
    ground = FakeGround()
    night = ground.night(A, B, a=[IndexUnreachable("down")], b=[PASS, PASS])
    assert [(each.case, each.exit_code) for each in night.not_looked] == [("a", 5)]
    assert [each.case for each in ground.night(A, B, a=[PASS, PASS]).entries] == ["a"]


def test_a_package_that_the_index_does_not_tell_of_is_asked_for_once() -> None:
    ground = FakeGround()
    ground.histories["lost"] = IndexUnreachable("down")
    lost = [listed(name, "lost") for name in ("x", "y", "z")]
    night = ground.night(*lost, A, a=[PASS, PASS])
    assert ground.asked == ["lost", "pkg"]
    assert len(night.not_looked) == 3
    blind = ground.night(*lost, wish=Wish(only=frozenset("xyz")))
    assert (headline(blind), blind.exit_code) == ("nothing could be looked at", 5)


def test_a_store_that_fails_ends_the_survey() -> None:
    ground = FakeGround()
    ground.histories["pkg"] = StoreTrouble("gone")
    with pytest.raises(StoreTrouble):
        ground.night(A)


def test_a_package_that_is_gone_is_said_once() -> None:
    ground = FakeGround()
    ground.night(A, a=[PASS, PASS])
    ground.histories["pkg"] = UnknownPackage("the index has no package 'pkg'")
    gone = UnknownPackage("the index has no package 'pkg'")
    glitch = ground.night(A, B, b=[gone])
    assert (glitch.changes, glitch.exit_code) == ((), 5)
    assert "a: the index no longer lists pkg 1.1" in digest(glitch)[1]
    night = ground.night(A, B, b=[gone])
    assert {each for each in kinds(night) if each[0] is not Kind.WITHDRAWN} == {
        (Kind.UNJUDGED, "a")
    }
    assert (Kind.WITHDRAWN, "a") in kinds(night)
    assert [each.case for each in night.not_looked] == ["b"]
    assert ground.night(A).changes == ()


def test_releases_that_an_index_loses_for_a_night_alarm_nobody() -> None:
    ground = FakeGround()
    ground.night(A, a=[PASS, PASS])
    for _ in range(2):
        ground.histories["pkg"] = a_history("1.0", "1.1", "1.3")
        glitch = ground.night(A)
        assert (glitch.changes, [each.case for each in glitch.not_looked]) == ((), ["a"])
        ground.histories["pkg"] = HISTORY
        back = ground.night(A)
        assert (back.due, back.changes, back.not_looked) == (1, (), ())


def test_a_night_that_is_gone_on_with_is_as_unsure_of_the_index_as_before() -> None:
    ground = FakeGround()
    ground.night(A, B, a=[PASS, PASS], b=[PASS, PASS])
    ground.histories["pkg"] = a_history("1.0", "1.1", "1.3")
    for _ in range(2):
        night = ground.night(A, B, night_id="night-8")
        assert [each.case for each in night.not_looked] == ["a", "b"]


def test_after_the_deadline_nothing_begins_and_what_was_left_out_comes_first() -> None:
    ground = FakeGround()
    wish = Wish(deadline=timedelta(minutes=5))
    night = ground.night(A, B, wish=wish, a=[FAIL])
    assert kinds(night) == [(Kind.DOUBT, "a"), (Kind.ADDED, "a")]
    assert night.left_out == ("b",)
    only = ground.night(A, wish=Wish(only=frozenset({"a"})), a=[FAIL, FAIL])
    assert only.left_out == ("b",)
    night = ground.night(listed("0"), A, B, script={"0": [PASS, PASS], "b": [PASS, PASS]})
    assert [name for name, _ in ground.verified][:2] == ["b", "0"]
    assert night.left_out == ()


def test_a_night_that_left_out_more_than_a_small_share_is_trouble_and_says_what() -> None:
    ground = FakeGround()
    cases = [listed(f"c{number:02}") for number in range(30)]
    night = ground.night(*cases, wish=Wish(deadline=timedelta(0)))
    assert (night.exit_code, night.unseen, night.blind) == (NightBlind.exit_code, 30, True)
    assert worth_telling(night)
    title, text = digest(night)
    assert title.endswith("nothing could be looked at")
    assert "Left out: c19" in text
    assert "c20" not in text
    assert "and 10 more" in text
    assert ET.fromstring(junit(night)).get("skipped") == "30"
    ground.takes = timedelta(minutes=1)
    enough = Wish(deadline=timedelta(minutes=28.5))
    night = ground.night(*cases, wish=enough, script={each.id: [PASS, PASS] for each in cases})
    assert (0 < night.unseen <= 3, night.exit_code, night.blind) == (True, 0, False)
    assert f"{night.unseen} of 30 cases not looked at" in headline(night)


def test_what_was_left_out_before_is_no_trouble_of_tonights_selection() -> None:
    ground = FakeGround()
    ground.night(A, B, wish=Wish(deadline=timedelta(0)))
    night = ground.night(A, wish=Wish(only=frozenset("a")), a=[PASS, PASS])
    assert (night.left_out, night.unseen, night.exit_code) == (("b",), 0, 0)


def test_several_of_a_kind_are_counted_in_good_english() -> None:
    night = FakeGround().night(A, B, a=[PASS, PASS], b=[PASS, PASS])
    assert headline(night) == "2 new cases"


def test_a_night_that_is_over_runs_nothing_twice() -> None:
    ground = FakeGround()
    night = ground.night(A, wish=Wish(deadline=timedelta(minutes=5)), a=[PASS])
    assert len(ground.verified) == 1
    assert night.noise.pairs == 0


def test_cases_that_come_go_and_break_are_said_once() -> None:
    ground = FakeGround()
    ground.night(A, B, a=[PASS, PASS], b=[PASS, PASS])
    broken = BrokenListing(id="b", why="no metadata block")
    night = ground.night(broken, BrokenListing(id="c", why="no claim"))
    assert kinds(night) == [(Kind.UNJUDGED, "b"), (Kind.UNJUDGED, "c"), (Kind.REMOVED, "a")]
    assert ground.night(broken, BrokenListing(id="c", why="no claim")).changes == ()
    back = ground.night(A, B, a=[PASS, PASS], b=[PASS, PASS])
    assert {*kinds(back)} == {(Kind.ADDED, "a"), (Kind.PASSING, "b"), (Kind.REMOVED, "c")}


def test_a_night_that_was_killed_does_again_only_what_was_not_kept() -> None:
    ground = FakeGround()
    with pytest.raises(NoSpace):
        ground.night(A, B, night_id="night-0", a=[PASS, PASS], b=[NoSpace("full")])
    night = ground.night(A, B, night_id="night-0", b=[PASS, PASS])
    assert ground.verified == [("b", False), ("b", True)]
    assert kinds(night) == [(Kind.ADDED, "a"), (Kind.ADDED, "b")]


def test_quarantined_cases_are_run_and_shown_and_alarm_nobody() -> None:
    ground = FakeGround()
    over = Quarantined(id="b", reason="old", until=date(2026, 1, 1))
    muted = Quarantined(id="a", reason="known", until=date(2026, 12, 31))
    night = ground.night(
        A, B, quarantine=Quarantine(cases=(muted, over)), a=[FAIL, FAIL], b=[PASS, PASS]
    )
    assert [(each.kind, each.case, each.quarantined) for each in night.changes] == [
        (Kind.EXPIRED, "b", False),
        (Kind.ADDED, "b", False),
        (Kind.FAILING, "a", True),
        (Kind.ADDED, "a", True),
    ]
    title, text = digest(night)
    assert title == "fixproof: Night of 2026-02-12: 1 quarantine is over, 1 new case"
    assert "Newly failing" not in text
    assert "(in quarantine)" in markdown(night)
    root = ET.fromstring(junit(night))
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        "3",
        "1",
        "0",
        "1",
    ]


def test_what_fails_in_quarantine_alarms_once_that_is_over_or_taken_away() -> None:
    until = date(2026, 12, 31)
    muted = Quarantine(cases=(Quarantined(id="a", reason="known", until=until),))
    ground = FakeGround()
    ground.night(A, quarantine=muted, a=[PASS, PASS])
    other = listed("a", sha256="6" * 64)
    fell = ground.night(other, quarantine=muted, a=[FAIL, FAIL])
    assert (kinds(fell), fell.exit_code) == ([(Kind.FAILING, "a")], 0)
    again = ground.night(A, quarantine=muted, wish=Wish(only=frozenset("a")), a=[FAIL, FAIL])
    assert again.changes == ()
    over = ground.night(A, a=[FAIL, FAIL])
    assert [each.why for each in over.entries[0].causes] == [Why.UNTOLD]
    assert (kinds(over), over.exit_code) == ([(Kind.FAILING, "a")], 1)
    assert ground.night(A).changes == ()


def test_a_case_that_is_quarantined_from_the_first_night_alarms_afterwards() -> None:
    until = date(2026, 12, 31)
    muted = Quarantine(cases=(Quarantined(id="a", reason="known", until=until),))
    ground = FakeGround()
    assert ground.night(A, quarantine=muted, a=[FAIL, FAIL]).exit_code == 0
    assert kinds(ground.night(A, a=[FAIL, FAIL])) == [(Kind.FAILING, "a")]


def test_what_is_well_again_before_its_quarantine_ends_alarms_nobody() -> None:
    until = date(2026, 12, 31)
    muted = Quarantine(cases=(Quarantined(id="a", reason="known", until=until),))
    ground = FakeGround()
    ground.night(A, quarantine=muted, a=[FAIL, FAIL])
    ground.night(listed("a", sha256="6" * 64), quarantine=muted, a=[PASS, PASS])
    assert ground.night(A).due == 0


def test_a_quarantine_of_a_case_that_is_gone_is_shown_and_costs_no_night() -> None:
    until = date(2026, 12, 31)
    cases = (Quarantined(id="gone", reason="known", until=until),)
    night = FakeGround().night(
        A, quarantine=Quarantine(cases=cases, strangers=("gone",)), a=[PASS, PASS]
    )
    assert "gone (not in the corpus)" in markdown(night)


def test_whoever_keeps_a_night_that_another_took_stops() -> None:
    ground = FakeGround()

    def taken() -> None:
        raise StoreTrouble("another keeps it now")

    found = survey(ground, (A,), Wish(), now=ground.at)
    night = OpenNight("night-1", ground.at, "me", 0)
    with pytest.raises(StoreTrouble, match="another"):
        Watch(ground, night, Wish(), Quarantine(), taken).keep(found)
    assert ground.verified == []


def test_every_format_says_what_changed_and_lets_nothing_foreign_act() -> None:
    ground = FakeGround()
    ground.histories["lost"] = IndexUnreachable("<b>down</b> | `x`")
    night = ground.night(A, B, listed("x", "lost"), a=[FAIL, FAIL], b=[ODD, ODD])
    text, shown = markdown(night), page(night)
    for part in ("Newly failing", "Cannot be judged", "Not looked at"):
        assert part in text
        assert part in shown
    assert 'data-of="Runs"' in shown  # a narrow screen has the columns below each other
    assert "<b>" not in text
    assert "<b>" not in shown
    root = ET.fromstring(junit(night))
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        "3",
        "1",
        "1",
        "1",
    ]
    known = ground.night(listed("a", sha256="6" * 64), B, a=[FAIL, FAIL], b=[ODD, ODD])
    (case,) = [
        each for each in ET.fromstring(junit(known)).iter("testcase") if each.get("name") == "a"
    ]
    assert "as before" in str(case[0].get("message"))
    assert "Not looked at: x" in digest(night)[1]


def test_that_the_newest_release_could_not_be_judged_is_said() -> None:
    ground = FakeGround()
    night = ground.night(A, a=[PASS, PASS])
    assert "Newest release not judged" not in markdown(night)
    (entry,) = night.entries
    standing = entry.standing.model_copy(update={"newest_judged": False})
    entries = (entry.model_copy(update={"standing": standing}),)
    assert "| a | pkg | 1.3 |" in markdown(night.model_copy(update={"entries": entries}))


def test_what_is_due_is_listed_with_its_reasons() -> None:
    ground = FakeGround()
    ground.histories["lost"] = IndexUnreachable("down")
    ground.night(A, B, wish=Wish(deadline=timedelta(minutes=5)), a=[PASS])
    found = survey(ground, (A, B, listed("x", "lost")), Wish(), now=ground.at)
    shown = due_markdown(DueDocument(cases=3, due=found.due, not_looked=found.not_looked))
    assert shown.splitlines() == [
        "1 of 3 cases are due",
        "- b: no night has looked at it yet (left out before)",
        "- x: cannot be looked at, because down",
    ]
