"""How a run of the service ends: with a conclusion, in trouble, or because nobody wants it."""

from __future__ import annotations

from datetime import datetime

from runner.desk import Asked
from runner.findings import Conclusion
from runner.outcome import Status
from runner.reporting import in_short
from runner.store import CANCELLED, TROUBLE
from runner.work import Turn


def conclude(turn: Turn, asked: Asked, conclusion: Conclusion, at: datetime) -> None:
    """End a run with what it found; it has no items any more."""
    turn.finish(ended=at, **in_short(asked.plan.universe, conclusion)._asdict())


def end_in_trouble(turn: Turn, why: str, at: datetime) -> None:
    """End a run without a conclusion."""
    turn.finish(ended=at, status=Status.INCONCLUSIVE, outcome=TROUBLE, summary=why)
    turn.revoke()


def cancel(turn: Turn, at: datetime) -> None:
    """End a run at once; workers that are busy with it are told by their next heartbeat."""
    turn.finish(ended=at, status=None, outcome=CANCELLED, summary="cancelled")
    turn.revoke()
