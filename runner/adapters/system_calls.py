"""The system calls that an attempt may not make, as a seccomp filter in classic BPF.

What is denied is what container engines deny to a container without capabilities, and besides what
looks into other processes. A library is not used: the bindings that exist are not kept up, and
libseccomp, where it is there, is often older than the calls that matter.

Container engines are told the same, from the same lists, by `engine_profile`.

Numbers are those of the kernel's tables; what came after the last reviewed one is not there for an
attempt, so that programs do without it, as they do on an older kernel.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

LAST_REVIEWED = 466
"""The highest number that was looked at; newer calls have the same ones on all architectures."""

DENIED = {
    # name: its number on x86_64, on aarch64 (None: there is no such call)
    "_sysctl": (156, None),
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "get_mempolicy": (239, 236),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "listmount": (458, 458),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "migrate_pages": (256, 238),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "statmount": (457, 457),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
}

NEW_NAMESPACES = 0x7E020000
"""All flags of clone that make a namespace: mnt, cgroup, uts, ipc, user, pid, net."""
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
"""Sockets that may be made, and those of NETLINK_ROUTE, by which libc lists interfaces."""
TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type at the terminal in the user's place."""
PERSONALITIES = (0, 0xFFFFFFFF)
"""The usual one, and the question which one it is."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


@dataclass(frozen=True)
class _Machine:
    """One architecture, by the kernel's names for it; both are little-endian."""

    audit: int
    column: int
    """Its place in `DENIED`."""
    clone: int
    ioctl: int
    personality: int
    sockets: tuple[int, int]
    """socket and socketpair, which take the same arguments."""
    other_numbers: int | None = None
    """Where those of another architecture begin that has no name of its own: x32."""


_MACHINES = {
    "x86_64": _Machine(
        audit=0xC000003E,
        column=0,
        clone=56,
        ioctl=16,
        personality=135,
        sockets=(41, 53),
        other_numbers=1 << 30,
    ),
    "aarch64": _Machine(
        audit=0xC00000B7, column=1, clone=220, ioctl=29, personality=92, sockets=(198, 199)
    ),
}
ARCHITECTURES = tuple(_MACHINES)
"""By the kernel's names, what filters are made for."""
_CLONE3 = 435


def seccomp_filter(machine: str | None = None) -> bytes | None:
    """The filter for this machine, as the kernel takes it; None where none can be made or loaded.

    Args:
        machine: name of an architecture; None for the one at hand, if its kernel has filters.
    """
    if machine is None and not _kernel_filters():
        return None
    known = _MACHINES.get(machine or platform.machine())
    return None if known is None else b"".join(_program(known))


def _kernel_filters() -> bool:
    """Ask by loading a filter from nowhere: a kernel that knows filters faults on the address."""
    set_seccomp, mode_filter = 22, 2
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(set_seccomp, mode_filter, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT


def _program(machine: _Machine) -> Iterator[bytes]:
    yield _word(_LOAD, _ARCHITECTURE)
    yield from _unless_equal(machine.audit, _word(_RETURN, _KILL))
    yield _word(_LOAD, _NUMBER)
    if machine.other_numbers is not None:
        yield from (_word(_AT_LEAST, machine.other_numbers, 0, 1), _word(_RETURN, _KILL))
    yield from (_word(_AT_LEAST, LAST_REVIEWED + 1, 0, 1), _refuse(errno.ENOSYS))
    # Its flags are in memory, which no filter sees; without it, libc takes clone.
    yield from _when((_CLONE3,), _refuse(errno.ENOSYS))
    denied = [numbers[machine.column] for numbers in DENIED.values()]
    yield from _when(tuple(each for each in denied if each is not None), _refuse(errno.EPERM))
    yield from _when((machine.clone,), *_denied_bits(0, NEW_NAMESPACES))
    yield from _when((machine.ioctl,), *_denied_values(1, TERMINAL_INPUT))
    yield from _when((machine.personality,), *_allowed_values(0, PERSONALITIES))
    yield from _when(machine.sockets, *_allowed_sockets())
    yield _word(_RETURN, _ALLOW)


def _when(numbers: tuple[int, ...], *body: bytes) -> Iterator[bytes]:
    """`body`, which returns in any case, for each of these calls; the number is loaded."""
    for number in numbers:
        yield _word(_EQUAL, number, 0, len(body))
        yield from body


def _denied_bits(argument: int, mask: int) -> tuple[bytes, ...]:
    test = _word(_ANY_BIT, mask, 0, 1)
    return (_argument(argument), test, _refuse(errno.EPERM), _word(_RETURN, _ALLOW))


def _denied_values(argument: int, values: tuple[int, ...]) -> tuple[bytes, ...]:
    tests = (word for value in values for word in _if_equal(value, _refuse(errno.EPERM)))
    return (_argument(argument), *tests, _word(_RETURN, _ALLOW))


def _allowed_values(argument: int, values: tuple[int, ...]) -> tuple[bytes, ...]:
    tests = (word for value in values for word in _if_equal(value, _word(_RETURN, _ALLOW)))
    return (_argument(argument), *tests, _refuse(errno.EPERM))


def _allowed_sockets() -> tuple[bytes, ...]:
    route = 0
    allow, refuse = _word(_RETURN, _ALLOW), _refuse(errno.EAFNOSUPPORT)
    families = (word for family in FAMILIES for word in _if_equal(family, allow))
    by_protocol = (_argument(2), *_if_equal(route, allow), refuse)
    return (_argument(0), *families, *_unless_equal(socket.AF_NETLINK, refuse), *by_protocol)


def _if_equal(value: int, then: bytes) -> tuple[bytes, bytes]:
    return (_word(_EQUAL, value, 0, 1), then)


def _unless_equal(value: int, then: bytes) -> tuple[bytes, bytes]:
    return (_word(_EQUAL, value, 1, 0), then)


def _argument(index: int) -> bytes:
    """Load the low half of an argument: the kernel takes no more of those looked at here."""
    return _word(_LOAD, _ARGUMENTS + 8 * index)


def _refuse(error: int) -> bytes:
    return _word(_RETURN, _ERRNO | error)


def _word(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction: `struct sock_filter`."""
    return struct.pack("<HBBI", code, if_true, if_false, value)
