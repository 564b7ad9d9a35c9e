"""The filter of system calls, run in a small machine, so that every architecture is looked at."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import replace

import pytest

from runner.adapters.bubblewrap import Bubblewrap, find_bubblewrap
from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.adapters.system_calls import DENIED, LAST_REVIEWED, seccomp_filter
from runner.sandbox import ending_of
from tests.attempts import run

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386, ARM = 0x40000003, 0x40000028
X32 = 1 << 30
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
EITHER = pytest.mark.parametrize("machine", MACHINES)
CALLS = {
    # name: its numbers by machine
    "getpid": {"x86_64": 39, "aarch64": 172},
    "openat": {"x86_64": 257, "aarch64": 56},
    "setresuid": {"x86_64": 117, "aarch64": 147},
    "clone": {"x86_64": 56, "aarch64": 220},
    "clone3": {"x86_64": 435, "aarch64": 435},
    "ioctl": {"x86_64": 16, "aarch64": 29},
    "personality": {"x86_64": 135, "aarch64": 92},
    "socket": {"x86_64": 41, "aarch64": 198},
    "socketpair": {"x86_64": 53, "aarch64": 199},
}
HIGH = 1 << 32
"""A bit that the kernel does not look at where it takes an int."""
ROWS: dict[str, tuple[str, tuple[int, ...], int]] = {
    "harmless": ("getpid", (), 0),
    "opens": ("openat", (), 0),
    "leaves root": ("setresuid", (65534, 65534, 65534), 0),
    "forks": ("clone", (0x01200011,), 0),
    "makes a thread": ("clone", (0x003D0F00,), 0),
    "makes a user namespace": ("clone", (0x10000011,), errno.EPERM),
    "makes a network": ("clone", (0x40000000,), errno.EPERM),
    "clones with flags in memory": ("clone3", (), errno.ENOSYS),
    "asks for the size of a terminal": ("ioctl", (0, 0x5413), 0),
    "types at a terminal": ("ioctl", (0, 0x5412), errno.EPERM),
    "types with a bit on top": ("ioctl", (0, HIGH | 0x5412), errno.EPERM),
    "pastes at a console": ("ioctl", (0, 0x541C), errno.EPERM),
    "is as usual": ("personality", (0,), 0),
    "asks what it is": ("personality", (0xFFFFFFFF,), 0),
    "has no random addresses": ("personality", (0x0040000,), errno.EPERM),
    "has no random addresses, with a bit on top": ("personality", (HIGH | 8,), errno.EPERM),
    "unix": ("socket", (socket.AF_UNIX, 1, 0), 0),
    "a pair": ("socketpair", (socket.AF_UNIX, 1, 0), 0),
    "inet": ("socket", (socket.AF_INET, 1, 0), 0),
    "inet6": ("socket", (socket.AF_INET6, 2, 0), 0),
    "lists interfaces": ("socket", (socket.AF_NETLINK, 3, 0), 0),
    "audit": ("socket", (socket.AF_NETLINK, 3, 9), errno.EAFNOSUPPORT),
    "packets": ("socket", (socket.AF_PACKET, 3, 0), errno.EAFNOSUPPORT),
    "a strange pair": ("socketpair", (socket.AF_TIPC, 1, 0), errno.EAFNOSUPPORT),
}


def decided(machine: str, number: int, arguments: tuple[int, ...] = (), audit: int = 0) -> int:
    """What the filter of a machine returns for a call: classic BPF, as the kernel runs it."""
    program = seccomp_filter(machine)
    assert program is not None
    words = list(struct.iter_unpack("<HBBI", program))
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, audit or MACHINES[machine], 0, *padded)
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = words[at]
        tests = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: accumulator & value}
        if code == 0x06:
            return int(value)
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
            at += 1
        else:
            at += 1 + (if_true if tests[code] else if_false)


def refused(error: int) -> int:
    return 0x00050000 | error if error else ALLOWED


@EITHER
@pytest.mark.parametrize(("name", "arguments", "error"), ROWS.values(), ids=ROWS)
def test_what_depends_on_arguments(
    machine: str, name: str, arguments: tuple[int, ...], error: int
) -> None:
    assert decided(machine, CALLS[name][machine], arguments) == refused(error)


@EITHER
def test_what_is_denied_in_any_case(machine: str) -> None:
    column = list(MACHINES).index(machine)
    numbers = {each[column] for each in DENIED.values()} - {None}
    assert len(numbers) > 50
    for number in numbers:
        assert number is not None
        assert decided(machine, number) == refused(errno.EPERM)


@EITHER
def test_what_nobody_looked_at_is_not_there(machine: str) -> None:
    for number in (LAST_REVIEWED + 1, 1000, X32 - 1):
        assert decided(machine, number) == refused(errno.ENOSYS)


@EITHER
def test_calls_of_x32_kill(machine: str) -> None:
    expected = KILLED if machine == "x86_64" else refused(errno.ENOSYS)
    for number in (X32, X32 + 39, 0xFFFFFFFF):
        assert decided(machine, number) == expected


@EITHER
@pytest.mark.parametrize("audit", [I386, ARM, 1])
def test_calls_of_another_architecture_kill(machine: str, audit: int) -> None:
    assert decided(machine, CALLS["getpid"][machine], audit=audit) == KILLED


def test_there_is_no_filter_for_other_machines() -> None:
    assert seccomp_filter("riscv64") is None


def without_filters() -> Bubblewrap:
    return replace(find_bubblewrap(), seccomp=None)


@pytest.mark.bubblewrap
def test_a_sandbox_without_filters_works_and_says_so() -> None:
    sandbox = BubblewrapSandbox(without_filters)
    assert "system_calls" in sandbox.describe().unenforced
    assert run(sandbox, "pass").ending == ending_of(0)


@pytest.mark.bubblewrap
def test_a_filter_is_used_where_the_kernel_has_them() -> None:
    assert seccomp_filter() is not None
    assert "system_calls" not in BubblewrapSandbox().describe().unenforced
