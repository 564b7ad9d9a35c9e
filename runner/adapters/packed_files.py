"""Files in one piece, as they are kept in the database."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

from runner.errors import StoreTrouble


def pack(files: Mapping[str, bytes]) -> bytes:
    """The same for the same files, whenever they were written."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(packed: bytes) -> dict[str, bytes]:
    """Files by name.

    Raises:
        StoreTrouble: it is not what was packed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise StoreTrouble(f"a packed case cannot be read: {error}") from error
