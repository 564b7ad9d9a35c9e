"""An audit as Markdown. Everything that comes from a page is made harmless."""

from __future__ import annotations

from collections.abc import Iterator

from runner.pages import wording
from runner.pages.audit import AuditDocument, AuditedPage, TroubledPage
from runner.render.text import code, inline


def markdown(document: AuditDocument) -> str:
    """All pages, one section each."""
    pages = [each for each in document.pages if isinstance(each, AuditedPage)]
    parts = ["# Audit of fix pages", f"{wording.summary(pages)}."]
    parts += [
        "\n".join(_trouble(each)) if isinstance(each, TroubledPage) else "\n\n".join(_page(each))
        for each in document.pages
    ]
    if document.skipped:
        parts.append("## Left out")
        parts.append("\n".join(f"- {inline(each.why)}" for each in document.skipped))
    return "\n\n".join(parts) + "\n"


def _trouble(page: TroubledPage) -> Iterator[str]:
    error = page.error
    yield f"## ✗ {inline(page.page)}: trouble"
    yield ""
    yield f"{inline(error.message)}." + (f" {inline(error.hint)}" if error.hint else "")


def _page(page: AuditedPage) -> Iterator[str]:
    symbol = wording.SYMBOLS[page.verdict]
    yield f"## {symbol} {inline(page.page)}: {page.verdict}"
    said = wording.VERDICTS[page.verdict]
    evidence = wording.evidence(page)
    held = f"{evidence[0].upper()}{evidence[1:]}"
    yield f"{inline(wording.about(page))}; the page {said}. {inline(held)}."
    if page.claims:
        yield "\n".join(_claims(page))
    if page.findings:
        yield "\n".join(_findings(page))


def _claims(page: AuditedPage) -> Iterator[str]:
    yield "| claim | where | result | why |"
    yield "|---|---|---|---|"
    for each in page.claims:
        result = f"{wording.SYMBOLS[each.result]} {each.result}"
        why = inline(each.why) + (f"<br>{code(each.command)}" if each.command else "")
        where = wording.lines(each.places)
        yield f"| {inline(wording.claimed(each))} | {where} | {result} | {why} |"


def _findings(page: AuditedPage) -> Iterator[str]:
    for each in page.findings:
        where = wording.lines(each.places)
        said = f"{inline(each.said)} ({where})" if where else inline(each.said)
        head = f"{wording.SYMBOLS[each.severity]} {each.severity}, {code(each.kind)}"
        yield f"- {head}: {said}"
