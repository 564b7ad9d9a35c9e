"""JUnit XML: what a CI server counts, shows and can read, whatever a log holds."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.attempt import Attempt
from runner.errors import BrokenCase, FixproofError, IndexUnreachable
from runner.render.junit import junit
from runner.sandbox import Stream
from tests.builders import (
    BUG,
    GOOD,
    ODD,
    Said,
    Trial,
    Verified,
    World,
    a_case,
    a_failure,
    a_history,
    a_plan,
    a_universe,
    broken_in,
    verify,
)

HISTORY = a_history("1.0", "1.1", "1.2", "1.3")
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {
        "name", "package", "timestamp", "tests", "failures", "errors", "skipped", "time",
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
    "system-out": set(),
}  # fmt: skip
"""Those of Jenkins' schema (junit-10.xsd) that are used here; it allows no others of testcase."""


def verified(behave: Any = None, *, latest: bool = False, **words: Any) -> Verified:
    plan = a_plan(a_case(**words), a_universe(HISTORY), latest=latest)
    return verify(plan, World(behave or broken_in("1.0", "1.1")))


def document(*found: Verified | FixproofError, **words: Any) -> Element:
    """What is written of some results, read again; it must be such that servers read it."""
    logs: dict[str, Attempt] = {
        attempt.id: attempt
        for each in found
        if isinstance(each, Verified)
        for facts in each.simulation.facts.values()
        for attempt in facts.attempts
    }
    results = [each.report if isinstance(each, Verified) else each for each in found]
    read = fromstring(junit(results, logs.get, **words))
    servers_can_read(read)
    return read


def servers_can_read(read: Element) -> None:
    """Only what the schema knows; counts that are true; names that differ."""
    assert read.tag == "testsuites"
    for each in read.iter():
        assert {*each.attrib} <= ATTRIBUTES[each.tag], each.tag
    for place in (read, *read):
        tests = list(place.iter("testcase"))
        assert int(place.attrib["tests"]) == len(tests)
        for attribute, kind in (("failures", "failure"), ("errors", "error")):
            assert int(place.attrib[attribute]) == len(list(place.iter(kind)))
        assert re.fullmatch(r"\d+\.\d{3}", place.attrib["time"])
    for suite in read:
        named = [(each.attrib["classname"], each.attrib["name"]) for each in suite.iter("testcase")]
        assert len({*named}) == len(named)
        assert all(re.fullmatch(r"fixproof\.[^.]+", each) for each, _ in named)
    for test in read.iter("testcase"):
        assert len([each for each in test if each.tag != "system-out"]) <= 1


def ends(read: Element) -> dict[str, str]:
    """How each test ended, by name."""
    return {
        test.attrib["name"]: next((each.tag for each in test if each.tag != "system-out"), "pass")
        for test in read.iter("testcase")
    }


def test_a_run_that_passes_has_a_test_for_each_claim_and_one_for_the_series() -> None:
    read = document(verified(broken="1.0", fixed="1.2"))
    assert ends(read) == {
        "1.2 fixes the bug (Python 3.8)": "pass",
        "1.0 has the bug (Python 3.8)": "pass",
        "as a whole (Python 3.8)": "pass",
    }
    (suite,) = read
    assert (suite.attrib["name"], suite.attrib["package"]) == ("demo", "pkg")
    assert suite.attrib["timestamp"] == "2026-02-11T16:52:29"


def test_a_suite_says_status_outcome_and_mode_as_properties() -> None:
    (suite,) = document(verified())
    told = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert (told["status"], told["outcome"], told["mode"]) == ("PASS", "ok", "both")
    assert told["run"] == "run-1"


def test_a_test_took_as_long_as_its_attempts() -> None:
    (suite,) = document(verified())
    times = {each.attrib["name"]: each.attrib["time"] for each in suite.iter("testcase")}
    assert times == {
        "1.2 fixes the bug (Python 3.8)": "2.000",
        "as a whole (Python 3.8)": "2.500",
    }


def test_a_contradicted_claim_is_a_failure_with_the_sentence_and_the_evidence() -> None:
    read = document(verified(broken_in("1.0", "1.1", "1.2")))
    assert {*ends(read).values()} == {"failure"}
    (claim, whole) = read.iter("failure")
    assert claim.attrib["type"] == "contradicted"
    assert claim.attrib["message"] in str(claim.text)
    assert "3 of 3 attempts show the bug" in str(claim.text)
    assert "demo/pkg-1.2/py3.8\n    1.2 (fixed)" in str(claim.text)
    assert "fixproof verify demo --fresh" in str(claim.text)
    assert whole.attrib["type"] == "still_broken"
    assert whole.attrib["message"].startswith("1.2 is said to be fixed and still shows the bug")


def test_a_failure_that_no_claim_tells_is_one_all_the_same() -> None:
    read = document(verified(broken_in("1.0", "1.1", "1.3"), latest=True))
    assert ends(read) == {
        "1.2 fixes the bug (Python 3.8)": "pass",
        "as a whole (Python 3.8)": "failure",
    }


def test_doubt_is_an_error_and_the_claim_skipped() -> None:
    read = document(verified(lambda _trial: ODD))
    assert ends(read) == {
        "1.2 fixes the bug (Python 3.8)": "skipped",
        "as a whole (Python 3.8)": "error",
    }
    (error,) = read.iter("error")
    assert error.attrib["type"] == "unresolved"


def test_an_untested_series_is_skipped_beside_others_and_an_error_alone() -> None:
    words: dict[str, Any] = {"variants": {"a": {}, "b": {"python": ["3.14"]}}}
    beside = ends(document(verified(**words)))
    assert beside["as a whole (a, Python 3.8)"] == "pass"
    assert beside["as a whole (b, Python 3.14)"] == "skipped"
    alone = ends(document(verified(python=["3.14"])))
    assert {*alone.values()} == {"skipped", "error"}


@settings(max_examples=40)
@given(
    st.sets(st.sampled_from(["1.0", "1.1", "1.2", "1.3"])),
    st.sampled_from([None, "1.2"]),
    st.booleans(),
)
def test_failures_and_errors_say_what_the_status_says(
    broken: set[str],
    uninstallable: str | None,
    latest: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    plan = a_plan(a_case(), a_universe(HISTORY), latest=latest)
    world = World(
        broken_in(*broken), lambda each: a_failure() if each == uninstallable else {"dep": "1"}
    )
    found = verify(plan, world)
    read = document(found)
    counted = (read.attrib["failures"] != "0", read.attrib["errors"] != "0")
    assert counted == (found.report.status == "FAIL", found.report.status == "INCONCLUSIVE")


def test_several_cases_are_several_suites_and_a_case_that_cannot_run_is_an_error() -> None:
    broken = BrokenCase("the key 'title' is required", case="a.b", hint="Name it.")
    unreachable = IndexUnreachable("the index does not answer")
    read = document(verified(), broken, unreachable)
    assert [each.attrib["name"] for each in read] == ["demo", "a.b", "fixproof"]
    (error, _) = read.iter("error")
    assert (error.attrib["type"], error.attrib["message"]) == (broken.kind, broken.message)
    assert "Name it." in str(error.text)
    assert read.attrib["errors"] == "2"


def test_nothing_is_a_document_too() -> None:
    assert document().attrib["tests"] == "0"


def saying(stdout: bytes) -> Any:
    def behave(trial: Trial) -> Said:
        said = broken_in("1.0", "1.1")(trial)
        if said == BUG:
            return BUG._replace(stdout=b"BUG\n" + stdout)
        return GOOD._replace(stdout=stdout) if said == GOOD else said

    return behave


def test_logs_of_both_sides_are_the_output_of_a_claim() -> None:
    read = document(verified(saying(b"line\n" * 500)))
    (output,) = read.iter("system-out")
    assert "==== demo/pkg-1.1/py3.8: present, exit 1, 0.2 s\nBUG\nline" in str(output.text)
    assert "==== demo/pkg-1.2/py3.8: absent, exit 0" in str(output.text)
    assert "lines left out" in str(output.text)


def test_standard_error_is_set_apart() -> None:
    found = verified()
    attempt = next(iter(found.simulation.facts.values())).attempts[0]
    stored = attempt.model_copy(update={"stderr": Stream(head=b"a warning")})
    read = fromstring(junit([found.report], lambda _name: stored))
    (output,) = read.iter("system-out")
    assert "BUG: it broke\n---- standard error\na warning" in str(output.text)


def test_a_log_that_is_no_longer_stored_is_named_all_the_same() -> None:
    read = fromstring(junit([verified().report], lambda _name: None))
    (output,) = read.iter("system-out")
    assert str(output.text).split("\n")[0] == "==== demo/pkg-1.1/py3.8: present"


def test_paths_of_the_machine_are_not_told() -> None:
    found = verified(saying(b"File /home/somebody/x.py\n"))
    read = document(found, user_home="/home/somebody")
    (output,) = read.iter("system-out")
    assert "File ~/x.py" in str(output.text)
    assert "somebody" not in "".join(read.itertext())


ILLEGAL = "\x00\x01\x08\x0b\x0c\x1b\x7f\ufffe\uffff\u202e]]>&<>\"'"


@settings(max_examples=40)
@given(
    st.binary(max_size=60),
    st.text(st.sampled_from(ILLEGAL + "ab "), max_size=12).filter(str.strip),
)
@example(ILLEGAL.encode(), ILLEGAL)
def test_the_document_can_be_read_whatever_titles_and_logs_hold(output: bytes, title: str) -> None:
    words: dict[str, Any] = {"title": title} if len(title.splitlines()) == 1 else {}
    read = document(verified(saying(output), **words))
    assert {*ends(read).values()} == {"pass"}


@pytest.mark.parametrize("case_id", ["demo", "uvicorn-0.12", "a.b.c"])
def test_a_server_does_not_take_a_part_of_the_id_for_a_package(case_id: str) -> None:
    case = a_case(case_id)
    found = verify(a_plan(case, a_universe(HISTORY)), World(broken_in("1.0", "1.1")))
    names = {each.attrib["classname"] for each in document(found).iter("testcase")}
    assert names == {f"fixproof.{case_id.replace('.', '_')}"}
