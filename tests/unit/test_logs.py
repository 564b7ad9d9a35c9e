"""Logs on a page of HTML: what of them is shown, how it looks, and where the signature is marked."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from runner.render.logs import EDGE_LINES, EDGE_WIDTH, MOST_FOUND, Gap, Line, shown_stream
from runner.render.privacy import Privacy
from runner.render.text import visible
from runner.sandbox import Stream
from runner.verdict import readable

NOBODY = Privacy()
SIGNATURE = "^BUG: "
TREE = "/somewhere/envs/" + "0a" * 16 + "/lib/python3.9/site-packages/"


def shown(
    head: bytes,
    *,
    omitted: int = 0,
    tail: bytes = b"",
    signature: str | None = SIGNATURE,
    privacy: Privacy = NOBODY,
) -> list[str]:
    """The lines of a stream as text, with the signature in «» and gaps in ()."""
    stream = shown_stream(Stream(head=head, omitted=omitted, tail=tail), signature, privacy)
    return [
        f"({each.said})"
        if isinstance(each, Gap)
        else "".join(f"«{piece.text}»" if piece.marked else piece.text for piece in each.pieces)
        for each in stream.lines
    ]


def test_the_signature_is_marked_in_its_line() -> None:
    assert shown(b"start\nBUG: here\nend") == ["start", "«BUG: »here", "end"]
    assert shown(b"not a BUG: here") == ["not a BUG: here"]
    assert shown(b"BUG: here", signature=None) == ["BUG: here"]


def test_a_line_knows_that_it_has_the_signature() -> None:
    stream = shown_stream(Stream(head=b"a\nBUG: b"), SIGNATURE, NOBODY)
    assert [isinstance(each, Line) and each.marked for each in stream.lines] == [False, True]
    assert stream.found == 1


def test_a_signature_across_lines_and_colours_is_marked_in_all_of_them() -> None:
    assert shown(b"a b\x1b[31mc\nd\x1b[0me f", signature="bc\nde") == ["a «b»«c»", "«d»«e» f"]


def test_a_match_of_nothing_is_no_mark() -> None:
    assert shown(b"a b", signature=r"\b") == ["a b"]


def test_a_signature_is_marked_so_often_and_no_more() -> None:
    stream = shown_stream(Stream(head=b"BUG: x\n" * 500), SIGNATURE, NOBODY)
    assert stream.found == MOST_FOUND


def test_a_long_log_shows_its_edges_and_what_is_around_the_signature() -> None:
    lines = [f"line {number}" for number in range(1000)]
    lines[500] = "BUG: in the middle"
    found = shown("\n".join(lines).encode())
    assert found[: EDGE_LINES - 1] == lines[: EDGE_LINES - 1]
    assert found[-1] == "line 999"
    assert found[EDGE_LINES] == "(458 lines left out)"
    assert found[EDGE_LINES + 1 : EDGE_LINES + 6] == [
        "line 498",
        "line 499",
        "«BUG: »in the middle",
        "line 501",
        "line 502",
    ]


def test_a_gap_that_is_not_worth_it_is_not_made() -> None:
    lines = [f"line {number}" for number in range(2 * EDGE_LINES + 1)]
    assert shown("\n".join(lines).encode()) == lines


def test_a_long_line_shows_its_edges_and_what_is_around_the_signature() -> None:
    (line,) = shown(b"a" * 5000 + b"oh no" + b"b" * 5000, signature="oh no")
    assert "a«oh no»b" in line
    assert line.startswith("a" * EDGE_WIDTH + "[… ")
    assert line.endswith(" characters …]" + "b" * EDGE_WIDTH)
    assert len(line) < 700


def test_what_was_not_kept_is_told_where_it_was() -> None:
    found = shown(b"first\ncut in tw", omitted=12345, tail=b"o\nlast\n")
    assert found == ["first", "cut in tw", "(12,345 bytes were not kept)", "o", "last"]


def test_the_signature_is_not_marked_where_it_was_not_searched() -> None:
    assert shown(b"a\nBUG: cut", omitted=1, tail=b"BUG: cut\nBUG: whole") == [
        "a",
        "BUG: cut",
        "(1 bytes were not kept)",
        "BUG: cut",
        "«BUG: »whole",
    ]


def test_colours_and_hidden_characters_have_classes() -> None:
    stream = shown_stream(Stream(head="a\x1b[1;31mb\u202ec\x1b[0m".encode()), None, NOBODY)
    (line,) = stream.lines
    assert isinstance(line, Line)
    assert [(each.text, each.classes) for each in line.pieces] == [
        ("a", ""),
        ("b", "bold red"),
        ("\\u202e", "bold red escape"),
        ("c", "bold red"),
    ]


def test_paths_of_the_machine_are_not_told_however_they_are_coloured() -> None:
    path = f"{TREE}pkg/x.py".encode()
    assert shown(b'File "' + path + b'", line 1') == ['File "…/site-packages/pkg/x.py", line 1']
    assert shown(path[:20] + b"\x1b[31m" + path[20:]) == ["…/site-packages/pkg/x.py"]
    home = Privacy(user_home="/home/me")
    assert shown(b"/home/me/x /home/mean /home/me", privacy=home) == ["~/x /home/mean ~"]
    assert shown(path, privacy=home, signature="envs/") == ["«…/site-packages/»pkg/x.py"]


def test_nothing_of_nothing_is_shown() -> None:
    assert shown(b"") == []
    assert shown(b"", omitted=3) == ["(3 bytes were not kept)"]


LINES = st.lists(
    st.sampled_from([b"", b"BUG: x", b"\x1b[31mred", b"a\x1b[0m", "\u202e漢".encode(), b"\xff", b"\r"]),
    max_size=12,
).map(b"\n".join)  # fmt: skip


@given(LINES)
@example(b"\n")
@example(b"BUG: x\n")
def test_a_short_log_is_shown_whole_and_in_order(data: bytes) -> None:
    stream = shown_stream(Stream(head=data), SIGNATURE, NOBODY)
    lines = [
        "".join(p.text for p in each.pieces) for each in stream.lines if isinstance(each, Line)
    ]
    assert len(lines) == len(stream.lines)
    assert lines == [visible(each) for each in readable(data).split("\n")][: len(lines)]
    assert "\n".join(lines) == visible(readable(data)).removesuffix("\n")


@given(st.binary(max_size=3000), st.integers(0, 2), st.binary(max_size=3000))
def test_what_is_shown_of_a_log_has_its_limits(head: bytes, omitted: int, tail: bytes) -> None:
    stream = Stream(head=head * 20, omitted=omitted, tail=tail if omitted else b"")
    found = shown_stream(stream, "B", NOBODY)
    around = MOST_FOUND * 6
    assert len(found.lines) <= 2 * (2 * EDGE_LINES + around) + 3
