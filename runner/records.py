"""The port to what is published of runs: which ended when, and which were withdrawn.

Records are only ever added: a withdrawn one stays, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from runner.outcome import Outcome, Status
from runner.value import Value


class Withdrawal(Value):
    """That nobody is to rely on a run any more."""

    at: datetime
    why: str


class Record(Value):
    """One run that ended, as little of it as a history needs."""

    run: str
    kind: str
    case: str
    case_sha256: str
    """Which state of the case it is about."""
    ended: datetime
    status: Status
    outcome: Outcome
    summary: str
    partial: bool = False
    """It was asked about a part of the case, or with other interpreters than it asks for."""
    candidate: bool = False
    """It was asked about a build that is no release."""
    withdrawn: Withdrawal | None = None

    @property
    def conclusive(self) -> bool:
        return self.status in (Status.PASS, Status.FAIL)


class CaseVersion(Value):
    """How far the history of a case is: equal as long as nothing was added."""

    case: str
    runs: int
    newest: datetime
    withdrawals: int = 0


class RecordStore(Protocol):
    """Records by case. Raises as `store.EvidenceStore`."""

    def versions(self) -> Iterator[CaseVersion]:
        """One of each case that has records, by id; takes no more memory for more records."""
        ...

    def of_case(self, case: str, limit: int) -> tuple[Record, ...]:
        """Records of a case, the newest first."""
        ...

    def withdraw(self, run: str, withdrawal: Withdrawal) -> bool:
        """Add a withdrawal; False if the run had one already, which then stays as it is."""
        ...

    def shared_with_withdrawn(self, run: str) -> tuple[str, ...]:
        """Withdrawn runs that rely on attempts that this run relies on too."""
        ...
