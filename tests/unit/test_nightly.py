"""What is due tonight, what changed since the last night, and what of it alarms."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import WrongUsage
from runner.matrix import Role
from runner.nightly import quarantine
from runner.nightly.changes import (
    Change,
    Kind,
    alarm_of,
    changes,
    completes,
    exit_code,
    flips,
    removed,
    settled,
)
from runner.nightly.due import (
    EXPIRES,
    MOST_NEW,
    SPREAD,
    Cause,
    Due,
    Why,
    due,
    in_turn,
    lifetime,
    selected,
)
from runner.nightly.night import Entry, Night, QuarantineReport, Round, drawn_up, worth_telling
from runner.nightly.noise import RATE, Noise, compare, first_of, runs_twice
from runner.nightly.standing import (
    CellStanding,
    Listed,
    Offer,
    ReleaseStanding,
    Standing,
    newest_upload,
    offer_of,
    standing_of,
)
from runner.outcome import Outcome, Status
from runner.releases import History, Release
from runner.verdict import Verdict
from tests.builders import (
    World,
    a_case,
    a_history,
    a_plan,
    a_release,
    a_universe,
    broken_in,
    verify,
)

NOW = datetime(2026, 2, 11, 2, tzinfo=UTC)
CASE = Listed(id="demo", package="pkg", sha256="5" * 64, fixed=("1.2",))
HISTORY = a_history("1.0", "1.1", "1.2", "1.3")
OUTCOMES = {
    Status.PASS: Outcome.OK,
    Status.FAIL: Outcome.STILL_BROKEN,
    Status.INCONCLUSIVE: Outcome.UNRESOLVED,
    Status.UNTESTED: Outcome.UNRESOLVED,
}


def a_cell(version: str = "1.1", present: int = 3, absent: int = 0) -> CellStanding:
    return CellStanding(
        id=f"demo/pkg-{version}/py3.8",
        version=version,
        roles=(Role.BEFORE,),
        verdict=Verdict.PRESENT if present else Verdict.ABSENT,
        present=present,
        absent=absent,
    )


def a_standing(status: Status = Status.PASS, **changed: Any) -> Standing:
    usual: dict[str, Any] = {
        "night": "night-1",
        "case": "demo",
        "package": "pkg",
        "sha256": CASE.sha256,
        "run": "run-1",
        "status": status,
        "outcome": OUTCOMES[status],
        "summary": f"it is {status}",
        "ran": NOW - timedelta(days=1),
        "latest": "1.3",
        "uploaded": newest_upload(HISTORY),
        "releases": tuple(
            ReleaseStanding(version=each, offer=Offer.THERE) for each in ("1.1", "1.2", "1.3")
        ),
        "cells": (a_cell(),),
    }
    return Standing(**{**usual, **changed})


def whys(standing: Standing | None, history: History = HISTORY, **words: Any) -> list[Why]:
    found = due(words.pop("case", CASE), standing, history, now=NOW, **words)
    return [each.why for each in found.causes] if found else []


def with_one_more(version: str) -> History:
    """The history, and a release that came after all others."""
    newest = newest_upload(HISTORY)
    assert newest is not None
    came = a_release(version, uploaded=newest + timedelta(days=1))
    releases = sorted((*HISTORY.releases, came), key=lambda each: each.parsed)
    return a_history(*releases)


def without(version: str) -> History:
    left = tuple(each for each in HISTORY.releases if each.version != version)
    return a_history(*left)


def yanked(version: str) -> History:
    def changed(release: Release) -> Release:
        if release.version != version:
            return release
        files = tuple(each.model_copy(update={"yanked": True}) for each in release.files)
        return release.model_copy(update={"files": files})

    return a_history(*map(changed, HISTORY.releases))


# What is due


@pytest.mark.parametrize(
    ("standing", "history", "words", "expected"),
    [
        (a_standing(), HISTORY, {}, []),
        (None, HISTORY, {}, [Why.NEW]),
        (a_standing(removed=True), HISTORY, {}, [Why.NEW]),
        (a_standing(), HISTORY, {"asked": True}, [Why.ASKED]),
        (a_standing(sha256="6" * 64), HISTORY, {}, [Why.CHANGED]),
        (a_standing(doubt="FAIL first"), HISTORY, {}, [Why.DOUBT]),
        (a_standing(Status.FAIL), HISTORY, {}, []),
        (a_standing(Status.INCONCLUSIVE), HISTORY, {}, [Why.UNJUDGED]),
        (a_standing(Status.INCONCLUSIVE, outcome=Outcome.VACUOUS), HISTORY, {}, []),
        (a_standing(ran=NOW - timedelta(days=30)), HISTORY, {}, [Why.EXPIRES]),
        (a_standing(ran=NOW - timedelta(days=19)), HISTORY, {}, []),
        (a_standing(ran=None), HISTORY, {}, []),
        (a_standing(), with_one_more("1.4"), {}, [Why.NEW_RELEASE]),
        (a_standing(), with_one_more("1.2.1"), {}, [Why.NEW_RELEASE]),
        (a_standing(uploaded=None), with_one_more("1.4"), {}, [Why.NEW_RELEASE]),
        (a_standing(), with_one_more("1.4a1"), {}, []),
        (a_standing(), yanked("1.2"), {}, [Why.WITHDRAWN]),
        (a_standing(), without("1.2"), {}, [Why.WITHDRAWN]),
        (a_standing(), yanked("1.0"), {}, []),
    ],
)
def test_a_case_is_due_for_what_changed_and_for_what_gets_old(
    standing: Standing | None, history: History, words: dict[str, bool], expected: list[Why]
) -> None:
    assert whys(standing, history, **words) == expected


def test_of_several_reasons_the_most_urgent_comes_first() -> None:
    old = a_standing(sha256="6" * 64, ran=NOW - timedelta(days=40))
    assert whys(old, yanked("1.2"), asked=True) == [
        Why.ASKED,
        Why.WITHDRAWN,
        Why.CHANGED,
        Why.EXPIRES,
    ]


def test_what_expires_is_run_anew_and_what_came_is_not() -> None:
    expired = due(CASE, a_standing(ran=NOW - timedelta(days=30)), HISTORY, now=NOW)
    came = due(CASE, a_standing(), with_one_more("1.4"), now=NOW)
    assert expired
    assert expired.fresh
    assert came
    assert not came.fresh


def test_new_releases_beside_the_newest_are_looked_at_if_they_should_have_the_fix() -> None:
    for version, also in (("1.2.1", ("1.2.1",)), ("1.1.1", ()), ("1.4", ())):
        found = due(CASE, a_standing(), with_one_more(version), now=NOW)
        assert found
        assert found.also == also


def test_of_many_new_releases_a_night_looks_at_the_newest() -> None:
    newest = newest_upload(HISTORY)
    assert newest
    came = tuple(a_release(f"1.3.{n}", uploaded=newest + timedelta(days=n)) for n in range(1, 10))
    history = a_history(*HISTORY.releases, *came)
    found = due(CASE, a_standing(), history, now=NOW)
    assert found
    assert found.also == tuple(f"1.3.{n}" for n in range(9 - MOST_NEW, 9))


@given(st.text(min_size=1))
def test_evidence_is_made_anew_before_it_expires(case_id: str) -> None:
    assert EXPIRES - timedelta(days=SPREAD) <= lifetime(case_id) < EXPIRES


def test_cases_of_one_age_come_in_different_nights() -> None:
    nights = [lifetime(f"case-{n}").days for n in range(1000)]
    assert all(70 < nights.count(each) < 130 for each in set(nights))
    assert len(set(nights)) == SPREAD


def test_what_was_left_out_comes_first_then_the_urgent() -> None:
    def a_due(case: str, why: Why, *, waited: bool = False) -> Due:
        return Due(case=case, package="pkg", causes=(Cause(why=why, said=""),), waited=waited)

    late = a_due("z", Why.EXPIRES, waited=True)
    found = in_turn([a_due("b", Why.NEW), a_due("a", Why.NEW), a_due("c", Why.WITHDRAWN), late])
    assert [each.case for each in found] == ["z", "c", "a", "b"]


def test_patterns_name_cases_and_one_that_names_none_is_an_error() -> None:
    ids = ["uvicorn-1", "uvicorn-2", "wsproto-1"]
    assert selected(ids, ["uvicorn-*", "wsproto-1"]) == {*ids}
    assert selected(ids, ["*-2"]) == {"uvicorn-2"}
    with pytest.raises(WrongUsage, match="wsproto-3"):
        selected(ids, ["uvicorn-1", "wsproto-3"])


# What changed


@pytest.mark.parametrize("before", [None, *Status])
@pytest.mark.parametrize("after", Status)
def test_another_status_asks_for_a_second_round(before: Status | None, after: Status) -> None:
    standing = a_standing(before) if before else None
    assert flips(standing, a_standing(after)) == (after is not (before or Status.PASS))


def kinds(before: Standing | None, after: Standing, history: History = HISTORY) -> list[Kind]:
    return [each.kind for each in changes(before, after, history)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Status.PASS, Status.PASS, []),
        (Status.PASS, Status.FAIL, [Kind.FAILING]),
        (Status.PASS, Status.INCONCLUSIVE, [Kind.UNJUDGED]),
        (Status.FAIL, Status.PASS, [Kind.PASSING]),
        (Status.FAIL, Status.FAIL, []),
        (Status.FAIL, Status.INCONCLUSIVE, [Kind.UNJUDGED]),
        (Status.INCONCLUSIVE, Status.PASS, [Kind.PASSING]),
        (Status.INCONCLUSIVE, Status.FAIL, [Kind.FAILING]),
        (Status.INCONCLUSIVE, Status.INCONCLUSIVE, []),
        (None, Status.PASS, [Kind.ADDED]),
        (None, Status.FAIL, [Kind.ADDED, Kind.FAILING]),
        (None, Status.INCONCLUSIVE, [Kind.ADDED, Kind.UNJUDGED]),
    ],
)
def test_each_change_of_status_has_its_name(
    before: Status | None, after: Status, expected: list[Kind]
) -> None:
    assert kinds(a_standing(before) if before else None, a_standing(after)) == expected


@pytest.mark.parametrize(
    ("old", "new", "flaky"),
    [
        ((3, 0), (3, 0), False),
        ((3, 0), (2, 1), True),
        ((2, 1), (1, 5), False),
        ((3, 0), (0, 5), False),
    ],
)
def test_a_bug_that_showed_always_and_now_sometimes_is_flaky(
    old: tuple[int, int], new: tuple[int, int], *, flaky: bool
) -> None:
    before, after = (
        a_standing(cells=(a_cell("1.1", *old),)),
        a_standing(cells=(a_cell("1.1", *new),)),
    )
    assert kinds(before, after) == ([Kind.FLAKY] if flaky else [])


@pytest.mark.parametrize(
    ("history", "said"),
    [(yanked("1.2"), "pkg 1.2 was yanked"), (without("1.2"), "pkg 1.2 is gone from the index")],
)
def test_a_verified_release_that_is_withdrawn_is_said_once(history: History, said: str) -> None:
    before = a_standing()
    (change,) = changes(before, before, history)
    assert (change.kind, change.said) == (Kind.WITHDRAWN, said)
    offers = tuple(
        each.model_copy(update={"offer": offer_of(each.version, history)})
        for each in before.releases
    )
    assert kinds(a_standing(releases=offers), a_standing(), history) == []


def test_a_status_flips_only_if_the_second_round_says_the_same() -> None:
    before, first = a_standing(), a_standing(Status.FAIL, night="night-2", run="run-2")
    again = a_standing(Status.FAIL, night="night-2", run="run-3")
    assert settled(before, first, again) == again
    found = settled(before, first, a_standing(night="night-2"))
    assert (found.status, found.summary, found.night) == (Status.PASS, "it is PASS", "night-2")
    assert found.doubt == "FAIL first (it is FAIL), then PASS"
    assert kinds(before, found) == [Kind.DOUBT]
    assert whys(found) == [Why.DOUBT]


def test_without_a_second_round_nothing_flips_and_it_is_looked_at_again() -> None:
    found = settled(a_standing(), a_standing(Status.FAIL), None, "the night was over")
    assert (found.status, found.doubt) == (
        Status.PASS,
        "FAIL first (it is FAIL), the night was over",
    )


def test_a_new_case_of_which_two_rounds_disagree_alarms_nobody() -> None:
    found = settled(None, a_standing(Status.FAIL), a_standing(Status.PASS))
    assert kinds(None, found) == [Kind.ADDED, Kind.DOUBT]
    failing = settled(None, a_standing(Status.FAIL), None, "no time")
    assert kinds(None, failing) == [Kind.ADDED, Kind.DOUBT]


def test_what_was_suspected_of_other_files_confirms_nothing() -> None:
    suspected = settled(None, a_standing(Status.FAIL), None, "no time")
    assert completes(suspected, a_standing(Status.FAIL))
    assert not completes(suspected, a_standing(Status.FAIL, sha256="6" * 64))
    assert not completes(suspected, a_standing(Status.INCONCLUSIVE))
    assert not completes(None, a_standing(Status.FAIL))
    assert not completes(settled(None, a_standing(Status.FAIL), a_standing()), a_standing())


def of_latest(version: str, verdict: Verdict) -> CellStanding:
    shown = int(verdict is Verdict.PRESENT)
    cell = a_cell(version, shown, 1 - shown)
    return cell.model_copy(update={"roles": (Role.LATEST,)})


GOOD = of_latest("1.3", Verdict.ABSENT)
BAD = of_latest("1.4", Verdict.PRESENT)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"cells": (GOOD,)}, {"cells": (BAD,)}, [Kind.WORSE]),
        ({"cells": (of_latest("1.3", Verdict.PRESENT),)}, {"cells": (BAD,)}, []),
        ({"cells": (BAD,)}, {"cells": (GOOD,)}, []),
        ({}, {"outcome": Outcome.REGRESSED}, [Kind.WORSE]),
    ],
)
def test_a_case_that_fails_and_then_worse_is_confirmed_and_said(
    before: dict[str, Any], after: dict[str, Any], expected: list[Kind]
) -> None:
    old, new = a_standing(Status.FAIL, **before), a_standing(Status.FAIL, **after)
    assert kinds(old, new) == expected
    assert flips(old, new) == bool(expected)
    if expected:
        assert settled(old, new, new) == new
        doubted = settled(old, new, old)
        assert (doubted.outcome, doubted.cells) == (old.outcome, old.cells)
        assert kinds(old, doubted) == [Kind.DOUBT]


def test_a_case_whose_file_is_gone_is_said_once() -> None:
    standings = {"a": a_standing(case="a"), "b": a_standing(case="b", removed=True)}
    (gone,) = removed(standings, ["c"], "night-2")
    assert (gone.case, gone.removed, gone.night) == ("a", True, "night-2")
    assert removed(standings, ["a"], "night-2") == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), 0),
        ((Kind.PASSING, Kind.FLAKY, Kind.ADDED, Kind.REMOVED, Kind.DOUBT), 0),
        ((Kind.UNJUDGED, Kind.PASSING), 3),
        ((Kind.UNJUDGED, Kind.FAILING), 1),
        ((Kind.WITHDRAWN,), 1),
        ((Kind.EXPIRED,), 1),
        ((Kind.WORSE,), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_change(found: tuple[Kind, ...], expected: int) -> None:
    assert exit_code(Change(kind=each, case="a", said="") for each in found) == expected


@pytest.mark.parametrize(("kind", "muted"), [*product(Kind, [False, True])])
def test_what_is_quarantined_alarms_nobody(kind: Kind, *, muted: bool) -> None:
    found = exit_code([Change(kind=kind, case="a", said="", quarantined=muted)])
    assert found == (0 if muted else alarm_of(kind))


# Quarantine

TEXT = '[[case]]\nid = "demo"\nreason = "waits"\nuntil = 2026-02-11\n'


def test_a_case_is_in_quarantine_until_its_last_day_is_over() -> None:
    found = quarantine.parse(TEXT, ["demo"])
    last = date(2026, 2, 11)
    muted = found.of("demo", last)
    assert muted
    assert muted.reason == "waits"
    assert found.of("other", last) is None
    assert found.expired(last) == ()
    assert found.of("demo", date(2026, 2, 12)) is None
    assert [each.id for each in found.expired(date(2026, 2, 12))] == ["demo"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[case", "not TOML"),
        ('[cases]\nid = "demo"', "something else"),
        ('case = "demo"', "something else"),
        ('[[case]]\nid = "demo"', "reason"),
        (TEXT + 'why = "so"', "why"),
        (TEXT.replace("2026-02-11", '"soon"'), "until"),
        (TEXT * 2, "twice"),
    ],
)
def test_a_quarantine_that_cannot_be_meant_is_an_error(text: str, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        quarantine.parse(text, ["demo"])


def test_a_quarantine_names_what_the_corpus_has_not() -> None:
    assert quarantine.parse(TEXT, ["demo"]).strangers == ()
    assert quarantine.parse(TEXT, ["other"]).strangers == ("demo",)
    assert quarantine.parse(TEXT, ["demo"]).muted(date(2026, 2, 11)) == {"demo"}


# Our own noise


def test_about_so_many_cases_run_twice_and_others_the_next_night() -> None:
    ids = [f"case-{n}" for n in range(5000)]
    one, other = ({each for each in ids if runs_twice(night, each)} for night in ("n-1", "n-2"))
    assert 0.7 * RATE < len(one) / 5000 < 1.4 * RATE
    assert one != other


def test_where_it_was_nobodys_turn_one_of_those_that_ran_is_taken() -> None:
    assert {first_of(f"n-{number}", "abc") for number in range(30)} == {*"abc"}


def test_the_interval_of_the_noise_is_wilsons() -> None:
    assert Noise().interval() is None
    assert Noise().rate is None
    low, high = Noise(pairs=10, disagreed=1).interval() or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.0179, 0.4042)
    assert Noise(pairs=1, disagreed=1) + Noise(pairs=2) == Noise(pairs=3, disagreed=1)


@given(st.integers(1, 10_000), st.data())
def test_the_rate_is_within_its_interval(pairs: int, data: st.DataObject) -> None:
    noise = Noise(pairs=pairs, disagreed=data.draw(st.integers(0, pairs)))
    low, high = noise.interval() or (1.0, 0.0)
    assert noise.rate is not None
    assert 0 <= low <= noise.rate + 1e-12
    assert noise.rate - 1e-12 <= high <= 1


def test_cells_that_ran_twice_are_compared_where_their_locks_are_the_same() -> None:
    first = verify(a_plan(a_case(), a_universe(HISTORY)), World(broken_in("1.0", "1.1"))).report
    same, none = compare(first, first)
    assert same.pairs == len(first.cells)
    assert (same.disagreed, none) == (0, ())
    cells = list(first.cells)
    cells[0] = cells[0].model_copy(update={"verdict": Verdict.UNRESOLVED})
    cells[1] = cells[1].model_copy(update={"lock_sha256": "other"})
    noise, differ = compare(first, first.model_copy(update={"cells": tuple(cells)}))
    assert noise == Noise(pairs=len(cells) - 1, disagreed=1)
    assert [each.cell for each in differ] == [cells[0].id]


# The whole


def test_where_a_run_leaves_a_case() -> None:
    plan = a_plan(a_case(), a_universe(HISTORY))
    report = verify(plan, World(broken_in("1.0", "1.1"))).report
    history = plan.universe.history
    listed = Listed(id="demo", package="pkg", sha256=a_case().sha256, fixed=("1.2", "9.9"))
    found = standing_of("night-1", listed, report, history)
    assert found.status is report.status
    newest = history.latest()
    assert newest
    assert found.latest == newest.version
    assert not found.newest_judged
    judged = verify(a_plan(a_case(), a_universe(HISTORY), latest=True), World(broken_in("1.1")))
    assert standing_of("night-1", listed, judged.report, history).newest_judged
    assert {each.version: each.offer for each in found.releases}["9.9"] is Offer.GONE
    assert not [each for each in found.cells if "@control" in each.id]
    assert all(each.rate in (0, 1) for each in found.cells)
    assert whys(found.model_copy(update={"ran": NOW}), history, case=listed) == []


def test_a_history_without_releases_or_times_is_no_trouble() -> None:
    empty = a_history()
    assert newest_upload(empty) is None
    assert whys(a_standing(releases=()), empty) == []
    assert a_cell(present=0, absent=0).rate is None


def an_entry(case: str, *found: Kind, muted: bool = False, noise: Noise | None = None) -> Entry:
    return Entry(
        case=case,
        package="pkg",
        causes=(Cause(why=Why.NEW, said=""),),
        rounds=(Round(run="run-1", status=Status.PASS, outcome=Outcome.OK, attempts=7, why="due"),),
        changes=tuple(Change(kind=each, case=case, said="", quarantined=muted) for each in found),
        standing=a_standing(case=case),
        noise=noise or Noise(),
    )


def a_night(*entries: Entry, before: Noise | None = None) -> Night:
    return drawn_up(
        night="night-2",
        began=NOW,
        ended=NOW + timedelta(hours=1),
        cases=5,
        due=len(entries),
        entries=entries,
        more=(Change(kind=Kind.EXPIRED, case="x", said=""),),
        not_looked=(),
        left_out=(),
        quarantine=(QuarantineReport(case="x", reason="r", until="2026-02-01", expired=True),),
        before=before or Noise(),
    )


def test_a_night_tells_the_alarming_first_and_the_muted_last() -> None:
    night = a_night(
        an_entry("b", Kind.PASSING, Kind.UNJUDGED, noise=Noise(pairs=4)),
        an_entry("a", Kind.FAILING, muted=True),
        before=Noise(pairs=6, disagreed=1),
    )
    assert [(each.kind, each.case) for each in night.changes] == [
        (Kind.EXPIRED, "x"),
        (Kind.UNJUDGED, "b"),
        (Kind.PASSING, "b"),
        (Kind.FAILING, "a"),
    ]
    assert (night.exit_code, night.attempts) == (1, 14)
    assert [each.case for each in night.entries] == ["a", "b"]
    assert night.noise_ever.counts == Noise(pairs=10, disagreed=1)
    assert (night.noise.rate, night.noise.low) == (0, 0)
    assert worth_telling(night)
    assert Night.model_validate_json(night.document()) == night


def test_a_night_in_which_nothing_changed_is_not_worth_telling() -> None:
    quiet = a_night(an_entry("a")).model_copy(update={"changes": ()})
    assert not worth_telling(quiet)
    muted = Change(kind=Kind.FAILING, case="a", said="", quarantined=True)
    assert not worth_telling(quiet.model_copy(update={"changes": (muted,)}))
