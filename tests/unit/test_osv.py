"""An OSV record says what a sweep measured, in a form that the published schema allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from runner.errors import WrongUsage
from runner.render.osv import record
from runner.report import Report
from tests.builders import BUG, Simulation, World, a_ground, a_report
from tests.histories import Past

TEN = tuple(f"1.{at}" for at in range(10))

_EVENT = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {
        name: {"type": "string", "minLength": 1}
        for name in ("introduced", "fixed", "last_affected", "limit")
    },
    "additionalProperties": False,
}
_RANGE = {
    "type": "object",
    "required": ["type", "events"],
    "properties": {
        "type": {"enum": ["GIT", "SEMVER", "ECOSYSTEM"]},
        "events": {
            "type": "array",
            "minItems": 1,
            "items": _EVENT,
            "contains": {"required": ["introduced"]},
        },
    },
    "if": {"properties": {"events": {"contains": {"required": ["last_affected"]}}}},
    "then": {"not": {"properties": {"events": {"contains": {"required": ["fixed"]}}}}},
}
_PACKAGE = {
    "type": "object",
    "required": ["ecosystem", "name"],
    "properties": {
        "ecosystem": {"type": "string", "pattern": "^PyPI(:.+)?$"},
        "name": {"type": "string"},
        "purl": {"type": "string", "format": "uri"},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["id", "modified"],
    "additionalProperties": False,
    "properties": {
        "schema_version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "id": {"type": "string", "pattern": "^[A-Za-z]+-.+$"},
        "modified": {"type": "string", "format": "date-time", "pattern": "Z$"},
        "summary": {"type": "string"},
        "details": {"type": "string"},
        "affected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["package"],
                "additionalProperties": False,
                "properties": {
                    "package": _PACKAGE,
                    "ranges": {"type": "array", "items": _RANGE},
                    "versions": {"type": "array", "items": {"type": "string"}},
                    "database_specific": {"type": "object"},
                },
            },
        },
        "references": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "url"],
                "properties": {
                    "type": {"enum": ["REPORT", "FIX", "WEB", "EVIDENCE"]},
                    "url": {"type": "string", "format": "uri"},
                },
            },
        },
        "credits": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "type": {"enum": ["TOOL"]}},
            },
        },
        "database_specific": {"type": "object"},
    },
}
"""What the published schema asks of the parts that are used; its list of known databases, in which
fixproof is not, is left out."""


def a_sweep(broken: tuple[str, ...], **past: Any) -> Report:
    found = Past(TEN, **{"broken": frozenset(broken), "fixed": ("1.6",), **past})
    simulation = Simulation(found.sweep(), found.world())
    return a_report(found.sweep(), simulation.run(), a_ground(kind="sweep"))


def checked(report: Report) -> dict[str, Any]:
    """The record as it is printed, after a check against the schema."""
    found: dict[str, Any] = json.loads(json.dumps(record(report)))
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(found)
    return found


def ranges(report: Report) -> list[list[dict[str, str]]]:
    (affected,) = checked(report)["affected"]
    return [each["events"] for each in affected["ranges"]]


ROWS = [
    (TEN[:6], [[{"introduced": "1.0"}, {"fixed": "1.6"}]]),
    (TEN[2:6], [[{"introduced": "1.2"}, {"fixed": "1.6"}]]),
    (
        (*TEN[1:3], *TEN[5:8]),
        [[{"introduced": "1.1"}, {"fixed": "1.3"}], [{"introduced": "1.5"}, {"fixed": "1.8"}]],
    ),
    (TEN, [[{"introduced": "1.0"}]]),
]


@pytest.mark.parametrize(("broken", "expected"), ROWS)
def test_each_measured_range_is_one_of_the_record(
    broken: tuple[str, ...], expected: list[list[dict[str, str]]]
) -> None:
    report = a_sweep(broken)
    assert ranges(report) == expected
    assert checked(report)["affected"][0]["versions"] == list(broken)


def test_where_the_newest_releases_could_not_be_judged_the_range_ends_at_the_last_broken_one() -> (
    None
):
    report = a_sweep(TEN[:8], lost=frozenset(TEN[8:]))
    assert ranges(report) == [[{"introduced": "1.0"}, {"last_affected": "1.7"}]]


def test_a_record_names_the_package_the_issue_and_when_the_last_attempt_ran() -> None:
    report = a_sweep(TEN[:6])
    report = report.model_copy(
        update={
            "case": report.case.model_copy(
                update={"package": "Some.Thing", "issue": "https://a.example/1", "fix": "none"}
            )
        }
    )
    found = checked(report)
    assert found["id"] == "FIXPROOF-demo"
    assert found["affected"][0]["package"] == {
        "ecosystem": "PyPI",
        "name": "Some.Thing",
        "purl": "pkg:pypi/some-thing",
    }
    assert found["references"] == [{"type": "REPORT", "url": "https://a.example/1"}]
    newest = max(each.ran for cell in report.cells for each in cell.attempts)
    assert found["modified"] == f"{newest:%Y-%m-%dT%H:%M:%S}Z"


def test_only_a_sweep_measures_ranges() -> None:
    past = Past(TEN, frozenset(TEN[:6]), fixed=("1.6",))
    plan = past.bisection()
    report = a_report(plan, Simulation(plan, past.world()).run(), a_ground(kind="bisect"))
    with pytest.raises(WrongUsage) as caught:
        record(report)
    assert "fixproof sweep demo" in str(caught.value)


def test_without_a_broken_release_there_is_no_record() -> None:
    with pytest.raises(WrongUsage):
        record(a_sweep(()))


def test_a_script_that_says_the_same_without_the_package_gives_no_record() -> None:
    past = Past(TEN, frozenset(TEN), fixed=("1.6",))
    plan, world = past.sweep(), World(lambda _trial: BUG)
    report = a_report(plan, Simulation(plan, world).run(), a_ground(kind="sweep"))
    assert report.outcome == "vacuous"
    with pytest.raises(WrongUsage):
        record(report)
