"""A plan for a reader: every cell that is known beforehand, its command and limits."""

from __future__ import annotations

from typing import Any

from runner.environment import Wanted
from runner.matrix import Cell, Role, Series, wanted
from runner.plans.verify import VerifyPlan, missing, planned
from runner.runs import SCRIPT, limits_of

_LATER = (
    "Further cells follow from what these show: a confirmation where dependencies differ, and up "
    "to 8 older releases where all agree."
)


def plan_document(plan: VerifyPlan) -> dict[str, Any]:
    """As `fixproof.plan/1`."""
    return {
        "schema": "fixproof.plan/1",
        "case": {"id": plan.case.id, "package": plan.case.package, "sha256": plan.case.sha256},
        "limits": limits_of(plan.case).model_dump(mode="json"),
        "series": [_series(plan, each) for each in plan.series],
    }


def plan_text(plan: VerifyPlan) -> str:
    """As lines to read."""
    limits = limits_of(plan.case)
    lines = [
        f"{plan.case.id}: {plan.case.metadata.title}",
        f"  command: python {SCRIPT}",
        f"  limits: {limits.timeout:g} s, {limits.memory} MiB, {limits.processes} processes",
    ]
    for series in _document_series(plan):
        lines += ["", f"  {series['name']}: {series['interpreter'] or 'untested'}"]
        lines += [f"    {series['note']}"] if series["note"] else []
        lines += [f"    there is no release {each}" for each in series["missing"]]
        for cell in series["cells"]:
            as_of = f", dependencies as of {cell['as_of']}" if cell["as_of"] else ""
            lines.append(f"    {cell['id']}  ({', '.join(cell['roles'])}{as_of})")
            lines += [f"      {' '.join(cell['requirements'])}"] if cell["requirements"] else []
    return "\n".join([*lines, "", f"  {_LATER}", ""])


def _document_series(plan: VerifyPlan) -> list[dict[str, Any]]:
    return [_series(plan, each) for each in plan.series]


def _series(plan: VerifyPlan, series: Series) -> dict[str, Any]:
    interpreter = series.interpreter
    note = series.note or (None if interpreter else f"Python {series.python} is not at hand")
    return {
        "name": series.name,
        "python": series.python,
        "variant": series.variant,
        "interpreter": f"Python {interpreter.version}" if interpreter else None,
        "note": note,
        "missing": list(missing(plan, series)),
        "cells": [_cell(plan, series, *each) for each in planned(plan, series).items()],
    }


def _cell(plan: VerifyPlan, series: Series, cell: Cell, roles: tuple[Role, ...]) -> dict[str, Any]:
    asked = None
    if series.interpreter and not cell.control:
        asked = wanted(plan.case, plan.universe, series, cell, {})
    resolved = asked if isinstance(asked, Wanted) else None
    return {
        "id": cell.id,
        "roles": [str(each) for each in roles],
        "version": cell.version,
        "command": ["python", SCRIPT],
        "env": dict(plan.case.variant(series.variant).env),
        "requirements": list(resolved.requirements) if resolved else [],
        "as_of": resolved.as_of.isoformat() if resolved and resolved.as_of else None,
    }
