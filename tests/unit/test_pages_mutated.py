"""Whole pages of every layout, changed at random: each change is read, and each claim told right.

The pages are those of `tests/published`, and the published ones beside the project where they are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from runner.claims import Result
from runner.pages.audit import Verdict, audited
from runner.pages.claimed import ClaimKind
from runner.pages.fields import page_of
from runner.pages.finding import Kind
from runner.pages.page import Field, Page, Statement
from runner.pages.ranges import TOKEN
from runner.pages.reading import read
from tests.builders import a_history
from tests.page_builders import Said, evidence
from tests.unit.test_pages_judgement import Truth, bisected, swept, true_of, verified

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PUBLISHED = Path(__file__).parent.parent / "published"
SHARED = Path(__file__).parents[3] / "shared" / "pages"
PAGES = sorted([*PUBLISHED.iterdir(), *SHARED.glob("*.txt")])
OF_RELEASES = (Field.FIRST_FIXED, Field.AFFECTED, Field.BROKEN_ROW, Field.FIXED_ROW)
JUDGED = (ClaimKind.FIRST_FIXED, ClaimKind.FIXED, ClaimKind.BROKEN, ClaimKind.RANGE)
NOWHERE = ("0.0.7", "77.7", "999.1")
"""Releases that no index has."""


class Written(NamedTuple):
    """A page in a file."""

    name: str
    text: str

    def page(self) -> Page:
        return page_of(read(self.text.encode(), self.name), self.name)

    def named(self) -> tuple[Statement, ...]:
        """Every statement that names a release."""
        return self.page().all(*OF_RELEASES)

    def changed(self, statement: Statement, old: str, new: str) -> Written:
        """The same with another release in the line of one statement."""
        lines = self.text.split("\n")
        at = statement.place.line - 1
        pattern = rf"(?<![\w.]){re.escape(old)}(?![\w]|\.\d)".replace(r"\.", r"\\?\.")
        lines[at], count = re.subn(pattern, new, lines[at])
        assert count, (statement, lines[at])
        return self._replace(text="\n".join(lines))


@cache
def written(path: Path) -> Written:
    return Written(path.name, path.read_text(encoding="utf-8"))


def releases(text: str) -> list[str]:
    return re.findall(TOKEN, text)


@st.composite
def worlds(draw: st.DrawFn, page: Written, *, one_range: bool) -> Truth:
    """What could be so of the package of a page: some of the releases that it names exist."""
    named = {version for each in page.named() for version in releases(each.value)}
    others = {"0.1.0", "0.12.2", "2.4.1", "2.5.0", "90.0"}
    versions = tuple(sorted({*draw(st.sets(st.sampled_from(sorted(named)))), *others}, key=Version))
    if not one_range:
        return Truth(versions, frozenset(draw(st.sets(st.sampled_from(versions)))))
    start = draw(st.integers(0, len(versions) - 1))
    end = draw(st.integers(start, len(versions)))
    return Truth(versions, frozenset(versions[start:end]))


@st.composite
def mutants(draw: st.DrawFn, page: Written, truth: Truth) -> Written:
    """The page with another release in some places, or everywhere; each change is read."""
    choice = st.sampled_from((*truth.versions, *NOWHERE))
    everywhere = draw(st.none() | choice)
    named = page.named()
    picked = (
        [each for each in named if each.field is Field.FIRST_FIXED]
        if everywhere
        else draw(st.lists(st.sampled_from(named), max_size=5, unique_by=lambda e: e.place.line))
    )
    for each in picked:
        old = draw(st.sampled_from(releases(each.value)))
        new = everywhere or draw(choice)
        page = page.changed(each, old, new)
        wanted = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w]|\.\d)", new, each.value)
        read_back = [
            one.value
            for one in page.named()
            if one.field is each.field and one.place.line == each.place.line
        ]
        assert wanted in read_back, (wanted, read_back)
    return page


@given(
    data=st.data(), path=st.sampled_from(PAGES), kind=st.sampled_from((swept, verified, bisected))
)
@settings(max_examples=150, deadline=None)
def test_whatever_release_a_page_names_no_false_claim_passes_and_no_true_one_is_refused(
    data: st.DataObject, path: Path, kind: type
) -> None:
    truth = data.draw(worlds(written(path), one_range=kind is not swept))
    mutant = data.draw(mutants(written(path), truth))
    history = a_history(*truth.versions)
    fixed = data.draw(st.sampled_from(truth.versions))
    known = evidence(*kind(*truth.broken, history=history, fixed=fixed))
    page = mutant.page()
    found = audited(page, history, known, NOW)
    rows = tuple((each.value, "Broken") for each in page.all(Field.BROKEN_ROW))
    for each in found.claims:
        if each.kind not in JUDGED:
            continue
        true = true_of(truth, Said(rows=rows), each.kind, each.subject)
        assert each.result is not Result.CONFIRMED or true, each
        assert each.result is not Result.CONTRADICTED or not true, each
        if each.result is Result.CONTRADICTED:
            assert found.verdict is Verdict.FALSE
        if kind is swept and true:
            assert each.result is Result.CONFIRMED, each
    kinds = {each.kind for each in found.findings}
    named = {version for each in page.all(*OF_RELEASES) for version in releases(each.value)}
    assert (Kind.NO_SUCH_RELEASE in kinds) == bool(named - {*truth.versions})
    first = {Version(each.value) for each in page.all(Field.FIRST_FIXED)}
    assert (Kind.FIRST_FIXED_DIFFERS in kinds) == (len(first) > 1)
