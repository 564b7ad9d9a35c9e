"""Whether the fix of a page can be that of its bug: what came first, and what people said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runner.pages.claimed import fixes, same, should_have_fix
from runner.pages.days import moment
from runner.pages.finding import Finding, Kind, finding
from runner.pages.page import Field, Page, Statement
from runner.pages.ranges import TOKEN, released
from runner.pages.references import Reference, reference
from runner.releases import History

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z@“\"(])")
_RELEASE = re.compile(
    rf"(?:(?P<word>[\w.-]+)[ /]+)?(?<![\w./#-])(?P<release>{TOKEN})(?![\w/]|\.\w)"
)
_BEFORE_A_RELEASE = frozenset(
    re.findall(
        r"\w+",
        """a all and as at by for from in is latest new newest of on or release since than the to
        under upgraded using v version versions was with""",
    )
)
"""Words after which a number is a release of the package, and not of something else."""
_BAD = re.compile(
    r"\b(?:issue|bug|problem|broken|breaks?|fail(?:s|ing|ed)?|happen(?:s|ing|ed)?|occurs?|regress\w+|"
    r"introduced|reproduc\w+|affected|affects)\b",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\b(?:fix(?:ed|es|ing)?|resolv\w+|solv\w+|works?|working|worked|no|not|never|cannot|without|gone|"
    r"before|prior|until|older|earlier|close[ds]?|available|released|upgrad\w+|patch\w*|since then|"
    r"if|whether|should|would|will|still on|downgrad\w+)\b|n['’]t\b|\?",
    re.IGNORECASE,
)
_FIXED_IN = re.compile(
    rf"\b(?:fixed|resolved|solved|available|released|shipped|landed|included|closed|merged)\b"
    rf"[^.!?]{{0,60}}?\b(?:in|on|with|as of|since|by)\b[^.!?\d]{{0,40}}?(?P<release>{TOKEN})",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|never|no|isn|wasn|was supposed|should have)\b|n['’]t\b", re.IGNORECASE
)
_SETTLED = re.compile(
    r"\b(?:fix(?:ed|es)?|works?|thanks?|thank you|resolved|solved|upgrad\w+)\b", re.IGNORECASE
)
_INTRODUCED = re.compile(r"\b(?:introduced|caused|broken|regress\w+|started)\b", re.IGNORECASE)
_OPTION = re.compile(
    r"^\W*(?:adds?|added|introduces?|introduced|provides?|exposes?)\b[^.;]{0,80}?"
    r"(?:`--?[\w-]+`|--[a-z][\w-]+|\b(?:option|parameter|flag|setting|argument|switch)\b)",
    re.IGNORECASE,
)


def origin_findings(page: Page, history: History | None) -> Iterator[Finding]:
    """Reasons to doubt that the first fixed release is one; a run of the case settles them."""
    yield from _older_change(page)
    yield from _older_release(page, history)
    yield from _shown_on_fix(page)
    yield from _introduced_by_fix(page)
    yield from _other_fix(page)
    yield from _option(page)


def _older_change(page: Page) -> Iterator[Finding]:
    """Numbers are given in turn: a lower one was opened before."""
    own = Reference(address=None, repository=page.repository, issue=True, number=None).name
    for each, change in _references(page, Field.FIX):
        for issue in page.issues[:1]:
            if change.name == own and change.number is not None and change.number < issue:
                said = f"The fix, #{change.number}, was opened before the issue, #{issue}."
                yield finding(Kind.FIX_BEFORE_REPORT, said, [each, *page.all(Field.ISSUE)[:1]])
                return


def _older_release(page: Page, history: History | None) -> Iterator[Finding]:
    """A release that was there before anybody is known to have seen the bug."""
    for version in fixes(page)[:1]:
        release = history.find(version) if history else None
        mentions = [(told.at, each) for each in _mentions(page) if (told := moment(each.value))]
        if release is None or release.uploaded is None or not mentions:
            return
        oldest, where = min(mentions, key=lambda each: each[0])
        if release.uploaded.date() < oldest.date():
            said = (
                f"{version} was there on {release.uploaded:%Y-%m-%d}; the page's oldest mention of "
                f"the bug is of {oldest:%Y-%m-%d}."
            )
            yield finding(Kind.RELEASE_BEFORE_REPORT, said, [where])


def _mentions(page: Page) -> Iterable[Statement]:
    """Dated mentions of the bug itself: thanks for the fix come later than the fix."""
    logs = page.all(Field.LOG_DATE)
    told = [(quote, date) for quote, date in _quotes(page) if date]
    if any(_SETTLED.search(quote.value) for quote, _ in told):
        return logs
    return (*logs, *(date for _, date in told))


def _quotes(page: Page) -> Iterator[tuple[Statement, Statement | None]]:
    """Each quote, with its date where one follows."""
    said = page.all(Field.QUOTE, Field.QUOTE_DATE)
    for at, each in enumerate(said):
        if each.field is Field.QUOTE:
            after = said[at + 1] if at + 1 < len(said) else None
            yield each, after if after and after.field is Field.QUOTE_DATE else None


def _shown_on_fix(page: Page) -> Iterator[Finding]:
    """Somebody says plainly that the claimed release has the bug; or a log of the bug does."""
    text = fixes(page)
    for quote, _ in _quotes(page):
        for sentence in _SENTENCE.split(quote.value):
            if not _BAD.search(sentence) or _HEDGED.search(sentence):
                continue
            named = [
                version
                for version in _releases(sentence, page.package)
                if should_have_fix(version, text)
            ]
            if named:
                said = f"A quote says that {named[0]}, which should have the fix, has the bug."
                yield finding(Kind.FIX_SHOWS_BUG, said, [quote])
    for log in page.all(Field.ERROR, Field.REPRODUCTION):
        version = _running(page, log, text)
        if version:
            said = f"The log of the bug names {page.package} {version}, which should have the fix."
            yield finding(Kind.FIX_SHOWS_BUG, said, [log])


def _running(page: Page, log: Statement, text: tuple[str, ...]) -> str | None:
    """The release of the package that a log names, if it should have the fix."""
    if not page.package or not text:
        return None
    pattern = rf"(?<![\w./-]){re.escape(page.package)}(?:/|==| v|-)(?P<release>{TOKEN})"
    for found in re.finditer(pattern, log.value[:50_000], re.IGNORECASE):
        version = released(found["release"].removesuffix(".dist-info").removesuffix("-py3"))
        if version and should_have_fix(version, text):
            return version
    return None


def _introduced_by_fix(page: Page) -> Iterator[Finding]:
    """Somebody names the fix as what brought the bug."""
    numbers = {change.number for _, change in _references(page, Field.FIX) if change.number}
    for quote, _ in _quotes(page):
        for sentence in _SENTENCE.split(quote.value):
            told = reference(sentence)
            if told and told.number in numbers and _INTRODUCED.search(sentence):
                said = (
                    f"A quote says that #{told.number}, which should be the fix, brought the bug."
                )
                yield finding(Kind.FIX_SHOWS_BUG, said, [quote, *page.all(Field.FIX)[:1]])


def _other_fix(page: Page) -> Iterator[Finding]:
    """Somebody says that another release has the fix."""
    text = fixes(page)
    for quote, _ in _quotes(page):
        named = [
            version
            for sentence in _SENTENCE.split(quote.value)
            for version in _said_to_fix(sentence)
            if text and not any(same(version, each) for each in text)
        ]
        if named:
            said = f"A quote says that the fix is in {named[0]}; the page says {text[0]}."
            yield finding(Kind.QUOTE_NAMES_OTHER_FIX, said, [quote])


def _said_to_fix(sentence: str) -> Iterator[str]:
    for found in _FIXED_IN.finditer(sentence):
        version = released(found["release"]) if "." in found["release"] else None
        if version and not _NEGATED.search(sentence[: found.end()]):
            yield version


def _option(page: Page) -> Iterator[Finding]:
    for each in page.all(Field.WHY):
        if _OPTION.search(each.value):
            said = (
                "What is called the fix is a new option: as long as nobody sets it, the release "
                "behaves as before."
            )
            yield finding(Kind.FIX_IS_AN_OPTION, said, [each])


def _releases(sentence: str, package: str | None) -> Iterator[str]:
    """Releases of the package that a sentence names; of Python, say, are none of it."""
    for found in _RELEASE.finditer(sentence):
        word = (found["word"] or "the").lower()
        own = word in _BEFORE_A_RELEASE or word == (package or "").lower()
        version = released(found["release"]) if own and "." in found["release"] else None
        if version:
            yield version


def _references(page: Page, field: Field) -> Iterator[tuple[Statement, Reference]]:
    for each in page.all(field):
        pointed = reference(each.value)
        if pointed:
            yield each, pointed.of(page.repository)
