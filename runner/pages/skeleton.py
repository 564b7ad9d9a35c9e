"""A case to be written: its metadata and claims from a page or from the command line.

The script says UNDECIDED until somebody writes it: what a page calls a reproduction is put in as a
comment, for most of them cannot be run, and none says what the bug looks like from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import tomli_w
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from runner.case import ID, Case, parse
from runner.errors import WrongUsage
from runner.pages.claimed import fixes, ranges, rows
from runner.pages.page import Field, Page
from runner.pages.references import Reference, reference
from runner.pages.reproduction import Shape, shape_of
from runner.releases import in_order
from runner.render.text import visible
from runner.value import Value

_MOST_LINES = 200
_MOST_WIDTH = 1_000
_MOST_TITLE = 100
_SITE = "https://github.com"
_ADDRESS = re.compile(r"https?://[!#-;=?-\[\]^_a-z{}~]+")
_WORDS = {
    Shape.LOG: "a log, and no script",
    Shape.TRACEBACK: "a traceback, and no script",
    Shape.NO_LINE_ENDS: "it lost its line ends",
    Shape.NO_INDENTATION: "it lost its indentation",
    Shape.OTHER: "nothing that Python reads",
}


class Draft(Value):
    """What is known of a case before its script is written."""

    package: str | None = None
    title: str | None = None
    issue: str | None = None
    """Its address."""
    fix: str | None = None
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    reproduction: str | None = None
    source: str | None = None
    """Where the reproduction was found."""

    @property
    def id(self) -> str | None:
        """`<package>-<issue>`, where both are known."""
        pointed = reference(self.issue or "")
        if self.package is None or pointed is None or pointed.number is None:
            return None
        return f"{canonicalize_name(self.package)}-{pointed.number}"

    def completed(self, other: Draft) -> Draft:
        """The same, with what `other` knows of what is not known here."""
        own = {name: value for name, value in self if value}
        return other.model_copy(update=own)


def draft_of_page(page: Page) -> Draft:
    """What a page says of its case; its claims as they are, true or not.

    Raises:
        WrongUsage: the page is about several issues.
    """
    if len(page.issues) > 1:
        named = " and ".join(f"#{each}" for each in page.issues)
        raise WrongUsage(f"{page.name} is about several issues, {named}: each takes a case")
    shown = page.first(Field.REPRODUCTION)
    told = (page.value(each) for each in (Field.BROKE, Field.MECHANISM, Field.TRIGGER))
    return Draft(
        package=page.package,
        title=next((each for each in told if each), None),
        issue=_address(page, _issue(page), "issues"),
        fix=_address(page, reference(page.value(Field.FIX) or ""), "pull"),
        fixed=fixes(page),
        broken=_broken(page),
        reproduction=shown.value if shown else None,
        source=f"{page.name.rpartition('/')[2]}, line {shown.place.line}" if shown else None,
    )


def draft_of_issue(address: str) -> Draft:
    """What the address of an issue says: the package is taken to be called as its repository.

    Raises:
        WrongUsage: it is no address of an issue.
    """
    pointed = reference(address)
    if pointed is None or not pointed.issue or pointed.number is None or not pointed.repository:
        raise WrongUsage(
            f"{address} is no address of an issue",
            hint="Such an address ends in /OWNER/REPOSITORY/issues/NUMBER.",
        )
    return Draft(package=pointed.repository.rpartition("/")[2], issue=pointed.address)


def skeleton(case_id: str, draft: Draft) -> tuple[str, Case]:
    """The text of a case that is still to be written, and the case as it reads.

    Raises:
        WrongUsage: too little is known to make a case.
        BrokenCase: what is known breaks the contract of a case.
    """
    if not ID.fullmatch(case_id):
        raise WrongUsage(f"{case_id!r} is no case id", hint="Name one by --id or --output.")
    if draft.package is None:
        raise WrongUsage("which package is it about?", hint="Name it: --package NAME.")
    fixed, broken, notes = _claims(draft)
    if not fixed and not broken:
        raise WrongUsage(
            "nothing is claimed: a case says which release is fixed, or which are broken",
            hint="Say it: --fixed VERSION, --broken VERSION.",
        )
    script = "\n".join([*_metadata(draft, fixed, broken), *_body(draft, notes), ""])
    return script, parse(case_id, script, sha256="", body_sha256="")


def _claims(draft: Draft) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """What can stand as claims, and notes of what cannot."""
    notes = [f"{each!r} is no release" for each in _unreadable((*draft.fixed, *draft.broken))]
    fixed = in_order(each for each in draft.fixed if each not in _unreadable(draft.fixed))
    readable = in_order(each for each in draft.broken if each not in _unreadable(draft.broken))
    both = [each for each in readable if Version(each) in {Version(one) for one in fixed}]
    notes += [f"{each} is called both broken and fixed; it stands as fixed" for each in both]
    return fixed, tuple(each for each in readable if each not in both), notes


def _unreadable(versions: Iterable[str]) -> list[str]:
    found = []
    for each in versions:
        try:
            Version(each)
        except InvalidVersion:
            found.append(each)
    return found


def _metadata(draft: Draft, fixed: tuple[str, ...], broken: tuple[str, ...]) -> Iterator[str]:
    package = draft.package or ""
    values: dict[str, object] = {
        "package": package,
        "title": _title(draft),
        "issue": _web_address(draft.issue),
        "fix": _web_address(draft.fix),
        "fixed": fixed[0] if len(fixed) == 1 else list(fixed),
        "broken": list(broken),
        "signature": "^BUG: ",
    }
    yield "# /// script"
    yield f"# dependencies = [{_toml(package)}]"
    yield "#"
    yield "# [tool.fixproof]"
    for name, value in values.items():
        if value:
            yield f"# {name:9} = {_toml(value)}"
    yield "# ///"


def _web_address(address: str | None) -> str | None:
    """An address as a case may name it."""
    return address if address and _ADDRESS.fullmatch(address) else None


def _toml(value: object) -> str:
    """A value in one line of TOML."""
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return tomli_w.dumps({"it": value}).removeprefix("it = ").rstrip("\n")


def _title(draft: Draft) -> str:
    said = visible(" ".join((draft.title or "").split())).rstrip(".")
    if len(said) > _MOST_TITLE:
        said = f"{said[:_MOST_TITLE].rpartition(' ')[0]} …"
    return said or f"A bug of {draft.package}"


def _body(draft: Draft, notes: list[str]) -> Iterator[str]:
    title = _title(draft).replace("\\", "\\\\").replace('"', '\\"')
    yield f'"""{title}.'
    yield ""
    yield "To be written: what a user sees when the bug is there, and how this script tells that"
    yield "from all else. Where it sees the bug it prints a line that begins with `BUG: ` and exits"
    yield "1; where it sees that the bug is not there it exits 0; else it exits 125."
    yield '"""'
    if notes:
        yield ""
        yield from (f"# The claims: {visible(' '.join(each.split()))}." for each in notes)
    if draft.reproduction:
        yield ""
        yield from _quoted(draft)
    yield ""
    yield "import sys"
    yield ""
    yield 'print("UNDECIDED: this script is not written yet")'
    yield "sys.exit(125)"


def _quoted(draft: Draft) -> Iterator[str]:
    """The reproduction as it was published, as a comment that no line of it can end."""
    text = draft.reproduction or ""
    what = _WORDS.get(shape_of(text))
    where = visible(" ".join((draft.source or "").split()))
    yield f"# The reproduction as it was published ({where}){f': {what}' if what else ''}."
    yield "#"
    lines = text.split("\n")
    for line in lines[:_MOST_LINES]:
        shown = visible(line[:_MOST_WIDTH])
        more = f" … {len(line) - _MOST_WIDTH} more characters" if len(line) > _MOST_WIDTH else ""
        yield f"#     {shown}{more}".rstrip()
    if len(lines) > _MOST_LINES:
        yield f"#     … {len(lines) - _MOST_LINES} more lines"


def _issue(page: Page) -> Reference | None:
    """The issue, by the statement that says most of it."""
    told = (reference(each.value) for each in page.all(Field.ISSUE))
    known = [each for each in told if each]
    return next((each for each in known if each.address), known[0] if known else None)


def _address(page: Page, pointed: Reference | None, kind: str) -> str | None:
    """The address that a page gives, or the one that its repository and a number make."""
    if pointed is None:
        return None
    repository = pointed.repository or page.repository
    if pointed.address or repository is None or pointed.number is None:
        return pointed.address
    return f"{_SITE}/{repository}/{kind}/{pointed.number}"


def _broken(page: Page) -> tuple[str, ...]:
    """Releases that the page calls broken, ends of ranges too."""
    named = [version for each in rows(page, Field.BROKEN_ROW) for version in each.versions]
    for each in ranges(page):
        if each.affected:
            named += each.affected.single
            for span in each.affected.spans:
                ends = (span.low, span.high if span.high_included else None)
                named += [end for end in ends if end]
    return in_order(named)
