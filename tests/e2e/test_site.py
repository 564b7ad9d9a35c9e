"""`fixproof publish --site`: a whole site of what was measured, that runs nothing of strangers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.browser import browse
from tests.e2e.command import Cases, Fixproof, Package
from tests.pages import Element, read_page
from tests.unit.test_osv import SCHEMA

ATOM = "{http://www.w3.org/2005/Atom}"
MARKUP = '<script>alert(1)</script> & "more"'
SPEAKS = """
import sys
import {module}
print("</pre></script><script>alert(1)</script><img src=x onerror=alert(1)>")
print("\\x1b[1;31mred\\x1b[0m")
if {module}.BROKEN:
    sys.exit("BUG: it is broken")
"""


@pytest.fixture
def corpus(tmp_path: Path, package: Package) -> Cases:
    (tmp_path / "repros").mkdir()
    package.usual()
    return Cases(tmp_path / "repros", package)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


def published(fixproof: Fixproof, site: Path, *words: str, code: int = 0) -> dict[str, int]:
    """Build the site; when each of its files was written."""
    done = fixproof("publish", "--site", site, *words)
    assert done.code == code, done.stderr
    return {str(each.relative_to(site)): each.stat().st_mtime_ns for each in files(site)}


def files(site: Path) -> list[Path]:
    return sorted(each for each in site.rglob("*") if each.is_file())


def page(site: Path, name: str) -> Element:
    read = read_page((site / name).read_text())
    nothing_acts(read, site / name)
    return read


def nothing_acts(read: Element, path: Path) -> None:
    """Nothing from elsewhere, and one script, which the policy names."""
    for each in read.all():
        assert not [name for name in each.attributes if name.startswith("on")]
        assert not {"src", "style", "action"} & {*each.attributes}, each.attributes
        target = each.attributes.get("href", "#")
        outside = target.startswith(("#", "https://", "http://", "data:"))
        assert outside or (path.parent / target.partition("#")[0]).is_file(), target
        if each.name == "link":
            assert not target.startswith("http")
    assert len(list(read.all("script"))) == 1
    assert "alert" not in next(iter(read.all("script"))).text
    (policy,) = (e for e in read.all("meta") if "http-equiv" in e.attributes)
    assert policy.attributes["content"].startswith("default-src 'none'; ")
    assert "unsafe" not in policy.attributes["content"]


def headings(read: Element) -> list[str]:
    return [each.text.split(":")[0].strip() for each in read.all("h2")]


def test_a_site_has_all_that_readers_look_for_and_nothing_in_it_acts(
    fixproof: Fixproof, corpus: Cases, site: Path
) -> None:
    corpus.write(SPEAKS, title=MARKUP, issue="https://example.org/issues/1")
    corpus.write(name="never", title="Never run")
    fixproof.verify("bug", code=0)
    swept = fixproof.sweep("bug", code=0)
    published(fixproof, site, "--base-url", "https://example.org/fixes")
    index = page(site, "index.html")
    rows = [each.text for each in index.one("table").all("tr")][1:]
    assert MARKUP in rows[0]
    assert "PASS" in rows[0]
    assert "1.2" in rows[0]
    assert "not measured" in rows[1]
    case = page(site, "case/bug.html")
    wanted = {
        "The fix", "Proof and evidence", "Verified Execution", "Failure signature",
        "Minimal reproduction", "Environment", "Version compatibility, as measured",
        "Affected ranges", "What to upgrade to", "Run it again", "History",
    }  # fmt: skip
    assert wanted <= {*headings(case)}
    broken, fixed = case.of_class("log")
    assert "<img src=x onerror=alert(1)>\nred" in broken.text
    assert [each.text for each in broken.of_class("red")] == ["red"]
    assert list(fixed.all("mark")) == []
    assert "yes, 3 of 3 attempts on 1.1" in case.text
    assert "1.2, measured over 4 releases" in case.text
    assert "1.0 up to 1.2, which is fixed" in case.text
    assert "sys.exit(" in case.text
    assert "Not measured" in page(site, "case/never.html").text
    assert page(site, f"run/{swept['run']}.html").one("h1").text == MARKUP
    feed = fromstring((site / "feed.atom").read_text())
    assert [each.text for each in feed.iter(f"{ATOM}updated")]
    (entry,) = feed.iter(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "bug: PASS: measured for the first time"
    assert "PASS" in (site / "badge/bug.svg").read_text()
    record: dict[str, Any] = json.loads((site / "osv/bug.json").read_text())
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(record)
    assert str(fixproof.home) not in (site / "case/bug.html").read_text()


@pytest.mark.browser
def test_a_browser_runs_the_one_script_and_complains_of_nothing(
    fixproof: Fixproof, corpus: Cases, site: Path, tmp_path: Path
) -> None:
    corpus.write(SPEAKS, title=MARKUP)
    fixproof.verify("bug", code=0)
    published(fixproof, site)
    case = browse(site / "case/bug.html", tmp_path / "profile")
    assert case.console == []
    assert case.document.count(">Copy</button>") == 2
    index = browse(site / "index.html", tmp_path / "profile")
    assert index.console == []
    assert "1 of 1 shown" in index.document


def test_what_did_not_change_is_not_touched(fixproof: Fixproof, corpus: Cases, site: Path) -> None:
    corpus.write()
    corpus.write(name="other", fixed="1.1")
    fixproof.verify("bug", code=0)
    fixproof.verify("other", code=1)
    first = published(fixproof, site)
    assert published(fixproof, site) == first
    corpus.write(name="other", title="It has another title")
    second = published(fixproof, site)
    changed = {name for name, at in second.items() if first.get(name) != at}
    assert "case/other.html" in changed
    assert "index.html" in changed
    assert not [name for name in changed if "bug" in name]
    assert "style.css" not in changed
    assert "stale" in page(site, "case/other.html").text
    (corpus.folder / "other.py").unlink()
    third = published(fixproof, site)
    assert not [name for name in third if "other" in name]
    (site / "case/bug.html").unlink()
    assert "case/bug.html" in published(fixproof, site)


def test_a_withdrawn_run_says_so_on_its_page_in_the_feed_and_in_its_record(
    fixproof: Fixproof, corpus: Cases, site: Path
) -> None:
    corpus.write()
    swept = fixproof.sweep("bug", code=0)["run"]
    published(fixproof, site)
    why = "the index was <a mirror> of another"
    assert fixproof("withdraw", swept, "--why", why).code == 0
    published(fixproof, site)
    case = page(site, "case/bug.html")
    assert f"Withdrawn: {swept}" in case.text
    assert "First fixed release" not in case.text
    assert "Withdrawn on 2" in page(site, f"run/{swept}.html").text
    assert why in (page(site, f"run/{swept}.html")).text
    assert "was withdrawn" in (site / "feed.atom").read_text()
    assert "withdrawn" in (site / "badge/bug.svg").read_text()
    record = json.loads((site / "osv/bug.json").read_text())
    assert record["withdrawn"] == record["modified"]
    fixproof.verify("bug", "--fresh", code=0)
    published(fixproof, site)
    text = page(site, "case/bug.html").text
    assert text.count(f"An earlier run, {swept}, was withdrawn: {why}") == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["withdrawn"])


def test_a_history_is_of_nights_and_what_no_night_made_stands_apart(
    fixproof: Fixproof, corpus: Cases, site: Path
) -> None:
    corpus.write()
    fixproof.verify("bug", code=0)
    corpus.write(name="other")
    done = fixproof("nightly")
    assert done.code == 0, done.stderr
    published(fixproof, site)
    looked = "1 night looked at it (1 PASS)"
    strips = [each.attributes["aria-label"] for each in page(site, "index.html").of_class("strip")]
    assert strips == [
        f"45 days: {looked}; runs that no night made on 1 day (1 PASS)",
        f"45 days: {looked}",
    ]
    assert f"365 days: {looked}. A bar: a night looked" in page(site, "case/other.html").text
    assert fixproof("nightly", "other", "--fresh").code == 0
    again = published(fixproof, site)
    assert "2 nights" not in (site / "case/other.html").read_text()
    assert published(fixproof, site) == again


def test_a_superseded_run_says_by_which(fixproof: Fixproof, corpus: Cases, site: Path) -> None:
    corpus.write()
    first = fixproof.verify("bug", code=0)["run"]
    second = fixproof.verify("bug", "--fresh", code=0)["run"]
    published(fixproof, site)
    assert f"Superseded by {second}" in page(site, f"run/{first}.html").text
    assert "Superseded" not in page(site, f"run/{second}.html").text


def test_a_folder_of_others_and_a_broken_case_are_told(
    fixproof: Fixproof, corpus: Cases, site: Path
) -> None:
    site.mkdir()
    (site / "index.html").write_text("mine")
    published(fixproof, site, code=2)
    assert [each.name for each in files(site)] == ["index.html"]
    (site / "index.html").unlink()
    corpus.write()
    corpus.write(name="faulty", signature="(")
    published(fixproof, site, code=2)
    assert {"case/bug.html", "case/faulty.html"} & {*published(fixproof, site, code=2)} == {
        "case/bug.html"
    }
