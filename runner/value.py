"""The base of every value that passes between two steps of the flow."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value: nothing can be changed in it, and no key can be misspelt.

    Validators are built on first use: a command that needs few kinds of values starts sooner.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def digest(*parts: str | bytes) -> str:
    """Hexadecimal SHA-256 over `parts`; their borders count, so ("ab", "c") is not ("a", "bc")."""
    framed = bytearray()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        framed += len(data).to_bytes(8, "big")
        framed += data
    return hashlib.sha256(framed).hexdigest()
