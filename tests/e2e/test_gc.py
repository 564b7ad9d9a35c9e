"""`fixproof gc`: what it deletes, and that nothing is lost that anybody needs."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import sqlalchemy as sa

from tests.e2e.command import BROKEN, GOOD, TELLS, Cases, Fixproof, Package, ran_now, said
from tests.e2e.test_builds import a_source
from tests.servers import wait_for

_CHANGES = ("fixproof.sqlite3", "locks", "store/uses")
SLOW = "import time\ntime.sleep(0.5)\n"


def collected(fixproof: Fixproof, *words: str) -> dict[str, tuple[int, int]]:
    """How many of each kind were deleted, and their bytes."""
    done = fixproof("gc", "--json", *words)
    assert done.code == 0, done.stderr
    found = done.document
    assert found["left"] == []
    return {each["what"]: (each["count"], each["bytes"]) for each in found["collected"]}


def numbers(fixproof: Fixproof, *words: str) -> dict[str, int]:
    return {name: number for name, (number, _) in collected(fixproof, *words).items() if number}


def trees(fixproof: Fixproof) -> set[str]:
    return {each.name for each in (fixproof.home / "store" / "envs").iterdir()}


def age(path: Path, days: float) -> None:
    """As if it had not been touched for so long."""
    then = time.time() - days * 24 * 60 * 60
    os.utime(path, (then, then))


def age_store(fixproof: Fixproof, days: float = 100) -> None:
    """As if nothing of the store had been touched for so long."""
    for each in (fixproof.home / "store").rglob("*"):
        if not each.is_symlink():
            age(each, days)


def everything(home: Path) -> set[str]:
    """Every file below a home, but those of the database and of locks, which looking changes."""
    found = (str(each.relative_to(home)) for each in home.rglob("*"))
    return {each for each in found if not each.startswith(_CHANGES)}


def test_what_was_used_of_late_stays(fixproof: Fixproof, package: Package, cases: Cases) -> None:
    package.usual()
    fixproof.verify(cases.write(), code=0)
    assert numbers(fixproof) == {}


def test_what_can_be_made_again_goes_and_no_evidence_with_it(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    case = cases.write()
    report = fixproof.verify(case, code=0)
    age_store(fixproof)
    before = everything(fixproof.home)
    told = collected(fixproof, "--dry-run")
    assert everything(fixproof.home) == before
    found = collected(fixproof)
    assert found == told
    assert found["environments"][0] >= 3
    assert found["downloads"][0] >= 2
    assert found["bytecode"][0] >= 1
    assert min(size for number, size in found.values() if number) > 0
    assert trees(fixproof) == set()
    assert fixproof("report", report["run"], "--json").document == report
    again = fixproof.verify(case, code=0)
    assert ran_now(again) == 0, "all evidence is there"
    fresh = fixproof.verify(case, "--fresh", code=0)
    assert said(fresh) == ("PASS", "ok")
    assert ran_now(fresh) > 0


def test_bytes_are_what_the_disk_has_more_afterwards(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    fixproof.verify(cases.write(), code=0)
    age_store(fixproof)

    def used() -> int:
        words = ["du", "--summarize", "--block-size=1", str(fixproof.home / "store")]
        return int(subprocess.run(words, capture_output=True, check=True).stdout.split()[0])

    before = used()
    kinds = ("environments", "downloads", "bytecode")
    freed = sum(size for name, (_, size) in collected(fixproof).items() if name in kinds)
    folders = before - used() - freed
    assert 0 <= folders < freed, "folders take some room as well"


def test_a_tree_that_something_runs_in_stays_until_that_is_over(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.release("1.0", BROKEN).release("1.1", GOOD)
    case = cases.write(SLOW + TELLS, fixed="1.1")
    with fixproof.started("verify", case, "--json", "--jobs", "1") as process:
        wait_for((fixproof.home / "store" / "envs").exists, "nothing is made")
        stayed: set[str] = set()
        while process.poll() is None:
            age_quietly(fixproof)
            assert fixproof("gc", "--environments", "0").code == 0
            stayed |= trees(fixproof)
        stdout, stderr = process.communicate()
    assert process.returncode == 0, stdout + stderr
    assert len(stayed) >= 3, "two releases, and a control"
    fixproof("gc", "--environments", "0")
    assert trees(fixproof) == set()


def age_quietly(fixproof: Fixproof) -> None:
    """Let trees look old, while others make and move them."""
    for each in (fixproof.home / "store" / "envs").glob("*"):
        try:
            age(each, 100)
        except FileNotFoundError:
            continue


def test_a_built_wheel_stays_as_long_as_a_lock_names_it(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.source_only("1.0", BROKEN, a_source(package, "1.0")).release("1.1", GOOD)
    fixproof.verify(cases.write(fixed="1.1"), code=0)
    age_store(fixproof)
    assert "built_wheels" not in numbers(fixproof)
    age_store(fixproof)
    engine = sa.create_engine(f"sqlite:///{fixproof.home}/fixproof.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM locks")
    engine.dispose()
    assert numbers(fixproof)["built_wheels"] == 1


def test_a_candidate_stays_as_long_as_a_stored_run_is_about_it(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    source = tmp_path / "source"
    source.mkdir()
    for name, text in {**a_source(package, "1.2"), f"{package.module}.py": GOOD}.items():
        (source / name).write_text(text)
    fixproof.verify(cases.write(), "--candidate", str(source), code=0)
    age_store(fixproof)
    assert "candidates" not in numbers(fixproof)
    engine = sa.create_engine(f"sqlite:///{fixproof.home}/fixproof.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM runs")
        connection.exec_driver_sql("DELETE FROM locks")
    engine.dispose()
    age_store(fixproof)
    assert numbers(fixproof)["candidates"] == 2, "and the wheel that was built of it"


def test_what_killed_processes_left_goes_when_it_is_old_enough(fixproof: Fixproof) -> None:
    store = fixproof.home / "store"
    left = [store / ".asked-x", store / ".source-x", store / "built" / "abc" / ".new-x"]
    left += [store / "uv-cache" / ".tmpabc", store / "envs" / ".making-abc-0"]
    for each in left:
        each.mkdir(parents=True)
    assert numbers(fixproof) == {"environments": 1}, "of trees it is known who is at it"
    for each in left[:-1]:
        age(each, 2)
    assert numbers(fixproof) == {"downloads": 1, "remnants": 3}
    assert not any(each.exists() for each in left)


def test_bad_input_is_said(fixproof: Fixproof) -> None:
    error = fixproof.error("gc", "--runs", "30")
    assert (error["exit_code"], "31 days at least" in error["message"]) == (2, True)
    error = fixproof.error("gc", FIXPROOF_KEEP_RUNS="forever")
    assert "FIXPROOF_KEEP_RUNS is a number of days" in error["message"]
    assert "0 bytes deleted\n" in fixproof("gc").text
