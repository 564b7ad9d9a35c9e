"""The published schemas: they are what the models say, and documents are as they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from runner.documents import (
    Check,
    CheckState,
    DoctorDocument,
    ErrorDocument,
    ReportsDocument,
    RunsDocument,
    StoredRun,
)
from runner.errors import BrokenCase
from runner.outcome import Outcome, Status
from runner.report import Report
from runner.value import Value
from tests.builders import (
    Verified,
    World,
    a_case,
    a_failure,
    a_history,
    a_plan,
    a_universe,
    broken_in,
    verify,
)
from tests.schemas import (
    FOLDER,
    PUBLISHED,
    RENEW,
    file_of,
    name_of,
    schema_of,
    text_of,
    validator_of,
)

NAMES = [name_of(each) for each in PUBLISHED]


def valid(model: type[Value], text: str) -> None:
    """A ValidationError if a document is not as its schema says."""
    validator_of(name_of(model)).validate(json.loads(text))


@pytest.mark.parametrize("model", PUBLISHED, ids=NAMES)
def test_what_is_published_is_what_the_models_say(model: type[Value]) -> None:
    published = file_of(model).read_text(encoding="utf-8")
    assert published == text_of(model), f"docs/schemas is out of date; renew it: {RENEW}"


def test_nothing_else_is_published() -> None:
    assert {*FOLDER.iterdir()} == {file_of(each) for each in PUBLISHED}


@pytest.mark.parametrize("model", PUBLISHED, ids=NAMES)
def test_every_object_is_closed_and_complete(model: type[Value]) -> None:
    schema = schema_of(model)
    Draft202012Validator.check_schema(schema)
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == [*part["properties"]]


def test_keys_are_described_where_a_name_is_not_enough() -> None:
    properties = schema_of(Report)["properties"]
    assert properties["summary"]["description"] == "The answer, in a sentence."


def verified(*broken: str, **words: Any) -> Verified:
    plan = a_plan(a_case(**words), a_universe(a_history("1.0", "1.1", "1.2", "1.3")))
    world = World(
        broken_in(*broken),
        lambda version: a_failure() if version == "1.0" else {"dep": version},
    )
    return verify(plan, world)


@pytest.mark.parametrize("broken", [(), ("1.1",), ("1.1", "1.2")])
@pytest.mark.parametrize(
    "words",
    [
        {},
        {"fixed": "1.2.1"},
        {"broken": "1.0"},
        {"python": ["3.14"]},
        {"variants": {"a": {}, "b": {"affected": False}}},
    ],
)
def test_reports_are_as_their_schema_says(broken: tuple[str, ...], words: dict[str, Any]) -> None:
    report = verified(*broken, **words).report
    valid(Report, report.document())
    valid(ReportsDocument, ReportsDocument(reports=(report, report)).document())


def test_a_report_with_another_key_or_without_one_is_not() -> None:
    document = json.loads(verified("1.1").report.document())
    with pytest.raises(ValidationError, match="Additional properties"):
        valid(Report, json.dumps({**document, "more": 1}))
    cells = [{**each, "more": 1} for each in document["cells"]]
    with pytest.raises(ValidationError, match="Additional properties"):
        valid(Report, json.dumps({**document, "cells": cells}))
    del document["again"]
    with pytest.raises(ValidationError, match="required"):
        valid(Report, json.dumps(document))


@pytest.mark.parametrize("hint", [None, "Name it."])
@pytest.mark.parametrize("case", [None, "demo", "\udcff"])
def test_errors_are_as_their_schema_says(hint: str | None, case: str | None) -> None:
    error = ErrorDocument.of(BrokenCase("no file \udcff", hint=hint, case=case))
    valid(ErrorDocument, error.document())
    valid(ReportsDocument, ReportsDocument(reports=(error,)).document())
    assert error.message == "no file \ufffd"
    assert error.exit_code == 2


@pytest.mark.parametrize(("status", "outcome"), [(None, None), (Status.FAIL, Outcome.STILL_BROKEN)])
def test_stored_runs_are_as_their_schema_says(
    status: Status | None, outcome: Outcome | None
) -> None:
    run = StoredRun(
        run="a",
        kind="verify",
        case="demo",
        began=datetime(2026, 1, 1, tzinfo=UTC),
        state="ended",
        status=status,
        outcome=outcome,
        summary=None,
    )
    valid(RunsDocument, RunsDocument(runs=(run,)).document())


def test_a_doctor_ends_as_what_failed_first() -> None:
    ok = Check(name="index", state=CheckState.OK, said="answers")
    warned = Check(name="engine", state=CheckState.WARNING, said="none")
    broken = Check(name="database", state=CheckState.FAILED, said="no", exit_code=9)
    found = DoctorDocument(checks=(ok, warned, broken, broken.model_copy(update={"exit_code": 8})))
    valid(DoctorDocument, found.document())
    assert found.exit_code == 9
    assert DoctorDocument(checks=(ok, warned)).exit_code == 0
