"""What is asked of the service: kept with its run, for whichever worker comes to plan it."""

from __future__ import annotations

from runner.options import Kind, Options
from runner.queues import Capability, Priority
from runner.value import Value


class Question(Value):
    """One run that somebody wants."""

    kind: Kind = "verify"
    options: Options = Options()
    priority: Priority = Priority.ON_DEMAND
    needed: Capability = Capability()
    purpose: str = ""
    """Which round of which night asks, if one does."""
