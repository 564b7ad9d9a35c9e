"""JSON Schemas of what fixproof prints, made of the models that print it.

`make schemas` writes them to docs/schemas; tests check that they are up to date, and that
real output is as they say.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from runner.documents import (
    CancelledDocument,
    CollectedDocument,
    DoctorDocument,
    ErrorDocument,
    PlanDocument,
    PlansDocument,
    ReportsDocument,
    RunsDocument,
    SubmittedDocument,
)
from runner.nightly.night import DueDocument, Night
from runner.pages.audit import AuditDocument
from runner.report import Report
from runner.value import Value

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"
RENEW = "make schemas"
PUBLISHED: tuple[type[Value], ...] = (
    Report,
    ReportsDocument,
    ErrorDocument,
    PlanDocument,
    PlansDocument,
    RunsDocument,
    Night,
    DueDocument,
    SubmittedDocument,
    CancelledDocument,
    DoctorDocument,
    CollectedDocument,
    AuditDocument,
)


class _Printed(GenerateJsonSchema):
    """Of what is printed: every key is always there, and says what its docstring does."""

    def field_is_required(self, *_arguments: object, **_more: object) -> bool:
        return True

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        docstrings = _docstrings(schema["cls"])
        for key, value in made.get("properties", {}).items():
            value.pop("title", None)  # the key, spelt differently
            value.pop("default", None)  # it is always there
            if said := docstrings.get(key):
                value["description"] = said
        return made


def name_of(model: type[Value]) -> str:
    """What a document says of itself: `fixproof.report/1`."""
    return str(model.model_fields["schema_"].default)


def file_of(model: type[Value]) -> Path:
    """Where its schema is published."""
    return FOLDER / f"{name_of(model).replace('/', '-')}.schema.json"


def schema_of(model: type[Value]) -> dict[str, Any]:
    """The schema of one document, with what the docstrings say."""
    made = model.model_json_schema(mode="serialization", schema_generator=_Printed)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:{name_of(model).replace('/', ':')}",
        **made,
        "title": name_of(model),
    }


def text_of(model: type[Value]) -> str:
    """As it is published."""
    return json.dumps(schema_of(model), indent=2, ensure_ascii=False) + "\n"


@cache
def validator_of(document: str) -> Draft202012Validator:
    """Of documents that call themselves so; a KeyError if nothing is published of them.

    By the models: that these and what is published are the same is a test of its own.
    """
    return Draft202012Validator(schema_of({name_of(each): each for each in PUBLISHED}[document]))


def _docstrings(model: type[Value]) -> dict[str, str]:
    """What stands below the fields of a class, in one line each."""
    (parsed,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(parsed, ast.ClassDef)
    found = {}
    for field, after in zip(parsed.body, parsed.body[1:], strict=False):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = " ".join(said.split())
    return found


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in PUBLISHED:
        file_of(each).write_text(text_of(each), encoding="utf-8")
