"""The report as a contract: its keys, its round trip, and what it says of several series."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.report import Report
from runner.sandbox import Limits
from tests.builders import (
    GOOD,
    LATER,
    LONG_AGO,
    Simulation,
    Trial,
    Verified,
    World,
    a_case,
    a_failure,
    a_ground,
    a_history,
    a_plan,
    a_report,
    a_universe,
    broken_in,
    verify,
)

HISTORY = a_history("1.0", "1.1", "1.2", "1.3")
KEYS = {
    "": "schema run kind case mode status outcome ran claims measured series cells skipped sandbox "
    "host",
    "case": "id package sha256",
    "claims": "kind version result why cells",
    "measured": "first_fixed fixed_in last_broken first_broken affected tested assumes confidence "
    "attempts",
    "measured.fixed_in": "after by unknown",
    "series": "python variant mode status outcome measured confirmation",
    "series.measured": "first_fixed fixed_in last_broken first_broken affected tested assumes "
    "confidence attempts",
    "series.confirmation": "result differs follows",
    "cells": "id version python variant roles verdict reason counts loaded as_of lock_sha256 "
    "yanked attempts",
    "cells.counts": "present absent unresolved",
    "cells.loaded": "version location",
    "cells.attempts": "ending observation seconds peak_mib cpu_seconds ran reused log",
    "cells.attempts.ending": "kind code",
    "sandbox": "kind base network limits",
    "host": "arch kernel fixproof uv",
}
"""Those of design section 11; more may be there."""


def verified(behave: Any = None, **words: Any) -> Verified:
    plan = a_plan(a_case(**words), a_universe(HISTORY))
    return verify(plan, World(behave or broken_in("1.0", "1.1")))


def document(report: Report) -> dict[str, Any]:
    found = json.loads(report.document())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("place", "keys"), KEYS.items(), ids=[each or "top" for each in KEYS])
def test_the_keys_of_the_contract_are_there(place: str, keys: str) -> None:
    found: Any = document(verified().report)
    for part in filter(None, place.split(".")):
        found = found[part]
        found = found[0] if isinstance(found, list) else found
    assert set(keys.split()) <= set(found)


def test_a_report_of_a_usual_verify_says_what_the_contract_says() -> None:
    found = document(verified().report)
    assert found["schema"] == "fixproof.report/1"
    assert found["kind"] == "verify"
    assert (found["mode"], found["status"], found["outcome"]) == ("both", "PASS", "ok")
    assert found["measured"] == {
        "first_fixed": "1.2",
        "fixed_in": {"after": "1.1", "by": "1.2", "unknown": []},
        "last_broken": "1.1",
        "first_broken": None,
        "affected": None,
        "tested": ["1.1", "1.2"],
        "assumes": None,
        "confidence": 0.99,
        "attempts": 10,
    }
    (claim,) = found["claims"]
    assert (claim["kind"], claim["version"], claim["result"]) == ("fixed", "1.2", "confirmed")
    assert "0 of 5" in claim["why"]
    assert "3 of 3" in claim["why"]
    assert claim["cells"] == ["demo/pkg-1.1/py3.8", "demo/pkg-1.2/py3.8"]
    (series,) = found["series"]
    assert series["confirmation"] == {"result": "same", "differs": [], "follows": None}
    before, fixed, control = found["cells"]
    assert before["roles"] == ["before"]
    assert before["python"] == "3.8.4"
    assert before["counts"] == {"present": 3, "absent": 0, "unresolved": 0}
    assert before["loaded"]["version"] == "1.1"
    assert (before["verdict"], before["reason"]) == ("present", None)
    assert (fixed["verdict"], fixed["counts"]["absent"]) == ("absent", 5)
    assert control["id"] == "demo/pkg-1.2/py3.8@control"
    assert (control["verdict"], control["reason"]) == ("unresolved", "no_signature")
    attempt = before["attempts"][0]
    assert attempt["ending"] == {"kind": "exit", "code": 1}
    assert (attempt["observation"], attempt["reused"]) == ("present", False)


def test_a_cell_says_as_of_when_its_dependencies_are() -> None:
    before, fixed, control = verified().report.cells
    assert before.as_of == LONG_AGO + timedelta(days=1, seconds=1)
    assert fixed.as_of == LONG_AGO + timedelta(days=2, seconds=1)
    assert control.as_of is None


WORDS: list[dict[str, Any]] = [
    {},
    {"broken": "1.0", "fixed": "1.2"},
    {"fixed": "1.2.1"},
    {"broken": "1.1"},
    {"python": ["3.8", "3.11"]},
    {"variants": {"a": {}, "b": {"affected": False}}},
    {"title": "Odd <b>title</b> | with `ticks` and \u202e"},
]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("broken", [(), ("1.1",), ("1.0", "1.1"), ("1.0", "1.1", "1.2", "1.3")])
def test_a_report_survives_json(words: dict[str, Any], broken: tuple[str, ...]) -> None:
    report = verified(broken_in(*broken), **words).report
    again = Report.model_validate_json(report.document())
    assert again == report
    assert again.document() == report.document()


def test_it_ran_when_the_oldest_attempt_relied_on_did() -> None:
    simulation = verified().simulation
    name, facts = next(iter(simulation.facts.items()))
    zone = timezone(timedelta(hours=5))
    old = (LATER - timedelta(days=9)).astimezone(zone)
    reused = facts.attempts[0].model_copy(update={"ran": old, "reused": True})
    changed = facts.model_copy(update={"attempts": (reused, *facts.attempts[1:])})
    again = Simulation(simulation.plan, simulation.world, {**simulation.facts, name: changed})
    report = a_report(simulation.plan, again.run())
    assert report.ran == old
    assert report.ran is not None
    assert report.ran.utcoffset() == UTC.utcoffset(None)
    assert sum(each.reused for cell in report.cells for each in cell.attempts) == 1


def test_attempts_count_controls_and_confirmations_too() -> None:
    world = World(
        broken_in("1.0", "1.1"), lambda version: {"dep": "2" if version == "1.2" else "1"}
    )
    found = verify(a_plan(a_case(), a_universe(HISTORY)), world)
    assert found.report.measured.attempts == found.simulation.made
    assert found.report.series[0].measured.attempts == found.simulation.made
    assert any("confirm" in each.roles for each in found.report.cells)


def in_variants(broken: dict[str, tuple[str, ...]]) -> Any:
    def behave(trial: Trial) -> Any:
        return broken_in(*broken.get(trial.variant or "", ()))(trial)

    return behave


def test_top_level_boundaries_are_there_only_where_all_affected_series_agree() -> None:
    words: dict[str, Any] = {"variants": {"a": {}, "b": {}}}
    both = ("1.0", "1.1")
    agreed = verified(in_variants({"a": both, "b": both}), **words).report
    assert agreed.measured.first_fixed == "1.2"
    assert agreed.measured.attempts == sum(each.measured.attempts for each in agreed.series)
    differing = verified(in_variants({"a": both, "b": ("1.0",)}), **words).report
    assert differing.measured.first_fixed is None
    assert [each.measured.first_fixed for each in differing.series] == ["1.2", "1.1"]


def test_the_answer_names_its_series_where_others_end_otherwise() -> None:
    words: dict[str, Any] = {"variants": {"a": {}, "b": {}, "c": {}}}
    both = ("1.0", "1.1")
    alike = verified(in_variants({"a": both, "b": both, "c": both}), **words).report
    assert alike.summary.startswith("1.2 is the first fixed release: ")
    assert alike.summary.endswith(" All 3 series say so.")
    differing = verified(in_variants({"a": both, "b": (*both, "1.2"), "c": both}), **words).report
    assert differing.summary.startswith("b: 1.2 is said to be fixed and still shows ")
    assert differing.summary.endswith(" Passing: a and c.")
    spared = {"a": {}, "b": {}, "c": {"affected": False, "broken": "1.1", "fixed": []}}
    broken = in_variants({"a": both, "b": (*both, "1.2"), "c": ()})
    assert verified(broken, variants=spared).report.summary.endswith(
        " Passing: a. Without the bug, as claimed: c."
    )
    assert differing.series[0].summary.startswith("1.2 is the first fixed release: ")


def test_answers_that_pass_and_differ_stand_side_by_side_a_fix_before_a_bug_before_none() -> None:
    words: dict[str, Any] = {
        "variants": {
            "none": {"affected": False, "broken": "1.1", "fixed": []},
            "bug": {"fixed": [], "broken": "1.1"},
            "fix": {},
            "fix-too": {},
        }
    }
    shown = {"none": (), "bug": ("1.0", "1.1", "1.2"), "fix": ("1.1",), "fix-too": ("1.1",)}
    answer = verified(in_variants(shown), **words).report.summary
    parts = [
        "fix and fix-too: 1.2 is the first fixed release: ",
        "bug: The bug is there as claimed: ",
        "Without the bug, as claimed: none.",
    ]
    places = [answer.index(each) for each in parts]
    assert places == sorted(places)
    assert places[0] == 0


def test_of_many_answers_the_rest_is_counted() -> None:
    claims: list[dict[str, Any]] = [
        {"fixed": "1.1"},
        {"fixed": "1.2"},
        {"fixed": "1.3"},
        {"fixed": [], "broken": "1.1"},
        {"affected": False},
    ]
    shown = [("1.0",), ("1.0", "1.1"), ("1.0", "1.1", "1.2"), ("1.1",), ()]
    variants = {f"{one}{two}": claims[one] for one in range(5) for two in "ab"}
    behave = in_variants({name: shown[int(name[0])] for name in variants})
    answer = verified(behave, variants=variants).report.summary
    assert answer.startswith("0a and 0b: 1.1 is the first fixed release: ")
    assert " 2 more series pass. Without the bug, as claimed: 4a and 4b." in answer


def test_many_series_of_one_answer_are_named_by_the_first() -> None:
    names = [f"v{number}" for number in range(5)]
    words: dict[str, Any] = {"variants": {name: {} for name in [*names, "other"]}}
    shown = {**dict.fromkeys(names, ("1.1", "1.2")), "other": ("1.1",)}
    answer = verified(in_variants(shown), **words).report.summary
    assert answer.startswith("v0 and v1 and v2 and 2 more: ")
    assert answer.endswith(" Passing: other.")


def test_series_that_tested_more_than_others_can_agree_on_the_boundary() -> None:
    words: dict[str, Any] = {"variants": {"a": {}, "b": {"broken": "1.0"}}}
    both = ("1.0", "1.1")
    report = verified(in_variants({"a": both, "b": both}), **words).report
    assert [each.measured.first_fixed for each in report.series] == ["1.2", "1.2"]
    assert report.measured.first_fixed == "1.2"


@settings(max_examples=30)
@given(st.lists(st.sampled_from([(), ("1.1",), ("1.0", "1.1"), ("1.2",)]), min_size=3, max_size=3))
def test_the_status_is_the_worst_of_the_series(broken: list[tuple[str, ...]]) -> None:
    names = ["a", "b", "c"]
    words: dict[str, Any] = {"variants": {name: {} for name in names}}
    report = verified(in_variants(dict(zip(names, broken, strict=True))), **words).report
    order = ["FAIL", "INCONCLUSIVE", "PASS"]
    statuses = [str(each.status) for each in report.series]
    assert report.status == min(statuses, key=order.index)
    outcomes = {str(s.outcome) for s in report.series if s.status is report.status}
    assert report.outcome in outcomes


def test_a_cell_that_cannot_be_installed_says_why() -> None:
    plan = a_plan(a_case(), a_universe(HISTORY))
    world = World(
        broken_in("1.1"), lambda version: a_failure() if version == "1.2" else {"dep": "1"}
    )
    (cell,) = [each for each in verify(plan, world).report.cells if "fixed" in each.roles]
    assert (cell.verdict, cell.reason) == ("unresolved", "no_solution")
    assert cell.detail == "the resolver said no"
    assert cell.lock_sha256 is None
    assert cell.attempts == ()


def test_the_report_says_where_it_ran_and_what_could_not_be_enforced() -> None:
    found = verified()
    ground = a_ground(limits=Limits(timeout=7))
    report = a_report(found.simulation.plan, found.conclusion, ground)
    assert report.sandbox.kind == "bubblewrap"
    assert report.sandbox.base == "sha256:ba5e"
    assert report.sandbox.limits.timeout == 7
    assert report.host.arch == "x86_64"


def test_a_fix_that_passes_with_later_releases_unrun_does_not_speak_of_them() -> None:
    found = verified()
    assert "1.3" not in found.report.document()


def test_why_a_claim_holds_says_both_sides_in_counts() -> None:
    (claim,) = verified().report.claims
    assert "0 of 5" in claim.why
    assert "on 1.1" in claim.why


def test_an_unaffected_variant_that_is_good_says_so() -> None:
    words: dict[str, Any] = {"variants": {"a": {"affected": False}}}
    report = verified(lambda trial: GOOD if trial.version else broken_in()(trial), **words).report
    assert report.summary.startswith("This variant does not have the bug")
