"""How much room the disks of a home have; whoever wants to begin something asks first."""

from __future__ import annotations

import shutil
from pathlib import Path

from runner.errors import NoSpace

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def free_bytes(*folders: Path) -> int:
    """What is free for us where folders are, or will be: the least of it.

    Raises:
        NoSpace: that cannot be told.
    """
    try:
        return min(shutil.disk_usage(_nearest(each)).free for each in folders)
    except OSError as error:
        raise NoSpace(f"{folders[0]} cannot be looked at: {error.strerror}") from error


def require_space(*folders: Path, least: int) -> None:
    """A disk that fills up in the middle costs more than one that is refused at once.

    Raises:
        NoSpace: less is free than a run may need.
    """
    free = free_bytes(*folders)
    if free < least:
        raise NoSpace(
            f"{size(free)} are free where {folders[0]} is; a run begins only with {size(least)}",
            hint="Free some by fixproof gc, name another folder by FIXPROOF_HOME, or say by "
            "FIXPROOF_MIN_FREE that less will do.",
        )


def size(count: float) -> str:
    """Bytes for people, to three digits."""
    for unit in _UNITS[:-1]:
        if abs(count) < 1000:  # noqa: PLR2004 - 1000 of a unit would be four digits
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} {_UNITS[-1]}"


def _nearest(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())
