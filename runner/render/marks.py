"""A symbol, a word and a tone for each status, verdict and result: never told by colour alone."""

from __future__ import annotations

from enum import StrEnum

from runner.claims import ClaimResult, Result
from runner.matrix import Role
from runner.outcome import Outcome, Status
from runner.report import Report
from runner.sentences import name_of
from runner.value import Value
from runner.verdict import Verdict


class Tone(StrEnum):
    """What a style sheet has colours for."""

    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    QUIET = "quiet"


class Mark(Value):
    """How something is marked on a page."""

    symbol: str
    word: str
    tone: Tone


STATUSES = {
    Status.PASS: Mark(symbol="✓", word="PASS", tone=Tone.GOOD),
    Status.FAIL: Mark(symbol="✗", word="FAIL", tone=Tone.BAD),
    Status.INCONCLUSIVE: Mark(symbol="?", word="INCONCLUSIVE", tone=Tone.DOUBT),
    Status.UNTESTED: Mark(symbol="○", word="untested", tone=Tone.QUIET),
}
VERDICTS = {
    Verdict.PRESENT: Mark(symbol="✗", word="bug present", tone=Tone.BAD),
    Verdict.ABSENT: Mark(symbol="✓", word="bug absent", tone=Tone.GOOD),
    Verdict.UNRESOLVED: Mark(symbol="?", word="unresolved", tone=Tone.DOUBT),
}
RESULTS = {
    Result.CONFIRMED: Mark(symbol="✓", word="confirmed", tone=Tone.GOOD),
    Result.CONTRADICTED: Mark(symbol="✗", word="contradicted", tone=Tone.BAD),
    Result.UNTESTED: Mark(symbol="○", word="untested", tone=Tone.QUIET),
}
CONTROL_HOLDS = Mark(symbol="✓", word="holds", tone=Tone.QUIET)
CONTROL_FAILS = Mark(symbol="!", word="fails", tone=Tone.DOUBT)

OUTCOMES = {
    Outcome.VACUOUS: "the script proves nothing",
    Outcome.NO_SUCH_RELEASE: "a claimed release does not exist",
    Outcome.AFFECTED: "said not to have the bug, and has it",
    Outcome.STILL_BROKEN: "said to be fixed, and still broken",
    Outcome.FOLLOWS_DEPENDENCY: "the verdict follows a dependency, not the package",
    Outcome.NOT_REPRODUCED: "said to be broken, and does not show it",
    Outcome.FIXED_EARLIER: "an earlier release has the fix",
    Outcome.REGRESSED: "the bug came back",
    Outcome.YANKED_FIX: "the fix was withdrawn",
    Outcome.UNRESOLVED: "nothing could be told",
    Outcome.OK: "all claims hold",
}
"""What an outcome means, in a few words."""
ROLES = {
    Role.BROKEN: "claimed broken",
    Role.FIXED: "claimed fix",
    Role.BEFORE: "the one before",
    Role.LATEST: "newest",
    Role.CANDIDATE: "candidate",
    Role.PROBE: "looked at",
    Role.CONTROL: "control",
    Role.CONFIRM: "confirmation",
}
"""Why a cell is in a run, in a few words."""
_CLAIMS = {
    "fixed": "{} fixes the bug",
    "broken": "{} has the bug",
    "unaffected": "{} does not have the bug",
}


def claim_said(report: Report, claim: ClaimResult) -> str:
    """What is claimed, as one says it."""
    candidate = report.candidate and claim.kind != "broken"
    named = f"the candidate {claim.version}" if candidate else claim.version
    return _CLAIMS[claim.kind].format(named)


def claims_told(report: Report) -> list[tuple[str, str, ClaimResult]]:
    """What is claimed and of which series, once for all of which the same was found."""
    found: dict[tuple[str, str, str], list[ClaimResult]] = {}
    for each in report.claims:
        found.setdefault((claim_said(report, each), each.result, each.why), []).append(each)
    return [
        (said, " and ".join(name_of(each.python, each.variant) for each in alike), alike[0])
        for (said, _, _), alike in found.items()
    ]
