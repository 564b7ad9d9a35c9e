"""A case to be written: it reads as one, whatever a page says, and nothing of the page acts in it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.case import Case
from runner.errors import BrokenCase, WrongUsage
from runner.pages.fields import page_of
from runner.pages.reading import read
from runner.pages.skeleton import Draft, draft_of_issue, draft_of_page, skeleton
from tests.page_builders import Layout, Said

PUBLISHED = Path(__file__).parent.parent / "published"
CORRECT = ("correct.txt", "correct-bullets.txt", "correct.md", "correct.html")
ISSUE = "https://github.com/maker/pkg/issues/7"


def drafted(name: str) -> Draft:
    return draft_of_page(page_of(read((PUBLISHED / name).read_bytes(), name), name))


def made(draft: Draft) -> tuple[str, Case]:
    """The skeleton; it has to be a script that says nothing of the bug."""
    script, case = skeleton(draft.id or "demo", draft)
    tree = ast.parse(script)
    body = [type(each).__name__ for each in tree.body]
    assert body == ["Expr", "Import", "Expr", "Expr"], "a docstring, an import and two calls"
    assert script.endswith("sys.exit(125)\n")
    return script, case


@pytest.mark.parametrize("name", CORRECT)
def test_a_page_of_every_layout_becomes_a_case_with_its_claims(name: str) -> None:
    draft = drafted(name)
    script, case = made(draft)
    assert case.id == "lanternfish-212"
    assert case.metadata.package == "lanternfish"
    assert case.metadata.issue == "https://github.com/tidewater/lanternfish/issues/212"
    assert case.metadata.fix == "https://github.com/tidewater/lanternfish/pull/219"
    assert case.metadata.fixed == ("2.4.2",)
    assert case.metadata.broken == ("2.4.0", "2.4.1")
    assert case.metadata.title == "A negative depth ends in an error"
    assert "lanternfish.lure" in script or "lure(depth)" in script
    assert f"({name}, line " in script


def test_a_false_claim_is_kept_as_it_is() -> None:
    said = Said(fixed=("1.2",), rows=(("84.87", "Broken"), ("1.2", "Broken")))
    script, case = made(draft_of_page(said.page(Layout.DASHES)))
    assert case.metadata.broken == ("84.87",)
    assert "1.2 is called both broken and fixed; it stands as fixed." in script


def test_options_go_before_what_the_page_says() -> None:
    own = Draft(package="other", fixed=("3.0",), title="Mine")
    _, case = made(own.completed(drafted("correct.txt")))
    assert (case.metadata.package, case.metadata.fixed) == ("other", ("3.0",))
    assert (case.metadata.title, case.metadata.broken) == ("Mine", ("2.4.0", "2.4.1"))
    assert case.id == "other-212"


def test_the_address_of_an_issue_says_the_package_and_the_name_of_the_case() -> None:
    draft = draft_of_issue(f"{ISSUE}#issuecomment-1")
    _, case = made(draft.model_copy(update={"broken": ("1.0",)}))
    assert (case.id, case.metadata.package, case.metadata.issue) == ("pkg-7", "pkg", ISSUE)


@pytest.mark.parametrize("address", ["https://example.org", f"{ISSUE[:-9]}/pull/7"])
def test_another_address_is_none_of_an_issue(address: str) -> None:
    with pytest.raises(WrongUsage, match="no address of an issue"):
        draft_of_issue(address)


@pytest.mark.parametrize(
    ("draft", "case_id", "message"),
    [
        (Draft(package="pkg"), "demo", "nothing is claimed"),
        (Draft(fixed=("1.0",)), "demo", "which package"),
        (Draft(package="pkg", fixed=("1.0",)), "No id", "no case id"),
        (Draft(package="pkg", fixed=("soon",)), "demo", "nothing is claimed"),
        (Draft(package="no package", fixed=("1.0",)), "demo", "cannot be read"),
    ],
)
def test_what_makes_no_case_is_refused(draft: Draft, case_id: str, message: str) -> None:
    with pytest.raises((WrongUsage, BrokenCase), match=message):
        skeleton(case_id, draft)


def test_a_page_about_several_issues_makes_no_case() -> None:
    with pytest.raises(WrongUsage, match="several issues, #7 and #8"):
        draft_of_page(Said(more=("GitHub issue: #8",)).page())


def test_a_long_reproduction_is_cut_and_says_so() -> None:
    text = "x" * 2_000 + "\n" + "import a\n" * 500
    script, _ = made(
        Draft(package="pkg", fixed=("1.0",), reproduction=text, source="a.txt, line 1")
    )
    assert " … 1000 more characters" in script
    assert "more lines" in script
    assert len(script) < 10_000


NASTY = st.text(max_size=80) | st.sampled_from(
    [
        '"""',
        "\\",
        "# ///",
        "# /// script",
        "/// script\n# ///",
        "\n'''\nimport os\nos.system('x')\n",
        "a\rimport os\r",
        "a\x0bimport os\x85import os\u2028import os",
        '" # [tool.uv]',
        "\u202e",
    ]
)


@given(
    title=st.none() | NASTY,
    reproduction=st.none() | NASTY,
    source=st.none() | NASTY,
    address=st.none() | NASTY | st.just(ISSUE),
    broken=st.lists(NASTY | st.just("1.0"), max_size=3),
)
def test_nothing_of_a_page_acts_in_a_skeleton(
    title: str | None,
    reproduction: str | None,
    source: str | None,
    address: str | None,
    broken: list[str],
) -> None:
    draft = Draft(
        package="pkg",
        title=title,
        issue=address,
        fixed=("1.2",),
        broken=tuple(broken),
        reproduction=reproduction,
        source=source,
    )
    _, case = made(draft)
    assert case.metadata.signature == "^BUG: "
    assert case.requirement == "pkg"
