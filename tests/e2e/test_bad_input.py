"""What goes wrong in a case that can be read: it is told, or it decides nothing; never a verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.e2e.command import (
    BROKEN,
    GOOD,
    PROGRAM,
    TELLS,
    Cases,
    Fixproof,
    Package,
    cell,
    cells,
    counts,
    said,
)

FLOODS = """
for _ in range(1_000):
    sys.stdout.buffer.write((b"x" * 99 + b"\\n") * 1_000)
"""
"""A log of 100 MB."""

WEIGHS = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command and writes the KiB that it held at most into a file. What starts a process has
to be small: its own size is counted as that of the process."""


def a_folder(folder: Path, cases: Cases, files: dict[str, str], body: str = TELLS) -> Path:
    """A case with files beside its script."""
    for name, text in {"repro.py": cases.text(body), **files}.items():
        path = folder / "many-files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "many-files"


# Claims that contradict each other


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"fixed": "1.2", "broken": ["1.1", "1.2"]}, ""),
        ({"fixed": "1.2", "broken": "1.2.0"}, ""),
        ({"fixed": "1.2", "variants": {"one": {}, "two": {"broken": "1.2"}}}, "'two'"),
        ({"broken": "1.2", "variants": {"one": {"fixed": ["1.0", "1.2.0"]}}}, "'one'"),
    ],
)
def test_a_release_that_is_claimed_both_fixed_and_broken_is_a_broken_case(
    fixproof: Fixproof, package: Package, cases: Cases, keys: dict[str, Any], where: str
) -> None:
    package.usual()
    for command in ("plan", "verify"):
        error = fixproof.error(command, cases.write(**keys))
        assert (error["kind"], error["exit_code"]) == ("broken_case", 2)
        assert "both fixed and broken" in error["message"]
        assert where in error["message"]


def test_a_release_may_be_broken_above_a_fix_of_its_own_line(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    """It came back: that contradicts nothing, and the answer says it."""
    package.usual().release("1.4", BROKEN)
    report = fixproof.verify(cases.write(fixed="1.2", broken="1.4"), code=0)
    assert said(report) == ("PASS", "ok")
    assert "1.4 shows the bug again, as claimed" in report["summary"]


# A variant that nothing can install


def test_a_variant_that_nothing_can_install_is_untested_and_the_others_decide(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    variants = {"here": {}, "nowhere": {"dependencies": [f"{package.name}-is-not-there"]}}
    report = fixproof.verify(cases.write(variants=variants), code=0)
    states = {each["variant"]: each["status"] for each in report["series"]}
    assert states == {"here": "PASS", "nowhere": "untested"}
    results = {each["variant"]: each["result"] for each in report["claims"]}
    assert results == {"here": "confirmed", "nowhere": "untested"}
    assert report["summary"].startswith("1.2 is the first fixed release")
    text = fixproof("report", report["run"]).text
    assert "nowhere, Python" in text
    assert "cannot be installed" in text


def test_where_no_variant_can_be_installed_nothing_is_said(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    variants = {"nowhere": {"dependencies": [f"{package.name}-is-not-there"]}}
    report = fixproof.verify(cases.write(variants=variants), code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    assert report["mode"] == "none"
    assert report["summary"].startswith("Nothing could be tested: 1.1 cannot be installed")


# A window without what is claimed


def test_a_window_without_the_claimed_releases_is_told_and_they_are_judged(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    script = cases.write(versions=">=1.3", fixed="1.2", broken="1.0")
    note = "the window >=1.3 leaves out 1.0 and 1.2, which the case claims"
    assert note in fixproof("plan", script).text
    done = fixproof("verify", script, "--json")
    assert said(done.document) == ("PASS", "ok")
    assert note in done.stderr
    inside = fixproof("plan", cases.write(versions=">=1.0", fixed="1.2", broken="1.0"))
    assert "leaves out" not in inside.text


# Files beside the script


SHADOWS = [
    ("{other}.py", BROKEN, "{other}.py"),
    ("{other}/__init__.py", BROKEN, "{other}/__init__.py"),
    ("json.py", "def dumps(each):\n    return 'forged'\n", "json.py"),
    ("wsgiref/__init__.py", "", "wsgiref/__init__.py"),
    ("{space}/part.py", BROKEN, "{space}"),
]


@pytest.mark.parametrize(("name", "text", "told"), SHADOWS, ids=[each[0] for each in SHADOWS])
def test_a_file_that_hides_a_dependency_never_leads_to_a_verdict(
    fixproof: Fixproof,
    package: Package,
    other: Package,
    cases: Cases,
    tmp_path: Path,
    name: str,
    text: str,
    told: str,
) -> None:
    """The package is as locked; what it imports is not."""
    space = f"{other.module}space"
    source = f"import json, {other.module}, {space}.part\nBROKEN = {other.module}.BROKEN\n"
    files = {f"{other.module}.py": GOOD, f"{space}/part.py": GOOD}
    other.release("1.0", files=files)
    package.release("1.1", BROKEN, requires=(other.name,))
    package.release("1.2", source, requires=(other.name,))
    folder = a_folder(tmp_path, cases, {name.format(other=other.module, space=space): text})
    report = fixproof.verify(folder, code=3)
    assert said(report) == ("INCONCLUSIVE", "unresolved")
    for role in ("before", "fixed"):
        assert (cell(report, role)["reason"], counts(cell(report, role))) == (
            "wrong_version",
            (0, 0, 0),
        )
    file = told.format(other=other.module, space=space)
    assert f"/case/{file}, beside the script, hides a module" in report["summary"]


def test_a_file_in_the_place_of_the_package_is_named_as_the_cause(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = a_folder(tmp_path, cases, {f"{package.module}.py": BROKEN})
    report = fixproof.verify(folder, code=3)
    assert said(report) == ("INCONCLUSIVE", "vacuous")
    cause = f"because /case/{package.module}.py, beside the script, is imported in its place"
    assert cause in report["summary"]


def test_files_that_hide_nothing_are_of_no_matter(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    """Helpers, data, and folders with names of modules that have nothing to import in them."""
    package.usual()
    files = {"helpers.py": "WHAT = 1\n", "json/data.txt": "x", "tools/__init__.py": ""}
    body = f"import json\nimport helpers\nassert json.dumps(helpers.WHAT) == '1'\n{TELLS}"
    assert fixproof.verify(a_folder(tmp_path, cases, files, body), code=0)["status"] == "PASS"


# Too much output


@pytest.mark.parametrize("shown", ["before", "after", "never"])
def test_a_log_of_100_megabytes_is_cut_and_decides_nothing(
    fixproof: Fixproof, package: Package, cases: Cases, shown: str, tmp_path: Path
) -> None:
    """What came before the cut is no answer either: nobody saw the end."""
    package.usual()
    told = "if {module}.BROKEN:\n    print('BUG: it is broken', flush=True)\n"
    told = {"before": told + FLOODS, "after": FLOODS + told, "never": FLOODS}[shown]
    script = cases.write(f"import sys\nimport {{module}}\n{told}sys.exit({{module}}.BROKEN)\n")
    weight = tmp_path / "KiB"
    done = subprocess.run(
        [sys.executable, "-c", WEIGHS, weight, PROGRAM, "verify", script, "--json", "--jobs", "1"],
        env=fixproof.environ(),
        cwd=fixproof.cwd,
        stdout=subprocess.PIPE,
        check=False,
    )
    whole = done.stdout
    report = json.loads(whole)
    assert done.returncode == 3
    assert {each["reason"] for each in cells(report, "fixed")} == {"output_limit"}
    assert int(weight.read_text()) < 256 * 1024, "a log is not held whole"
    assert len(whole) < 20_000
    page = fixproof("report", report["run"]).text
    assert "it wrote more than 64 MiB" in page
    assert len(page) < 60_000
    kept = sum(each.stat().st_size for each in fixproof.home.glob("fixproof.sqlite3*"))
    assert kept < 8_000_000


# Markup in what strangers write


TITLES = [
    "<script>alert(1)</script>",
    "**bold** _italic_ `code` ~~gone~~",
    "[a link](javascript:alert(1)) ![an image](http://127.0.0.1/x.png)",
    "a | cell | more",
    "# Heading",
    "</td></table><h1>out</h1>",
    "&lt;b&gt; &amp; \\ \\| $x$",
    "<!-- a comment",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("title", TITLES)
def test_markup_in_a_title_is_text_on_the_page(
    fixproof: Fixproof, package: Package, cases: Cases, title: str
) -> None:
    package.usual()
    report = fixproof.verify(cases.write(title=title), code=0)
    assert report["case"]["title"] == title
    page = fixproof("report", report["run"]).text
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(page)
    parts = [each for block in tokens for each in (block, *(block.children or ()))]
    html = {each.content for each in parts if each.type in ("html_block", "html_inline")}
    assert html <= {"<br>"}, "which is our own"
    assert not {"image", "link_open", "em_open"} & {each.type for each in parts}
    shown = "".join(
        each.content for block in tokens for each in block.children or () if each.type == "text"
    )
    visible = title.replace("\u202e", "\\u202e")
    assert " ".join(visible.split()) in " ".join(shown.split())
    assert "\u202e" not in page
