"""What a file must be to be believed as a wheel: its name, its metadata, where it puts files."""

from __future__ import annotations

import io
import zipfile
import zlib
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

_MOST_METADATA = 1024 * 1024
_MOST_UNPACKED = 1024 * 1024 * 1024
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, KeyError),  # unknown packing, passwords
)
"""What reading an archive that somebody else made can raise."""


class Refused(Exception):
    """It is no wheel of that package; the text says why."""


class Claimed(NamedTuple):
    """What a wheel's own metadata says of it."""

    version: str
    requires_python: str


def check(
    name: str,
    wheel: bytes | Path,
    package: str,
    version: str | None = None,
    *,
    whole: bool = False,
) -> Claimed:
    """What a wheel says of itself.

    Args:
        name: its file name.
        wheel: its bytes, or where it is.
        package: what it must be of.
        version: what it must be; None for any.
        whole: whether to read all of it, and see that nothing is damaged.

    Raises:
        Refused: it is no wheel, or of something else, or would put files outside of itself.
    """
    try:
        found, its_version, _, _ = parse_wheel_filename(name)
        with zipfile.ZipFile(io.BytesIO(wheel) if isinstance(wheel, bytes) else wheel) as archive:
            _refuse_others(package, version, str(found), str(its_version))
            _refuse_unsafe(archive)
            if whole and (bad := archive.testzip()):
                raise Refused(f"{bad!r} in it is damaged")
            headers = _metadata(archive)
            _refuse_others(
                package, str(its_version), headers["Name"] or "", headers["Version"] or ""
            )
    except (InvalidWheelFilename, InvalidVersion, *DAMAGED) as error:
        raise Refused(f"it is no wheel ({error})") from error
    return Claimed(str(its_version), headers["Requires-Python"] or "")


def _refuse_others(package: str, version: str | None, name: str, its_version: str) -> None:
    if canonicalize_name(name) != canonicalize_name(package):
        raise Refused(f"it is of the package {name!r}")
    if version is not None and Version(its_version) != Version(version):
        raise Refused(f"its version is {its_version!r}")


def _refuse_unsafe(wheel: zipfile.ZipFile) -> None:
    members = wheel.infolist()
    if sum(each.file_size for each in members) > _MOST_UNPACKED:
        raise Refused("it unpacks to more than 1 GiB")
    for each in members:
        parts = each.filename.split("/")
        if each.filename.startswith("/") or ".." in parts or "\\" in each.filename:
            raise Refused(f"it has a file outside of itself, {each.filename!r}")
    if len({each.filename for each in members}) != len(members):
        raise Refused("it has a file twice")  # which one counts is everybody's guess


def _metadata(wheel: zipfile.ZipFile) -> Message:
    found = [each for each in wheel.infolist() if each.filename.endswith(".dist-info/METADATA")]
    if len(found) != 1 or found[0].file_size > _MOST_METADATA:
        raise Refused("it has not one METADATA")
    folder = found[0].filename.removesuffix("METADATA")
    if "/" in folder.removesuffix("/") or not {f"{folder}WHEEL", f"{folder}RECORD"} <= {
        each.filename for each in wheel.infolist()
    }:
        raise Refused("it has no WHEEL or no RECORD beside its METADATA")
    return BytesHeaderParser().parsebytes(wheel.read(found[0]))
