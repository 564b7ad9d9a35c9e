"""The values that pass to and from a sandbox."""

from __future__ import annotations

import pytest

from runner.sandbox import Ending, EndingKind, Limits, Stream, ending_of


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (0, EndingKind.EXIT, 0),
        (1, EndingKind.EXIT, 1),
        (125, EndingKind.EXIT, 125),
        (128, EndingKind.EXIT, 128),
        (129, EndingKind.SIGNAL, 1),
        (137, EndingKind.SIGNAL, 9),
        (139, EndingKind.SIGNAL, 11),
        (192, EndingKind.SIGNAL, 64),
        (193, EndingKind.EXIT, 193),
        (255, EndingKind.EXIT, 255),
    ],
)
def test_a_status_above_128_is_a_signal(status: int, kind: EndingKind, code: int) -> None:
    assert ending_of(status) == Ending(kind=kind, code=code)


def test_an_ending_is_told_with_its_code_where_it_has_one() -> None:
    assert str(ending_of(1)) == "exit 1"
    assert str(ending_of(139)) == "signal 11"
    assert str(Ending(kind=EndingKind.TIMEOUT)) == "timeout"


@pytest.mark.parametrize("silence", [None, 5.0])
def test_doubled_limits_double_time_and_nothing_else(silence: float | None) -> None:
    limits = Limits(timeout=30, silence=silence)
    doubled = limits.doubled()
    assert doubled.timeout == 60
    assert doubled.silence == (None if silence is None else 10)
    same = doubled.model_copy(update={"timeout": 30, "silence": silence})
    assert same == limits


def test_a_stream_is_as_long_as_what_was_written_to_it() -> None:
    assert len(Stream(head=b"abc", omitted=10, tail=b"de")) == 15
    assert len(Stream()) == 0
