"""Frames of an engine's stream, however they are cut."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.demultiplexing import Demultiplexer
from runner.adapters.supervisors import is_leftover, this_supervisor

FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)))


@given(FRAMES, st.integers(1, 50))
def test_every_byte_comes_out_in_its_stream(frames: list[tuple[int, bytes]], size: int) -> None:
    wire = b"".join(bytes([n, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for n, data in frames)
    demultiplexer = Demultiplexer()
    found = {"stdout": b"", "stderr": b""}
    for at in range(0, len(wire), size):
        for stream, data in demultiplexer.feed(wire[at : at + size]):
            found[stream] += data
    assert found["stdout"] == b"".join(data for number, data in frames if number == 1)
    assert found["stderr"] == b"".join(data for number, data in frames if number == 2)


def test_a_supervisor_is_judged_only_where_it_can_be_seen() -> None:
    own = this_supervisor()
    boot, namespace, pid, begun = own.split("/")
    assert pid == str(os.getpid())
    assert not is_leftover(own, "1", now=2)
    assert is_leftover(f"{boot}/{namespace}/{pid}/0{begun}", None, now=2)
    assert is_leftover(f"{boot}/{namespace}/4194304/1", None, now=2)
    elsewhere = f"another/{namespace}/{pid}/{begun}"
    assert not is_leftover(elsewhere, None, now=2)
    assert not is_leftover(elsewhere, "3", now=2)
    assert is_leftover(elsewhere, "1", now=2)
    assert not is_leftover("", "", now=2)
