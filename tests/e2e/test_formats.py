"""What the command prints in each format, for one case and for several."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from tests.e2e.command import Cases, Fixproof, Package
from tests.pages import read_page

MARKUP = '<script>alert(1)</script> & "more" \u202e'
SPEAKS = """
import sys
import {module}
print("</pre><script>alert(1)</script><img src=x onerror=alert(1)>")
print("\\x1b[1;31mred\\x1b[0m \\x1b]8;;javascript:alert(1)\\x1b\\\\link\\x1b]8;;\\x1b\\\\ \\x00\\x07")
if {module}.BROKEN:
    sys.exit("\\x1b[31mBUG: it is broken\\x1b[0m")
"""


def ends(document: Element) -> dict[str, list[str]]:
    """How the tests of each suite ended."""
    return {
        suite.attrib["name"]: [
            next((each.tag for each in test if each.tag != "system-out"), "pass")
            for test in suite.iter("testcase")
        ]
        for suite in document
    }


def test_a_page_shows_what_a_script_printed_and_nothing_of_it_acts(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("verify", cases.write(SPEAKS, title=MARKUP), "--format", "html")
    assert done.code == 0
    assert done.text.startswith("<!DOCTYPE html>")
    read = read_page(done.text)
    assert read.one("h1").text == MARKUP.replace("\u202e", "\\u202e")
    assert list(read.all("script", "img", "iframe")) == []
    broken, fixed = read.of_class("log")
    assert "<img src=x onerror=alert(1)>\nred link \\u0000\\u0007" in broken.text
    assert [each.text for each in broken.all("mark")] == ["BUG: "]
    assert list(fixed.all("mark")) == []
    assert str(fixproof.home) not in done.text


@pytest.mark.parametrize("form", ["html", "md", "junit", "json"])
def test_a_stored_run_is_shown_again_in_every_format(
    fixproof: Fixproof, package: Package, cases: Cases, form: str
) -> None:
    package.usual()
    script = cases.write(fixed="1.1")
    fixproof.verify(script, code=1)
    again = fixproof("verify", script, "--format", form)
    (run, _) = fixproof("runs", "--json").document["runs"]
    stored = fixproof("report", run["run"], "--format", form)
    assert (stored.code, stored.stdout) == (1, again.stdout)


def test_a_page_shows_one_case(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    done = fixproof("verify", cases.write(name="a"), cases.write(name="b"), "--format", "html")
    assert (done.code, done.stdout) == (2, b"")
    assert "a page shows one case" in done.stderr
    assert "no runs yet" in fixproof("runs").stderr


def test_a_ci_server_reads_one_document_of_all_cases(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    good, bad = cases.write(SPEAKS, name="good", title=MARKUP), cases.write(name="bad", fixed="1.1")
    doubtful = cases.write("import {module}, sys\nsys.exit(125)", name="doubtful")
    faulty = cases.write(name="faulty", signature="(")
    done = fixproof("verify", good, bad, doubtful, faulty, "--format", "junit")
    assert done.code == 2
    assert ends(fromstring(done.stdout)) == {
        "good": ["pass", "pass"],
        "bad": ["failure", "failure"],
        "doubtful": ["skipped", "error"],
        "faulty": ["error"],
    }
    assert "fixproof: faulty: 'signature' does not compile" in done.stderr


def test_a_ci_server_is_told_of_a_case_that_cannot_run(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    done = fixproof("verify", cases.write(signature="("), "--format", "junit")
    assert done.code == 2
    assert ends(fromstring(done.stdout)) == {"bug": ["error"]}
    assert "does not compile" in done.stderr


def test_trouble_is_json_too_however_json_is_asked_for(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(signature="(")
    errors: list[Any] = [
        json.loads(fixproof("verify", script, *words).stdout)
        for words in (("--json",), ("--format", "json"), ("--format=json",))
    ]
    assert [each["kind"] for each in errors] == ["broken_case"] * 3


def test_an_unknown_format_is_wrong_usage(fixproof: Fixproof) -> None:
    done = fixproof("report", "some-run", "--format", "pdf")
    assert done.code == 2
    assert "'md', 'html', 'json', 'junit'" in done.stderr
