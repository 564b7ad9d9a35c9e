"""What is published: markers to the byte, which record counts, and statements that were measured."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.evidence import absence_needed, chance_of_silence
from runner.outcome import Outcome, Status
from runner.publish.markers import BadMarkers, SectionName, has_markers, places, with_sections
from runner.publish.standing import Lack, Mark, mark_of, said_of_lack, standing
from runner.records import Record, Withdrawal
from tests.builders import LATER

NOW, OLD = "a" * 64, "b" * 64
WRONG = Withdrawal(at=LATER, why="a wrong clock")
OUTSIDE = st.binary(max_size=40).filter(
    lambda each: not has_markers(each) and not each.startswith((b"\xff\xfe", b"\xfe\xff"))
)


def a_record(run: str, *, hours: int = 0, **changes: object) -> Record:
    usual = {
        "run": run,
        "kind": "verify",
        "case": "demo",
        "case_sha256": NOW,
        "ended": LATER + timedelta(hours=hours),
        "status": Status.PASS,
        "outcome": Outcome.OK,
        "summary": "It holds.",
    }
    return Record.model_validate(usual | changes)


# Markers


@given(OUTSIDE, OUTSIDE, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.text(max_size=30))
def test_what_is_outside_of_markers_stays_and_twice_is_once(
    head: bytes, tail: bytes, newline: bytes, text: str
) -> None:
    begin = b"<!-- fixproof:begin demo proof -->" + newline
    before = head + newline + begin + b"older" + newline + b"<!-- fixproof:end -->" + newline + tail
    if newline == b"\r" and tail.startswith(b"\n"):
        return
    said = "".join(each if each.isprintable() else "?" for each in text).replace("<!--", "")
    texts = {("demo", SectionName.PROOF): said}
    after = with_sections(before, texts, html=False)
    assert after.startswith(head + newline + begin)
    assert after.endswith(b"<!-- fixproof:end -->" + newline + tail)
    assert with_sections(after, texts, html=False) == after


@pytest.mark.parametrize("html", [True, False])
def test_what_an_encoding_cannot_say_is_escaped(*, html: bool) -> None:
    page = b"\xe9\n<!-- fixproof:begin demo proof -->\n<!-- fixproof:end -->"
    written = with_sections(page, {("demo", SectionName.PROOF): "\N{CHECK MARK}"}, html=html)
    assert (b"&#10003;\n" if html else b"\\u2713\n") in written


def test_places_of_several_cases_may_stand_on_one_page() -> None:
    ends = b"<!-- fixproof:end -->\n"
    page = b"".join(b"<!--fixproof:begin %s proof-->\n%s" % (each, ends) for each in (b"a", b"b"))
    assert [(each.case, each.line) for each in places(page)] == [("a", 1), ("b", 3)]


def test_a_last_line_without_an_end_is_no_place_for_a_section() -> None:
    with pytest.raises(BadMarkers, match="nothing ends"):
        places(b"<!-- fixproof:begin demo proof -->")


BEGIN, END = b"<!-- fixproof:begin demo proof -->\n", b"<!-- fixproof:end -->\n"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"nothing", "has no markers"),
        (END, "line 1 ends a section that nothing began"),
        (b"\n" + BEGIN, "line 2 begins a section that nothing ends"),
        (BEGIN + BEGIN + END + END, "line 2 begins a section within that of line 1"),
        ((BEGIN + END) * 2, "lines 1 and 3 both ask for proof of demo"),
        (BEGIN.replace(b" proof", b" prove") + END, "'prove', which is no section"),
        (b"> " + BEGIN + END, "line 1 has a marker that cannot be read"),
        (b"<!-- FIXPROOF:begin demo proof -->\n" + END, "cannot be read"),
        (b"\xff\xfe" + BEGIN + END, "is UTF-16"),
    ],
)
def test_markers_that_cannot_be_read_are_refused(page: bytes, said: str) -> None:
    with pytest.raises(BadMarkers, match=said):
        places(page)


# Which record counts


def test_the_newest_that_told_something_counts_and_a_newer_one_that_did_not_is_named() -> None:
    doubtful = a_record("new", hours=3, status=Status.INCONCLUSIVE, outcome=Outcome.UNRESOLVED)
    told, older = a_record("told", hours=2), a_record("older", hours=1)
    found = standing([doubtful, told, older], NOW)
    assert (found.verification, found.newer, found.lack) == (told, doubtful, None)
    assert found.main == told
    assert found.relied_on == (told,)


def test_of_the_whole_case_counts_before_a_part_and_a_candidate_never() -> None:
    candidate = a_record("candidate", hours=3, candidate=True)
    part, whole = a_record("part", hours=2, partial=True), a_record("whole", hours=1)
    assert standing([candidate, part, whole], NOW).verification == whole
    assert standing([candidate, part], NOW).verification == part
    assert standing([candidate], NOW).lack is Lack.NOT_RUN


def test_a_sweep_counts_before_a_bisection() -> None:
    bisection = a_record("bisection", kind="bisect", hours=2)
    sweep = a_record("sweep", kind="sweep")
    assert standing([bisection, sweep], NOW).survey == sweep
    assert standing([bisection], NOW).survey == bisection
    assert standing([bisection], NOW).main == bisection


@pytest.mark.parametrize(
    ("records", "lack", "said"),
    [
        ([], Lack.NOT_RUN, "Not measured"),
        ([a_record("x", case_sha256=OLD)], Lack.STALE, "changed after x of 2026-02-11"),
        ([a_record("x", withdrawn=WRONG)], Lack.WITHDRAWN, "(a wrong clock)"),
    ],
)
def test_where_nothing_can_be_relied_on_it_is_said_why(
    records: list[Record], lack: Lack, said: str
) -> None:
    found = standing(records, NOW)
    assert (found.lack, found.relied_on, found.main) == (lack, (), None)
    assert said in said_of_lack(found, "demo")


def test_nothing_is_said_where_something_can_be_relied_on() -> None:
    assert said_of_lack(standing([a_record("x")], NOW), "demo") == ""


def test_a_record_says_what_became_of_it() -> None:
    first, second = a_record("first"), a_record("second", hours=1)
    records = [second, first]
    assert mark_of(second, records, NOW) is None
    assert mark_of(first, records, NOW) == (
        Mark.SUPERSEDED,
        "Superseded by second, which asked the same later.",
    )
    assert mark_of(first, [first], OLD) == (
        Mark.STALE,
        "Stale: the case has another script or other claims now.",
    )
    withdrawn = a_record("x", withdrawn=WRONG)
    assert mark_of(withdrawn, [withdrawn], NOW) == (
        Mark.WITHDRAWN,
        "Withdrawn on 2026-02-11: a wrong clock",
    )
    assert (
        mark_of(first, [withdrawn.model_copy(update={"ended": second.ended}), first], NOW) is None
    )


# Confidence


@given(st.integers(1, 60), st.integers(0, 20), st.sampled_from([0.5, 0.9, 0.99, 0.999]))
def test_the_chance_that_is_told_is_the_one_that_was_asked_for(
    shown: int, silent: int, confidence: float
) -> None:
    needed = absence_needed(shown + silent, silent, confidence)
    assert chance_of_silence(shown + silent, silent, needed) <= 1 - confidence + 1e-12
    assert chance_of_silence(shown + silent, silent, needed - 1) > 1 - confidence - 1e-12
