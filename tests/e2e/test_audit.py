"""Pages audited by the command: against the index, with runs and without, and pages that are none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import DAY, GOOD, Cases, Fixproof, Package
from tests.index_server import IndexServer, Style
from tests.page_builders import Layout, Said

Publish = Callable[..., Path]


@pytest.fixture
def corpus(fixproof: Fixproof, package: Package) -> Cases:
    """The corpus that the command sees from where it is called."""
    folder = fixproof.cwd / "repros"
    folder.mkdir()
    return Cases(folder, package)


@pytest.fixture
def publish(fixproof: Fixproof, package: Package) -> Publish:
    """Write a page about issue 7 of the package."""

    def write(said: Said, name: str = "page.txt", layout: Layout = Layout.DASHES) -> Path:
        path = fixproof.cwd / name
        path.parent.mkdir(exist_ok=True)
        text = said.text(layout).replace("maker/pkg", f"maker/{package.name}")
        path.write_text(text, encoding="utf-8")
        return path

    return write


def issue(package: Package) -> str:
    return f"https://github.com/maker/{package.name}/issues/7"


def results(page: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(each["kind"], each["subject"]): each["result"] for each in page["claims"]}


TRUE = Said(fixed=("1.2",), rows=(("1.1", "Broken"), ("1.2", "Fixed")))


@pytest.mark.parametrize("layout", Layout)
def test_a_page_is_held_against_what_was_run_of_its_case(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish, layout: Layout
) -> None:
    package.usual()
    name = "page.txt" if layout is Layout.DASHES else f"page.{layout.value}"
    page = publish(TRUE, name, layout)
    nobody = fixproof("audit", page)
    assert nobody.code == 3
    assert f"to test it: fixproof new {page}" in nobody.text

    corpus.write(name=f"{package.name}-7", issue=issue(package), fixed="1.2", broken=["1.1"])
    unrun = fixproof("audit", page)
    assert (unrun.code, f"fixproof verify {package.name}-7" in unrun.text) == (3, True)

    assert fixproof("verify", f"{package.name}-7").code == 0
    done = fixproof("audit", page)
    assert done.code == 0, done.text
    assert "3 of 3 attempts show the bug on 1.1, 0 of 5 on 1.2" in done.text
    assert f"case {package.name}-7: verify of" in done.text

    wrong = publish(Said(fixed=("1.3",), rows=(("1.2", "Broken"), ("7.7", "Fixed"))), name, layout)
    document = fixproof("audit", wrong, "--json").document
    assert document["exit_code"] == 1
    assert results(document["pages"][0]) == {
        ("first_fixed", "1.3"): "contradicted",
        ("broken", "1.2"): "contradicted",
        ("fixed", "7.7"): "contradicted",
    }


def test_a_case_is_found_by_its_issue_whatever_it_is_called_and_by_its_name(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    page = publish(TRUE)
    corpus.write(name="some-bug", issue=issue(package).replace("maker", "owner-of-today"))
    (found,) = fixproof("audit", page, "--json").document["pages"]
    assert (found["case"], found["lack"]) == ("some-bug", "not_run")
    corpus.write(name="some-bug", issue=issue(package).replace("/7", "/8"))
    corpus.write(name=f"{package.name}-7")
    (found,) = fixproof("audit", page, "--json").document["pages"]
    assert found["case"] == f"{package.name}-7"


def test_what_ran_of_another_state_of_the_case_is_stale(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    page = publish(TRUE)
    case = corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    assert fixproof("verify", "bug").code == 0
    assert fixproof("audit", page).code == 0
    case.write_text(case.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    (found,) = fixproof("audit", page, "--json").document["pages"]
    assert (found["lack"], found["verdict"]) == ("stale", "doubt")
    assert found["claims"][0]["command"] == "fixproof verify bug"


def test_a_run_that_was_withdrawn_is_relied_on_no_more(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    page = publish(TRUE)
    corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    report = fixproof.verify("bug", code=0)
    assert fixproof("audit", page).code == 0
    assert fixproof("withdraw", report["run"], "--why", "a wrong script").code == 0
    assert fixproof("audit", page).code == 3


def test_runs_as_of_another_day_or_of_a_candidate_say_nothing_of_releases(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    page = publish(TRUE)
    corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    assert fixproof("verify", "bug", "--as-of", "today").code == 0
    (found,) = fixproof("audit", page, "--json").document["pages"]
    assert found["lack"] == "stale"


def test_several_pages_are_told_one_by_one_and_in_one_document(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    assert fixproof("verify", "bug").code == 0
    publish(TRUE, "pages/a.txt")
    publish(Said(fixed=("1.1",)), "pages/b.md", Layout.MARKDOWN)
    publish(TRUE, "pages/.hidden.txt")
    (fixproof.cwd / "pages" / "README.md").write_text("Hello.\n", encoding="utf-8")
    (fixproof.cwd / "pages" / "data.bin").write_bytes(b"\0")
    done = fixproof("audit", "pages")
    assert done.code == 1
    assert done.text.index("clean pages/a.txt") < done.text.index("false pages/b.md")
    assert "left out: pages/README.md is no fix page" in done.text
    assert "2 pages: 1 false, 1 clean" in done.text
    document = fixproof("audit", "pages", "pages/a.txt", "--json").document
    assert [each["page"] for each in document["pages"]] == ["pages/a.txt", "pages/b.md"]
    assert [each["page"] for each in document["skipped"]] == ["pages/README.md"]
    text = fixproof("audit", "pages", "--format", "md")
    assert (text.code, text.text.startswith("# Audit of fix pages\n\n2 pages: ")) == (1, True)


def test_what_is_no_page_is_wrong_usage(fixproof: Fixproof, package: Package) -> None:
    package.usual()
    (fixproof.cwd / "empty").mkdir()
    (fixproof.cwd / "note.txt").write_text("Hello.\n", encoding="utf-8")
    for named in ("missing.txt", "empty"):
        assert fixproof("audit", named).code == 2
    (troubled,) = fixproof("audit", "note.txt", "--json").document["pages"]
    assert (troubled["exit_code"], troubled["error"]["kind"]) == (2, "broken_page")
    assert "note.txt is no fix page" in fixproof("audit", "note.txt").text
    only = fixproof("audit", ".")
    assert (only.code, "there is no fix page" in only.stderr) == (2, True)
    assert fixproof("audit").code == 2


def test_an_index_that_does_not_answer_is_trouble_and_no_verdict(
    fixproof: Fixproof, package: Package, publish: Publish, index: IndexServer
) -> None:
    package.usual()
    page = publish(Said(fixed=("9.9",)))
    done = fixproof("audit", page, "--json", UV_DEFAULT_INDEX=index.address(Style.BROKEN))
    assert done.code == 5
    (troubled,) = done.document["pages"]
    assert troubled["error"]["kind"] == "index_unreachable"


def test_a_package_that_the_index_does_not_have_is_told(
    fixproof: Fixproof, package: Package, publish: Publish
) -> None:
    named = publish(Said(more=(f"Package: {package.name}",)), "named.txt")
    guessed = publish(Said(), "guessed.txt")
    one, other = fixproof("audit", named, guessed, "--json").document["pages"]
    assert [each["kind"] for each in one["findings"]] == ["no_such_package"]
    assert [each["kind"] for each in other["findings"]] == ["incomplete"]
    assert {each["result"] for each in (*one["claims"], *other["claims"])} == {"untested"}


def test_a_yanked_release_that_nobody_gets_is_no_answer(
    fixproof: Fixproof, package: Package, publish: Publish
) -> None:
    package.usual().release("1.4", GOOD, yanked=True)
    document = fixproof("audit", publish(Said(fixed=("1.4",))), "--json").document
    (page,) = document["pages"]
    assert [each["kind"] for each in page["findings"]] == ["yanked_release"]
    assert page["verdict"] == "doubt"


def test_dates_are_held_against_the_day_of_the_release(
    fixproof: Fixproof, package: Package, publish: Publish
) -> None:
    package.usual()
    early = Said(more=(f"Last verified: {DAY + timedelta(days=3):%Y-%m-%d}", "Ran: 2199-01-01"))
    (page,) = fixproof("audit", publish(early), "--json").document["pages"]
    told = {each["kind"] for each in page["findings"]}
    assert told == {"verified_before_run", "date_in_future"}
    before = Said(more=("Last verified: 2024-02-01",))
    (page,) = fixproof("audit", publish(before), "--json").document["pages"]
    assert {each["kind"] for each in page["findings"]} == {"verified_before_release"}


def test_nothing_of_a_page_acts_on_a_terminal(
    fixproof: Fixproof, package: Package, publish: Publish
) -> None:
    package.usual()
    evil = "\x1b]0;owned\x07\x1b[31mred\u202e [bold]x[/bold]"
    done = fixproof("audit", publish(Said(more=(f"Last verified: {evil}",))))
    assert done.code == 3
    assert "\x1b" not in done.text
    assert "\u202e" not in done.text
    assert "[bold]x[/bold]" in done.text


@pytest.mark.parametrize("in_one_line", [False, True])
def test_bad_bytes_and_ten_megabytes_of_log_are_no_trouble(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish, *, in_one_line: bool
) -> None:
    package.usual()
    corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    assert fixproof("verify", "bug").code == 0
    page = publish(TRUE)
    log = b"INFO: \xff\xfe caf\xe9 First fixed release: 9.9\n" * 250_000
    log = log.replace(b"\n", b" ") if in_one_line else log
    page.write_bytes(page.read_bytes() + b"\nMinimal Reproduction\n" + log)
    document = fixproof("audit", page, "--json").document
    (found,) = document["pages"]
    assert found["encoding"] == "mixed"
    assert [each["kind"] for each in found["findings"]] == ["reproduction_not_code"]
    assert {*results(found).values()} == {"confirmed"}


@pytest.mark.parametrize("layout", Layout)
def test_half_a_page_is_audited_or_is_none(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish, layout: Layout
) -> None:
    package.usual()
    corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    assert fixproof("verify", "bug").code == 0
    whole = publish(TRUE, layout=layout).read_bytes()
    folder = fixproof.cwd / "halves"
    folder.mkdir()
    ending = "html" if layout is Layout.HTML else "md"
    for at in range(0, len(whole), len(whole) // 12):
        (folder / f"first-{at:04}.{ending}").write_bytes(whole[:at])
        (folder / f"last-{at:04}.{ending}").write_bytes(whole[at:])
    done = fixproof("audit", folder, "--json")
    assert "Traceback" not in done.stderr
    for each in done.document["pages"]:
        assert each["exit_code"] in (0, 3), each["findings"]
        assert "contradicted" not in results(each).values()


def test_two_fixes_on_one_page_are_told_apart_by_nobody(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    corpus.write(name="bug", issue=issue(package), fixed="1.2", broken=["1.1"])
    assert fixproof("verify", "bug").code == 0
    page = publish(TRUE)
    text = page.read_text(encoding="utf-8")
    page.write_text(text + "\n" + text.replace("#7", "#8").replace("1.2", "1.3"), encoding="utf-8")
    (found,) = fixproof("audit", page, "--json").document["pages"]
    assert (found["issue"], found["case"], found["lack"]) == (None, None, "several_fixes")
    assert {*results(found).values()} == {"untested"}
    assert "several_fixes" in [each["kind"] for each in found["findings"]]
    refused = fixproof("new", page)
    assert (refused.code, "several issues, #7 and #8" in refused.stderr) == (2, True)


def test_no_script_of_a_page_is_copied_through(
    fixproof: Fixproof, package: Package, corpus: Cases, publish: Publish
) -> None:
    package.usual()
    page = publish(
        Said(more=("Last verified: <b onclick='alert(2)'>soon</b>",)), "page.html", Layout.HTML
    )
    evil = "<h2>Minimal Reproduction</h2><pre>import a<script>alert(1)</script>\nx = 1</pre></body>"
    text = page.read_text(encoding="utf-8").replace("</body>", evil)
    page.write_text(text, encoding="utf-8")
    for form in ("text", "md", "json"):
        done = fixproof("audit", page, "--format", form)
        assert done.code == 3, done.text
        assert "alert" not in done.text
        assert "onclick" not in done.text
    assert fixproof("new", page).code == 0
    made = (corpus.folder / f"{package.name}-7.py").read_text(encoding="utf-8")
    assert "x = 1" in made
    assert "alert" not in made


def test_a_corpus_of_published_pages_is_audited_without_a_case(
    fixproof: Fixproof, package: Package
) -> None:
    package.usual()
    published = Path(__file__).parent.parent / "published"
    shutil.copytree(published, fixproof.cwd / "published")
    document = fixproof("audit", "published", "--json").document
    assert len(document["pages"]) == len(list(published.iterdir()))
    assert {each["lack"] for each in document["pages"]} == {"no_case"}
