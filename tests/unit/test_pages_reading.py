"""Pages as bytes: every form and encoding, and nothing of what a reader would not see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.pages.reading import Form, decode, read


def texts(data: str | bytes, name: str = "page.txt") -> list[tuple[int, str]]:
    """The lines of a page that have something on them."""
    found = read(data if isinstance(data, bytes) else data.encode(), name)
    return [(each.number, each.text) for each in found.lines if each.text.strip()]


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.txt", "The Fix", Form.TEXT),
        ("a", "The Fix", Form.TEXT),
        ("a.MD", "The Fix", Form.MARKDOWN),
        ("a.markdown", "The Fix", Form.MARKDOWN),
        ("a.htm", "The Fix", Form.HTML),
        ("a.txt", "\n <!doctype HTML><p>The Fix", Form.HTML),
        ("a.md", "\ufeff<html><p>The Fix", Form.HTML),
    ],
)
def test_what_a_page_says_of_itself_goes_before_its_name(name: str, text: str, form: Form) -> None:
    assert read(text.encode(), name).form is form


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("– ü".encode(), "– ü", "utf-8"),
        ("– ü".encode("utf-8-sig"), "– ü", "utf-8"),
        ("– ü".encode("utf-16"), "– ü", "utf-16"),
        ("– ü".encode("utf-16-be"), "– ü", "mixed"),
        (b"\xfe\xff" + "– ü".encode("utf-16-be"), "– ü", "utf-16"),
        ("– ü".encode("cp1252"), "– ü", "mixed"),
        ("– ü\n".encode("cp1252") + "– ü".encode(), "– ü\n– ü", "mixed"),
        (b"\x81\n" + "ü".encode(), "\ufffd\nü", "mixed"),
        (b"", "", "utf-8"),
    ],
)
def test_encodings_are_told_by_their_mark_else_line_by_line(
    data: bytes, text: str, encoding: str
) -> None:
    read_as, named = decode(data)
    assert named == encoding
    if not data.startswith(b" \x13"):  # UTF-16 without a mark cannot be told
        assert read_as == text


@given(st.binary(max_size=200), st.sampled_from(["a.txt", "a.md", "a.html"]))
def test_any_bytes_are_a_page(data: bytes, name: str) -> None:
    found = read(data, name)
    assert all(each.number >= 1 and "\n" not in each.text for each in found.lines)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_count(end: str) -> None:
    assert texts(f"one{end}{end}three") == [(1, "one"), (3, "three")]


def test_markdown_is_read_as_it_is_shown() -> None:
    page = r"""# A *title*
- Fixed in 1\.2\.3 &amp; later
[#7](https://example.org/issues/7) and [x](y)
````text
# no heading &amp; no `mark`
```
  kept
````
## End ##"""
    found = read(page.encode(), "a.md").lines
    assert [(each.text, each.code, each.heading) for each in found] == [
        ("A *title*", False, True),
        ("- Fixed in 1.2.3 & later", False, False),
        ("#7 and x", False, False),
        ("# no heading &amp; no `mark`", True, False),
        ("```", True, False),
        ("  kept", True, False),
        ("End", False, True),
    ]
    assert found[2].links == ("https://example.org/issues/7", "y")
    assert found[-1].number == 9


def test_a_block_of_code_that_nothing_ends_goes_on_to_the_end() -> None:
    found = read(b"~~~\nFirst fixed release: 1.0\n# x", "a.md").lines
    assert [each.code for each in found] == [True, True]


def test_html_is_read_as_it_is_seen() -> None:
    page = """<!DOCTYPE html>
<html><head><title>T</title><style>p { x }</style>
<script>document.write("<p>no</p>")</script></head>
<body onload="no()"><h2>The
  <em>Fix</em></h2>
<p>One
 line &amp; <b>bold</b><br>two</p><ul><li>a<li>b: <a href="https://x.org/i/1">c</a></ul>
<dl><dt>Status</dt>
<dd>PASS</dd><dt>Ran:</dt><dd>now</dd></dl>
<table><tr><td>1.0</td><td> Fixed </td></tr></table>
<pre><code>def f():
    return <span>1</span>

# &lt;end&gt;
</code></pre>
<!-- no --><template>no</template><noscript>no</noscript><svg><text>no</text></svg>after
</body></html>"""
    found = [each for each in read(page.encode(), "a.html").lines if each.text.strip()]
    assert [(each.number, each.text, each.code, each.heading) for each in found] == [
        (2, "T", False, False),
        (4, "The Fix", False, True),
        (6, "One line & bold", False, False),
        (7, "two", False, False),
        (7, "a", False, False),
        (7, "b: c", False, False),
        (8, "Status: PASS", False, False),
        (9, "Ran: now", False, False),
        (10, "1.0 | Fixed", False, False),
        (11, "def f():", True, False),
        (12, "    return 1", True, False),
        (14, "# <end>", True, False),
        (16, "after", False, False),
    ]
    assert found[5].links == ("https://x.org/i/1",)


@pytest.mark.parametrize(
    "page",
    [
        "<html><p>one<p>two",
        "<html></p></pre></script><div>one</b></div><p>two",
        "<html><pre></pre><p>one</p><br/><hr><p>two",
        "<html><noscript><head></noscript><body><p>one</p>two",
    ],
)
def test_html_that_is_not_well_formed_is_read_all_the_same(page: str) -> None:
    assert [text for _, text in texts(page)] == ["one", "two"]


def test_what_publish_wrote_between_its_markers_is_no_claim_of_the_page() -> None:
    page = "a\n<!-- fixproof:begin demo proof -->\nx\ny\n<!--fixproof:end-->\nb\n"
    again = "<!-- fixproof:begin demo proof -->\nz\n<!-- fixproof:end -->\nc"
    assert texts(page + again) == [(1, "a"), (6, "b"), (10, "c")]
    assert texts("a\n<!-- fixproof:begin demo proof -->\nb")[-1] == (3, "b"), "nothing ends it"
