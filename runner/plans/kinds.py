"""Any plan: reading a stored one, and asking it without knowing its kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, assert_never

from pydantic import Discriminator, Tag, TypeAdapter

from runner.attempt import Facts
from runner.findings import Conclusion, Need, Progress
from runner.matrix import Cell, Role, Series
from runner.plans import bisection, sweep, verify
from runner.plans.bisection import BisectionPlan
from runner.plans.sweep import SweepPlan
from runner.plans.verify import VerifyPlan

AnyPlan = VerifyPlan | SweepPlan | BisectionPlan


def parse(text: str) -> AnyPlan:
    """A stored plan; one without a kind was stored when there was but `verify`."""
    return _adapter().validate_json(text)


def step(plan: AnyPlan, facts: Mapping[str, Facts]) -> Need | Conclusion:
    """What to run next, or, where nothing is left to ask, what was found."""
    match plan:
        case VerifyPlan():
            return verify.step(plan, facts)
        case SweepPlan():
            return sweep.step(plan, facts)
        case BisectionPlan():
            return bisection.step(plan, facts)
        case _:
            assert_never(plan)


def planned(plan: AnyPlan, series: Series) -> dict[Cell, tuple[Role, ...]]:
    """The cells that are known before anything ran, with their roles, lowest release first."""
    match plan:
        case VerifyPlan():
            return verify.planned(plan, series)
        case SweepPlan():
            return sweep.planned(plan, series)
        case BisectionPlan():
            return bisection.planned(plan, series)
        case _:
            assert_never(plan)


def progress_of(plan: AnyPlan, facts: Mapping[str, Facts]) -> tuple[Progress, ...]:
    """How far a search is, series by series; nothing for a verify, which has few cells."""
    match plan:
        case VerifyPlan():
            return ()
        case SweepPlan():
            return sweep.progress_of(plan, facts)
        case BisectionPlan():
            return bisection.progress_of(plan, facts)
        case _:
            assert_never(plan)


def so_far(plan: AnyPlan, facts: Mapping[str, Facts]) -> Conclusion | None:
    """The best answer at this moment, of a search; None where a part of a run answers nothing."""
    match plan:
        case VerifyPlan() | SweepPlan():
            return None
        case BisectionPlan():
            return bisection.so_far(plan, facts)
        case _:
            assert_never(plan)


@cache
def _adapter() -> TypeAdapter[AnyPlan]:
    tagged = (
        Annotated[VerifyPlan, Tag("verify")]
        | Annotated[SweepPlan, Tag("sweep")]
        | Annotated[BisectionPlan, Tag("bisect")]
    )
    return TypeAdapter(Annotated[tagged, Discriminator(_kind)])


def _kind(stored: Any) -> str:
    return str(stored.get("kind", "verify"))
