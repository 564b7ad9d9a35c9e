"""Small disks for tests, which can be filled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir()
    size = f"size={mebibytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Have only `leave` bytes left on a disk, whoever else takes some of it meanwhile."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        while (spare := shutil.disk_usage(folder).free - leave) > 0:
            with suppress(OSError):  # what was free a moment ago may be no more
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), spare)
    return filler
