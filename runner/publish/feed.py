"""What changed, as an Atom feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from runner.publish.rows import Change
from runner.render.text import visible

MOST_ENTRIES = 100
_NAMESPACE = "http://www.w3.org/2005/Atom"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def feed(changes: Sequence[Change], title: str, base: str) -> str:
    """The feed.

    Args:
        changes: the newest first.
        title: of the site.
        base: the address of the site with a slash at its end; empty where nobody said it.
    """
    root = Element("feed", xmlns=_NAMESPACE)
    _text(root, "title", title)
    _text(root, "id", base or "urn:fixproof:site")
    _text(root, "updated", _time(changes[0].at if changes else _EPOCH))
    if base:
        SubElement(root, "link", rel="self", href=f"{base}feed.atom")
    SubElement(root, "link", rel="alternate", href=f"{base}index.html")
    _text(SubElement(root, "author"), "name", "fixproof")
    for each in changes[:MOST_ENTRIES]:
        entry = SubElement(root, "entry")
        _text(entry, "title", each.title)
        _text(entry, "id", f"urn:fixproof:{each.kind}:{each.run}")
        _text(entry, "updated", _time(each.at))
        SubElement(entry, "link", rel="alternate", href=f"{base}case/{each.case}.html")
        _text(entry, "summary", each.summary)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = visible(text)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
