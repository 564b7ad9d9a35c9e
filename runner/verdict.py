"""What one attempt says of the bug, and what all attempts of a cell say together.

Ending → Observation → Verdict, one pure function across each border; the tables are those of
design section 3 and docs/verdicts.md.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple, assert_never

from packaging.version import InvalidVersion, Version

from runner.attempt import Attempt, Facts, Loaded
from runner.case import FOLDER, Case
from runner.environment import Failure, FailureKind
from runner.evidence import MOST_SILENT
from runner.metadata import Ends, compile_signature
from runner.sandbox import EndingKind, Stream
from runner.value import Value

# ECMA-48: control sequences, operating-system commands, and the two-byte escapes.
TERMINAL_CODES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)


class Verdict(StrEnum):
    """What an attempt, or a cell, says of the bug."""

    PRESENT = "present"
    ABSENT = "absent"
    UNRESOLVED = "unresolved"


class Reason(StrEnum):
    """Why something is `unresolved`: a closed set, explained in docs/verdicts.md."""

    NO_SIGNATURE = "no_signature"
    CONTRADICTORY = "contradictory"
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    SILENCE = "silence"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    OUTPUT_CUT = "output_cut"
    NOT_REACHED = "not_reached"
    NOT_A_HANG = "not_a_hang"
    WRONG_VERSION = "wrong_version"
    NO_SOLUTION = "no_solution"
    NO_WHEEL = "no_wheel"
    PYTHON_NOT_ALLOWED = "python_not_allowed"
    BUILD_FAILED = "build_failed"
    BAD_FILE = "bad_file"
    TOO_FEW = "too_few"
    TOO_RARE = "too_rare"
    NOT_RUN = "not_run"


HOPELESS = (
    Reason.NO_SOLUTION,
    Reason.NO_WHEEL,
    Reason.PYTHON_NOT_ALLOWED,
    Reason.BUILD_FAILED,
    Reason.BAD_FILE,
    Reason.WRONG_VERSION,
)
"""Reasons that no further attempt can remove."""


class Observation(Value):
    """What one attempt says of the bug."""

    says: Verdict
    reason: Reason | None = None
    """Only with `unresolved`."""


class Counts(Value):
    """Attempts of a cell by what they say."""

    present: int = 0
    absent: int = 0
    unresolved: int = 0

    @property
    def judged(self) -> int:
        return self.present + self.absent


class Judgement(Value):
    """What all attempts of a cell say together."""

    verdict: Verdict
    reason: Reason | None
    counts: Counts
    observations: tuple[Observation, ...]
    """One for each attempt, in their order."""


PRESENT = Observation(says=Verdict.PRESENT)
ABSENT = Observation(says=Verdict.ABSENT)


@cache
def unresolved(reason: Reason) -> Observation:
    return Observation(says=Verdict.UNRESOLVED, reason=reason)


def observe(case: Case, attempt: Attempt) -> Observation:
    """What one attempt says, from its ending and its logs alone."""
    signature = _search(case.metadata.signature, attempt.stdout, attempt.stderr)
    if case.metadata.ends is Ends.EXIT:
        return _observe_exit(attempt, signature)
    return _observe_ending(case.metadata.ends, attempt, signature)


def loaded_as_planned(version: str, loaded: Loaded) -> bool:
    """Whether what importing the package would run is the release that the cell is about."""
    try:
        return loaded.version is not None and Version(loaded.version) == Version(version)
    except InvalidVersion:
        return False


@lru_cache(maxsize=2048)
def judge(case: Case, version: str | None, facts: Facts, needed: int) -> Judgement:
    """The verdict of a cell; kept for a while, since a plan that is asked again judges again.

    Args:
        version: the release that has to be loaded; None for a control, which has none.
        needed: attempts without the bug that its absence takes.
    """
    observations, counts = _observed(case, facts)
    verdict, reason = _together(facts, observations, counts, needed)
    if version and facts.loaded and not loaded_as_planned(version, facts.loaded):
        observations = tuple(unresolved(Reason.WRONG_VERSION) for _ in observations)
        counts = count(observations)
        verdict, reason = Verdict.UNRESOLVED, Reason.WRONG_VERSION
    return Judgement(verdict=verdict, reason=reason, counts=counts, observations=observations)


@lru_cache(maxsize=1024)
def _observed(case: Case, facts: Facts) -> tuple[tuple[Observation, ...], Counts]:
    """What the attempts of a cell say, however many its absence takes: a plan asks for several."""
    observations = tuple(observe(case, each) for each in facts.attempts)
    if case.metadata.ends is Ends.TIMEOUT:
        observations = _believe_hangs(facts.attempts, observations)
    return observations, count(observations)


def count(observations: tuple[Observation, ...]) -> Counts:
    said = [each.says for each in observations]
    return Counts(
        present=said.count(Verdict.PRESENT),
        absent=said.count(Verdict.ABSENT),
        unresolved=said.count(Verdict.UNRESOLVED),
    )


def no_attempt_helps(judgement: Judgement) -> bool:
    """Whether a cell stays unresolved whatever else would run.

    So it is without an environment, with the wrong version in it, and where the first two
    attempts are unresolved for one reason.
    """
    if judgement.reason in HOPELESS:
        return True
    return _alike_at_first(judgement.observations)


def _alike_at_first(observations: tuple[Observation, ...]) -> bool:
    """Whether the first two attempts are unresolved for one reason: the cell stays so."""
    first, second = (*observations[:2], None, None)[:2]
    return (
        first is not None
        and first.says is Verdict.UNRESOLVED
        and first == second
        and first.reason is not Reason.NOT_A_HANG  # more attempts are what that asks for
    )


def failure_reason(kind: FailureKind) -> Reason:
    """Why a cell without an environment is unresolved."""
    match kind:
        case FailureKind.NO_SOLUTION:
            return Reason.NO_SOLUTION
        case FailureKind.NO_WHEEL:
            return Reason.NO_WHEEL
        case FailureKind.PYTHON_NOT_ALLOWED:
            return Reason.PYTHON_NOT_ALLOWED
        case FailureKind.BUILD_FAILED:
            return Reason.BUILD_FAILED
        case FailureKind.BAD_FILE:
            return Reason.BAD_FILE
        case _:
            assert_never(kind)


def readable(data: bytes) -> str:
    """Output as text, without terminal codes; bytes that are not UTF-8 become U+FFFD."""
    return TERMINAL_CODES.sub(b"", data).replace(b"\r\n", b"\n").decode("utf-8", "replace")


def _observe_exit(attempt: Attempt, signature: _Search) -> Observation:
    """The first table of design section 3: the exit code says it, the signature vouches for it."""
    if attempt.ending.kind is not EndingKind.EXIT:
        return unresolved(_ended_by(attempt.ending.kind))
    match attempt.ending.code:
        case 0 if signature.found:
            return unresolved(Reason.CONTRADICTORY)
        case 0:
            return unresolved(Reason.OUTPUT_CUT) if signature.cut else ABSENT
        case 1 if signature.found:
            return PRESENT
        case 1:
            return unresolved(Reason.OUTPUT_CUT if signature.cut else Reason.NO_SIGNATURE)
        case _:
            return unresolved(Reason.EXIT_CODE)


def _observe_ending(ends: Ends, attempt: Attempt, signature: _Search) -> Observation:
    """The second table: the ending says it, the signature marks that the point was reached."""
    shown = _shows(ends, attempt.ending.kind)
    if not shown and attempt.ending.kind is not EndingKind.EXIT:
        return unresolved(_ended_by(attempt.ending.kind))
    if not shown and attempt.ending.code != 0:
        return unresolved(Reason.EXIT_CODE)
    if not signature.found:
        return unresolved(Reason.OUTPUT_CUT if signature.cut else Reason.NOT_REACHED)
    return PRESENT if shown else ABSENT


def _shows(ends: Ends, kind: EndingKind) -> bool:
    match ends:
        case Ends.EXIT:
            return False
        case Ends.TIMEOUT:
            return kind in (EndingKind.TIMEOUT, EndingKind.SILENCE)
        case Ends.MEMORY:
            return kind is EndingKind.MEMORY
        case Ends.SIGNAL:
            return kind is EndingKind.SIGNAL
        case _:
            assert_never(ends)


def _ended_by(kind: EndingKind) -> Reason:
    match kind:
        case EndingKind.EXIT:
            return Reason.EXIT_CODE
        case EndingKind.SIGNAL:
            return Reason.SIGNAL
        case EndingKind.TIMEOUT:
            return Reason.TIMEOUT
        case EndingKind.SILENCE:
            return Reason.SILENCE
        case EndingKind.MEMORY:
            return Reason.MEMORY
        case EndingKind.OUTPUT_LIMIT:
            return Reason.OUTPUT_LIMIT
        case _:
            assert_never(kind)


def hang_in_doubt(case: Case, facts: Facts) -> bool:
    """Whether a hang was seen, and none yet that outlasted twice the limit."""
    if case.metadata.ends is not Ends.TIMEOUT:
        return False
    hangs = [each for each in facts.attempts if observe(case, each) == PRESENT]
    return bool(hangs) and not any(each.doubled for each in hangs)


def _believe_hangs(
    attempts: tuple[Attempt, ...], observations: tuple[Observation, ...]
) -> tuple[Observation, ...]:
    """A hang counts once the cell repeated it with twice the limit; else it may be slowness."""
    pairs = tuple(zip(attempts, observations, strict=True))
    repeated = any(each.doubled and says == PRESENT for each, says in pairs)
    doubt = unresolved(Reason.NOT_A_HANG)
    return tuple(doubt if says == PRESENT and not repeated else says for _, says in pairs)


def _together(
    facts: Facts, observations: tuple[Observation, ...], counts: Counts, needed: int
) -> tuple[Verdict, Reason | None]:
    """The row of design section 3 that ends its table of attempts."""
    if isinstance(facts.lock, Failure):
        return Verdict.UNRESOLVED, failure_reason(facts.lock.kind)
    if counts.present:
        return Verdict.PRESENT, None
    if _alike_at_first(observations):
        return Verdict.UNRESOLVED, observations[0].reason
    reasons = [each.reason for each in observations]
    if Reason.CONTRADICTORY in reasons:
        return Verdict.UNRESOLVED, Reason.CONTRADICTORY  # the signature and exit 0: which is true?
    if Reason.NOT_A_HANG in reasons:
        return Verdict.UNRESOLVED, Reason.NOT_A_HANG  # what hung once is not called good
    if counts.absent and counts.absent >= needed:
        return Verdict.ABSENT, None
    return Verdict.UNRESOLVED, _main_reason(observations, needed)


def _main_reason(observations: tuple[Observation, ...], needed: int) -> Reason:
    reasons = Counter(each.reason for each in observations if each.reason)
    if reasons:
        return reasons.most_common(1)[0][0]
    if needed > MOST_SILENT:
        return Reason.TOO_RARE
    return Reason.TOO_FEW if observations else Reason.NOT_RUN


class _Search(NamedTuple):
    """What looking for the signature in an attempt's output gave."""

    found: bool
    cut: bool
    """Not found, but it could stand in what was left out."""


@lru_cache(maxsize=128)
def _search(signature: str, stdout: Stream, stderr: Stream) -> _Search:
    """Kept for a while: a plan that is asked again judges the same attempts again."""
    pattern = compile_signature(signature)
    texts = [_unquoted(text) for stream in (stdout, stderr) for text in whole_lines(stream)]
    found = any(pattern.search(text) is not None for text in texts)
    return _Search(found=found, cut=not found and bool(stdout.omitted or stderr.omitted))


_QUOTED = re.compile(
    rf'^( *File "{FOLDER}/[^"\n]*", line \d+[^\n]*)(?:\n {{4}}[^\n]*)+', re.MULTILINE
)
"""A place in the script as a traceback tells it, and the lines of source that it repeats."""


def _unquoted(text: str) -> str:
    """Without what tracebacks repeat of the script's own source, with any message that is in it."""
    return _QUOTED.sub(r"\1", text) if FOLDER in text else text


def whole_lines(stream: Stream) -> tuple[str, ...]:
    """The readable parts of a stream, of whole lines: these are searched for the signature."""
    return tuple(readable(each) for each in whole_parts(stream))


def whole_parts(stream: Stream) -> tuple[bytes, ...]:
    """What was kept of a stream; beside a gap, lines that were cut in two are left out."""
    if not stream.omitted:
        return (stream.head + stream.tail,)
    return stream.head.rpartition(b"\n")[0], stream.tail.partition(b"\n")[2]
