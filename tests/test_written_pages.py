"""Pages are replaced whole, and never over a change that somebody made meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.adapters.written_pages import PageChanged, WrittenPages
from runner.errors import NoSpace


def test_a_page_that_changed_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_bytes(b"as it was read")
    read = WrittenPages().read(page)
    page.write_bytes(b"as somebody wrote it")
    with pytest.raises(PageChanged, match="changed while"):
        WrittenPages().replace(page, read, b"ours")
    assert page.read_bytes() == b"as somebody wrote it"
    assert [each.name for each in tmp_path.iterdir()] == ["page.md"]


def test_a_page_that_went_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(PageChanged):
        WrittenPages().replace(tmp_path / "page.md", b"read", b"ours")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_page_stays_a_link(tmp_path: Path) -> None:
    page, link = tmp_path / "page.md", tmp_path / "link.md"
    page.write_bytes(b"read")
    link.symlink_to(page)
    WrittenPages().replace(link, b"read", b"ours")
    assert link.is_symlink()
    assert page.read_bytes() == b"ours"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSpace, match="cannot be written"):
        WrittenPages().replace(tmp_path / "nosuch" / "page.md", b"read", b"ours")
