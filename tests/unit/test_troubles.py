"""Which troubles are worth another try."""

from __future__ import annotations

import pytest

from runner.errors import (
    BrokenCase,
    EnvironmentTrouble,
    FixproofError,
    IndexUnreachable,
    NoSpace,
    SandboxTrouble,
    SandboxUnavailable,
    StoreTrouble,
    UnknownPackage,
    UnknownRun,
    WrongUsage,
)
from runner.troubles import MOST_TRIES, retry_after

OURS = (
    IndexUnreachable,
    SandboxUnavailable,
    SandboxTrouble,
    NoSpace,
    StoreTrouble,
    EnvironmentTrouble,
    FixproofError,
)
THEIRS = (WrongUsage, BrokenCase, UnknownRun, UnknownPackage)


@pytest.mark.parametrize("error", OURS, ids=lambda each: each.kind)
def test_trouble_of_ours_is_worth_more_and_more_patience_up_to_a_cap(
    error: type[FixproofError],
) -> None:
    delays = [retry_after(error("oh"), tries, "run-1/1.0") for tries in range(1, MOST_TRIES)]
    assert None not in delays
    usual = (2, 8, 32, 128, 300)
    assert all(
        0.75 * seconds <= (delay or 0) < 1.25 * seconds
        for delay, seconds in zip(delays, usual, strict=True)
    )
    assert retry_after(error("oh"), MOST_TRIES, "run-1/1.0") is None


@pytest.mark.parametrize("error", THEIRS, ids=lambda each: each.kind)
def test_what_is_wrong_stays_wrong(error: type[FixproofError]) -> None:
    assert retry_after(error("oh"), 1, "run-1/1.0") is None


def test_items_that_met_the_same_trouble_do_not_come_back_at_once() -> None:
    trouble = SandboxTrouble("the engine is away")
    assert len({retry_after(trouble, 3, f"run-1/{number}") for number in range(100)}) > 90
