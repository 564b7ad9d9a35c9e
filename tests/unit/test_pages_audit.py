"""What a page comes to, and how that is told; the logs of its case are searched for its signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runner.errors import BrokenPage, IndexUnreachable
from runner.pages.audit import (
    AuditDocument,
    AuditedPage,
    SkippedPage,
    TroubledPage,
    Verdict,
    audited,
    document,
)
from runner.pages.fields import page_of
from runner.pages.finding import Kind, Severity
from runner.pages.markdown import markdown
from runner.pages.page import SHOWN, Field
from runner.pages.reading import read
from runner.pages.witness import Evidence, Lack
from tests.builders import (
    GOOD,
    Trial,
    World,
    a_case,
    a_history,
    a_plan,
    a_universe,
    broken_in,
)
from tests.builders import Said as Ends
from tests.page_builders import Layout, Said, evidence, witnesses
from tests.schemas import name_of, validator_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HISTORY = a_history("1.0", "1.1", "1.2", "1.3")
SIGNATURE = ("Failure Signature (Search String)", "- {}", "Environment")


def verified(world: World | None = None) -> Evidence:
    plan = a_plan(a_case(fixed="1.2"), a_universe(HISTORY))
    return evidence(*witnesses(plan, world or World(broken_in("1.0", "1.1"))), fixed=["1.2"])


def audit(
    said: Said, known: Evidence | None = None, *, signature: str | None = None
) -> AuditedPage:
    """What becomes of a page, perhaps with a signature on it."""
    text = said.text(Layout.DASHES)
    if signature:
        text += "\n" + "\n".join(SIGNATURE).format(signature)
    page = page_of(read(text.encode(), "page.txt"), "page.txt")
    return audited(page, HISTORY, verified() if known is None else known, NOW)


def kinds(page: AuditedPage) -> dict[Kind, Severity]:
    return {each.kind: each.severity for each in page.findings}


@pytest.mark.parametrize(
    ("said", "known", "verdict", "code"),
    [
        (Said(), None, Verdict.CLEAN, 0),
        (Said(fixed=("1.3",)), None, Verdict.FALSE, 1),
        (Said(fixed=("1.2", "1.3")), None, Verdict.FALSE, 1),
        (Said(rows=(("1.0", "Broken"),)), None, Verdict.DOUBT, 3),
        (Said(more=("Confidence: 0.9",)), None, Verdict.DOUBT, 3),
        (Said(), Evidence(lack=Lack.NO_CASE), Verdict.DOUBT, 3),
        (Said(fixed=("9.9",)), Evidence(lack=Lack.NO_CASE), Verdict.FALSE, 1),
    ],
)
def test_a_page_comes_to_the_worst_that_is_said_of_it(
    said: Said, known: Evidence | None, verdict: Verdict, code: int
) -> None:
    page = audit(said, known)
    assert (page.verdict, page.exit_code) == (verdict, code), page


def test_doubts_about_a_fix_are_settled_once_it_was_measured() -> None:
    older = "Pull request: https://github.com/maker/pkg/pull/3"
    assert kinds(audit(Said(more=(older,)))) == {Kind.FIX_BEFORE_REPORT: Severity.NOTE}
    assert audit(Said(more=(older,))).verdict is Verdict.CLEAN
    for known in (Evidence(lack=Lack.NOT_RUN), verified(World(broken_in("1.0", "1.1", "1.2")))):
        page = audit(Said(more=(older,)), known)
        assert kinds(page) == {Kind.FIX_BEFORE_REPORT: Severity.DOUBT}


def test_a_page_about_several_issues_is_refused_no_claim_and_passed_none() -> None:
    page = audit(Said(fixed=("1.2", "1.3"), more=("GitHub issue: #8",)))
    assert {each.result for each in page.claims} == {"untested"}
    assert (page.issue, page.lack) == (None, Lack.SEVERAL_FIXES)
    assert Kind.SEVERAL_FIXES in kinds(page)


def logging(trial: Trial) -> Ends:
    """A script that prints what the package says, whatever it is."""
    if trial.version is None:
        return Ends(code=1)
    if trial.version in ("1.0", "1.1"):
        return Ends(code=1, stdout=b"INFO: started\nDEBUG: depth is known\nBUG: it broke badly\n")
    return Ends(code=0, stdout=b"INFO: started\n")


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("BUG: it broke badly", {}),
        ("INFO: started", {Kind.SIGNATURE_WITHOUT_BUG: Severity.FALSE}),
        ("something else entirely", {Kind.SIGNATURE_NOT_IN_LOGS: Severity.DOUBT}),
        ("1. Run `it`", {Kind.SIGNATURE_NEVER_PRINTED: Severity.FALSE}),
        ("x = 1", {Kind.SIGNATURE_IS_SOURCE: Severity.DOUBT}),
    ],
)
def test_a_signature_is_looked_for_in_the_logs_of_the_case(
    signature: str, expected: dict[Kind, Severity]
) -> None:
    assert kinds(audit(Said(), verified(World(logging)), signature=signature)) == expected


def test_a_doubt_about_a_signature_is_settled_where_only_the_bug_prints_it() -> None:
    def behave(trial: Trial) -> Ends:
        shown = Ends(code=1, stdout=b"BUG: it broke\nx = 1\n")
        return (
            shown if trial.version in ("1.0", "1.1") else (GOOD if trial.version else Ends(code=1))
        )

    page = audit(Said(), verified(World(behave)), signature="x = 1")
    assert kinds(page) == {Kind.SIGNATURE_IS_SOURCE: Severity.NOTE}
    assert "It was found in 3 of 3 logs with the bug." in page.findings[0].said
    assert page.verdict is Verdict.CLEAN


def test_a_doubt_about_a_signature_says_that_no_log_with_the_bug_has_it() -> None:
    (told,) = audit(Said(), verified(World(logging)), signature="x = 1").findings
    assert told.said.endswith("It was found in none of 3 logs with the bug.")
    (long,) = audit(Said(), verified(World(logging)), signature=f"1. Run `{'x' * 90}`").findings
    assert f"“1. Run `{'x' * 72}…”" in long.said


def test_the_runs_that_were_relied_on_are_named() -> None:
    (run,) = audit(Said()).runs
    assert (run.run, run.kind, run.series, run.status) == ("run-1", "verify", ("py3.8",), "PASS")


PUBLISHED = Path(__file__).parent.parent / "published"


@given(
    name=st.sampled_from(sorted(each.name for each in PUBLISHED.iterdir())),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    noise=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=30)), max_size=4),
)
@settings(deadline=None)
def test_whatever_is_left_of_a_page_is_audited_without_trouble(
    name: str, ends: tuple[float, float], noise: list[tuple[float, bytes]]
) -> None:
    data = (PUBLISHED / name).read_bytes()
    low, high = (int(each * len(data)) for each in sorted(ends))
    data = data[low:high]
    for place, inserted in noise:
        at = int(place * len(data))
        data = data[:at] + inserted + data[at:]
    page = audited(page_of(read(data, name), name), HISTORY, verified(), NOW)
    assert markdown(document([page])).startswith("# Audit of fix pages")
    assert page.exit_code in (0, 1, 3)


def test_long_values_are_shortened() -> None:
    page = audit(Said(more=(f"Outcome: {'x' * 5000}",)))
    assert max(len(each.value) for each in page.statements) <= SHOWN + 1
    assert max(len(each.place.text) for each in page.statements) <= SHOWN + 1


TROUBLE = TroubledPage.of("page.txt", IndexUnreachable("no answer", hint="Try again."))
NO_PAGE = TroubledPage.of("README.md", BrokenPage("README.md is no fix page"))


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        ((), 0),
        ((Said(),), 0),
        ((Said(), Said(more=("Confidence: 1",))), 3),
        ((Said(more=("Confidence: 1",)), Said(fixed=("1.3",))), 1),
        ((Said(fixed=("1.3",)), NO_PAGE), 2),
        ((Said(fixed=("1.3",)), TROUBLE, NO_PAGE), 5),
    ],
)
def test_of_several_pages_the_first_trouble_counts_then_the_worst(
    pages: tuple[Said | TroubledPage, ...], code: int
) -> None:
    listed = [each if isinstance(each, TroubledPage) else audit(each) for each in pages]
    assert document(listed).exit_code == code


def whole() -> AuditDocument:
    pages = (
        audit(Said(), signature="INFO: started"),
        audit(Said(fixed=("1.2", "1.3"), rows=(("1.0", "Broken"),), affected="1.0–84.87")),
        audit(Said(), Evidence(lack=Lack.NO_CASE)),
        NO_PAGE,
        TROUBLE,
    )
    return document(pages, [SkippedPage(page="README.md", why="README.md is no fix page")])


def test_the_document_is_as_its_schema_says() -> None:
    validator_of(name_of(AuditDocument)).validate(json.loads(whole().document()))


def test_markdown_has_every_claim_and_finding_of_every_page() -> None:
    text = markdown(whole())
    rendered = MarkdownIt().enable("table").render(text)
    assert rendered.count("<h2>") == 6
    assert rendered.count("<table>") == 3
    assert "contradicted" in rendered
    assert "<code>first_fixed_differs</code>" in rendered
    assert "<code>fixproof sweep demo</code>" in rendered
    assert "README.md is no fix page" in rendered
    assert "IndexUnreachable" not in rendered


def test_nothing_of_a_page_acts_in_markdown() -> None:
    evil = "<script>alert(1)</script> | ![x](javascript:1) `\u202e"
    said = Said(fixed=(f"9.9 {evil}",), more=(f"Last verified: {evil}", f"Confidence: {evil}"))
    text = markdown(document([audit(said, signature=f"1. Run `{evil}`")]))
    rendered = MarkdownIt("default", {"html": True}).render(text)
    for part in ("<script", "<img", 'javascript:1)"', "\u202e"):
        assert part not in rendered
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {each.replace("\\|", "").count("|") for each in rows} == {5}


def test_what_the_documentation_lists_is_what_there_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    for kind in Kind:
        assert f"| `{kind}` |" in text, kind
    for listed in (Lack, Field):
        for each in listed:
            assert f"`{each}`" in text, each
