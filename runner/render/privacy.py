"""What a page need not tell: where on whose machine things were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from runner.value import Value

# Begins where a word does: looked for from every character, a long word would take for ever.
_SITE_PACKAGES = r"(?<![^\s\"'])[^\s\"']*/envs/[0-9a-f]{32}/lib/python[0-9.]+/site-packages/"
_HIDDEN = re.compile(_SITE_PACKAGES)


class Swap(NamedTuple):
    """A part of a text, and what is shown for it."""

    start: int
    end: int
    shown: str


class Privacy(Value):
    """Who made a page is nobody's business."""

    user_home: str = ""
    """Shown as `~`; empty for none."""

    def hide(self, text: str) -> str:
        """The text as it is shown."""
        parts, at = [], 0
        for each in self.swaps(text):
            parts += [text[at : each.start], each.shown]
            at = each.end
        return "".join([*parts, text[at:]])

    def swaps(self, text: str) -> Iterator[Swap]:
        """What is shown otherwise, from left to right."""
        pattern = _HIDDEN
        if self.user_home.strip("/"):
            home = re.escape(self.user_home.rstrip("/"))
            pattern = re.compile(rf"{_SITE_PACKAGES}|{home}(?![\w.-])")
        for found in pattern.finditer(text):
            package = found[0].endswith("/site-packages/")
            yield Swap(*found.span(), "…/site-packages/" if package else "~")
