"""An audit on a terminal: one page after the other, as each is done."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from runner.claims import Result
from runner.pages import wording
from runner.pages.audit import AuditDocument, AuditedPage, TroubledPage, Verdict
from runner.pages.finding import Severity
from runner.render.text import visible

_STYLES = {
    Result.CONFIRMED: "green",
    Result.CONTRADICTED: "bold red",
    Result.UNTESTED: "yellow",
    Severity.FALSE: "bold red",
    Severity.DOUBT: "yellow",
    Severity.NOTE: "dim",
    Verdict.FALSE: "bold red",
    Verdict.DOUBT: "yellow",
    Verdict.CLEAN: "bold green",
}
_INDENT = 2


class AuditView:
    """Shows what came of each page; what pages say is shown and never acts."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, page: AuditedPage | TroubledPage) -> None:
        """One page, or why there is nothing to say of it."""
        if isinstance(page, TroubledPage):
            self._line("✗ trouble ", "bold red", page.page)
            self._more(page.error.message)
            self._more(page.error.hint or "")
        else:
            self._page(page)
        self._console.print()

    def end(self, document: AuditDocument) -> None:
        """What all pages came to."""
        for each in document.skipped:
            self._line("", "dim", f"left out: {each.why}")
        pages = [each for each in document.pages if isinstance(each, AuditedPage)]
        if len(document.pages) > 1 and pages:
            self._line("", "", wording.summary(pages))

    def _page(self, page: AuditedPage) -> None:
        symbol = wording.SYMBOLS[page.verdict]
        self._line(f"{symbol} {page.verdict} ", _STYLES[page.verdict], page.page)
        self._more(f"{wording.about(page)}; {wording.evidence(page)}")
        for claim in page.claims:
            head = f"{wording.SYMBOLS[claim.result]} {claim.result} "
            where = wording.lines(claim.places)
            self._line(head, _STYLES[claim.result], f"{wording.claimed(claim)} ({where})", _INDENT)
            self._more(claim.why, _INDENT)
            self._more(f"to test it: {claim.command}" if claim.command else "", _INDENT)
        for each in page.findings:
            head = f"{wording.SYMBOLS[each.severity]} {each.severity} "
            where = wording.lines(each.places)
            said = f"{each.said} ({where}; {each.kind})" if where else f"{each.said} ({each.kind})"
            self._line(head, _STYLES[each.severity], said, _INDENT)

    def _line(self, head: str, style: str, text: str, indent: int = 0) -> None:
        self._print(Text.assemble((head, style), _shown(text)), indent)

    def _more(self, text: str, indent: int = 0) -> None:
        if text:
            self._print(Text(_shown(text), style="dim"), indent + _INDENT)

    def _print(self, text: Text, indent: int) -> None:
        """On a terminal lines are folded; in a file each stays one line, for who looks for it."""
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, indent), expand=False))
        else:
            self._console.print(Text.assemble(" " * indent, text), soft_wrap=True)


def _shown(text: str) -> str:
    return visible(" ".join(text.split()))
