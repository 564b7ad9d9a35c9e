"""What supervision keeps of output, and the cgroups it is given, without any sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.cgroup_hierarchies import find_cgroups
from runner.adapters.cgroups import V1, V2, Cgroup, Cgroups
from runner.adapters.launching import Launch
from runner.adapters.supervision import CHUNK, Capture, StopSwitch, converse, supervise
from runner.errors import Interrupted, SandboxTrouble
from runner.sandbox import EndingKind, Limits, Stream
from tests.fakes import Act, a_request

CHUNKS = st.lists(st.binary(max_size=40), max_size=40)
KEPT = st.integers(min_value=0, max_value=200)


def captured(chunks: list[bytes], kept: int) -> Stream:
    capture = Capture(kept)
    for chunk in chunks:
        capture.add(chunk)
    return capture.stream()


@given(CHUNKS, KEPT)
def test_what_is_kept_is_a_prefix_and_a_suffix_of_the_whole(chunks: list[bytes], kept: int) -> None:
    whole = b"".join(chunks)
    stream = captured(chunks, kept)
    assert whole.startswith(stream.head)
    assert whole.endswith(stream.tail)
    assert len(stream) == len(whole)


@given(CHUNKS, KEPT)
def test_as_much_is_kept_as_is_allowed_and_no_more(chunks: list[bytes], kept: int) -> None:
    stream = captured(chunks, kept)
    assert len(stream.head) + len(stream.tail) == min(kept, sum(map(len, chunks)))
    if stream.omitted:
        assert (len(stream.head), len(stream.tail)) == (kept // 2, kept - kept // 2)
    else:
        assert stream.tail == b""


@given(CHUNKS, KEPT)
def test_how_output_is_cut_into_chunks_makes_no_difference(chunks: list[bytes], kept: int) -> None:
    assert captured(chunks, kept) == captured([b"".join(chunks)], kept)


@given(CHUNKS, KEPT)
def test_looking_at_a_stream_early_changes_nothing(chunks: list[bytes], kept: int) -> None:
    capture = Capture(kept)
    for chunk in chunks:
        capture.add(chunk)
        capture.stream()
    assert capture.stream() == captured(chunks, kept)


@given(st.binary(max_size=300), st.integers(min_value=0, max_value=200))
def test_the_scripted_sandbox_keeps_the_same(output: bytes, kept: int) -> None:
    result = Act(stdout=output).result(a_request(limits=Limits(kept=kept)))
    assert result.stdout == captured([output], kept)


def test_memory_for_endless_output_is_bounded() -> None:
    capture = Capture(1000)
    for _ in range(100):
        capture.add(b"x" * CHUNK)
    held = len(capture._head) + len(capture._tail)
    assert held <= 1000 + 2 * CHUNK
    assert len(capture.stream()) == 100 * CHUNK


def python(code: str, limits: Limits | None = None) -> Launch:
    return Launch((sys.executable, "-I", "-S", "-c", code), limits or Limits())


def test_the_exit_status_and_both_streams_are_seen() -> None:
    code = "import os; os.write(1, b'out'); os.write(2, b'err'); os._exit(3)"
    seen = supervise(python(code), name="a", stop=StopSwitch())
    assert (seen.cause, seen.status) == (None, 3)
    assert (seen.stdout.head, seen.stderr.head) == (b"out", b"err")


def test_a_process_killed_by_a_signal_has_a_negative_status() -> None:
    seen = supervise(python("import os; os.kill(os.getpid(), 9)"), name="a", stop=StopSwitch())
    assert seen.status == -9


def test_output_resets_the_clock_of_silence() -> None:
    code = "import time\nfor _ in range(6): print(1, flush=True); time.sleep(0.1)"
    seen = supervise(python(code, Limits(silence=0.5)), name="a", stop=StopSwitch())
    assert seen.cause is None


def test_the_environment_of_the_caller_is_given_where_none_is_asked_for() -> None:
    launch = Launch(("/bin/sh", "-c", 'echo "$PATH"'), Limits())
    seen = supervise(launch, name="a", stop=StopSwitch())
    assert seen.stdout.head.decode().strip() == os.environ["PATH"]


def test_a_directory_that_is_not_there_is_trouble() -> None:
    launch = Launch(("/bin/sh",), Limits(), cwd="/no/such/directory")
    with pytest.raises(SandboxTrouble, match="no process can be started"):
        supervise(launch, name="a", stop=StopSwitch())


def test_what_a_watcher_raises_ends_the_process_and_is_passed_on() -> None:
    def watch(_stream: str, _chunk: bytes) -> None:
        raise BrokenPipeError

    code = "import time; print(1, flush=True); time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(BrokenPipeError):
        supervise(python(code), name="a", stop=StopSwitch(), watch=watch)
    assert time.monotonic() - begun < 5


def test_a_conversation_can_be_stopped() -> None:
    stop = StopSwitch()
    timer = threading.Timer(0.2, stop.throw)
    timer.start()
    with pytest.raises(Interrupted):
        converse(python("import time; time.sleep(60)"), name="a", stop=stop)
    timer.join()


def a_folder(at: Path, **files: str) -> Path:
    at.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (at / name.replace("__", ".")).write_text(text)
    return at


def test_version_2_is_limited_and_read_by_its_own_names(tmp_path: Path) -> None:
    files = ("memory__max", "memory__swap__max", "memory__oom__group", "pids__max")
    place = a_folder(
        tmp_path / "g",
        **dict.fromkeys(files, ""),
        memory__events="low 0\noom 3\noom_kill 2\n",
        memory__peak=str(3 * 1024 * 1024),
        cpu__stat="usage_usec 1500000\nuser_usec 1\n",
        cgroup__procs="",
    )
    group = Cgroup(V2, {"memory": place, "pids": place})
    group.limit(Limits(memory=64, processes=32))
    written = [(place / name.replace("__", ".")).read_text() for name in files]
    assert written == [str(64 * 1024 * 1024), "0", "1", "32"]
    assert (group.oom_kills(), group.peak_mib(), group.cpu_seconds()) == (2, 3.0, 1.5)
    assert group.entry() == f"echo 0 > {place}/cgroup.procs"


def test_what_a_kernel_does_not_keep_is_none(tmp_path: Path) -> None:
    place = a_folder(tmp_path / "g", memory__events="oom_kill 0\n")
    group = Cgroup(V2, {"memory": place, "pids": place})
    assert (group.peak_mib(), group.cpu_seconds()) == (None, None)
    assert Cgroup(V1, {"pids": place}).oom_kills() == 0


def a_machine(root: Path, mounts: str, own: str) -> Path:
    a_folder(root / "proc/self", mountinfo=mounts, cgroup=own)
    return root


def test_version_2_is_used_where_it_was_delegated(tmp_path: Path) -> None:
    mounts = "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    root = a_machine(tmp_path, mounts, "0::/user.slice/user.service/app.scope\n")
    top = a_folder(root / "sys/fs/cgroup", cgroup__subtree_control="cpu")
    a_folder(top / "user.slice", cgroup__subtree_control="pids")
    given_away = a_folder(
        top / "user.slice/user.service", cgroup__subtree_control="cpu memory pids", cgroup__procs=""
    )
    a_folder(given_away / "app.scope", cgroup__subtree_control="", cgroup__procs="")
    found = find_cgroups(root)
    assert found == Cgroups(V2, dict.fromkeys(V2.controllers, given_away / "fixproof"))


def test_each_controller_of_version_1_is_found_where_it_is_mounted(tmp_path: Path) -> None:
    mounts = (
        "1 0 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n"
        "2 0 0:2 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    )
    root = a_machine(tmp_path, mounts, "1:memory:/\n")
    a_folder(root / "cg/memory")
    a_folder(root / "cg/cpu,cpuacct")
    parents = {"memory": "cg/memory/fixproof", "cpuacct": "cg/cpu,cpuacct/fixproof"}
    expected = {name: root / place for name, place in parents.items()}
    assert find_cgroups(root) == Cgroups(V1, expected)


def test_what_a_killed_engine_left_inside_is_swept_too(tmp_path: Path) -> None:
    """Else each start of a sandbox waited for it to go, for ever."""
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    orphan = tmp_path / f"{namespace}-4194304-1-1"
    (orphan / "container").mkdir(parents=True)
    Cgroups(V1, {"memory": tmp_path}).sweep()
    assert not orphan.exists()


@pytest.mark.parametrize("mounts", ["", "1 0 0:1 / /cg rw - cgroup2 cgroup2 rw\n"])
def test_no_cgroup_is_made_where_none_was_given_to_us(tmp_path: Path, mounts: str) -> None:
    found = find_cgroups(a_machine(tmp_path, mounts, "0::/\n"))
    with found.made(Limits()) as group:
        assert group is None


def test_cgroups_of_dead_processes_are_swept_and_no_others(tmp_path: Path) -> None:
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    with subprocess.Popen(["/bin/true"]) as dead:
        dead.wait()
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    living = f"{namespace}-{os.getpid()}-{started}-1"
    stay = {living, f"{namespace + 1}-{dead.pid}-5-1", "something-else"}
    for name in (*stay, f"{namespace}-{dead.pid}-5-1", f"{namespace}-{os.getpid()}-5-1"):
        (tmp_path / name).mkdir()
    Cgroups(V2, dict.fromkeys(V2.controllers, tmp_path)).sweep()
    assert {place.name for place in tmp_path.iterdir()} == stay


def test_too_much_output_is_told_from_the_bytes_alone() -> None:
    code = "import os; os.write(1, b'x' * 2000)"
    seen = supervise(python(code, Limits(output=1999)), name="a", stop=StopSwitch())
    assert seen.cause is EndingKind.OUTPUT_LIMIT
    seen = supervise(python(code, Limits(output=2000)), name="a", stop=StopSwitch())
    assert seen.cause is None
