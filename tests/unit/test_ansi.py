"""Terminal colours: the text stays what a signature is searched in; only its looks are told."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.render.ansi import COLOURS, FLAGS, styled
from runner.verdict import readable

PIECES = st.sampled_from(
    [
        b"\x1b[31m", b"\x1b[m", b"\x1b[0;1;38;5;208m", b"\x1b[38;2;1;2;3m", b"\x1b[38:2::1:2:3m",
        b"\x1b[48;5;", b"\x1b[38m", b"\x1b[4:3m", b"\x1b[8m", b"\x1b[99;109;999m", b"\x1b[1A",
        b"\x1b[38;5;999999999999m", b"\x1b[" + b"9" * 5000 + b"m", b"\x1b[?25h", b"\x1b[>1m",
        b"\x1b]8;;javascript:alert(1)\x1b\\", b"\x1b]0;title\x07", b"\x1b]unended", b"\x1b(0",
        b"\x1b", b"\r", b"\n", b"\r\n", "é漢".encode(), b"\xc3", b"\xa9", b"\xff", b"\x9b31m", b"text",
    ]
)  # fmt: skip
OUTPUT = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=14).map(b"".join))
CLASSES = {*FLAGS, *COLOURS, *(f"on-{each}" for each in COLOURS)}


@given(OUTPUT)
def test_the_text_is_the_one_that_a_signature_is_searched_in(data: bytes) -> None:
    assert styled(data).text == readable(data)


@given(OUTPUT)
def test_every_character_has_one_style_and_no_style_is_told_twice(data: bytes) -> None:
    text, styles = styled(data)
    places = [at for at, _ in styles]
    assert places == sorted({*places})
    assert not text or places[0] == 0
    assert all(at < len(text) for at in places)
    assert all(one != other for (_, one), (_, other) in pairwise(styles))
    assert {name for _, style in styles for name in style.classes.split()} <= CLASSES


@pytest.mark.parametrize(
    ("code", "classes"),
    [
        ("31", "red"),
        ("91", "red"),
        ("1;31", "bold red"),
        ("031", "red"),
        ("41", "on-red"),
        ("107", "on-white"),
        ("1;3;4;9", "bold italic underlined struck"),
        ("2", "faint"),
        ("7", "inverse"),
        ("21", "underlined"),
        ("4:3", "underlined"),
        ("4;4:0", ""),
        ("1;2;22", ""),
        ("3;4;7;9;23;24;27;29", ""),
        ("31;39", ""),
        ("41;49", ""),
        ("31;0", ""),
        ("31;", ""),
        ("", ""),
        ("5", ""),
        ("8", ""),
        ("10;50;60;99;109", ""),
        ("38;5;1", "red"),
        ("38;5;9", "red"),
        ("38;5;208", "yellow"),
        ("38;5;21", "blue"),
        ("38;5;46", "green"),
        ("38;5;232", "black"),
        ("38;5;255", "white"),
        ("38;5;16", "black"),
        ("38;5;231", "white"),
        ("38;5;300", "white"),
        ("48;5;201;1", "bold on-magenta"),
        ("38;2;255;0;0", "red"),
        ("38;2;0;200;200;4", "underlined cyan"),
        ("38:2::0:0:255", "blue"),
        ("38:2:0:0:255", "blue"),
        ("38:5:1", "red"),
        ("31;38;7;1", "bold"),
        ("38;5", ""),
        ("38;2;1;2", ""),
        ("38;5;x", None),
        ("38;5;99999", ""),
        ("38:2:1", ""),
        ("38:5", ""),
    ],
)
def test_codes_of_colours_and_weights_are_classes(code: str, classes: str | None) -> None:
    text, styles = styled(f"\x1b[{code}mx".encode())
    if classes is None:  # no code at all
        assert text.endswith("x")
        return
    assert (text, [each.classes for _, each in styles]) == ("x", [classes])


def test_a_style_lasts_until_another() -> None:
    text, styles = styled(b"a\x1b[31mb\x1b[1mc\x1b[0md")
    assert text == "abcd"
    assert [(at, each.classes) for at, each in styles] == [
        (0, ""),
        (1, "red"),
        (2, "bold red"),
        (3, ""),
    ]


def test_a_code_within_a_character_or_a_line_end_splits_neither() -> None:
    assert styled(b"\xc3\x1b[31m\xa9").text == "é"
    assert styled(b"a\r\x1b[31m\nb").text == "a\nb"


@pytest.mark.parametrize("code", [b"\x1b[2J", b"\x1b[1;1H", b"\x1b]0;31m\x07", b"\x1b[?31m"])
def test_other_codes_change_nothing(code: bytes) -> None:
    text, styles = styled(b"a" + code + b"b")
    assert (text, [each.classes for _, each in styles]) == ("ab", [""])
