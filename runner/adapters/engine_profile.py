"""The system calls that an attempt may not make, as a profile that container engines take.

It says the same as the filter of `system_calls`, from the same lists, in other words: engines want
names, and compare arguments as 64 bits, of which the kernel looks at 32. A call that an engine has
no name for cannot be named, so that all that is allowed is listed, and the rest is not there.
"""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from runner.adapters.system_calls import (
    ARCHITECTURES,
    DENIED,
    FAMILIES,
    NEW_NAMESPACES,
    PERSONALITIES,
    TERMINAL_INPUT,
)

_NAMES = """
accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod
chown clock_adjtime clock_getres clock_gettime clock_nanosleep close close_range connect
copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat
fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr
fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake
futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid
getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday
getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioprio_get ioprio_set kill
landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat
listen listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lsm_get_self_attr
lsm_list_modules lsm_set_self_attr lstat madvise map_shadow_stack membarrier memfd_create
memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt
mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal
msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc
pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease
pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg
recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall
rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select
semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list
set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid
setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr
setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 splice stat
statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time
timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime
utimensat utimes vfork vmsplice wait4 waitid write writev
"""
ALLOWED = tuple(_NAMES.split())
"""All other calls of both architectures up to the last reviewed one, but those told by arguments.

Those of them that no kernel ever had are left out.
"""

_ALLOW, _ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
_ALL_BITS = 0xFFFFFFFF
_Rule = dict[str, Any]
_Pattern = tuple[int, int]
"""Which bits of an argument are looked at, and what they are."""


def engine_profile(architecture: str) -> str | None:
    """The profile as an engine is told it; None for an architecture that has no filter.

    Args:
        architecture: the engine's, as it says it itself.
    """
    return _profile(architecture) if architecture in ARCHITECTURES else None


@cache
def _profile(architecture: str) -> str:
    profile = {
        "defaultAction": _ERRNO,
        # Older engines pass it over; their runtimes then say so of newer calls by themselves,
        # where an architecture is named. Other ones than that are killed.
        "defaultErrnoRet": errno.ENOSYS,
        "architectures": [f"SCMP_ARCH_{architecture.upper()}"],
        "syscalls": [
            _rule(ALLOWED),
            _rule(DENIED, errno.EPERM),
            _rule(["clone3"], errno.ENOSYS),
            *_by_arguments(),
        ],
    }
    return json.dumps(profile, separators=(",", ":"))


def _by_arguments() -> Iterator[_Rule]:
    """Rules of which just one fits each call: engines do not say which of several would hold."""
    yield _rule(["clone"], arguments={0: (NEW_NAMESPACES, 0)})
    for pattern in _any_bit(NEW_NAMESPACES):
        yield _rule(["clone"], errno.EPERM, {0: pattern})
    for pattern in _others(TERMINAL_INPUT):
        yield _rule(["ioctl"], arguments={1: pattern})
    for value in TERMINAL_INPUT:
        yield _rule(["ioctl"], errno.EPERM, {1: (_ALL_BITS, value)})
    for value in PERSONALITIES:
        yield _rule(["personality"], arguments={0: (_ALL_BITS, value)})
    for pattern in _others(PERSONALITIES):
        yield _rule(["personality"], errno.EPERM, {0: pattern})
    yield from _sockets(["socket", "socketpair"])


def _sockets(names: list[str]) -> Iterator[_Rule]:
    route, netlink = 0, (_ALL_BITS, int(socket.AF_NETLINK))
    for family in FAMILIES:
        yield _rule(names, arguments={0: (_ALL_BITS, int(family))})
    yield _rule(names, arguments={0: netlink, 2: (_ALL_BITS, route)})
    for pattern in _others([route]):
        yield _rule(names, errno.EAFNOSUPPORT, {0: netlink, 2: pattern})
    for pattern in _others([*FAMILIES, socket.AF_NETLINK]):
        yield _rule(names, errno.EAFNOSUPPORT, {0: pattern})


def _rule(
    names: Collection[str], error: int | None = None, arguments: dict[int, _Pattern] | None = None
) -> _Rule:
    """What becomes of calls: allowed, or an error, where all these arguments are such."""
    action: _Rule = {"action": _ALLOW} if error is None else {"action": _ERRNO, "errnoRet": error}
    tests = [
        {"index": index, "op": "SCMP_CMP_MASKED_EQ", "value": mask, "valueTwo": value}
        for index, (mask, value) in (arguments or {}).items()
    ]
    return {"names": list(names), **action, **({"args": tests} if tests else {})}


def _any_bit(mask: int) -> Iterator[_Pattern]:
    """Patterns of which one fits each number that has a bit of the mask."""
    seen = 0
    for bit in (1 << place for place in range(32)):
        if mask & bit:
            seen |= bit
            yield seen, bit


def _others(values: Collection[int]) -> Iterator[_Pattern]:
    """Patterns of which one fits each number that is none of the values: where it parts from all.

    "Not equal" would not do: a bit that only the engine looks at makes any number another one.
    """
    for place in reversed(range(32)):
        begun = {value >> place for value in values}
        for start in sorted({each >> 1 for each in begun}):
            for part in (start << 1, start << 1 | 1):
                if part not in begun:
                    yield _ALL_BITS >> place << place, part << place
