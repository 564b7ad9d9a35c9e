"""What commands print as JSON beside the report: contracts too, published in docs/schemas."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from runner.candidate import Candidate
from runner.errors import FixproofError
from runner.matrix import Role
from runner.outcome import Outcome, Status
from runner.report import Report
from runner.sandbox import Limits
from runner.value import Value


class Document(Value):
    """Something that is printed alone."""

    def document(self) -> str:
        """As JSON."""
        return self.model_dump_json(by_alias=True)


class ErrorDocument(Document):
    """Trouble that kept a command, or one of its cases, from a result."""

    schema_: Literal["fixproof.error/1"] = Field(default="fixproof.error/1", alias="schema")
    kind: str
    """Which trouble, for a program: `wrong_usage`, `broken_case`, `index_unreachable`, ..."""
    message: str
    hint: str | None
    """What to do next."""
    case: str | None
    """Id of the case that it is about."""
    exit_code: int

    @classmethod
    def of(cls, error: FixproofError) -> ErrorDocument:
        return cls(
            kind=error.kind,
            message=_unicode(error.message),
            hint=error.hint and _unicode(error.hint),
            case=error.case and _unicode(error.case),
            exit_code=error.exit_code,
        )


class ReportsDocument(Document):
    """What came of several cases, in the order in which they were named."""

    schema_: Literal["fixproof.reports/1"] = Field(default="fixproof.reports/1", alias="schema")
    reports: tuple[Report | ErrorDocument, ...]


class PlannedCase(Value):
    """Which case, and which state of it."""

    id: str
    package: str
    sha256: str


class PlannedCell(Value):
    """One cell that will be run."""

    id: str
    roles: tuple[Role, ...]
    version: str
    command: tuple[str, ...]
    env: dict[str, str]
    """What its variant adds to the environment."""
    requirements: tuple[str, ...]
    """What will be resolved; empty where that follows from another cell's lock."""
    as_of: datetime | None
    """Files uploaded at or after this are not seen; None sees all."""


class PlannedSeries(Value):
    """All cells of one Python and one variant."""

    name: str
    python: str
    variant: str | None
    interpreter: str | None
    """None: none at hand, and the series will be untested."""
    note: str | None
    """What a reader should know of the choice of interpreter."""
    missing: tuple[str, ...]
    """Claimed releases that do not exist."""
    cells: tuple[PlannedCell, ...]


class PlanDocument(Document):
    """Everything of a run that is known beforehand."""

    schema_: Literal["fixproof.plan/1"] = Field(default="fixproof.plan/1", alias="schema")
    kind: Literal["verify", "sweep", "bisect"]
    case: PlannedCase
    limits: Limits
    candidate: Candidate | None
    """A build that is no release, asked about in place of the claimed fix."""
    series: tuple[PlannedSeries, ...]


class PlansDocument(Document):
    """The plans of several cases, in the order in which they were named."""

    schema_: Literal["fixproof.plans/1"] = Field(default="fixproof.plans/1", alias="schema")
    plans: tuple[PlanDocument, ...]


class StoredRun(Value):
    """One run that is stored."""

    run: str
    kind: str
    case: str
    began: datetime
    state: Literal["queued", "running", "interrupted", "ended", "trouble", "cancelled"]
    """`queued`: asked of the service, and no worker has begun it. `trouble`: it ended without a
    conclusion, the summary says why."""
    status: Status | None
    outcome: Outcome | None
    summary: str | None


class RunsDocument(Document):
    """Runs, the newest first."""

    schema_: Literal["fixproof.runs/1"] = Field(default="fixproof.runs/1", alias="schema")
    runs: tuple[StoredRun, ...]


class SubmittedDocument(Document):
    """A run that the service was asked for."""

    schema_: Literal["fixproof.submitted/1"] = Field(default="fixproof.submitted/1", alias="schema")
    run: str


class CancelledDocument(Document):
    """A run that was cancelled."""

    schema_: Literal["fixproof.cancelled/1"] = Field(default="fixproof.cancelled/1", alias="schema")
    run: str
    left: bool
    """Whether every worker that was busy with it has said that it left it."""


CheckName = Literal[
    "engine", "sandbox", "interpreters", "index", "database", "broker", "disk", "clock"
]


class CheckState(StrEnum):
    """What came of looking at one thing that fixproof stands on."""

    OK = "ok"
    WARNING = "warning"
    """Something is not as it should be, and runs can be carried out all the same."""
    FAILED = "failed"
    UNUSED = "unused"
    """As it is set up, nothing needs it."""


class Check(Value):
    """One thing that fixproof stands on."""

    name: CheckName
    state: CheckState
    said: str
    """What was found, or what is wrong."""
    hint: str | None = None
    """What to do."""
    exit_code: int = 0
    """Of the trouble, where it failed."""


class DoctorDocument(Document):
    """Whether this machine is fit for runs as it is set up."""

    schema_: Literal["fixproof.doctor/1"] = Field(default="fixproof.doctor/1", alias="schema")
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """That of the first check that failed."""
        return next((each.exit_code for each in self.checks if each.exit_code), 0)


class Collected(Value):
    """What was deleted of one kind, or would be."""

    what: str
    """`runs`, `attempts`, `environments`, ...: docs/operations.md says what each is."""
    count: int
    bytes: int
    """On the disk, free afterwards; of rows the large values in them, whose room is used again."""


class CollectedDocument(Document):
    """What is kept no longer."""

    schema_: Literal["fixproof.gc/1"] = Field(default="fixproof.gc/1", alias="schema")
    dry_run: bool
    """Whether nothing was deleted."""
    collected: tuple[Collected, ...]
    left: tuple[str, ...]
    """What was left for another time, and why."""


def _unicode(text: str) -> str:
    """Names of files may hold bytes that are no text."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
