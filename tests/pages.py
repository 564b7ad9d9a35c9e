"""Reads a page of HTML as a browser would: elements with attributes and text; loud on bad nesting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "img", "input", "link", "meta"}
"""Elements without an end (of those that a page could have)."""


@dataclass
class Element:
    """One element."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def all(self, *names: str) -> Iterator[Element]:
        """It and all elements in it, or those of some names, in the order of the page."""
        if not names or self.name in names:
            yield self
        for each in self.children:
            if isinstance(each, Element):
                yield from each.all(*names)

    def one(self, name: str) -> Element:
        """The only element of that name."""
        (found,) = self.all(name)
        return found

    def of_class(self, name: str) -> list[Element]:
        return [each for each in self.all() if name in each.attributes.get("class", "").split()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len({*names}) == len(names), f"<{tag}> says something twice: {names}"
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> ends <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        self.strange.append(data)

    def handle_pi(self, data: str) -> None:
        self.strange.append(data)

    def unknown_decl(self, data: str) -> None:
        self.strange.append(data)


def read_page(page: str) -> Element:
    """The page as an element that has all others; AssertionError where one is not ended."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, [each.name for each in reader.open]
    assert not reader.strange, reader.strange
    return reader.open[0]
