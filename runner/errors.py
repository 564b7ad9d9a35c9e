"""The one tree of errors. Each class knows its exit code; `cli.py` is the one place that catches.

An error is trouble: with the usage, with the case, or with the ground fixproof stands on. What an
attempt *proves* is never an error, and an error never becomes a verdict.
"""

from __future__ import annotations


class FixproofError(Exception):
    """Something fixproof could not do: what happened, to what, and what to do next."""

    exit_code = 20
    kind = "error"

    def __init__(self, message: str, *, hint: str | None = None, case: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.case = case

    def __str__(self) -> str:
        named = f"{self.case}: {self.message}" if self.case else self.message
        return f"{named}\n  {self.hint}" if self.hint else named


class WrongUsage(FixproofError):
    """The command line asks for something that cannot be."""

    exit_code = 2
    kind = "wrong_usage"


class BrokenCase(WrongUsage):
    """The case file breaks the contract of design section 3; the message names key and remedy."""

    kind = "broken_case"


class BrokenCandidate(WrongUsage):
    """What `--candidate` names is no build of the package, or cannot be built or installed."""

    kind = "broken_candidate"


class UnknownRun(WrongUsage):
    """No run, or no attempt, of that name is stored."""

    kind = "unknown_run"


class BrokenPage(WrongUsage):
    """What is named as a fix page cannot be read, or is none."""

    kind = "broken_page"


class CannotInstall(FixproofError):
    """A release that is asked for by hand has no environment: nothing can be said of it."""

    exit_code = 3
    kind = "cannot_install"


class UnknownPackage(FixproofError):
    """The package index does not know the package under test."""

    exit_code = 4
    kind = "unknown_package"


class IndexUnreachable(FixproofError):
    """The package index did not answer, or not with something that can be read."""

    exit_code = 5
    kind = "index_unreachable"


class SandboxUnavailable(FixproofError):
    """No sandbox of the kind asked for can run on this machine."""

    exit_code = 6
    kind = "sandbox_unavailable"


class SandboxTrouble(FixproofError):
    """The sandbox itself failed: what it ran says nothing about the bug."""

    exit_code = 7
    kind = "sandbox_trouble"


class NoSpace(FixproofError):
    """The disk of fixproof's home is full, or nearly."""

    exit_code = 8
    kind = "no_space"


class StoreTrouble(FixproofError):
    """The database cannot be read or written."""

    exit_code = 9
    kind = "store_trouble"


class EnvironmentTrouble(FixproofError):
    """uv or an interpreter failed in a way that says nothing about the release."""

    exit_code = 10
    kind = "environment_trouble"


class BrokerTrouble(FixproofError):
    """What carries messages to workers does not answer."""

    exit_code = 11
    kind = "broker_trouble"


class NightTaken(FixproofError):
    """Another process keeps this night's watch."""

    exit_code = 12
    kind = "night_taken"


class NobodyTold(FixproofError):
    """A night is kept, but somebody who should be told of it was not."""

    exit_code = 13
    kind = "nobody_told"


class NightBlind(FixproofError):
    """A night is kept, but it left out more than a small share of its cases."""

    exit_code = 16
    kind = "night_blind"


class NotConcluded(FixproofError):
    """A run of the service ended without a conclusion: it was cancelled, or trouble kept it."""

    exit_code = 14
    kind = "not_concluded"


class ClockWrong(FixproofError):
    """The clock of this machine tells another time than those of its servers."""

    exit_code = 15
    kind = "clock_wrong"


class Interrupted(FixproofError):
    """The user stopped the run; what was finished is kept."""

    exit_code = 130
    kind = "interrupted"
