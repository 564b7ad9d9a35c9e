"""A build that is no release, asked about in place of the claimed fix: `--candidate PATH`."""

from __future__ import annotations

import io
import os
import platform
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import (
    BROKEN,
    GOOD,
    Cases,
    Fixproof,
    Package,
    cell,
    cells,
    counts,
    elsewhere,
    ran_now,
    said,
)
from tests.e2e.test_builds import a_source
from tests.index_server import IndexServer, Style
from tests.wheels import sdist, wheel

VERSION = "1.4.dev3+gabc"


def a_wheel(
    folder: Path,
    package: Package,
    source: str = GOOD,
    *,
    version: str = VERSION,
    requires: tuple[str, ...] = (),
    requires_python: str | None = None,
) -> Path:
    built = wheel(
        package.name,
        version,
        files={f"{package.module}.py": source},
        requires=requires,
        requires_python=requires_python,
    )
    path = folder / built.filename
    path.write_bytes(built.data)
    return path


def a_folder(
    folder: Path,
    package: Package,
    source: str = GOOD,
    *,
    version: str = VERSION,
    more: str = "",
    files: Mapping[str, str] | None = None,
) -> Path:
    """A source folder whose version only its build tells."""
    whole = {f"{package.module}.py": source, **a_source(package, version, more), **(files or {})}
    for name, text in whole.items():
        path = folder / "my branch" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "my branch"


def candidate_claim(report: dict[str, Any]) -> dict[str, Any]:
    (claim,) = [each for each in report["claims"] if each["kind"] == "fixed"]
    found: dict[str, Any] = claim
    return found


# What it says


def test_a_wheel_that_fixes_the_bug_takes_the_place_of_the_claimed_fix(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    path = a_wheel(tmp_path, package)
    report = fixproof.verify(cases.write(fixed="1.2", broken="1.0"), "--candidate", path, code=0)
    assert said(report) == ("PASS", "ok")
    assert report["mode"] == "both"
    assert [(each["version"], each["roles"]) for each in report["cells"]] == [
        ("1.0", ["broken"]),
        ("1.1", ["before"]),
        (VERSION, ["candidate"]),
        (VERSION, ["control"]),
    ]
    judged = cell(report, "candidate")
    assert judged["id"].endswith("@candidate")
    assert f"/{package.name}-{VERSION}/py" in judged["id"]
    assert (judged["loaded"]["version"], counts(judged)) == (VERSION, (0, 5, 0))
    claim = candidate_claim(report)
    assert (claim["version"], claim["result"]) == (VERSION, "confirmed")
    assert report["candidate"]["file"] == path.name
    assert report["candidate"]["replaces"] == ["1.2"]
    assert report["measured"]["first_fixed"] is None, "a candidate is no release"
    assert VERSION not in report["measured"]["tested"]


def test_a_bug_that_nobody_fixed_yet_is_gated(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.release("1.0", BROKEN).release("1.1", BROKEN)
    script = cases.write(broken=["1.0", "1.1"])
    report = fixproof.verify(script, "--candidate", a_wheel(tmp_path, package), code=0)
    assert said(report) == ("PASS", "ok")
    assert report["summary"] == (
        f"The candidate {VERSION} fixes the bug: 3 of 3 attempts show the bug on 1.0, 3 of 3 on "
        "1.1, 0 of 5 on the candidate. The newest release, 1.1, shows the bug."
    )


def test_the_claimed_fix_need_not_be_released(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.release("1.0", BROKEN).release("1.1", BROKEN)
    path = a_wheel(tmp_path, package, version="1.2.dev0")
    report = fixproof.verify(cases.write(fixed="1.2"), "--candidate", path, code=0)
    assert said(report) == ("PASS", "ok")
    assert [each["version"] for each in cells(report, "before")] == ["1.1"]


def test_a_candidate_that_shows_the_bug_fails(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    report = fixproof.verify(
        cases.write(), "--candidate", a_wheel(tmp_path, package, BROKEN), code=1
    )
    assert said(report) == ("FAIL", "still_broken")
    assert candidate_claim(report)["result"] == "contradicted"
    assert report["summary"].startswith(f"The candidate {VERSION} still shows the bug: ")
    assert not cells(report, "probe"), "what older releases say is not asked"


@pytest.mark.parametrize("version", ["1.1", "1.2", "0.9", "1.0.1.post1", "2!0.1"])
def test_a_candidate_may_have_any_version_also_that_of_a_release(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path, version: str
) -> None:
    """What the index has under that version is another build, and is not taken for it."""
    package.usual().release("1.4", BROKEN)
    path = a_wheel(tmp_path, package, "BROKEN = False  # mine\n", version=version)
    script = cases.write(fixed="1.2", broken=["1.0", "1.1", "1.4"])
    report = fixproof.verify(script, "--candidate", path, code=0)
    assert cell(report, "candidate")["loaded"]["version"] == version
    assert len({each["id"] for each in report["cells"]}) == len(report["cells"])
    bad = a_wheel(tmp_path, package, BROKEN, version=version)
    assert said(fixproof.verify(script, "--candidate", bad, code=1)) == ("FAIL", "still_broken")


def test_a_newest_release_with_the_bug_does_not_speak_against_a_candidate(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual().release("1.4", BROKEN)
    path = a_wheel(tmp_path, package, version="1.5.dev0")
    report = fixproof.verify(cases.write(), "--latest", "--candidate", path, code=0)
    assert said(report) == ("PASS", "ok")
    assert cell(report, "latest")["verdict"] == "present"


def test_a_candidate_is_no_fix_where_its_predecessor_is_good(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    path = a_wheel(tmp_path, package)
    report = fixproof.verify(cases.write(fixed="1.3"), "--candidate", path, code=1)
    assert said(report) == ("FAIL", "fixed_earlier")
    assert report["measured"]["first_fixed"] == "1.2"
    assert report["summary"].startswith(
        f"Not the candidate {VERSION} but an earlier release has the fix: 1.2 is the first fixed"
    )
    assert candidate_claim(report)["result"] == "contradicted"


def test_without_a_broken_side_a_candidate_proves_nothing(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.release("1.2", GOOD)
    path = a_wheel(tmp_path, package)
    report = fixproof.verify(cases.write(fixed="1.2"), "--candidate", path, code=3)
    assert (report["mode"], said(report)) == ("fixed_only", ("INCONCLUSIVE", "unresolved"))
    assert candidate_claim(report)["result"] == "untested"


def test_what_a_dependency_fixed_is_not_the_candidates_doing(
    fixproof: Fixproof, package: Package, other: Package, cases: Cases, tmp_path: Path
) -> None:
    """The dependencies of a candidate are today's; held still, they make the difference."""
    source = f"from {other.module} import BROKEN\n"
    other.release("1.0", BROKEN)
    package.release("1.0", source, requires=(other.name,))
    package.release("1.1", source, requires=(other.name,))
    other.count = 9
    other.release("2.0", GOOD)
    path = a_wheel(tmp_path, package, source, requires=(other.name,))
    report = fixproof.verify(cases.write(fixed="1.2"), "--candidate", path, code=1)
    assert said(report) == ("FAIL", "follows_dependency")
    assert other.name in report["summary"]
    assert candidate_claim(report)["result"] == "contradicted"
    older, newer = (each["id"] for each in cells(report, "confirm"))
    assert older.endswith("@deps=candidate")
    assert newer.endswith("@candidate@deps=1.1")


def test_a_candidate_can_be_asked_about_on_an_index_without_upload_times(
    fixproof: Fixproof, index: IndexServer, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    bare = elsewhere(fixproof, Style.BARE, index)
    path = a_wheel(tmp_path, package, version="1.1")
    assert said(bare.verify(cases.write(), "--candidate", path, code=0)) == ("PASS", "ok")


def test_a_variant_without_the_bug_must_stay_so(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    body = "import os, sys, {module}\nif {module}.BROKEN and 'BAD' in os.environ:\n"
    body += "    print('BUG: it is broken')\n    sys.exit(1)\nprint('fine')\n"
    package.usual()
    variants = {"bad": {"env": {"BAD": "1"}}, "fine": {"affected": False}}
    script = cases.write(body, variants=variants)
    path = a_wheel(tmp_path, package)
    report = fixproof.verify(script, "--candidate", path, code=0)
    results = {(each["kind"], each["version"]): each["result"] for each in report["claims"]}
    assert results == {("fixed", VERSION): "confirmed", ("unaffected", VERSION): "confirmed"}


def test_a_candidate_for_another_c_library_is_unresolved_where_it_cannot_be_installed(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    plain = a_wheel(tmp_path, package)
    new = plain.name.replace("py3-none-any", f"py3-none-manylinux_2_99_{platform.machine()}")
    report = fixproof.verify(cases.write(), "--candidate", plain.rename(tmp_path / new), code=3)
    judged = cell(report, "candidate")
    assert (judged["verdict"], judged["reason"]) == ("unresolved", "no_wheel"), judged["detail"]
    assert f"the candidate {VERSION} cannot be installed" in report["summary"]


def test_a_script_that_wants_no_wheels_of_the_package_has_the_candidates(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    """Its releases are sources alone, as that setting has it."""
    package.source_only("1.0", BROKEN, a_source(package, "1.0"))
    package.source_only("1.1", BROKEN, a_source(package, "1.1"))
    script = cases.write(broken="1.1", uv={"no-binary-package": [package.name]})
    report = fixproof.verify(script, "--candidate", a_wheel(tmp_path, package))
    assert cell(report, "candidate")["verdict"] == "absent"


# What it may be


def test_a_source_distribution_is_built_and_judged(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    files = {f"{package.module}.py": GOOD, **a_source(package, VERSION)}
    built = sdist(package.name, VERSION, files=files)
    path = tmp_path / "as downloaded.tar.gz"
    path.write_bytes(built.data)
    report = fixproof.verify(cases.write(), "--candidate", path, code=0)
    assert report["candidate"]["kind"] == "sdist"
    assert report["candidate"]["sha256"] == built.sha256
    assert cell(report, "candidate")["loaded"]["version"] == VERSION


def test_a_folder_is_built_and_its_build_tells_its_version(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    script, folder = cases.write(), a_folder(tmp_path, package)
    (planned,) = fixproof("plan", script, "--candidate", folder, "--json").document["series"]
    ids = [each["id"] for each in planned["cells"] if each["roles"] == ["candidate"]]
    assert ids[0].endswith("@candidate")
    assert f"/{package.name}-unknown/" in ids[0], "a plan builds nothing"
    report = fixproof.verify(script, "--candidate", folder, code=0)
    assert report["candidate"]["kind"] == "folder"
    assert report["candidate"]["version"] == VERSION
    (installed,) = report["candidate"]["wheels"]
    assert installed["file"].endswith("-py3-none-any.whl")
    text = fixproof("report", report["run"]).text
    assert report["candidate"]["sha256"] in text
    assert f"--candidate '{folder}'" in text


def test_a_folder_without_change_is_not_built_or_run_again(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    """Version control, caches and what builds leave do not count."""
    package.usual()
    script = cases.write()
    folder = a_folder(tmp_path, package)
    first = fixproof.verify(script, "--candidate", folder, code=0)
    for left in (
        ".git/HEAD",
        "sub/.git",
        "__pycache__/x.pyc",
        "build/lib/x.py",
        "x.egg-info/PKG-INFO",
    ):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).write_text("whatever")
    (folder / "secret").symlink_to("/etc/passwd")
    again = fixproof.verify(script, "--candidate", folder, code=0)
    assert again["candidate"] == first["candidate"]
    assert ran_now(again) == 0
    (folder / f"{package.module}.py").write_text(BROKEN)
    changed = fixproof.verify(script, "--candidate", folder, code=1)
    assert said(changed) == ("FAIL", "still_broken")
    assert not any(each["reused"] for each in cell(changed, "candidate")["attempts"])
    assert all(each["reused"] for each in cell(changed, "before")["attempts"])


def test_links_within_a_folder_are_kept_and_others_left_out(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    (tmp_path / "secret.txt").write_text("secret")
    more = """
def before():
    assert open("inside.txt").read() == "inside", "the link within was lost"
    assert not os.path.lexists("outside.txt"), "a link out of the folder was packed"
    assert not os.path.lexists("absolute.txt"), "a link out of the folder was packed"
"""
    folder = a_folder(tmp_path, package, more=more, files={"data/real.txt": "inside"})
    (folder / "inside.txt").symlink_to("data/real.txt")
    (folder / "outside.txt").symlink_to("../secret.txt")
    (folder / "absolute.txt").symlink_to(tmp_path / "secret.txt")
    assert said(fixproof.verify(cases.write(), "--candidate", folder, code=0)) == ("PASS", "ok")


def test_the_source_of_a_release_of_the_same_version_is_not_built_for_it(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.release("1.0", BROKEN).release("1.1", BROKEN)
    package.source_only("1.2", GOOD, a_source(package, "1.2"))
    path = a_wheel(tmp_path, package, BROKEN, version="1.2")
    report = fixproof.verify(cases.write(), "--candidate", path, code=1)
    assert said(report) == ("FAIL", "still_broken")


# Bad input


def other_wheel(folder: Path, package: Package) -> Path:
    return a_wheel(folder, Package(package._index, f"{package.name}-other"))


def renamed_wheel(folder: Path, package: Package) -> Path:
    other = other_wheel(folder, package)
    return other.rename(folder / f"{package.module}-1.4-py3-none-any.whl")


def broken_zip(folder: Path, package: Package) -> Path:
    path = a_wheel(folder, package)
    path.write_bytes(path.read_bytes()[:-40])
    return path


def damaged_zip(folder: Path, package: Package) -> Path:
    """Its list of files is whole, one of them is not."""
    path = a_wheel(folder, package, "BROKEN = False\n" * 50)
    data = bytearray(path.read_bytes())
    data[60:64] = b"\0\xff\0\xff"
    path.write_bytes(data)
    return path


def zip_with_a_way_out(folder: Path, package: Package) -> Path:
    path = a_wheel(folder, package)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../outside.py", "x")
    return path


def truncated_sdist(folder: Path, package: Package) -> Path:
    built = sdist(package.name, "1.4", files={"data.bin": os.urandom(9000), "setup.py": ""})
    path = folder / built.filename
    path.write_bytes(built.data[: len(built.data) // 2])
    return path


def other_sdist(folder: Path, package: Package) -> Path:
    built = sdist(f"{package.name}-other", "1.4", files={"setup.py": ""})
    path = folder / built.filename
    path.write_bytes(built.data)
    return path


def two_folders(folder: Path, _package: Package) -> Path:
    path = folder / "two.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("one/setup.py", "two/setup.py"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def empty_folder(folder: Path, _package: Package) -> Path:
    (folder / "nothing").mkdir()
    (folder / "nothing" / "README").write_text("no package")
    return folder / "nothing"


def folder_of_another(folder: Path, _package: Package) -> Path:
    (folder / "other").mkdir()
    (folder / "other" / "pyproject.toml").write_text('[project]\nname = "another"\n')
    return folder / "other"


def folder_with_broken_toml(folder: Path, _package: Package) -> Path:
    (folder / "typo").mkdir()
    (folder / "typo" / "pyproject.toml").write_text("[project\n")
    return folder / "typo"


def a_text(folder: Path, _package: Package) -> Path:
    (folder / "notes.txt").write_text("notes")
    return folder / "notes.txt"


def nowhere(folder: Path, _package: Package) -> Path:
    return folder / "gone-1.0-py3-none-any.whl"


def for_windows(folder: Path, package: Package) -> Path:
    path = a_wheel(folder, package)
    return path.rename(folder / f"{package.module}-{VERSION}-cp311-cp311-win_amd64.whl")


def for_an_old_python(folder: Path, package: Package) -> Path:
    path = a_wheel(folder, package)
    return path.rename(folder / f"{package.module}-{VERSION}-cp27-none-any.whl")


def for_no_python_here(folder: Path, package: Package) -> Path:
    return a_wheel(folder, package, requires_python=">=4")


def failing_build(folder: Path, package: Package) -> Path:
    return a_folder(folder, package, more="\ndef before():\n    raise SystemExit('no luck')\n")


def build_of_another(folder: Path, package: Package) -> Path:
    return a_folder(folder, package, more='\nNAME = "another"\n')


BAD = [
    (other_wheel, "is of the package"),
    (renamed_wheel, "is of the package"),
    (broken_zip, "is no wheel"),
    (damaged_zip, "damaged"),
    (zip_with_a_way_out, "outside of itself"),
    (truncated_sdist, "damaged"),
    (other_sdist, "is of the package"),
    (two_folders, "not one folder"),
    (empty_folder, "neither a pyproject.toml nor a setup.py"),
    (folder_of_another, "is of the package 'another'"),
    (folder_with_broken_toml, "is not TOML"),
    (a_text, "neither a wheel nor an archive"),
    (nowhere, "there is no candidate at"),
    (for_windows, "not for any Python at hand"),
    (for_an_old_python, "not for any Python at hand"),
    (for_no_python_here, "not for any Python at hand"),
    (failing_build, "no luck"),
    (build_of_another, "is of the package 'another'"),
]


@pytest.mark.parametrize(("make", "told"), BAD, ids=[each[0].__name__ for each in BAD])
def test_a_candidate_that_cannot_be_one_is_told_before_anything_runs(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path, make: Any, told: str
) -> None:
    package.usual()
    path = make(tmp_path, package)
    error = fixproof.error("verify", cases.write(), "--candidate", path)
    assert (error["kind"], error["exit_code"], error["case"]) == ("broken_candidate", 2, "bug")
    assert told in f"{error['message']}\n{error['hint']}"
    assert fixproof("runs", "--json").document["runs"] == []


def test_an_empty_path_is_not_the_folder_one_is_in(
    fixproof: Fixproof, package: Package, cases: Cases
) -> None:
    package.usual()
    assert fixproof.error("verify", cases.write(), "--candidate", "")["kind"] == "broken_candidate"


def test_a_candidate_is_not_built_where_nothing_is_isolated(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    words = ("verify", cases.write(), "--sandbox", "process", "--candidate")
    error = fixproof.error(*words, a_folder(tmp_path, package))
    assert error["kind"] == "broken_candidate"
    assert "name a wheel" in f"{error['message']} {error['hint']}"
    assert fixproof(*words, a_wheel(tmp_path, package)).code == 0


def test_a_candidate_vanishes_with_its_file_and_the_report_stays(
    fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path
) -> None:
    package.usual()
    folder = a_folder(tmp_path, package)
    report = fixproof.verify(cases.write(), "--candidate", folder, code=0)
    shutil.rmtree(folder)
    assert fixproof("report", report["run"], "--json").document == report
