"""Skeletons of cases by the command: from pages, addresses and options; nothing is overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command import Fixproof, Package
from tests.index_server import IndexServer
from tests.page_builders import Layout, Said

ISSUE = "https://github.com/maker/pkg/issues/7"
PAGE = Said(rows=(("1.1", "Broken"), ("1.2", "Fixed")))


@pytest.fixture
def repros(fixproof: Fixproof) -> Path:
    folder = fixproof.cwd / "repros"
    folder.mkdir()
    return folder


def test_a_page_becomes_a_case_that_can_be_planned_and_says_undecided(
    fixproof: Fixproof, package: Package, repros: Path
) -> None:
    package.usual()
    page = fixproof.cwd / "page.md"
    page.write_text(PAGE.text(Layout.MARKDOWN).replace("maker/pkg", f"maker/{package.name}"))
    done = fixproof("new", page)
    name = f"{package.name}-7"
    assert done.code == 0, done.stderr
    assert f"fixproof run {name} 1.1" in done.text
    script = repros / f"{name}.py"
    assert 'broken    = ["1.1"]' in script.read_text(encoding="utf-8")
    assert fixproof("plan", name).code == 0
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (125, "UNDECIDED: this script is not written yet\n")


def test_the_network_is_not_asked(fixproof: Fixproof, index: IndexServer, repros: Path) -> None:
    before = len(index.asked)
    assert fixproof("new", ISSUE, "--fixed", "1.2", "--broken", "1.1", "--broken", "1.0").code == 0
    text = (repros / "pkg-7.py").read_text(encoding="utf-8")
    for line in (f'issue     = "{ISSUE}"', 'fixed     = "1.2"', 'broken    = ["1.0", "1.1"]'):
        assert f"# {line}\n" in text
    assert len(index.asked) == before
    assert not fixproof.home.joinpath("fixproof.sqlite3").exists()


def test_options_alone_are_enough(fixproof: Fixproof, repros: Path) -> None:
    done = fixproof("new", "--package", "Some.Thing", "--issue", ISSUE, "--broken", "1.0")
    assert done.code == 0, done.stderr
    assert (repros / "some-thing-7.py").is_file()
    named = fixproof("new", "--package", "pkg", "--broken", "1.0", "--id", "mine", "--title", "T")
    assert named.code == 0, named.stderr
    assert '# title     = "T"' in (repros / "mine.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", [False, True])
def test_nothing_is_overwritten(fixproof: Fixproof, repros: Path, *, folder: bool) -> None:
    if folder:
        (repros / "pkg-7").mkdir()
        kept = repros / "pkg-7" / "repro.py"
    else:
        kept = repros / "pkg-7.py"
    kept.write_text("mine\n", encoding="utf-8")
    done = fixproof("new", ISSUE, "--fixed", "1.2")
    assert (done.code, "is there already" in done.stderr) == (2, True)
    assert kept.read_text(encoding="utf-8") == "mine\n"
    assert [*repros.iterdir()] == [repros / "pkg-7" if folder else kept]


def test_it_can_be_put_elsewhere(fixproof: Fixproof, repros: Path) -> None:
    elsewhere = fixproof.cwd / "elsewhere"
    elsewhere.mkdir()
    assert fixproof("new", ISSUE, "--fixed", "1.2", "--output", elsewhere).code == 0
    assert fixproof("new", ISSUE, "--fixed", "1.2", "--output", elsewhere / "b.py").code == 0
    assert {each.name for each in elsewhere.iterdir()} == {"pkg-7.py", "b.py"}
    assert [*repros.iterdir()] == []
    nowhere = fixproof("new", ISSUE, "--fixed", "1.2", "--output", "no/such/folder/b.py")
    assert (nowhere.code, "Traceback" in nowhere.stderr) == (8, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no name"),
        ((ISSUE,), "nothing is claimed"),
        (("https://example.org/issues",), "no address of an issue"),
        (("missing.txt",), "there is no page missing.txt"),
        (("--package", "pkg", "--fixed", "1.0"), "no name"),
        (("--package", "pkg", "--fixed", "soon", "--id", "a"), "nothing is claimed"),
        ((ISSUE, "--fixed", "1.0", "--id", "No Good"), "no case id"),
    ],
)
def test_what_makes_no_case_is_wrong_usage(
    fixproof: Fixproof, repros: Path, words: tuple[str, ...], message: str
) -> None:
    done = fixproof("new", *words)
    assert (done.code, message in done.stderr) == (2, True), done.stderr
    assert [*repros.iterdir()] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hello.\n", "is no fix page"),
        ("", "is no fix page"),
        ("The Fix\n\nUpgrade to version 1.2 or later.", "no name"),
        ("Proof / Evidence\n- GitHub issue: " + ISSUE, "nothing is claimed"),
    ],
)
def test_no_page_and_too_little_of_one_make_no_case(
    fixproof: Fixproof, repros: Path, text: str, message: str
) -> None:
    page = fixproof.cwd / "page.txt"
    page.write_text(text, encoding="utf-8")
    done = fixproof("new", page)
    assert (done.code, message in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert [*repros.iterdir()] == []


def test_of_half_a_page_options_say_what_is_missing(fixproof: Fixproof, repros: Path) -> None:
    page = fixproof.cwd / "page.txt"
    page.write_text("The Fix\nUpgrade to version 1.2 or later.\n", encoding="utf-8")
    done = fixproof("new", page, "--package", "pkg", "--issue", ISSUE)
    assert done.code == 0, done.stderr
    text = (repros / "pkg-7.py").read_text(encoding="utf-8")
    assert '# fixed     = "1.2"\n' in text
    assert f'# issue     = "{ISSUE}"\n' in text


def test_ten_megabytes_of_log_do_not_come_into_the_case(fixproof: Fixproof, repros: Path) -> None:
    page = fixproof.cwd / "page.txt"
    log = b"INFO: \xff caf\xe9 \x1b[31m First fixed release: 9.9\n" * 250_000
    page.write_bytes(PAGE.text(Layout.DASHES).encode() + b"\nMinimal Reproduction\n" + log)
    done = fixproof("new", page)
    assert done.code == 0, done.stderr
    made = (repros / "pkg-7.py").read_text(encoding="utf-8")
    assert '# fixed     = "1.2"\n' in made
    assert "more lines" in made
    assert len(made) < 20_000
    assert "\x1b" not in made
