"""What a page shows to be run or searched for: whether it can be run, or found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from runner.pages.finding import Finding, Kind, finding
from runner.pages.page import Field, Page, Statement, quoted
from runner.pages.reproduction import Shape, parsed, shape_of

_STEP = re.compile(
    r"^\d{1,2}[.)]\s+(?:.*`|(?:add|build|call|click|connect|create|execute|go|install|launch|make|"
    r"navigate|open|put|run|send|set|start|stop|try|use|wait|write)\b)",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"^#{1,6} \S|```|\*\*[^*]+\*\*|\]\(https?:|^[-*] \[[ x]\] |</?(?:b|code|p|br)>"
)
_FIRST_PERSON = re.compile(
    r"^I(?:['’](?:m|ve|d|ll))?\s+(?:am|was|have|had|do|did|can|could|would|will|get|got|see|saw|"
    r"find|found|notic\w+|encounter\w*|experienc\w+|fac\w+|tri\w+|try|us\w+|run|ran|think|thought|"
    r"believe|expect\w*|want\w*|need\w*|just|also|recently|currently)\b"
)
_PROSE = re.compile(r"^[A-Z][\w'’-]*(?:,? [\w'’-]+){3,}[.!]?$")
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL)\b")
_NEAR = 120
"""Characters between the level of a log line and what it says, at most."""
_FAILURE = re.compile(
    r"error|fail|except|invalid|traceback|assert|refus|den(?:y|ied)|abort|crash|kill|"
    r"time(?:d )?out|warn|unexpected|cannot|could not|unable|missing|never|\bnot\b|lost|reset|"
    r"broken|leak|dead|\b[45]\d\d\b",
    re.IGNORECASE,
)
_SOURCE = (
    ast.Assert,
    ast.Assign,
    ast.AugAssign,
    ast.Delete,
    ast.Import,
    ast.ImportFrom,
    ast.Raise,
    ast.Return,
)
_MOST = 400
"""Characters of a signature that is parsed."""
_MOST_FOUND = 50
"""Occurrences in the page's own log that are looked at."""


def reproduction_findings(page: Page) -> Iterator[Finding]:
    """A reproduction that nobody can run as it stands."""
    for each in page.all(Field.REPRODUCTION):
        kind, what = _of_shape(shape_of(each.value))
        if kind:
            yield finding(kind, f"The reproduction {what}", [each])


def signature_findings(page: Page) -> Iterator[Finding]:
    """Signatures that no program prints, or that a healthy one prints too."""
    for each in dict.fromkeys(page.all(Field.SIGNATURE)):
        found = _never_printed(each) or _healthy(page, each) or _source(page, each)
        found = found or _prose(page, each)
        if found:
            yield found


def _of_shape(shape: Shape) -> tuple[Kind | None, str]:
    match shape:
        case Shape.PYTHON | Shape.SHELL:
            return None, ""
        case Shape.LOG:
            return Kind.REPRODUCTION_NOT_CODE, "is a log, and no script."
        case Shape.TRACEBACK:
            return Kind.REPRODUCTION_NOT_CODE, "is a traceback, and no script."
        case Shape.EMPTY:
            return Kind.REPRODUCTION_NOT_CODE, "is empty."
        case Shape.NO_LINE_ENDS:
            return Kind.REPRODUCTION_CANNOT_RUN, "lost its line ends: Python refuses it."
        case Shape.NO_INDENTATION:
            return Kind.REPRODUCTION_CANNOT_RUN, "lost its indentation: Python refuses it."
        case Shape.OTHER:
            return Kind.REPRODUCTION_NOT_PYTHON, "is nothing that Python reads."


def _never_printed(signature: Statement) -> Finding | None:
    text = signature.value
    what = None
    if _STEP.match(text):
        what = "a numbered step of the report"
    elif _MARKUP.search(text):
        what = "text with markup of the report"
    elif _FIRST_PERSON.match(text):
        what = "a sentence of whoever reported the bug"
    if what is None:
        return None
    return finding(
        Kind.SIGNATURE_NEVER_PRINTED,
        f"The signature is {what}, and no program prints that: {quoted(text)}.",
        [signature],
    )


def _healthy(page: Page, signature: Statement) -> Finding | None:
    """A line that the page's own log has at a level at which programs tell that all is well."""
    if _FAILURE.search(signature.value):
        return None
    for log in page.all(Field.REPRODUCTION, Field.ERROR):
        if shape_of(log.value) is Shape.PYTHON:
            continue
        for before in _before(log.value, signature.value):
            levels = _LEVEL.findall(before)
            if levels and levels[-1] in ("DEBUG", "INFO"):
                said = (
                    f"The signature is a line of level {levels[-1]} in the page's own log, which a "
                    f"healthy run may print too: {quoted(signature.value)}."
                )
                return finding(Kind.SIGNATURE_OF_HEALTHY_LOG, said, [signature, log])
    return None


def _before(log: str, text: str) -> Iterator[str]:
    """What stands before each occurrence of a text, in its line."""
    at = log.find(text)
    for _ in range(_MOST_FOUND):
        if at < 0:
            return
        start = max(0, at - _NEAR, log.rfind("\n", 0, at) + 1)
        yield log[start:at]
        at = log.find(text, at + 1)


def _source(page: Page, signature: Statement) -> Finding | None:
    """A line of a script: only the traceback of an error in it would repeat it."""
    text = signature.value
    if len(text) > _MOST or _has_traceback(page):
        return None
    tree = parsed(text)
    lines = [statement for statement in tree.body if isinstance(statement, _SOURCE)] if tree else []
    called = tree is not None and any(
        isinstance(part, ast.Call | ast.Await) for part in ast.walk(tree)
    )
    repeated = called and any(text in each.value for each in page.all(Field.REPRODUCTION))
    if not lines and not repeated:
        return None
    said = (
        f"The signature is a line of source, which nothing but a traceback repeats, and the page "
        f"has no traceback: {quoted(text)}."
    )
    return finding(Kind.SIGNATURE_IS_SOURCE, said, [signature])


def _prose(page: Page, signature: Statement) -> Finding | None:
    """A sentence like the title of an issue, where the page itself has no log with it."""
    if not page.all(Field.NOT_CAPTURED) or not _PROSE.match(signature.value[:_MOST]):
        return None
    if any(signature.value in each.value for each in page.all(Field.REPRODUCTION)):
        return None
    said = (
        f"The signature reads like the title of an issue, and the page says that no error was "
        f"captured: {quoted(signature.value)}."
    )
    return finding(Kind.SIGNATURE_IS_PROSE, said, [signature])


def _has_traceback(page: Page) -> bool:
    texts = (each.value[:50_000] for each in page.all(Field.ERROR, Field.REPRODUCTION))
    return any("Traceback (most recent call last)" in each or 'File "' in each for each in texts)
