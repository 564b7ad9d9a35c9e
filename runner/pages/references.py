"""Addresses of issues and changes, as pages write them."""

from __future__ import annotations

import re

from runner.value import Value

_ADDRESS = re.compile(
    r"(https?://(?P<host>[\w.-]+)/(?P<repository>[\w.-]+/[\w.-]+?)/(?:-/)?"
    r"(?P<kind>issues|pull|pulls|merge_requests|commit)/(?P<id>[0-9a-fA-F]{1,64}))(?![0-9a-fA-F])"
)
_LONGEST = 10
"""Digits of a number."""
_SHORT = re.compile(r"(?<![\w/])(?P<repository>[\w.-]+/[\w.-]+)?#(?P<id>\d{1,9})\b")


class Reference(Value):
    """What an address, or a short form of one, points to."""

    address: str | None
    """None where only a number is written."""
    repository: str | None
    """`owner/name`."""
    issue: bool
    """Whether the address is that of an issue."""
    number: int | None
    """None of a commit."""

    @property
    def name(self) -> str | None:
        """The repository's name in lower case: owners change, and addresses of both remain."""
        return self.repository.rpartition("/")[2].lower() if self.repository else None

    def of(self, repository: str | None) -> Reference:
        """The same; where it is but a number, of this repository."""
        return self if self.repository else self.model_copy(update={"repository": repository})


def reference(text: str) -> Reference | None:
    """The first address of an issue or a change in a text, else the first `owner/name#1`."""
    address = _ADDRESS.search(text)
    if address:
        number = address["id"] if address["kind"] != "commit" else None
        return Reference(
            address=address[1],
            repository=address["repository"],
            issue=address["kind"] == "issues",
            number=int(number)
            if number and number.isdecimal() and len(number) < _LONGEST
            else None,
        )
    short = _SHORT.search(text)
    if short is None:
        return None
    number = int(short["id"])
    return Reference(address=None, repository=short["repository"], issue=False, number=number)
