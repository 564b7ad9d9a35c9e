"""A section as Markdown, HTML or text. Everything in it comes from strangers, and is escaped."""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import assert_never

from runner.publish.blocks import Block, Code, Facts, Links, Listing, Prose, Section, Table
from runner.publish.markers import unspoken
from runner.render.privacy import Privacy
from runner.render.text import inline, visible


class Form(StrEnum):
    """How a page is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


def form_of(name: str) -> Form:
    """By the name of its file."""
    suffix = name.lower().rpartition(".")[2]
    if suffix in ("html", "htm", "xhtml"):
        return Form.HTML
    return Form.MARKDOWN if suffix in ("md", "markdown", "mdx") else Form.TEXT


def written(section: Section, form: Form, privacy: Privacy) -> str:
    """The section with its heading; no line of it can be taken for a marker."""
    blocks = [_BY_FORM[form](each, privacy) for each in section.blocks]
    match form:
        case Form.MARKDOWN:
            parts = [f"## {section.title}", *blocks]
        case Form.HTML:
            parts = [f"<h2>{escape(section.title)}</h2>", *blocks]
        case Form.TEXT:
            parts = [f"{section.title}\n{'-' * len(section.title)}", *blocks]
        case _:
            assert_never(form)
    between = "\n" if form is Form.HTML else "\n\n"
    return unspoken(between.join(parts))


def _markdown(block: Block, privacy: Privacy) -> str:
    def said(text: str) -> str:
        return inline(privacy.hide(text))

    match block:
        case Prose():
            return f"> **{said(block.text)}**" if block.loud else said(block.text)
        case Facts():
            rows = [f"| {said(name)} | {said(value)} |" for name, value in block.pairs]
            return "\n".join(["| | |", "|---|---|", *rows])
        case Table():
            head = f"| {' | '.join(map(said, block.head))} |"
            rows = [f"| {' | '.join(map(said, row))} |" for row in block.rows]
            return "\n".join([head, f"|{'---|' * len(block.head)}", *rows])
        case Listing():
            return "\n".join(f"- {said(each)}" for each in block.items)
        case Links():
            return "\n".join(f"- {said(name)}: <{address}>" for name, address in block.pairs)
        case Code():
            title = f"{said(block.title)}\n\n" if block.title else ""
            return f"{title}{_fenced(block, privacy)}"
        case _:
            assert_never(block)


def _fenced(block: Code, privacy: Privacy) -> str:
    text = visible(privacy.hide(block.text))
    longest = max((len(each) for each in _runs_of_ticks(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{block.language}\n{text}\n{fence}"


def _runs_of_ticks(text: str) -> list[str]:
    return "".join(each if each == "`" else " " for each in text).split()


def _html(block: Block, privacy: Privacy) -> str:
    def said(text: str) -> str:
        return escape(visible(privacy.hide(text)))

    match block:
        case Prose():
            text = said(block.text)
            return f"<p><strong>{text}</strong></p>" if block.loud else f"<p>{text}</p>"
        case Facts():
            rows = (f"<dt>{said(name)}</dt><dd>{said(value)}</dd>" for name, value in block.pairs)
            return "\n".join(["<dl>", *rows, "</dl>"])
        case Table():
            head = "".join(f'<th scope="col">{said(each)}</th>' for each in block.head)
            rows = (
                f'<tr><th scope="row">{said(row[0])}</th>'
                f"{''.join(f'<td>{said(each)}</td>' for each in row[1:])}</tr>"
                for row in block.rows
            )
            return "\n".join(["<table>", f"<tr>{head}</tr>", *rows, "</table>"])
        case Listing():
            return "\n".join(["<ul>", *(f"<li>{said(each)}</li>" for each in block.items), "</ul>"])
        case Links():
            items = (
                f'<li>{said(name)}: <a href="{escape(to)}" rel="noopener">{said(to)}</a></li>'
                for name, to in block.pairs
            )
            return "\n".join(["<ul>", *items, "</ul>"])
        case Code():
            title = f"<p>{said(block.title)}</p>\n" if block.title else ""
            return f"{title}<pre><code>{said(block.text)}</code></pre>"
        case _:
            assert_never(block)


def _text(block: Block, privacy: Privacy) -> str:
    def said(text: str) -> str:
        return visible(" ".join(privacy.hide(text).split()))

    match block:
        case Prose():
            return f"! {said(block.text)}" if block.loud else said(block.text)
        case Facts():
            return "\n".join(f"{said(name)}: {said(value)}" for name, value in block.pairs)
        case Table():
            return "\n".join("  ".join(map(said, row)) for row in (block.head, *block.rows))
        case Listing():
            return "\n".join(f"- {said(each)}" for each in block.items)
        case Links():
            return "\n".join(f"{said(name)}: {said(to)}" for name, to in block.pairs)
        case Code():
            title = f"{said(block.title)}\n" if block.title else ""
            lines = visible(privacy.hide(block.text)).split("\n")
            return title + "\n".join(f"    {each}".rstrip() for each in lines)
        case _:
            assert_never(block)


_BY_FORM = {Form.MARKDOWN: _markdown, Form.HTML: _html, Form.TEXT: _text}
