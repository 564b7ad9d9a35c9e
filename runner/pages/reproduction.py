"""What a published reproduction is: a script, or something that no interpreter runs."""

from __future__ import annotations

import ast
import re
import warnings
from enum import StrEnum

_MOST = 200_000
"""Characters of a script that is parsed; what is longer was no minimal reproduction."""
_LOOKED_AT = 20_000
"""Characters that are searched for the marks of a log."""
_LOG_MARKS = 3
_OPENERS = 2

_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
_LOG = re.compile(
    r"(?:^|\s)(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL)\b\s*[:|\]]"
    r"|\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}"
    r"|\[ *\d+s\]"
    r"|(?:^|\s)E {3}\S"
    r"|_{5,} \w+(?:\[[^\]]*\])? _{5,}"
    r"|(?:^|\s)File \"[^\"]+\", line \d+"
    r"|HTTP/\d\.\d\" \d{3}",
    re.MULTILINE,
)
_OPENER = re.compile(
    r"(?<![\w.'\"])(?:import \w|from [\w.]+ import |async def \w+\(|def \w+\(|class \w+|return\b"
    r"|await \w|if __name__|for \w+ in |while \w|try:|except\b|with \w)"
)
_BLOCK = re.compile(
    r"^(?:async def|class|def|elif|else|except|finally|for|if|try|while|with)\b.*:\s*(?:#.*)?$",
    re.MULTILINE,
)
_SHELL = re.compile(
    r"^(?:\$ |% |#!/bin/|#!/usr/bin/env (?:ba)?sh|(?:sudo |[A-Z_]+=\S+ )*(?:pip3?|python3?|uvx?|"
    r"curl|docker|git|cd|mkdir|echo|export|apt(?:-get)?|conda|poetry|npm|make|pytest|uvicorn|gunicorn|"
    r"hypercorn|celery|flask|django-admin|wget|ab|wrk|hey|nc|openssl) )"
)


class Shape(StrEnum):
    """What is published under the name of a reproduction."""

    EMPTY = "empty"
    PYTHON = "python"
    SHELL = "shell"
    LOG = "log"
    TRACEBACK = "traceback"
    NO_LINE_ENDS = "no_line_ends"
    NO_INDENTATION = "no_indentation"
    OTHER = "other"
    """It is no Python that this interpreter reads: another language, or words."""


def shape_of(text: str) -> Shape:
    """What a text is; anything that parses and does something is a script."""
    text = _without_prompts(text.strip("\n"))
    if not text.strip():
        return Shape.EMPTY
    if does_something(text):
        return Shape.PYTHON
    if _SHELL.match(text.lstrip()):
        return Shape.SHELL
    start = text[:_LOOKED_AT]
    if sum(1 for _ in _LOG.finditer(start)) >= _LOG_MARKS:
        return Shape.LOG
    if _TRACEBACK.search(start):
        return Shape.TRACEBACK
    return _lost(start)


def does_something(text: str) -> bool:
    """Whether it is Python with a statement that is more than a name, or a word with a colon."""
    tree = parsed(text)
    return tree is not None and any(
        not isinstance(each, ast.Expr | ast.AnnAssign)
        or (isinstance(each, ast.AnnAssign) and each.value is not None)
        or any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(each))
        for each in tree.body
    )


def parsed(text: str) -> ast.Module | None:
    """The syntax tree; None if there is none, or if the text is too long to ask."""
    if len(text) > _MOST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _lost(text: str) -> Shape:
    """Python that lost what Python cannot do without, or no Python."""
    lines = [each for each in text.split("\n") if each.strip()]
    if len(lines) == 1 and len(_OPENER.findall(lines[0])) >= _OPENERS:
        return Shape.NO_LINE_ENDS
    indented = any(each[0] in " \t" for each in lines)
    if not indented and _BLOCK.search(text) and _OPENER.search(text):
        return Shape.NO_INDENTATION
    return Shape.OTHER


def _without_prompts(text: str) -> str:
    """What somebody typed, where it is the record of an interactive session."""
    if not text.lstrip().startswith(">>> "):
        return text
    typed = [each for each in text.split("\n") if each.startswith((">>> ", "... ", "..."))]
    return "\n".join(each[4:] for each in typed)
