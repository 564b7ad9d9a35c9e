"""What an attempt says of the bug, and what all attempts of a cell say: the tables of section 3."""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.attempt import Facts, Loaded
from runner.environment import FailureKind
from runner.metadata import Ends
from runner.sandbox import EndingKind, Stream
from runner.verdict import (
    Reason,
    Verdict,
    hang_in_doubt,
    judge,
    loaded_as_planned,
    no_attempt_helps,
    observe,
    readable,
    whole_lines,
)
from tests.builders import (
    BUG,
    CONTRADICTION,
    ERROR,
    GOOD,
    HANG,
    KILLED,
    NO_HANG,
    ODD,
    Said,
    a_case,
    a_failure,
    a_lock,
    an_attempt,
    facts,
)

CASES = {ends: a_case(ends=ends.value) for ends in Ends}
CASE = CASES[Ends.EXIT]

FOUND = Stream(head=b"BUG: it broke\n")
NOT_FOUND = Stream(head=b"nothing to see\n")
CUT = Stream(head=b"first line\n", omitted=100, tail=b"cut\nlast line\n")
FOUND_AND_CUT = Stream(head=b"BUG: it broke\n", omitted=100, tail=b"cut\nlast line\n")
OUTPUTS = {"found": FOUND, "not": NOT_FOUND, "cut": CUT, "found, cut": FOUND_AND_CUT}
KINDS = {
    Ends.TIMEOUT: {EndingKind.TIMEOUT, EndingKind.SILENCE},
    Ends.MEMORY: {EndingKind.MEMORY},
    Ends.SIGNAL: {EndingKind.SIGNAL},
}
ENDED_BY = {
    EndingKind.SIGNAL: Reason.SIGNAL,
    EndingKind.TIMEOUT: Reason.TIMEOUT,
    EndingKind.SILENCE: Reason.SILENCE,
    EndingKind.MEMORY: Reason.MEMORY,
    EndingKind.OUTPUT_LIMIT: Reason.OUTPUT_LIMIT,
}


class Row(NamedTuple):
    """One combination, and what the tables of design section 3 make of it."""

    ends: Ends
    kind: EndingKind
    code: int | None
    output: str
    says: Verdict
    reason: Reason | None


def by_the_first_table(kind: EndingKind, code: int | None, output: str) -> Verdict | Reason:
    found = output.startswith("found")
    rows: dict[tuple[int | None, bool], Verdict | Reason] = {
        (0, False): Verdict.ABSENT,
        (1, True): Verdict.PRESENT,
        (0, True): Reason.CONTRADICTORY,
        (1, False): Reason.NO_SIGNATURE,
    }
    if kind is not EndingKind.EXIT:
        return ENDED_BY[kind]
    if code not in (0, 1):
        return Reason.EXIT_CODE
    return Reason.OUTPUT_CUT if output == "cut" else rows[code, found]


def by_the_second_table(
    ends: Ends, kind: EndingKind, code: int | None, output: str
) -> Verdict | Reason:
    shows = kind in KINDS[ends]
    if not shows and kind is not EndingKind.EXIT:
        return ENDED_BY[kind]
    if not shows and code != 0:
        return Reason.EXIT_CODE
    if output == "cut":
        return Reason.OUTPUT_CUT
    if output == "not":
        return Reason.NOT_REACHED
    return Verdict.PRESENT if shows else Verdict.ABSENT


def rows() -> list[Row]:
    found = []
    codes: dict[EndingKind, tuple[int | None, ...]] = dict.fromkeys(EndingKind, (None,))
    codes[EndingKind.EXIT] = (0, 1, 2, 3, 77, 124, 125, 126, 127, 128, 193, 255)
    codes[EndingKind.SIGNAL] = (6, 9, 11, 15)
    for ends, kind, output in itertools.product(Ends, EndingKind, OUTPUTS):
        for code in codes[kind]:
            said = (
                by_the_first_table(kind, code, output)
                if ends is Ends.EXIT
                else by_the_second_table(ends, kind, code, output)
            )
            says = said if isinstance(said, Verdict) else Verdict.UNRESOLVED
            reason = said if isinstance(said, Reason) else None
            found.append(Row(ends, kind, code, output, says, reason))
    return found


@pytest.mark.parametrize(
    "row", rows(), ids=lambda row: f"{row.ends}-{row.kind}-{row.code}-{row.output}"
)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_attempt_says_what_the_tables_say(row: Row, stream: str) -> None:
    output = OUTPUTS[row.output]
    said = Said(row.kind, row.code)
    attempt = (
        an_attempt(said, stdout=output)
        if stream == "stdout"
        else an_attempt(said, stdout=b"", stderr=output)
    )
    observation = observe(CASES[row.ends], attempt)
    assert (observation.says, observation.reason) == (row.says, row.reason)


def test_there_is_a_row_for_every_ending_and_reasons_only_where_nothing_was_said() -> None:
    table = rows()
    assert {(each.ends, each.kind) for each in table} == set(itertools.product(Ends, EndingKind))
    assert all((each.says is Verdict.UNRESOLVED) == (each.reason is not None) for each in table)


SEARCHES: list[tuple[str, bytes, bool]] = [
    ("^BUG: ", b"BUG: x\n", True),
    ("^BUG: ", b"first\nBUG: x\n", True),
    ("^BUG: ", b"no BUG: x\n", False),
    ("^BUG: ", b"first\r\nBUG: x\r\n", True),
    ("BUG$", b"a BUG\r\nnext\r\n", True),
    ("BUG$", b"a BUG", True),
    ("one\ntwo", b"one\r\ntwo\r\n", True),
    ("^BUG", b"\x1b[31mBUG\x1b[0m", True),
    ("^BUG: it", b"\x1b[1;31mBUG\x1b[0m: \x1b[4mit\x1b[24m", True),
    ("^BUG", b"\x1b]0;a title\x07BUG", True),
    ("^BUG", b"\x1b]8;;https://example.org\x1b\\BUG", True),
    ("^BUG", b"\x1b(BBUG", True),
    ("^BUG", b"\x1b[?25lBUG", True),
    ("^BUG", b"\x1b[38;5;196mBUG", True),
    ("31m", b"\x1b[31mred", False),
    ("title", b"\x1b]0;title\x07x", False),
    ("^BUG", b"\xff\xfe\nBUG\xff", True),
    ("BUG: caf\u00e9", "BUG: caf\u00e9".encode(), True),
    ("BUG: caf.$", b"BUG: caf\xe9", True),
    ("(?i)bug", b"a BuG", True),
    ("a|^b", b"x\nb", True),
    ("BUG", b"", False),
    ("BUG", b"B\0UG BUG\0", True),
]


@pytest.mark.parametrize(("signature", "output", "found"), SEARCHES)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_signature_is_searched_in_lines_without_terminal_codes(
    signature: str, output: bytes, stream: str, *, found: bool
) -> None:
    case = a_case(signature=signature)
    streams = {"stdout": b"", "stderr": b""} | {stream: output}
    attempt = an_attempt(Said(code=1), stdout=streams["stdout"], stderr=streams["stderr"])
    assert (observe(case, attempt).says is Verdict.PRESENT) is found


def test_a_signature_is_not_found_half_in_one_stream_and_half_in_the_other() -> None:
    attempt = an_attempt(Said(code=1), stdout=b"BU", stderr=b"G")
    assert observe(a_case(signature="BUG"), attempt).reason is Reason.NO_SIGNATURE


CUTS = [
    (b"BUG\nhalf a li", b"ne\nend\n", ("BUG", "end\n")),
    (b"no line end", b"nor here", ("", "")),
    (b"a\nB", b"UG\n", ("a", "")),
    (b"a\n", b"\nBUG\n", ("a", "BUG\n")),
    (b"", b"x\ny", ("", "y")),
]


@pytest.mark.parametrize(("head", "tail", "parts"), CUTS)
def test_beside_a_gap_only_whole_lines_count(
    head: bytes, tail: bytes, parts: tuple[str, str]
) -> None:
    assert whole_lines(Stream(head=head, omitted=7, tail=tail)) == parts


@pytest.mark.parametrize(
    ("head", "tail", "says"),
    [
        (b"a\nBUG", b"x\nb\n", Reason.OUTPUT_CUT),
        (b"a\nBUG\n", b"x\nb\n", Verdict.PRESENT),
        (b"a\n", b"x\nBUG\n", Verdict.PRESENT),
        (b"a\n", b"BUG x\nb\n", Reason.OUTPUT_CUT),
    ],
)
def test_a_line_that_was_cut_in_two_shows_no_signature(
    head: bytes, tail: bytes, says: Verdict | Reason
) -> None:
    attempt = an_attempt(Said(code=1), stdout=Stream(head=head, omitted=9, tail=tail))
    observation = observe(CASE, attempt)
    assert says in (observation.reason, observation.says)


def test_output_that_was_cut_in_the_other_stream_could_hold_the_signature_too() -> None:
    attempt = an_attempt(Said(code=0), stdout=b"ok\n", stderr=CUT)
    assert observe(CASE, attempt).reason is Reason.OUTPUT_CUT


@given(st.binary(max_size=200), st.sampled_from([0, 3]))
def test_any_bytes_can_be_read_and_judged(output: bytes, omitted: int) -> None:
    stream = Stream(head=output, omitted=omitted, tail=output if omitted else b"")
    readable(output).encode()
    observe(CASE, an_attempt(Said(code=1), stdout=stream))


@given(
    st.lists(st.sampled_from([b"\x1b[0m", b"\x1b[31;1m", b"\x1b[K", b"\x1b]0;t\x07"]), max_size=9)
)
def test_colours_change_no_observation(codes: list[bytes]) -> None:
    letters = [b"B", b"U", b"G", b":", b" ", b"x", b"y", b"z", b"\n"]
    mixed = b"".join(c + b for c, b in itertools.zip_longest(codes, letters, fillvalue=b""))
    assert observe(CASE, an_attempt(Said(code=1), stdout=mixed)).says is Verdict.PRESENT


@pytest.mark.parametrize("signature", ["^(a+)+$", "(a|aa)*b", "(x*x*)*y", "(.*)*BUG(.*)*!$"])
def test_a_pathological_signature_takes_time_linear_in_the_output(signature: str) -> None:
    output = b"a" * 200_000 + b"c" + b"x" * 50_000
    began = time.process_time()
    observe(a_case(signature=f"Q{signature}"), an_attempt(Said(code=1), stdout=output))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("piece", [b"\x1b", b"\x1b[", b"\x1b]", b"\x1b[1;", b"\x1b]0;t", b"\x1b("])
def test_broken_terminal_codes_take_time_linear_in_the_output(piece: bytes) -> None:
    began = time.process_time()
    readable(piece * (300_000 // len(piece)))
    readable(piece + b"0" * 300_000)
    readable(piece + b" " * 300_000)
    assert time.process_time() - began < 2


# Cells.

JUDGEMENTS: list[tuple[str, tuple[Said, ...], int, Verdict, Reason | None, tuple[int, int, int]]] = [
    ("nothing", (), 5, Verdict.UNRESOLVED, Reason.NOT_RUN, (0, 0, 0)),
    ("one shows it", (BUG,), 5, Verdict.PRESENT, None, (1, 0, 0)),
    ("flaky", (GOOD, GOOD, BUG, GOOD), 5, Verdict.PRESENT, None, (1, 3, 0)),
    ("enough are silent", (GOOD,) * 5, 5, Verdict.ABSENT, None, (0, 5, 0)),
    ("more than enough", (GOOD,) * 7, 5, Verdict.ABSENT, None, (0, 7, 0)),
    ("too few", (GOOD,) * 4, 5, Verdict.UNRESOLVED, Reason.TOO_FEW, (0, 4, 0)),
    ("replaced", (ODD, GOOD, ODD, GOOD), 2, Verdict.ABSENT, None, (0, 2, 2)),
    ("not replaced", (ODD, GOOD), 2, Verdict.UNRESOLVED, Reason.EXIT_CODE, (0, 1, 1)),
    ("shown among trouble", (ODD, ODD, BUG), 5, Verdict.PRESENT, None, (1, 0, 2)),
    ("never", (ERROR, ERROR), 5, Verdict.UNRESOLVED, Reason.NO_SIGNATURE, (0, 0, 2)),
    ("contradictory", (CONTRADICTION,), 5, Verdict.UNRESOLVED, Reason.CONTRADICTORY, (0, 0, 1)),
    ("most frequent reason", (ERROR, KILLED, KILLED), 5, Verdict.UNRESOLVED, Reason.MEMORY, (0, 0, 3)),
    ("bug too rare", (GOOD,) * 60, 201, Verdict.UNRESOLVED, Reason.TOO_RARE, (0, 60, 0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "needed", "verdict", "reason", "counts"),
    [each[1:] for each in JUDGEMENTS],
    ids=[each[0] for each in JUDGEMENTS],
)
def test_a_cell_is_judged_by_all_of_its_attempts(
    said: tuple[Said, ...],
    needed: int,
    verdict: Verdict,
    reason: Reason | None,
    counts: tuple[int, int, int],
) -> None:
    found = judge(CASE, "1.2", facts(*said), needed)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert (found.counts.present, found.counts.absent, found.counts.unresolved) == counts
    assert len(found.observations) == len(said)


SAID = st.sampled_from([BUG, GOOD, ERROR, ODD, CONTRADICTION, KILLED])


@given(st.lists(SAID, max_size=12), st.integers(1, 8))
def test_a_verdict_depends_on_the_order_of_attempts_only_by_the_first_two(
    said: list[Said], needed: int
) -> None:
    found = judge(CASE, "1.2", facts(*said), needed)
    again = judge(CASE, "1.2", facts(*said[:2], *sorted(said[2:], key=str)), needed)
    assert (found.verdict, found.counts) == (again.verdict, again.counts)


@given(st.lists(SAID, max_size=12), st.integers(1, 8))
def test_a_verdict_follows_the_rule_of_section_3(said: list[Said], needed: int) -> None:
    found = judge(CASE, "1.2", facts(*said), needed)
    if BUG in said:
        assert found.verdict is Verdict.PRESENT
    elif len(said) > 1 and said[0] == said[1] != GOOD:
        assert found.verdict is Verdict.UNRESOLVED
    elif said.count(GOOD) >= needed and CONTRADICTION not in said:
        assert found.verdict is Verdict.ABSENT
    else:
        assert found.verdict is Verdict.UNRESOLVED
    assert (found.verdict is Verdict.UNRESOLVED) == (found.reason is not None)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_cell_that_cannot_be_installed_is_unresolved_for_good(kind: FailureKind) -> None:
    found = judge(CASE, "1.2", Facts(lock=a_failure(kind)), 5)
    assert (found.verdict, found.reason) == (Verdict.UNRESOLVED, Reason(kind.value))
    assert no_attempt_helps(found)


@pytest.mark.parametrize(
    ("version", "loaded", "as_planned"),
    [
        ("1.2", "1.2", True),
        ("1.2", "1.2.0", True),
        ("1.2rc1", "1.2-rc.1", True),
        ("1.2", "1.3", False),
        ("1.2", None, False),
        ("1.2", "unknown", False),
        ("1.2", "1.2+local", False),
    ],
)
def test_the_loaded_release_is_the_planned_one(
    version: str, loaded: str | None, *, as_planned: bool
) -> None:
    found = Loaded(version=loaded, location=None)
    assert loaded_as_planned(version, found) is as_planned


@pytest.mark.parametrize("said", [BUG, GOOD, ODD])
@pytest.mark.parametrize("loaded", ["1.1", None])
def test_with_another_version_loaded_nothing_is_believed(said: Said, loaded: str | None) -> None:
    found = judge(CASE, "1.2", facts(*[said] * 5, loaded=loaded), 5)
    assert (found.verdict, found.reason) == (Verdict.UNRESOLVED, Reason.WRONG_VERSION)
    assert found.counts.judged == 0
    assert no_attempt_helps(found)


def test_a_control_is_judged_though_nothing_is_loaded() -> None:
    found = judge(CASE, None, facts(ERROR, ERROR, loaded=None, lock=a_lock()), 5)
    assert (found.verdict, found.reason) == (Verdict.UNRESOLVED, Reason.NO_SIGNATURE)


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ((), False),
        ((ODD,), False),
        ((ODD, ODD), True),
        ((ODD, ERROR), False),
        ((ERROR, ERROR, GOOD), True),
        ((GOOD, ODD, ODD), False),
        ((GOOD, GOOD), False),
        ((BUG, BUG), False),
    ],
)
def test_two_first_attempts_unresolved_for_one_reason_are_enough(
    said: tuple[Said, ...], *, stays: bool
) -> None:
    assert no_attempt_helps(judge(CASE, "1.2", facts(*said), 5)) is stays


# Hangs.

HANGS = CASES[Ends.TIMEOUT]
SLEEPS = Said(EndingKind.SILENCE, None, b"BUG point reached\n")
HANG_ROWS: list[tuple[str, tuple[tuple[Said, bool], ...], Verdict, Reason | None, bool]] = [
    ("one hang", ((HANG, False),), Verdict.UNRESOLVED, Reason.NOT_A_HANG, True),
    ("repeated", ((HANG, False), (HANG, True)), Verdict.PRESENT, None, False),
    ("silence repeated", ((SLEEPS, False), (SLEEPS, True)), Verdict.PRESENT, None, False),
    ("slow", ((HANG, False), (NO_HANG, True)), Verdict.UNRESOLVED, Reason.NOT_A_HANG, True),
    ("never hung", ((NO_HANG, False),) * 5, Verdict.ABSENT, None, False),
    ("point not reached", ((Said(EndingKind.TIMEOUT, None), False),), Verdict.UNRESOLVED, Reason.NOT_REACHED, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "verdict", "reason", "in_doubt"),
    [each[1:] for each in HANG_ROWS],
    ids=[each[0] for each in HANG_ROWS],
)
def test_a_hang_counts_once_it_outlasted_twice_the_limit(
    said: tuple[tuple[Said, bool], ...],
    verdict: Verdict,
    reason: Reason | None,
    *,
    in_doubt: bool,
) -> None:
    attempts = [an_attempt(each, doubled=doubled) for each, doubled in said]
    known = facts(*attempts)
    found = judge(HANGS, "1.2", known, 5)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert hang_in_doubt(HANGS, known) is in_doubt


def test_once_a_hang_was_repeated_all_of_them_count() -> None:
    known = facts(HANG, an_attempt(HANG, doubled=True), HANG, NO_HANG)
    found = judge(HANGS, "1.2", known, 5)
    assert (found.counts.present, found.counts.absent) == (3, 1)


def test_a_repetition_that_said_nothing_did_not_settle_the_doubt() -> None:
    known = facts(HANG, an_attempt(ODD, doubled=True))
    assert hang_in_doubt(HANGS, known)


def test_only_hangs_are_repeated_with_twice_the_limit() -> None:
    assert not hang_in_doubt(CASE, facts(BUG))


TRACEBACK = b"""Traceback (most recent call last):
  File "/case/repro.py", line 3, in <module>
    sys.exit(0 if thing.f() == 1
             else "BUG")
             ^^^^^^^^^^^
AttributeError: module 'thing' has no attribute 'f'
"""


def test_source_of_the_script_in_a_traceback_is_not_the_signature() -> None:
    case = a_case(signature="BUG")
    quoted = an_attempt(ERROR, stdout=b"", stderr=TRACEBACK)
    assert observe(case, quoted).reason is Reason.NO_SIGNATURE
    raised = TRACEBACK.replace(b"AttributeError: module", b"AttributeError: BUG in the module")
    assert observe(case, an_attempt(ERROR, stdout=b"", stderr=raised)).says is Verdict.PRESENT
    elsewhere = TRACEBACK.replace(b"/case/repro.py", b"/lib/thing.py")
    assert observe(case, an_attempt(ERROR, stdout=b"", stderr=elsewhere)).says is Verdict.PRESENT
