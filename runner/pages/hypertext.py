"""What a reader of an HTML page sees of it, as lines; nothing of its scripts and styles.

A stream of events and no tree: it takes what is not closed as it comes, and a tree of a page with a
long log in it would take a minute.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from runner.pages.line import Line

_UNSEEN = frozenset({"script", "style", "template", "svg", "iframe", "object", "noscript"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | frozenset(
    re.findall(
        r"\w+",
        """address article aside blockquote body br button dd details dialog div dl dt fieldset
        figcaption figure footer form header hr html li main nav ol option p pre section summary
        table tbody thead title tr ul""",
    )
)
_CELLS = frozenset({"td", "th"})
_VOID = frozenset({"br", "hr"})


def lines_of_html(text: str) -> tuple[Line, ...]:
    """The lines of a page, each with the number of the line where its text begins."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.end_line()
    return tuple(reader.lines)


class _Reader(HTMLParser):
    """Collects text, and ends a line where a block begins or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[Line] = []
        self._parts: list[str] = []
        self._links: list[str] = []
        self._number = 0
        self._unseen = 0
        self._pre = 0
        self._heading = False
        self._term = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        if tag == "body":
            self._unseen = 0
        if tag == "dd" and self._term:
            self._parts = ["".join(self._parts).rstrip().removesuffix(":"), ": "]
        elif tag in _BLOCKS:
            self.end_line()
        if tag in _CELLS and self._parts:
            self._parts.append(" | ")
        self._term = False
        self._pre += tag == "pre"
        self._heading = tag in _HEADINGS or self._heading
        if tag == "a":
            self._links += [value for name, value in attrs if name == "href" and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID or tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        self._term = tag == "dt" and bool(self._parts)
        if tag in _BLOCKS and not self._term:
            self.end_line()
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        if tag in _HEADINGS:
            self._heading = False

    def handle_data(self, data: str) -> None:
        if self._unseen or not data:
            return
        number = self.getpos()[0]
        if self._pre:
            self._add_code(data, number)
        elif data.strip():
            if not self._parts:
                self._number = number + data[: len(data) - len(data.lstrip())].count("\n")
            self._parts.append(data)
        elif self._parts:
            self._parts.append(" ")

    def end_line(self) -> None:
        """What was collected is a line."""
        text = "".join(self._parts)
        shown = text if self._pre else " ".join(text.split())
        if shown.strip():
            links = tuple(self._links)
            self.lines.append(Line(self._number, shown, self._pre > 0, self._heading, links))
        self._parts, self._links = [], []

    def _add_code(self, data: str, number: int) -> None:
        """Text with its own line ends; the last line may go on behind a tag."""
        first, *others = data.split("\n")
        if not self._parts:
            self._number = number
        self._parts.append(first)
        for offset, each in enumerate(others, 1):
            self.lines.append(Line(self._number, "".join(self._parts), code=True))
            self._parts, self._number = [each], number + offset
