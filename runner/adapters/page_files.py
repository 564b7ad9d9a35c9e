"""Fix pages in files: those that were named, and those in folders that were."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runner.errors import BrokenPage

ENDINGS = (".txt", ".md", ".markdown", ".html", ".htm", ".xhtml")
"""What is taken for a page in a folder."""
_MOST_BYTES = 64 * 1024 * 1024


class PageFile(NamedTuple):
    """A file that may be a fix page."""

    name: str
    """As the user named it; within a folder, below that."""
    path: Path
    named: bool
    """Whether the user named it, and not just its folder."""


def page_files(named: tuple[str, ...]) -> Iterator[PageFile]:
    """The files that were named, and the pages in folders that were, each once.

    Raises:
        BrokenPage: something named is not there, or a folder has no page.
    """
    seen: set[Path] = set()
    for each in named:
        path = Path(each)
        found = list(_in_folder(each)) if path.is_dir() else [PageFile(each, path, named=True)]
        if not found:
            endings = ", ".join(ENDINGS)
            raise BrokenPage(f"{each} holds no page", hint=f"Pages end in {endings}.")
        for one in found:
            resolved = one.path.absolute()
            if resolved not in seen:
                seen.add(resolved)
                yield one


def read_page(page: PageFile) -> bytes:
    """The page as it is.

    Raises:
        BrokenPage: it cannot be read, or is larger than any page.
    """
    try:
        if not page.path.is_file():
            raise BrokenPage(f"there is no page {page.name}")
        if page.path.stat().st_size > _MOST_BYTES:
            raise BrokenPage(f"{page.name} has more than {_MOST_BYTES >> 20} MiB: that is no page")
        return page.path.read_bytes()
    except OSError as error:
        raise BrokenPage(f"{page.name} cannot be read: {error.strerror}") from error


def _in_folder(folder: str) -> Iterator[PageFile]:
    """Pages below a folder, in the order of their names; hidden folders are passed over."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                path = os.path.join(where, name)  # noqa: PTH118 - the name as the user began it
                yield PageFile(path, Path(path), named=False)
