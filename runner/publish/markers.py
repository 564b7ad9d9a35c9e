"""Finds the places in a page where measured sections go, and puts them there.

It works on bytes: whatever does not stand between two markers stays as it is, in whatever
encoding. A marker has a line of its own:

    <!-- fixproof:begin uvicorn-824 evidence -->
    <!-- fixproof:end -->
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from runner.errors import WrongUsage
from runner.value import Value

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BEGIN = re.compile(rb"[ \t]*<!--[ \t]*fixproof:begin[ \t]+([^\s>]+)[ \t]+([^\s>]+)[ \t]*-->[ \t]*")
_END = re.compile(rb"[ \t]*<!--[ \t]*fixproof:end[ \t]*-->[ \t]*")
_ANY = re.compile(rb"<!--\s*fixproof:", re.IGNORECASE)
_SPOKEN = re.compile(r"(<!--\s*fixproof)(:)", re.IGNORECASE)


class SectionName(StrEnum):
    """What can be asked for between two markers."""

    FIX = "fix"
    EVIDENCE = "evidence"
    VERIFIED_EXECUTION = "verified-execution"
    PROOF = "proof"
    COMPATIBILITY = "compatibility"
    AFFECTED = "affected"
    UPGRADE = "upgrade"
    SIGNATURE = "signature"
    REPRODUCTION = "reproduction"
    ENVIRONMENT = "environment"
    AGAIN = "again"


class Place(Value):
    """What stands between two markers of a page."""

    case: str
    section: SectionName
    start: int
    """First byte after the line of the first marker,"""
    end: int
    """and first byte of the line of the last."""
    line: int
    """Of the first marker, from 1."""
    newline: bytes
    """How its line ends: the section's lines end alike."""


class BadMarkers(WrongUsage):
    """The markers of a page cannot be read: nothing is written in it."""

    kind = "bad_markers"


def has_markers(page: bytes) -> bool:
    """Whether a page names fixproof in a comment at all."""
    return _ANY.search(page) is not None


def places(page: bytes) -> tuple[Place, ...]:
    """All places of a page, in their order.

    Raises:
        BadMarkers: there are none, one is misspelt, nested, not closed, or asked for twice.
    """
    if page.startswith(_WIDE):
        raise BadMarkers("is UTF-16, in which no markers are looked for", hint="Save it as UTF-8.")
    found: list[Place] = []
    open_: Place | None = None
    for number, start, end in _lines(page):
        text = page[start:end]
        if not _ANY.search(text):
            continue
        bare = text.removeprefix(_BOM).rstrip(b"\r\n")
        if begins := _BEGIN.fullmatch(bare):
            if open_:
                raise _nested(open_, number)
            open_ = _begun(begins, number, end, text)
        elif _END.fullmatch(bare):
            if open_ is None:
                raise BadMarkers(f"line {number} ends a section that nothing began")
            found.append(open_.model_copy(update={"end": start}))
            open_ = None
        else:
            raise BadMarkers(f"line {number} has a marker that cannot be read", hint=_SPELT)
    if open_:
        raise BadMarkers(
            f"line {open_.line} begins a section that nothing ends",
            hint="Put <!-- fixproof:end --> on a line of its own below it.",
        )
    if not found:
        raise BadMarkers("has no markers", hint=_SPELT)
    _refuse_twins(found)
    return tuple(found)


def with_sections(
    page: bytes, texts: Mapping[tuple[str, SectionName], str], *, html: bool
) -> bytes:
    """The page with these texts in its places, which must all have one.

    What its encoding cannot say is escaped: as a character reference in HTML.
    """
    parts, at = [], 0
    escaped = "xmlcharrefreplace" if html else "backslashreplace"
    for each in places(page):
        lines = texts[each.case, each.section].rstrip("\n").split("\n")
        text = "".join(f"{line}\n" for line in lines)
        data = text.encode("utf-8") if _is_utf8(page) else text.encode("ascii", escaped)
        parts += [page[at : each.start], data.replace(b"\n", each.newline)]
        at = each.end
    return b"".join([*parts, page[at:]])


def unspoken(text: str) -> str:
    """Text of strangers without markers in it, which would be read the next time."""
    return _SPOKEN.sub(r"\1\\u003a", text)


_SPELT = (
    "Write <!-- fixproof:begin CASE SECTION --> and <!-- fixproof:end -->, each on a line of its "
    f"own. Sections: {', '.join(SectionName)}."
)


def _begun(begins: re.Match[bytes], number: int, end: int, text: bytes) -> Place:
    case, section = (each.decode("utf-8", "replace") for each in begins.groups())
    known: Iterable[str] = (each.value for each in SectionName)
    if section not in known:
        raise BadMarkers(f"line {number} asks for {section!r}, which is no section", hint=_SPELT)
    ending = text[len(text.rstrip(b"\r\n")) :]
    return Place(
        case=case,
        section=SectionName(section),
        start=end,
        end=end,
        line=number,
        newline=ending or b"\n",
    )


def _nested(outer: Place, number: int) -> BadMarkers:
    return BadMarkers(
        f"line {number} begins a section within that of line {outer.line}",
        hint="End the first before it: <!-- fixproof:end -->",
    )


def _refuse_twins(found: list[Place]) -> None:
    first: dict[tuple[str, SectionName], int] = {}
    for each in found:
        line = first.setdefault((each.case, each.section), each.line)
        if line != each.line:
            raise BadMarkers(
                f"lines {line} and {each.line} both ask for {each.section} of {each.case}",
                hint="Ask for each section once a page.",
            )


def _lines(page: bytes) -> Iterable[tuple[int, int, int]]:
    for number, each in enumerate(_LINE.finditer(page), 1):
        yield number, each.start(), each.end()


def _is_utf8(page: bytes) -> bool:
    try:
        page.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
