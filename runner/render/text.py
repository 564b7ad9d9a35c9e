"""Makes foreign text harmless in Markdown: titles, versions and logs come from strangers."""

from __future__ import annotations

import re
import unicodedata

from runner.sandbox import Stream
from runner.verdict import readable

PAGE_LINES = 40
"""Lines of one stream that a page shows; the whole log is one command away."""
PAGE_WIDTH = 200
"""Characters of one line that a page shows."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_KEPT_CONTROLS = "\t\n"
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: str) -> str:
    """Control and direction characters as escapes, so that nothing acts and nothing hides."""
    if text.isprintable():  # so are most texts of a site, and each need not be looked at
        return text
    return "".join(f"\\u{ord(each):04x}" if hides(each) else each for each in text)


def hides(character: str) -> bool:
    """Whether a character acts on others, or cannot be seen."""
    return character not in _KEPT_CONTROLS and unicodedata.category(character) in _HIDDEN


def inline(text: str) -> str:
    """One line of prose that Markdown and HTML leave as it is."""
    return _SPECIAL.sub(_escaped, visible(" ".join(text.split())))


def _escaped(special: re.Match[str]) -> str:
    return _ENTITIES.get(special[0], f"\\{special[0]}")


def code(text: str) -> str:
    """A code span, also in a table: its fence is longer than any run of backticks in it."""
    shown = visible(text).replace("\n", "\\n").replace("\t", "\\t").replace("|", "\\|")
    fence = "`" * (_longest_run(shown) + 1)
    edges = (shown[:1], shown[-1:])
    padding = " " if "`" in edges or edges == (" ", " ") else ""
    return f"{fence}{padding}{shown}{padding}{fence}" if shown else ""


def block(text: str) -> str:
    """A fenced block of plain text that no line of it can end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def log_text(stream: Stream) -> str:
    """A stream for a page: no terminal codes, shortened in the middle, all characters plain."""
    head, tail = _lines(stream.head), _lines(stream.tail)
    if not stream.omitted:
        head, tail = [*head, *tail], []
        if len(head) <= PAGE_LINES:
            return "\n".join(head)
    half = PAGE_LINES // 2
    first, last = head[:half], (tail or head)[-half:]
    left = len(head) + len(tail) - len(first) - len(last)
    parts = [f"{left} lines"] * (left > 0) + [f"{stream.omitted} bytes"] * (stream.omitted > 0)
    return "\n".join([*first, f"[… {' and '.join(parts)} left out …]", *last])


def _lines(data: bytes) -> list[str]:
    return [_narrow(each) for each in visible(readable(data)).splitlines()]


def _narrow(line: str) -> str:
    rest = len(line) - PAGE_WIDTH
    return line if rest <= 0 else f"{line[:PAGE_WIDTH]} [… {rest} characters …]"


def _longest_run(text: str) -> int:
    return max((len(each) for each in re.findall(r"`+", text)), default=0)
