"""What is run again and what is not, and how a report says so."""

from __future__ import annotations

from tests.e2e.command import TELLS, Cases, Fixproof, Package, cell, counts, ran_now, said


def test_a_repeated_verify_runs_nothing_and_says_so(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write()
    first = fixproof.verify(script, code=0)
    assert ran_now(first) == 10
    done = fixproof("verify", script)
    assert done.code == 0
    assert "none ran now" in done.text
    second = fixproof.verify(script, code=0)
    assert ran_now(second) == 0
    assert second["ran"] == first["ran"]
    assert second["run"] != first["run"]
    assert second["measured"] == first["measured"]
    kept = [each["log"] for every in second["cells"] for each in every["attempts"]]
    assert kept == [each["log"] for every in first["cells"] for each in every["attempts"]]


def test_fresh_runs_all_again(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    script = cases.write()
    first = fixproof.verify(script, code=0)
    again = fixproof.verify(script, "--fresh", code=0)
    assert ran_now(again) == 10
    assert again["ran"] > first["ran"]


def test_a_better_signature_judges_old_attempts_again_without_running_them(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    first = fixproof.verify(cases.write(signature="^BUG: something else"), code=3)
    assert cell(first, "before")["reason"] == "no_signature"
    assert counts(cell(first, "fixed"))[2] == 0
    second = fixproof.verify(cases.write(signature="^BUG: it is"), code=0)
    reused = [each["reused"] for each in cell(second, "before")["attempts"]]
    assert reused.count(True) == len(cell(first, "before")["attempts"])
    assert counts(cell(second, "before"))[0] == len(reused) >= 3  # one judged by none is replaced
    third = fixproof.verify(cases.write(signature="^BUG: it", title="Other words"), code=0)
    assert ran_now(third) == 0
    fourth = fixproof.verify(cases.write(signature="^BUG: not it"), code=3)
    assert ran_now(fourth) == 0
    assert cell(fourth, "before")["reason"] == "no_signature"


def test_another_claim_reuses_what_it_can(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    fixproof.verify(cases.write(), code=0)
    report = fixproof.verify(cases.write(fixed="1.2", broken=["1.0"]), code=0)
    assert {each["reused"] for each in cell(report, "before")["attempts"]} == {True}
    assert {each["reused"] for each in cell(report, "broken")["attempts"]} == {False}


def test_a_changed_script_runs_again(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    fixproof.verify(cases.write(), code=0)
    report = fixproof.verify(cases.write(f"{TELLS}\n# another line\n"), code=0)
    assert ran_now(report) == 10


def test_changed_limits_and_environments_run_again(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    fixproof.verify(cases.write(), code=0)
    assert ran_now(fixproof.verify(cases.write(timeout=50), code=0)) == 10
    assert ran_now(fixproof.verify(cases.write(variants={"a": {"env": {"A": "1"}}}), code=0)) == 10


def test_a_changed_neighbour_of_the_script_runs_again(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    folder = cases.folder / "folder"
    folder.mkdir()
    (folder / "repro.py").write_text(cases.text())
    (folder / "data.txt").write_text("one")
    fixproof.verify(folder, code=0)
    assert ran_now(fixproof.verify(folder, code=0)) == 0
    (folder / "data.txt").write_text("two")
    assert ran_now(fixproof.verify(folder, code=0)) == 10


def test_evidence_is_shared_between_cases_that_run_the_same(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    first = fixproof.verify(cases.write(name="one"), code=0)
    second = fixproof.verify(cases.write(name="two"), code=0)
    assert said(second) == ("PASS", "ok")
    assert ran_now(second) == 0
    assert second["ran"] == first["ran"]
    page = fixproof("report", second["run"])
    assert page.code == 0
    assert "two" in page.text


def test_new_releases_are_seen_when_asked_afresh(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.1").release("1.2")
    script = cases.write()
    fixproof.verify(script, code=1)
    package.release("1.1.1", "BROKEN = True\n")
    report = fixproof.verify(script, "--fresh", code=0)
    assert cell(report, "before")["version"] == "1.1.1"
