"""The report of a run, `fixproof.report/1`: a contract, documented in docs/verdicts.md."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from runner.affected import Upgrade
from runner.attempt import Loaded
from runner.boundaries import FixedIn
from runner.candidate_report import CandidateReport
from runner.claims import ClaimResult
from runner.environment import Difference
from runner.findings import (
    ConfirmationResult,
    Search,
    Skipped,
)
from runner.matrix import Role
from runner.outcome import Mode, Outcome, Status
from runner.sandbox import Ending, Limits, SandboxDescription
from runner.value import Value
from runner.verdict import Counts, Reason, Verdict


class ReportCase(Value):
    """Which case, and which state of it."""

    id: str
    package: str
    sha256: str
    title: str
    issue: str | None
    fix: str | None
    signature: str
    reads_version: bool = False
    """Whether the script asks for the version of a release: it may decide by the number."""


class Measured(Value):
    """What a series, or all affected ones alike, say of the bug's history."""

    first_fixed: str | None = None
    fixed_in: FixedIn | None = None
    last_broken: str | None = None
    first_broken: str | None = None
    affected: tuple[dict[str, str], ...] | None = None
    """Ranges as OSV events; from a sweep only."""
    tested: tuple[str, ...] = ()
    assumes: str | None = None
    """What a bisection takes for granted."""
    confidence: float
    attempts: int
    """Of all cells, controls and confirmations too."""


class ConfirmationReport(Value):
    """Whether boundaries hold with one set of dependencies on both sides."""

    result: ConfirmationResult
    differs: tuple[Difference, ...]
    follows: Difference | None


class AttemptReport(Value):
    """One attempt."""

    ending: Ending
    observation: Verdict
    reason: Reason | None
    seconds: float
    peak_mib: float | None
    cpu_seconds: float | None
    ran: datetime
    reused: bool
    log: str
    """Name of its logs: `fixproof report RUN --log NAME` prints them."""


class CellReport(Value):
    """One cell."""

    id: str
    version: str
    python: str
    variant: str | None
    roles: tuple[Role, ...]
    verdict: Verdict
    reason: Reason | None
    detail: str | None
    """Where no environment could be made: what the resolver said."""
    counts: Counts
    loaded: Loaded | None
    as_of: datetime | None
    lock_sha256: str | None
    dependencies: tuple[str, ...]
    """What was installed beside the package, as name==version."""
    yanked: bool
    attempts: tuple[AttemptReport, ...]


class SeriesReport(Value):
    """One series."""

    python: str
    variant: str | None
    mode: Mode
    status: Status
    outcome: Outcome | None
    summary: str
    note: str | None
    measured: Measured
    confirmation: ConfirmationReport | None
    window: tuple[str, ...] = ()
    """Of a sweep or a bisection: the releases that it is about, lowest first."""
    broken_in: FixedIn | None = None
    """Where the bug came, as a range; of these too."""
    upgrade_to: tuple[Upgrade, ...] = ()
    """What it means for users; of these too."""
    search: Search | None = None
    """Of a bisection."""


class SandboxReport(Value):
    """Where the attempts ran."""

    kind: str
    base: str | None
    network: Literal["none", "host"]
    isolated: bool
    unenforced: tuple[str, ...]
    runtime: str | None = None
    """The OCI runtime, where it is not runc."""
    limits: Limits


class Host(Value):
    """The machine, as far as it can matter."""

    arch: str
    kernel: str
    fixproof: str
    uv: str


class Report(Value):
    """What one run of one case found: everything a page needs."""

    schema_: Literal["fixproof.report/1"] = Field(default="fixproof.report/1", alias="schema")
    run: str
    kind: str
    case: ReportCase
    mode: Mode
    status: Status
    outcome: Outcome
    summary: str
    """The answer, in a sentence."""
    ran: datetime | None
    """When the oldest attempt relied on ran; None if there is none."""
    claims: tuple[ClaimResult, ...]
    measured: Measured
    series: tuple[SeriesReport, ...]
    cells: tuple[CellReport, ...]
    skipped: tuple[Skipped, ...]
    candidate: CandidateReport | None = None
    """None: it was about releases alone."""
    sandbox: SandboxReport
    host: Host
    again: str
    """The command that runs it again."""

    def document(self) -> str:
        """As JSON."""
        return self.model_dump_json(by_alias=True)


class Ground(Value):
    """What a report says of where a run took place."""

    run: str
    kind: str
    again: str
    confidence: float
    limits: Limits
    sandbox: SandboxDescription
    host: Host
