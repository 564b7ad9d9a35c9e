"""Takes a container's one stream of output apart into two; it keeps no more than a header of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

StreamName = Literal["stdout", "stderr"]
_NAMES: dict[int, StreamName] = {1: "stdout", 2: "stderr"}
_HEADER = 8
"""Bytes: the stream's number, three of padding, and the length of what follows, big-endian."""


class Demultiplexer:
    """Fed with pieces cut anywhere; a frame is handed on as it comes, however long it is."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0

    def feed(self, piece: bytes) -> Iterator[tuple[StreamName, bytes]]:
        """What of each stream is in the next piece, in order."""
        at = 0
        while at < len(piece):
            if self._left == 0:
                at = self._read_header(piece, at)
                continue
            data = piece[at : at + self._left]
            at += len(data)
            self._left -= len(data)
            name = _NAMES.get(self._header[0])
            if self._left == 0:
                self._header.clear()
            if name is not None:
                yield name, data

    def _read_header(self, piece: bytes, at: int) -> int:
        wanted = _HEADER - len(self._header)
        self._header += piece[at : at + wanted]
        if len(self._header) == _HEADER:
            self._left = int.from_bytes(self._header[4:], "big")
            if self._left == 0:
                self._header.clear()
        return min(at + wanted, len(piece))
