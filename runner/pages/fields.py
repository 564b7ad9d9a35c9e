"""What a page says, found by the tables of `labels`: each statement with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby

from runner.pages import labels
from runner.pages.days import moments
from runner.pages.labels import Section
from runner.pages.line import Line
from runner.pages.page import Field, Page, Place, Statement, shortened
from runner.pages.ranges import LIST, TOKEN, affected, released
from runner.pages.reading import Reading
from runner.pages.references import reference
from runner.pages.reproduction import Shape, shape_of

_MOST = 2_000
"""Characters of a line in which something is looked for: what is longer is a log."""
_MOST_DATED = 50_000
"""Characters of a log in which times are looked for."""

_BULLET = re.compile(r"^(?:[-*•+]|>)\s+")
_RULE = re.compile(r"^[-=_*|:\s]{3,}$")
_ECHO = re.compile(r"^(?:Failure Signature|Error Message) -{3,}\s*", re.IGNORECASE)
_BOX = re.compile(r"^(?:@@ |diff --git |repro\.py$)")
_BOX_ENDS = re.compile(
    r"^(?:verify$|fix\.md$|Re-run the minimal reproduction|Option [A-Z]\b)", re.IGNORECASE
)
_FIXED = re.compile(
    rf"\bUpgrade to (?:version|release) (?P<upgrade>{LIST}) or (?:later|newer)"
    rf"|\bfirst fixed (?:release|version)(?: is)?:? (?P<first>{LIST})"
    rf"|(?P<is>{TOKEN}) is the first fixed (?:release|version)",
    re.IGNORECASE,
)
_BASED = re.compile(
    r"\bBased on (?:an? )?(?:\w+ )?(?P<repository>[\w.-]+/[\w.-]+) issue #(?P<id>\d{1,9})\b"
)
_SAID = {
    Field.AFFECTED: re.compile(r"\bregression window:\s*(?P<value>.+?) breaks?\b", re.IGNORECASE),
    Field.SHOWS_ON_PYTHON: re.compile(
        r"\bShows up under Python (?P<value>\d+(?:\.\w+)*)", re.IGNORECASE
    ),
    Field.COUNTS: re.compile(r"\b(?P<value>\d+ of \d+)\b"),
}
_BY = re.compile(r"^@[\w.-]+\s*·\s*(?P<date>[^·]+?)\s*(?:·|$)")
_QUOTED = re.compile(r"^[“\"„«](?P<said>.+)")
_ROW = re.compile(r"^(?P<release>\S.*?)\s*(?:\|\s*|\s+)(?P<word>[^|]+)$")


def page_of(reading: Reading, name: str) -> Page:
    """Everything that a page says, in the order of its lines."""
    found: list[Statement] = []
    for section, lines in _sections(reading.lines):
        found += _of_section(section, lines)
    unique = dict.fromkeys((each.field, each.value, each.place.line, each) for each in found)
    return Page(
        name=name,
        form=reading.form,
        encoding=reading.encoding,
        statements=tuple(each for _, _, _, each in unique),
    )


def _sections(lines: Iterable[Line]) -> Iterator[tuple[Section, list[Line]]]:
    """The parts of a page; a part can come more than once."""
    placed = _placed(lines)
    for section, group in groupby(placed, key=lambda each: each[0]):
        yield section, [line for _, line in group]


def _placed(lines: Iterable[Line]) -> Iterator[tuple[Section, Line]]:
    """Each line with the part that it is in, without headings."""
    section, box = Section.TOP, False
    for line in lines:
        plain = _plain(line)
        heading = None if line.code else _heading(plain, line, section)
        if heading is not None:
            section, box = heading, False
        else:
            if section in (Section.TOP, Section.FIX):
                box = (box or bool(_BOX.match(plain))) and not _BOX_ENDS.match(plain)
            yield (Section.BOX if box or (line.code and section is Section.FIX) else section), line


def _heading(plain: str, line: Line, section: Section) -> Section | None:
    """The part that a line begins; None if it is no heading, or the title of a box within one."""
    found = labels.HEADINGS.get(plain.casefold().rstrip(":"))
    if found is Section.SIGNATURE and section is Section.SIGNATURE_COPY:
        return None
    if found is None and line.heading:
        return Section.OTHER
    return found


def _plain(line: Line) -> str:
    """A line without what marks it as part of a list, a heading or bold."""
    text = line.text[:_MOST].strip()
    text = _BULLET.sub("", text) if not line.code else text
    return text.replace("**", "").strip("# ").strip() if not line.code else text


def _of_section(section: Section, lines: list[Line]) -> Iterable[Statement]:
    return _READERS.get(section, _labelled)(lines)


def _labelled(lines: list[Line]) -> Iterator[Statement]:
    """Labels with their values, and sentences that say a field."""
    for line in lines:
        for text in _plain(line).split("\\n"):  # one layout shows the line ends of its source
            if not line.code:
                yield from _label(text.strip(), line)
                yield from _sentences(text, line)


def _label(text: str, line: Line) -> Iterator[Statement]:
    cells = [each.strip() for each in text.strip("|").split("|")]
    name, separator, value = cells[0], len(cells) > 1, " | ".join(cells[1:])
    if not separator:
        name, _, value = text.partition(":")
    field = labels.LABELS.get(name.strip().rstrip(":").casefold())
    value = value.strip()
    if field and (value or line.links):
        yield from _valued(field, value, line)


def _valued(field: Field, value: str, line: Line) -> Iterator[Statement]:
    """The statement of a label, in the spelling of its field."""
    match field:
        case Field.ISSUE | Field.FIX:
            pointed = reference(" ".join((value, *line.links)))
            if pointed:
                yield _statement(field, pointed.address or _short(pointed.repository, value), line)
                if pointed.repository and field is Field.ISSUE:
                    yield _statement(Field.REPOSITORY, pointed.repository, line)
        case Field.LAST_VERIFIED | Field.RAN:
            yield _statement(field, re.split(r"\.\s", value)[0].rstrip("."), line)
        case Field.PACKAGE | Field.REPOSITORY | Field.MODE | Field.OUTCOME | Field.STATUS:
            yield _statement(field, value.strip("`* "), line)
        case _:
            yield _statement(field, value, line)


def _short(repository: str | None, value: str) -> str:
    pointed = reference(value)
    return f"{repository or ''}#{pointed.number if pointed else ''}"


def _sentences(text: str, line: Line) -> Iterator[Statement]:
    """What running text says of releases, issues and Pythons."""
    for found in _FIXED.finditer(text):
        said = found["upgrade"] or found["first"] or found["is"]
        yield _statement(Field.FIRST_FIXED, said, line)
    if based := _BASED.search(text):
        yield _statement(Field.REPOSITORY, based["repository"], line)
        yield _statement(Field.ISSUE, f"{based['repository']}#{based['id']}", line)
    for field, pattern in _SAID.items():
        if told := pattern.search(text):
            yield _statement(field, told["value"], line)


def _quotes(lines: list[Line]) -> Iterator[Statement]:
    for line in lines:
        plain = _plain(line)
        if found := _QUOTED.match(plain):
            yield _statement(Field.QUOTE, found["said"].rstrip('”"»'), line)
        elif found := _BY.match(plain):
            yield _statement(Field.QUOTE_DATE, found["date"], line)


def _signature(lines: list[Line]) -> Iterator[Statement]:
    for line in lines:
        plain = _plain(line)
        if plain and not _RULE.match(plain) and plain.casefold() not in labels.FILES:
            yield _statement(Field.SIGNATURE, plain, line)


def _error(lines: list[Line]) -> Iterator[Statement]:
    for line in lines:
        if _plain(line).casefold() == labels.NOT_CAPTURED:
            yield _statement(Field.NOT_CAPTURED, "yes", line)
    kept = [each for each in lines if _plain(each).casefold() != labels.NOT_CAPTURED]
    boxed, text = _boxed(kept)
    if boxed:
        yield _statement(Field.ERROR, _ECHO.sub("", text), boxed)
        yield from _dated(boxed, text)


def _reproduction(lines: list[Line]) -> Iterator[Statement]:
    boxed, text = _boxed(lines)
    if boxed:
        yield _statement(Field.REPRODUCTION, text, boxed)
        if shape_of(text) in (Shape.LOG, Shape.TRACEBACK):
            yield from _dated(boxed, text)


def _boxed(lines: list[Line]) -> tuple[Line | None, str]:
    """What is in the box of a part, with its first line; code alone where code is marked."""
    marked = [each for each in lines if each.code]
    kept = marked or [
        each
        for each in lines
        if _plain(each).casefold() not in labels.FILES and not _RULE.fullmatch(each.text[:_MOST])
    ]
    text = "\n".join(each.text for each in kept).strip("\n")
    first = next((each for each in kept if each.text.strip()), None)
    return first, text


def _dated(line: Line, text: str) -> Iterator[Statement]:
    """Days that a log names, each once; at the number of the line that each stands in."""
    days: set[str] = set()
    for at, told in moments(text[:_MOST_DATED]):
        day = f"{told.at:%Y-%m-%d}"
        if day not in days:
            days.add(day)
            offset = text.count("\n", 0, at)
            shown = shortened(text[max(0, at - 40) : at + 80])
            place = Place(line=line.number + offset, text=shown)
            yield Statement(field=Field.LOG_DATE, value=day, place=place)


def _first_line(field: Field, lines: list[Line]) -> Iterator[Statement]:
    first = next((each for each in lines if each.text.strip()), None)
    if first:
        yield _statement(field, _plain(first), first)


def _table(lines: list[Line]) -> Iterator[Statement]:
    """Rows of the version table: a release, or a range, and a word."""
    for line in lines:
        found = _ROW.match(_plain(line).strip("| "))
        if not found:
            continue
        release, word = found["release"].strip("` "), found["word"].strip("`* ").casefold()
        field = labels.ROW_WORDS.get(re.sub(r"^\W+|\W+$", "", word), Field.OTHER_ROW)
        if released(release):
            yield _statement(field, release, line)
        elif field is Field.BROKEN_ROW and affected(release):
            yield _statement(Field.AFFECTED, release, line)


def _ranges(lines: list[Line]) -> Iterator[Statement]:
    """A part of its own about affected releases: each line that says which, and labels."""
    for line in lines:
        if not line.code and affected(_plain(line)[:500]):
            yield _statement(Field.AFFECTED, _plain(line), line)
    yield from _labelled(lines)


def _statement(field: Field, value: str, line: Line) -> Statement:
    return Statement(
        field=field, value=value, place=Place(line=line.number, text=shortened(line.text))
    )


def _nothing(_lines: list[Line]) -> Iterable[Statement]:
    return ()


_READERS: dict[Section, Callable[[list[Line]], Iterable[Statement]]] = {
    Section.BOX: _nothing,
    Section.SKIPPED: _nothing,
    Section.LOGS: _nothing,
    Section.SIGNATURE_COPY: _nothing,
    Section.DISCUSSION: _quotes,
    Section.SIGNATURE: _signature,
    Section.ERROR: _error,
    Section.REPRODUCTION: _reproduction,
    Section.WHAT_BROKE: partial(_first_line, Field.BROKE),
    Section.WHY_BROKE: partial(_first_line, Field.MECHANISM),
    Section.AFFECTED: _ranges,
    Section.TABLE: _table,
}
"""How each part is read; others by labels and sentences."""
