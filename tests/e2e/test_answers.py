"""The answer at the top of the section, in situations that real bugs bring: true, and readable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.command import BROKEN, GOOD, TELLS, Cases, Fixproof, Package

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HAS_AN_OPTION = """
import os, sys
import {module}
safe = os.environ.get("SAFE") == "1" and {module}.OPTION
if {module}.BROKEN and not safe:
    print("BUG: it is broken")
    sys.exit(1)
print("fine")
"""
"""The fix is something that a user has to turn on."""
SAFE = {"env": {"SAFE": "1"}}
EXCLUDED = "(which excludes a rate of 0.25 or more)"

Releases = Callable[[Package], object]


def releases(**sources: str) -> Releases:
    """Releases `v1_0="…"`, each a day after the one before."""
    versions = {name[1:].replace("_", "."): source for name, source in sources.items()}
    return lambda package: [package.release(each, versions[each]) for each in versions]


USUAL = releases(v1_0=BROKEN, v1_1=BROKEN, v1_2=GOOD, v1_3=GOOD)
NEVER_FIXED = releases(v1_0=BROKEN, v1_1=BROKEN, v1_2=BROKEN)
OPTIONAL = releases(
    v1_0="BROKEN, OPTION = True, False\n",
    v1_1="BROKEN, OPTION = True, False\n",
    v1_2="BROKEN, OPTION = True, True\n",
)


def not_as_published(package: Package) -> None:
    package.release("1.0", BROKEN).release("1.1", BROKEN)
    package.release("1.2", GOOD, requires=(f"{package.name}-is-not-there",))


def fixed_twice(package: Package) -> None:
    for version, source in (("1.0", BROKEN), ("1.1", GOOD), ("2.0", BROKEN), ("2.1", GOOD)):
        package.release(version, source)


ANSWERS: list[tuple[str, Releases, dict[str, Any], tuple[str, ...], str, str]] = [
    (
        "variants that agree",
        USUAL,
        {"fixed": "1.2", "variants": {"h11": {}, "httptools": {}}},
        (),
        "PASS",
        (
            "1.2 is the first fixed release: 3 of 3 attempts show the bug on 1.1, 0 of 5 on 1.2. "
            "Both series say so."
        ),
    ),
    (
        "a fix that is an option and not a default",
        OPTIONAL,
        {
            "fixed": "1.2",
            "variants": {"default": {"fixed": [], "broken": ["1.1", "1.2"]}, "option": SAFE},
        },
        (),
        "PASS",
        (
            "option: 1.2 is the first fixed release: 3 of 3 attempts show the bug on "
            "1.1, 0 of 5 on 1.2. default: The bug is there as claimed: 3 of 3 "
            "attempts show the bug on 1.1, 3 of 3 on 1.2. No fix is claimed, none was run. The newest "
            "release, 1.2, shows the bug."
        ),
    ),
    (
        "an option that is claimed to be a fix for all",
        OPTIONAL,
        {"fixed": "1.2"},
        (),
        "FAIL",
        (
            "1.2 is said to be fixed and still shows the bug: 3 of 3 attempts show the bug on 1.1, 3 "
            "of 3 on 1.2, it shows on 1 more release looked at. The newest release, 1.2, shows the "
            "bug."
        ),
    ),
    (
        "a bug that no release fixes",
        NEVER_FIXED,
        {"broken": ["1.1", "1.2"]},
        (),
        "PASS",
        (
            "The bug is there as claimed: 3 of 3 attempts show the bug on 1.1, 3 of 3 on 1.2. No fix "
            "is claimed, none was run. The newest release, 1.2, shows the bug."
        ),
    ),
    (
        "a fix in a release that never came, and one that did",
        USUAL,
        {"fixed": "1.2.5"},
        (),
        "FAIL",
        (
            "There is no release 1.2.5, which is said to be fixed. Measured: 1.2 is the first fixed "
            f"release; 3 of 3 attempts show the bug on 1.1, 0 of 16 on 1.2 {EXCLUDED}."
        ),
    ),
    (
        "a fix in a release that never came, and none that did",
        NEVER_FIXED,
        {"fixed": "1.3"},
        (),
        "FAIL",
        (
            "There is no release 1.3, which is said to be fixed. Measured: 3 of 3 attempts show the "
            "bug on 1.2, it shows on 2 more releases looked at. The newest release, 1.2, shows the bug."
        ),
    ),
    (
        "no claim names a release",
        USUAL,
        {"fixed": "0.2", "broken": "0.1"},
        (),
        "FAIL",
        (
            "There is no release 0.2, which is said to be fixed, and no release 0.1, which is said to "
            "be broken. Measured: no attempt could be judged."
        ),
    ),
    (
        "a release that cannot be judged as published",
        not_as_published,
        {"fixed": "1.2"},
        (),
        "INCONCLUSIVE",
        (
            "Could not tell: 1.2 cannot be installed: no set of dependencies satisfies it as of that "
            "day (no_solution). What was judged: 3 of 3 attempts show the bug on 1.1."
        ),
    ),
    (
        "fixes of two lines",
        fixed_twice,
        {"fixed": ["1.1", "2.1"]},
        (),
        "PASS",
        (
            "1.1 and 2.1 are the first fixed releases: 3 of 3 attempts show the bug on 1.0, 0 of 5 on "
            "1.1, 3 of 3 on 2.0, 0 of 5 on 2.1."
        ),
    ),
    (
        "a bug that is back",
        releases(v1_0=BROKEN, v1_1=BROKEN, v1_2=GOOD, v1_3=BROKEN),
        {"fixed": "1.2"},
        ("--latest",),
        "FAIL",
        (
            "1.3 shows the bug again, which 1.2 had fixed: 3 of 3 attempts show the bug on 1.1, 0 of 5 "
            "on 1.2, 3 of 3 on 1.3."
        ),
    ),
]


@pytest.mark.parametrize(
    ("offer", "keys", "options", "status", "answer"),
    [each[1:] for each in ANSWERS],
    ids=[each[0] for each in ANSWERS],
)
def test_the_answer_is_true_and_stands_at_the_top_of_the_section(
    fixproof: Fixproof,
    package: Package,
    cases: Cases,
    offer: Releases,
    keys: dict[str, Any],
    options: tuple[str, ...],
    status: str,
    answer: str,
) -> None:
    offer(package)
    body = HAS_AN_OPTION if offer is OPTIONAL else TELLS
    script = cases.write(body, **keys)
    report = fixproof.verify(script, "--python", PYTHON, "--jobs", "1", *options)
    assert (report["status"], report["summary"]) == (status, answer)
    page = fixproof("report", report["run"]).text
    said = page.split("\n\n")[1].replace("\\", "")
    assert said == f"**{status}**: {answer}"


def test_an_interpreter_newer_than_the_release_is_told_beside_what_it_could_not_judge(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    """Nothing at hand is as old as these; what they import is gone."""
    long_ago = datetime(2015, 1, 1, tzinfo=UTC)
    for days, (version, source) in enumerate(
        [("1.0", BROKEN), ("1.1", "import gone_since_then\n"), ("1.2", GOOD)]
    ):
        package.release(version, source, uploaded=long_ago + timedelta(days=days))
    report = fixproof.verify(cases.write(fixed="1.2"), code=3)
    (series,) = report["series"]
    note = f"Python {series['python']} is newer than the oldest release judged here (2015-01-02)"
    assert note in report["summary"]
    assert report["summary"].startswith("Could not tell: 1.1 is unresolved: it exited 1 without")
    assert "0 of 16 attempts show the bug on 1.2" in report["summary"]
