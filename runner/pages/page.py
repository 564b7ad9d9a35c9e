"""What a fix page says: statements with their places, and the page that they are on."""

from __future__ import annotations

from enum import StrEnum

from runner.pages.reading import Form
from runner.pages.references import reference
from runner.value import Value

SHOWN = 300
"""Characters of a line, or of a value, that a document repeats."""
_QUOTED = 80
"""Characters that a sentence repeats."""


class Field(StrEnum):
    """What a statement is about: a closed set, listed in docs/audit.md."""

    PACKAGE = "package"
    REPOSITORY = "repository"
    ISSUE = "issue"
    FIX = "fix"
    FIRST_FIXED = "first_fixed"
    AFFECTED = "affected"
    BROKEN_ROW = "broken_row"
    FIXED_ROW = "fixed_row"
    UNAFFECTED_ROW = "unaffected_row"
    OTHER_ROW = "other_row"
    PYTHON = "python"
    SHOWS_ON_PYTHON = "shows_on_python"
    LAST_VERIFIED = "last_verified"
    RAN = "ran"
    CONFIDENCE = "confidence"
    REPRODUCED = "reproduced"
    UPSTREAM = "upstream"
    STATUS = "status"
    MODE = "mode"
    OUTCOME = "outcome"
    SIGNATURE = "signature"
    ERROR = "error"
    NOT_CAPTURED = "not_captured"
    REPRODUCTION = "reproduction"
    TRIGGER = "trigger"
    MECHANISM = "mechanism"
    WHY = "why"
    BROKE = "broke"
    SYMPTOM = "symptom"
    OWN_CONTENT = "own_content"
    QUOTE = "quote"
    QUOTE_DATE = "quote_date"
    LOG_DATE = "log_date"
    COUNTS = "counts"


class Place(Value):
    """Where something stands on a page."""

    line: int
    """From 1."""
    text: str
    """That line as one reads it, shortened."""


class Statement(Value):
    """One thing that a page says."""

    field: Field
    value: str
    """Releases and dates as they are written; issues and fixes as `owner/name#1` or an address."""
    place: Place


class Page(Value):
    """One fix page."""

    name: str
    """As the user named the file."""
    form: Form
    encoding: str
    statements: tuple[Statement, ...]
    """In the order of the page."""

    def all(self, *fields: Field) -> tuple[Statement, ...]:
        return tuple(each for each in self.statements if each.field in fields)

    def first(self, field: Field) -> Statement | None:
        return next((each for each in self.statements if each.field is field), None)

    def value(self, field: Field) -> str | None:
        """What the page says first of a field; None where it says nothing."""
        found = self.first(field)
        return found.value if found else None

    @property
    def is_fix_page(self) -> bool:
        """Whether it says anything that a fix page would say of releases or of an issue."""
        return bool(self.all(*_TELLING))

    @property
    def repository(self) -> str | None:
        """`owner/name`, where the page says it or an address does."""
        return self.value(Field.REPOSITORY)

    @property
    def issues(self) -> tuple[int, ...]:
        """Numbers of the issues that it is about, each once; there should be one."""
        told = (reference(each.value) for each in self.all(Field.ISSUE))
        numbers = (each.number for each in told if each and each.number is not None)
        return tuple(dict.fromkeys(numbers))

    @property
    def package(self) -> str | None:
        """What it calls the package, else the repository's name."""
        named = self.value(Field.PACKAGE)
        return named or (self.repository.rpartition("/")[2] if self.repository else None)


_TELLING = (
    Field.ISSUE,
    Field.FIX,
    Field.FIRST_FIXED,
    Field.AFFECTED,
    Field.BROKEN_ROW,
    Field.FIXED_ROW,
)


def shortened(text: str) -> str:
    """A text that a document can repeat: one line, not too long."""
    line = " ".join(text[: 4 * SHOWN].split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def quoted(text: str) -> str:
    """The beginning of a text, for a sentence; it says where it was cut."""
    return f"“{text}”" if len(text) <= _QUOTED else f"“{text[:_QUOTED].rstrip()}…”"
