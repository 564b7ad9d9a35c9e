"""What a section is made of, before it is written as Markdown, HTML or text."""

from __future__ import annotations

from runner.publish.markers import SectionName
from runner.value import Value


class Prose(Value):
    """A paragraph."""

    text: str
    loud: bool = False
    """Nobody is to overlook it."""


class Facts(Value):
    """Short statements by name."""

    pairs: tuple[tuple[str, str], ...]


class Table(Value):
    """Rows under heads; the first column names its row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Listing(Value):
    """Statements one below the other."""

    items: tuple[str, ...]


class Code(Value):
    """Text that is shown as it is."""

    text: str
    language: str = "text"
    title: str = ""


class Links(Value):
    """Addresses by name."""

    pairs: tuple[tuple[str, str], ...]


Block = Prose | Facts | Table | Listing | Code | Links


class Section(Value):
    """One section."""

    name: SectionName
    title: str
    blocks: tuple[Block, ...]
