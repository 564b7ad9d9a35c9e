"""A saved page as lines with their places: text, Markdown or HTML. It finds no statements in them.

Pages come from strangers and were saved by anything: encodings are mixed, tags are not closed, and
a log of 10 MB may stand in the middle. Every step takes time in proportion to the length.
"""

from __future__ import annotations

import codecs
import html
import re
from enum import StrEnum
from typing import NamedTuple

from runner.pages.hypertext import lines_of_html
from runner.pages.line import Line
from runner.value import Value

_BEGIN = re.compile(r"<!--[ \t]*fixproof:begin[ \t]")
_END = re.compile(r"<!--[ \t]*fixproof:end[ \t]*-->")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")


class Form(StrEnum):
    """How a page is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


class Reading(Value):
    """A page as it was read."""

    form: Form
    encoding: str
    """`utf-8`, `utf-16`, or `mixed` where lines that are not UTF-8 were taken for Windows-1252."""
    lines: tuple[Line, ...]


def read(data: bytes, name: str) -> Reading:
    """The lines of a page.

    Args:
        data: the file as it is.
        name: of the file; its ending says the form, if the content does not.
    """
    text, encoding = decode(data)
    text = _without_measured(text.replace("\r\n", "\n").replace("\r", "\n"))
    form = form_of(name, text)
    return Reading.model_construct(form=form, encoding=encoding, lines=_lines(form, text))


def form_of(name: str, text: str) -> Form:
    """HTML says so in its first words, whatever the file is called."""
    ending = name.rpartition(".")[2].lower()
    start = text[:200].lstrip("\ufeff \t\n").lower()
    if ending in ("html", "htm", "xhtml") or start.startswith(("<!doctype html", "<html")):
        return Form.HTML
    return Form.MARKDOWN if ending in ("md", "markdown") else Form.TEXT


def decode(data: bytes) -> tuple[str, str]:
    """The text, and what it was taken for: a mark at the start, UTF-8, else line by line."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            named = "utf-16" if encoding == "utf-16" else "utf-8"
            return data.decode(encoding, "replace"), named
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return "\n".join(_decode_line(each) for each in data.split(b"\n")), "mixed"


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _without_measured(text: str) -> str:
    """The page without what stands between the markers of `fixproof publish`.

    That was measured, and is no claim of the page. Lines keep their numbers.
    """
    parts, at = [], 0
    while (begin := _BEGIN.search(text, at)) and (end := _END.search(text, begin.end())):
        parts += [text[at : begin.start()], "\n" * text.count("\n", begin.start(), end.end())]
        at = end.end()
    return "".join([*parts, text[at:]])


def _lines(form: Form, text: str) -> tuple[Line, ...]:
    if form is Form.HTML:
        return lines_of_html(text)
    if form is Form.MARKDOWN:
        return tuple(_markdown(text))
    return tuple(Line(number, each) for number, each in enumerate(text.split("\n"), 1))


class _Fence(NamedTuple):
    """What opened a block of code, and has to close it."""

    character: str
    length: int


def _markdown(text: str) -> list[Line]:
    """Lines as a reader of the rendered page sees them; those of code blocks are marked."""
    found: list[Line] = []
    fence: _Fence | None = None
    for number, each in enumerate(text.split("\n"), 1):
        mark = _FENCE.match(each)
        if mark and fence is None:
            fence = _Fence(mark[1][0], len(mark[1]))
        elif mark and fence and _closes(fence, mark[1], each):
            fence = None
        elif fence:
            found.append(Line(number, each, code=True))
        else:
            found.append(_prose(number, each))
    return found


def _closes(fence: _Fence, mark: str, line: str) -> bool:
    alike = mark[0] == fence.character and len(mark) >= fence.length
    return alike and line.strip() == mark


def _prose(number: int, text: str) -> Line:
    heading = _HEADING.match(text)
    shown = heading[1] if heading else text
    links = tuple(each[2] for each in _LINK.finditer(shown))
    shown = _LINK.sub(r"\1", shown) if links else shown
    shown = html.unescape(_ESCAPE.sub(r"\1", shown))
    return Line(number, shown, heading=heading is not None, links=links)
