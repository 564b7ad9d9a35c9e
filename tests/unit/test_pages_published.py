"""The five published pages, where they are beside the project, against what is so of their bugs.

What the cases of `repros/` measured is made up here release by release, as docs/cases.md tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.version import Version

from runner.claims import Result
from runner.pages.audit import AuditedPage, Verdict, audited
from runner.pages.claimed import ClaimKind
from runner.pages.fields import page_of
from runner.pages.reading import read
from tests.builders import GOOD, Said, Trial, World, a_case, a_history, a_plan, a_universe
from tests.page_builders import evidence, witnesses

SHARED = Path(__file__).parents[3] / "shared" / "pages"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FIRST, FIXED, BROKEN = ClaimKind.FIRST_FIXED, ClaimKind.FIXED, ClaimKind.BROKEN
YES, NO, OPEN = Result.CONFIRMED, Result.CONTRADICTED, Result.UNTESTED


class Truth(NamedTuple):
    """What is so of a bug, and what an audit has to say of its page."""

    releases: tuple[str, ...]
    shows: Callable[[Trial], bool]
    case: dict[str, Any]
    told: dict[tuple[str, str], Result]
    words: str
    """In why the claim of a first fixed release is what it is."""
    python: str = "3.10"


def below(version: str, *variants: str) -> Callable[[Trial], bool]:
    """The bug shows below a release, in some variants."""
    return lambda trial: (
        trial.variant in variants and Version(trial.version or "0") < Version(version)
    )


TRUTHS = {
    "uvicorn-824": Truth(
        ("0.12.1", "0.12.2", "0.12.3", "0.13.0"),
        below("0.12.3", "h11", "httptools"),
        {"fixed": "0.12.3", "variants": {"h11": {}, "httptools": {}}},
        {(FIRST, "0.12.3"): YES, (FIXED, "0.12.3"): YES},
        "3 of 3 attempts show the bug on 0.12.2, 0 of 5 on 0.12.3",
    ),
    "uvicorn-1344": Truth(
        ("0.19.0", "0.20.0", "0.21.0"),
        below("0.21.0", "websockets"),
        {"fixed": "0.21.0", "variants": {"websockets": {}, "wsproto": {"affected": False}}},
        {(FIRST, "0.21.0"): YES, (FIXED, "0.21.0"): YES, (ClaimKind.PYTHON, "3.10"): YES},
        "3 of 3 attempts show the bug on 0.20.0, 0 of 5 on 0.21.0",
    ),
    "uvicorn-1778": Truth(
        ("0.18.3", "0.19.0", "0.20.0"),
        lambda trial: trial.version == "0.20.0",
        {"fixed": "0.20.0"},
        {(FIRST, "0.20.0"): NO, (FIXED, "0.20.0"): NO, (ClaimKind.PYTHON, "3.10"): YES},
        "measured, the bug came with 0.20.0",
    ),
    "uvicorn-451": Truth(
        ("0.21.0", "0.21.1", "0.22.0"),
        lambda trial: trial.variant == "default" or below("0.22.0", "option")(trial),
        {"fixed": "0.22.0", "variants": {"default": {}, "option": {}}},
        {(FIRST, "0.22.0"): NO, (FIXED, "0.22.0"): NO},
        "attempts show the bug on 0.22.0; but option, Python 3.10: 3 of 3",
    ),
    "uvicorn-868": Truth(
        ("0.3.8", "0.12.3", "0.13.0", "0.13.4", "0.14.0"),
        lambda trial: trial.dependencies["wsproto"] == "1.0.0",
        {"fixed": "0.14.0", "broken": ["0.3.8", "10.2.1", "84.87"]},
        {
            (FIRST, "0.14.0"): NO,
            (BROKEN, "0.3.8"): NO,
            (BROKEN, "10.2.1"): NO,
            (BROKEN, "84.87"): NO,
            (FIXED, "0.14.0"): NO,
            (ClaimKind.RANGE, "0.3.8–84.87"): NO,
            (ClaimKind.PYTHON, "3.8"): YES,
        },
        "on 0.14.0. The verdict follows wsproto (0.15.0 to 1.0.0), not the package.",
        python="3.8",
    ),
}


def told_of(name: str, truth: Truth) -> AuditedPage:
    """What an audit says of a page once its case has run."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return Said(code=1)
        return Said(code=1, stdout=b"BUG: there\n") if truth.shows(trial) else GOOD

    def dependencies(version: str) -> dict[str, str]:
        return {"wsproto": "0.15.0" if Version(version) < Version("0.13.0") else "1.0.0"}

    history = a_history(*truth.releases)
    plan = a_plan(a_case(python=[truth.python], **truth.case), a_universe(history, truth.python))
    listed = witnesses(plan, World(behave, dependencies))
    page = page_of(read((SHARED / f"{name}.txt").read_bytes(), f"{name}.txt"), name)
    return audited(page, history, evidence(*listed), NOW)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published pages are not at hand")
@pytest.mark.parametrize("name", TRUTHS)
def test_every_false_claim_is_found_and_every_true_one_confirmed(name: str) -> None:
    truth = TRUTHS[name]
    page = told_of(name, truth)
    assert {(each.kind, each.subject): each.result for each in page.claims} == truth.told
    assert truth.words in page.claims[0].why
    assert page.verdict is Verdict.FALSE, "each of them says something that is not so"
