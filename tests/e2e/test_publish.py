"""`fixproof publish` on pages: what was measured stands between markers, and nowhere else."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from runner.publish.markers import SectionName
from tests.e2e.command import PATIENCE, TELLS, Cases, Fixproof, Package
from tests.e2e.test_candidate import VERSION, a_wheel

LEAKS = """
import sys
import {module}
print("<!-- fixproof:end -->")
print("<script>alert(1)</script> ``` | \\x1b[31mred\\x1b[0m")
if {module}.BROKEN:
    sys.exit("BUG: it is broken")
"""


@pytest.fixture
def corpus(tmp_path: Path, package: Package) -> Cases:
    """A corpus in which the case is found by its id."""
    (tmp_path / "repros").mkdir()
    package.usual()
    return Cases(tmp_path / "repros", package)


def place(section: str, case: str = "bug", inside: str = "") -> str:
    return f"<!-- fixproof:begin {case} {section} -->\n{inside}<!-- fixproof:end -->\n"


def a_page(folder: Path, *sections: str, name: str = "page.md") -> Path:
    page = folder / name
    page.write_text("# About it\n\n" + "\nAnd then:\n\n".join(map(place, sections)) + "\nEnd.")
    return page


def between(page: Path, section: str) -> str:
    text = page.read_bytes().decode()
    return text.partition(f"bug {section} -->")[2].partition("<!-- fixproof:end -->")[0]


def test_the_evidence_is_written_and_a_second_time_changes_nothing(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write(LEAKS)
    page = a_page(tmp_path, "evidence", "verified-execution", "signature", "reproduction")
    fixproof.verify("bug", code=0)
    assert fixproof("publish", page, "--check").code == 1
    assert fixproof("publish", page).code == 0
    said = between(page, "evidence")
    assert "| Reproduced | yes, 3 of 3 attempts on 1.1 |" in said
    assert "| First fixed release | 1.2, measured over 2 releases |" in said
    assert "| Claimed to be fixed | 1.2 (confirmed) |" in said
    assert "0.992 that 1.2 does not have it (0.99 was asked for)" in said
    assert "the oldest of" in said
    assert "| Not tested |" in said
    execution = between(page, "verified-execution")
    assert "Log of 1.1: bug present" in execution
    assert "Log of 1.2: bug absent" in execution
    first = page.read_bytes()
    assert first.startswith(b"# About it\n\n<!--")
    assert first.endswith(b"<!-- fixproof:end -->\n\nEnd.")
    assert fixproof("publish", page, "--check").code == 0
    assert fixproof("publish", page).code == 0
    assert page.read_bytes() == first


@pytest.mark.parametrize("name", ["page.md", "page.html", "page.txt"])
def test_every_other_byte_stays_as_it_was(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path, name: str
) -> None:
    corpus.write(LEAKS)
    fixproof.verify("bug", code=0)
    head = b"\xef\xbb\xbf" * (name == "page.md") + b"caf\xc3\xa9 \t \r\n\x00\x0c\rlone\n"
    begin = b"  <!-- fixproof:begin bug verified-execution -->\r\n"
    tail = b"<!-- fixproof:end -->\t\r\n\r\r\n\xff\xfe no end"
    page = tmp_path / name
    page.write_bytes(head + begin + b"OLDER\r\n" + tail)
    page.chmod(0o640)
    assert fixproof("publish", page).code == 0
    written = page.read_bytes()
    assert written.startswith(head + begin)
    assert written.endswith(tail)
    middle = written.removeprefix(head + begin).removesuffix(tail)
    assert b"Verified Execution" in middle
    assert middle.count(b"\n") == middle.count(b"\r\n") > 5
    assert b"OLDER" not in middle
    assert middle.isascii()  # the page is not UTF-8
    assert b"<script>" not in middle or name != "page.html"
    assert page.stat().st_mode & 0o777 == 0o640
    assert fixproof("publish", page, "--check").code == 0


def test_a_dry_run_shows_what_would_change_and_writes_nothing(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    fixproof.verify("bug", code=0)
    page = a_page(tmp_path, "evidence")
    before = page.read_bytes()
    done = fixproof("publish", page, "--dry-run")
    assert done.code == 0
    assert "+| Reproduced | yes, 3 of 3 attempts on 1.1 |" in done.text
    assert page.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no markers here\n", "has no markers"),
        ("<!-- fixproof:end -->\n", "line 1 ends a section that nothing began"),
        ("<!-- fixproof:begin bug evidence -->\n", "line 1 begins a section that nothing ends"),
        (
            f"<!-- fixproof:begin bug evidence -->\n{place('proof')}<!-- fixproof:end -->\n",
            "line 2 begins a section within that of line 1",
        ),
        (place("evidence") * 2, "lines 1 and 3 both ask for evidence of bug"),
        (place("evidance"), "asks for 'evidance', which is no section"),
        ("<!-- fixproof:begin bug -->\n<!-- fixproof:end -->\n", "cannot be read"),
        ("x <!-- fixproof:begin bug evidence -->\n<!-- fixproof:end -->\n", "cannot be read"),
        (place("evidence", case="nosuch"), "there is no case 'nosuch'"),
    ],
)
def test_bad_markers_are_told_and_no_page_is_written(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path, text: str, said: str
) -> None:
    corpus.write()
    good, bad = a_page(tmp_path, "signature"), tmp_path / "bad.md"
    bad.write_text(text)
    before = good.read_bytes()
    done = fixproof("publish", good, bad)
    assert done.code == 2
    assert f"{bad}: " in done.stderr
    assert said in done.stderr
    assert (good.read_bytes(), bad.read_text()) == (before, text)


def test_what_is_not_there_or_not_a_page_is_wrong_usage(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    wide = tmp_path / "wide.md"
    wide.write_text(place("evidence"), encoding="utf-16")
    for words in (["nosuch.md"], [], [wide], [tmp_path / "repros"]):
        done = fixproof("publish", *words)
        assert (done.code, done.stdout) == (2, b"")
        assert "Traceback" not in done.stderr


def test_a_page_that_changes_meanwhile_is_left_as_somebody_wrote_it(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    fixproof.verify("bug", code=0)
    page, other = a_page(tmp_path, "evidence"), a_page(tmp_path, "evidence", name="other.md")
    database = fixproof.home / "fixproof.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as busy:
        busy.execute("PRAGMA locking_mode=EXCLUSIVE")
        busy.execute("BEGIN EXCLUSIVE")
        with fixproof.started("publish", page, other) as publishing:
            waits_for(database, publishing.pid)  # by now it has read the first page
            page.write_text("mine\n")
            busy.execute("COMMIT")
            busy.close()
            _, stderr = publishing.communicate(timeout=PATIENCE)
    assert (publishing.returncode, "page.md changed while" in stderr.decode()) == (20, True)
    assert page.read_text() == "mine\n"
    assert "yes, 3 of 3 attempts on 1.1" in between(other, "evidence")


def waits_for(file: Path, process: int) -> None:
    """Until a process has a file open."""
    end = time.monotonic() + PATIENCE
    opened: set[str] = set()
    while str(file) not in opened and time.monotonic() < end:
        time.sleep(0.02)
        opened.clear()
        for each in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                opened.add(str(each.readlink()))
    assert str(file) in opened


@pytest.mark.parametrize("name", ["page.md", "page.html", "page.txt"])
def test_a_page_with_ten_megabytes_of_log_is_published_as_any_other(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path, name: str
) -> None:
    corpus.write()
    page = a_page(tmp_path, "evidence", name=name)
    log = b"<script>log()</script> caf\xe9 &amp; <!-- not ours -->\r\n" * 200_000
    page.write_bytes(log + page.read_bytes() + log.replace(b"\r\n", b" "))
    assert fixproof("publish", page).code == 0
    data = page.read_bytes()
    assert data.startswith(log)
    assert data.endswith(log.replace(b"\r\n", b" "))
    assert b"Not measured" in data
    assert fixproof("publish", page, "--check").code == 0


def test_what_strangers_wrote_is_never_markup_of_a_page(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write(LEAKS, title="<script>alert(1)</script>")
    fixproof.verify("bug", code=0)
    page = a_page(tmp_path, *SectionName, name="page.html")
    own = b"<script>own()</script>\n"
    page.write_bytes(own + page.read_bytes())
    assert fixproof("publish", page).code == 0
    text = page.read_text()
    assert text.count("<script") == 1
    assert text.startswith("<script>own()</script>\n")
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text


def test_of_a_folder_pages_with_markers_are_written(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    folder = tmp_path / "pages"
    (folder / "deep").mkdir(parents=True)
    inside, other = a_page(folder / "deep", "signature"), folder / "other.md"
    other.write_text("nothing of ours\n")
    assert fixproof("publish", folder).code == 0
    assert "^BUG: " in inside.read_text()
    assert other.read_text() == "nothing of ours\n"


def test_nothing_measured_is_said_of_a_case_that_was_never_run(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    page = a_page(tmp_path, "evidence", "proof")
    assert fixproof("publish", page).code == 0
    assert "Not measured: no run of this case has ended" in between(page, "evidence")
    assert "1.2" not in between(page, "proof")


@pytest.mark.parametrize(
    ("more", "signature", "fixed"),
    [("", "^BUG: ", "1.3"), ("", "^BUG: it", "1.2"), ("x = 1", "^BUG: ", "1.2")],
)
def test_a_record_of_another_script_or_other_claims_is_stale_and_not_shown(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path, more: str, signature: str, fixed: str
) -> None:
    corpus.write()
    page = a_page(tmp_path, "evidence", "compatibility")
    fixproof.verify("bug", code=0)
    corpus.write(TELLS + more, signature=signature, fixed=fixed)
    assert fixproof("publish", page).code == 0
    for section in ("evidence", "compatibility"):
        said = between(page, section)
        assert "Stale: the script or the claims of the case changed" in said
        assert "3 of 3" not in said


def test_a_withdrawn_record_says_so_and_the_next_one_takes_its_place(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    page = a_page(tmp_path, "evidence")
    first = fixproof.verify("bug", code=0)["run"]
    assert fixproof("withdraw", first, "--why", "the machine's clock was wrong").code == 0
    assert fixproof("publish", page).code == 0
    said = between(page, "evidence")
    assert f"Withdrawn: {first} is not to be relied on any more" in said
    assert "clock was wrong" in said
    assert "3 of 3" not in said
    assert fixproof("withdraw", first, "--why", "again").code == 2
    assert fixproof("withdraw", "nosuch", "--why", "x").code != 0
    fixproof.verify("bug", code=0)
    assert fixproof("publish", page).code == 0
    assert "This relies on attempts of what was withdrawn" in between(page, "evidence")
    fixproof.verify("bug", "--fresh", code=0)
    assert fixproof("publish", page).code == 0
    said = between(page, "evidence")
    assert "yes, 3 of 3 attempts on 1.1" in said
    assert "relies on attempts of what was withdrawn" not in said
    assert f"An earlier run, {first}, was withdrawn" in said


def test_a_sweep_says_over_how_many_releases_and_what_to_upgrade_to(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write()
    page = a_page(tmp_path, "evidence", "affected", "upgrade", "compatibility")
    fixproof.sweep("bug", code=0)
    assert fixproof("publish", page).code == 0
    assert "1.2, measured over 4 releases" in between(page, "evidence")
    assert "1.0 up to 1.2, which is fixed" in between(page, "affected")
    assert "1.2 is the nearest release known to be good" in between(page, "upgrade")
    assert "1.2 to 1.3 (2 releases)" in between(page, "compatibility") or "1.3" in between(
        page, "compatibility"
    )


def test_a_refuted_claim_is_never_told_as_fact(
    fixproof: Fixproof, corpus: Cases, tmp_path: Path
) -> None:
    corpus.write(fixed="1.1")
    page = a_page(tmp_path, "evidence", "proof", "upgrade")
    fixproof.verify("bug", code=1)
    assert fixproof("publish", page).code == 0
    assert "| Claimed to be fixed | 1.1 (contradicted) |" in between(page, "evidence")
    assert "First fixed release | 1.1" not in between(page, "evidence")
    assert "1.1 fixes the bug | contradicted |" in between(page, "proof")


def test_a_candidate_is_no_evidence_for_a_page(
    fixproof: Fixproof, corpus: Cases, package: Package, tmp_path: Path
) -> None:
    candidate = a_wheel(tmp_path, package)
    corpus.write()
    page = a_page(tmp_path, "evidence")
    done = fixproof("verify", "bug", "--candidate", candidate, "--json")
    assert done.code == 0, done.stderr
    assert fixproof("publish", page).code == 0
    assert VERSION not in between(page, "evidence")
    assert "Not measured" in between(page, "evidence")
