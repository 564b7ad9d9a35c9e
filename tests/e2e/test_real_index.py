"""A case of the corpus, on the real index: the numbers that its page states, and its history."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.boundaries import found, recent, wrong
from tests.e2e.command import Fixproof, cells, counts, said

CASE = Path(__file__).parents[2] / "repros" / "uvicorn-824.py"
JOBS = ("--jobs", "6")
"""Its script does little but wait."""


@pytest.mark.index
def test_the_leaked_timer_of_uvicorn_was_fixed_in_0_12_3_and_other_claims_are_refuted(
    fixproof: Fixproof, tmp_path: Path
) -> None:
    call = replace(fixproof, index=None)
    report = call.verify(CASE, *JOBS, code=0)
    assert said(report) == ("PASS", "ok")
    by_variant = {each["variant"]: each for each in report["series"]}
    h11 = by_variant["h11"]
    assert (h11["status"], h11["outcome"], h11["mode"]) == ("PASS", "ok", "both")
    assert (h11["measured"]["first_fixed"], h11["measured"]["last_broken"]) == ("0.12.3", "0.12.2")
    assert h11["confirmation"]["result"] == "same"
    assert by_variant["httptools"]["status"] in ("PASS", "untested")
    (before,) = [each for each in cells(report, "before") if each["variant"] == "h11"]
    (fixed,) = [each for each in cells(report, "fixed") if each["variant"] == "h11"]
    assert (counts(before), counts(fixed)) == ((3, 0, 0), (0, 5, 0))
    assert (before["version"], fixed["version"]) == ("0.12.2", "0.12.3")
    assert not any(each.startswith("wsproto==1") for each in fixed["dependencies"])

    def claiming(version: str) -> Path:
        text = re.sub(r'(?m)^# fixed     = ".*"', f'# fixed     = "{version}"', CASE.read_text())
        script = tmp_path / f"claims-{version}.py"
        script.write_text(text)
        return script

    early = call.verify(claiming("0.12.2"), "--only", "*/h11", *JOBS, code=1)
    assert said(early) == ("FAIL", "still_broken")
    late = call.verify(claiming("0.13.0"), "--only", "*/h11", *JOBS, code=1)
    assert said(late) == ("FAIL", "fixed_earlier")
    assert late["measured"]["first_fixed"] == "0.12.3"
    unheard_of = call.verify(claiming("0.12.4"), "--only", "*/h11", *JOBS, code=1)
    assert said(unheard_of) == ("FAIL", "no_such_release")


@pytest.mark.index
def test_a_search_finds_what_a_sweep_of_all_releases_with_wheels_confirms(
    fixproof: Fixproof, tmp_path: Path
) -> None:
    """`make boundaries` does so for all cases and their variants."""
    call, case = replace(fixproof, index=None), recent(CASE, tmp_path)
    wanted = (case, "--only", "*/h11", *JOBS)
    ((name, bisected),) = found(call.bisect(*wanted, code=0)).items()
    again = replace(call, home=tmp_path / "other")
    (swept,) = found(again.sweep(*wanted, code=0)).values()
    assert list(wrong(name, bisected, swept)) == []
    assert len(bisected.verdicts) < len(swept.verdicts) / 5
