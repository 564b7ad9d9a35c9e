"""What a night stands on: a port, and the trouble that ends a night."""

from __future__ import annotations

from concurrent.futures import Executor
from datetime import datetime
from typing import Protocol

from runner.errors import Interrupted, NoSpace, SandboxUnavailable, StoreTrouble
from runner.nightly.keeping import Ledger
from runner.releases import History
from runner.report import Report

ENDS_THE_NIGHT = (Interrupted, NoSpace, SandboxUnavailable, StoreTrouble)
"""Trouble that no other case of the night would be spared."""


class Ground(Protocol):
    """What a night stands on."""

    @property
    def nights(self) -> Ledger: ...

    @property
    def hands(self) -> Executor:
        """What looks at cases."""
        ...

    @property
    def at_a_time(self) -> int:
        """How many cases are looked at together."""
        ...

    def now(self) -> datetime: ...

    def history(self, package: str) -> History:
        """What the index has now of a package; asked for once a night."""
        ...

    def verify(
        self,
        case_id: str,
        *,
        fresh: bool,
        also: tuple[str, ...],
        purpose: str,
        until: datetime | None,
        again: str | None = None,
    ) -> Report:
        """Carry out a verify with the newest release; may be called from several threads.

        Args:
            case_id: the case.
            fresh: nothing that was made before is relied on.
            also: more releases to judge.
            purpose: which round of which night: what was asked for it before is not asked again.
            until: when the night is over; then nobody is waited for who is not there.
            again: a run that this one is to confirm: by another worker, where there is one.

        Raises:
            FixproofError: there is no report.
        """
        ...

    def made_by(self, run_id: str) -> tuple[str, ...]:
        """The workers that made attempts of a run; who made most of them comes first."""
        ...

    def note(self, what: str) -> None:
        """Something to know, if only somebody looks."""
        ...
