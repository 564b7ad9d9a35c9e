"""Where templates come from, and how foreign text is let into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, select_autoescape

from runner.render.privacy import Privacy
from runner.render.text import visible

FOLDER = Path(__file__).parent / "templates"
COMPILED = "fixproof_1_%s.jinja"
"""Names of compiled templates. They do not know of the options here: a change of these takes
another number, or templates compiled before, without escaping for instance, are used on."""

Filters = Mapping[str, Callable[..., Any]]


def markdown_templates(compiled: BytecodeCache | None, filters: Filters) -> Environment:
    """For Markdown: each foreign text goes through a filter."""
    made = Environment(**_options(compiled), autoescape=select_autoescape(["html.j2"]))
    made.filters.update(filters)
    return made


@lru_cache(maxsize=4)
def html_templates(compiled: BytecodeCache | None, privacy: Privacy) -> Environment:
    """For HTML: everything that is put in is made harmless, and then escaped.

    Kept for a while: who makes many pages reads and compiles the templates once.
    """

    def harmless(value: object) -> object:
        if isinstance(value, str) and not hasattr(value, "__html__"):
            return visible(privacy.hide(str(value)))
        return value

    return Environment(**_options(compiled), autoescape=True, finalize=harmless)


def style() -> str:
    """The style sheet of all pages."""
    return (FOLDER / "page.css").read_text(encoding="utf-8")


def _options(compiled: BytecodeCache | None) -> dict[str, Any]:
    return {
        "loader": FileSystemLoader(FOLDER),
        "undefined": StrictUndefined,
        "bytecode_cache": compiled,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
    }
