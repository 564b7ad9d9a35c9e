"""The page in a real browser, which reads HTML as it likes: nothing runs, nothing is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import browse
from tests.e2e.command import Cases, Fixproof, Package
from tests.e2e.test_formats import MARKUP, SPEAKS
from tests.pages import read_page

pytestmark = pytest.mark.browser

REFUSED = {
    "<script>document.title = 'it ran'</script>": "inline script",
    "<b style='position: fixed'>x</b>": "inline style",
    "<img src='https://example.org/x.png'>": "img-src",
    "<iframe src='https://example.org'></iframe>": "Framing 'https://example.org/'",
    "<button autofocus onfocus='document.title = 1'>x</button>": "inline event handler",
}
"""What escaping keeps out, and what a browser says that the policy forbids of it."""


@pytest.fixture
def page(fixproof: Fixproof, package: Package, cases: Cases, tmp_path: Path) -> Path:
    """The page of a case that tries what it can."""
    package.usual()
    done = fixproof("verify", cases.write(SPEAKS, title=MARKUP), "--format", "html")
    path = tmp_path / "page.html"
    path.write_bytes(done.stdout)
    return path


def test_a_browser_sees_what_was_written_and_refuses_nothing(page: Path, tmp_path: Path) -> None:
    seen = browse(page, tmp_path / "profile")
    assert seen.console == []
    read, written = read_page(seen.document), read_page(page.read_text(encoding="utf-8"))
    assert [each.name for each in read.all()] == [each.name for each in written.all()]
    assert "".join(read.text.split()) == "".join(written.text.split())


def test_the_policy_would_hold_where_escaping_failed(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("</main>", f"{''.join(REFUSED)}</main>")
    page.write_text(text, encoding="utf-8")
    seen = browse(page, tmp_path / "profile")
    console = "\n".join(seen.console)
    assert [each for each in REFUSED.values() if each not in console] == []
    assert read_page(seen.document).one("title").text.startswith("PASS: bug")
