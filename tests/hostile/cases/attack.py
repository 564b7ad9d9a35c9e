"""What the scripts beside it share: how they ask for what is not theirs, and how they tell of it.

A script prints its signature, and exits 1, if something that it tried went well.
"""

import ctypes
import errno
import os
import platform

MIB = 1024 * 1024
OF_ENGINES = {".containerenv", "podman-init"}
"""What is found in /run, put there by the engine for its own use."""
LIBC = ctypes.CDLL(None, use_errno=True)


def got_through(what):
    """Say so, and end at once, whatever else runs."""
    os.write(1, b"BUG: got through: %s\n" % str(what).encode("utf-8", "replace"))
    os._exit(1)


def must_fail(what, action, *arguments):
    """Try something that only a failing sandbox lets happen."""
    try:
        action(*arguments)
    except OSError:
        return
    got_through(what)


def system_call(x86_64, aarch64, *arguments):
    """Make a system call by its number; raises OSError where it fails."""
    number = x86_64 if platform.machine() == "x86_64" else aarch64
    ctypes.set_errno(0)
    result = LIBC.syscall(number, *(ctypes.c_void_p(each) for each in arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def must_be_denied(what, x86_64, aarch64, *arguments):
    """Make a system call that must not even look at its arguments, which are wrong.

    No capability would be found missing before the arguments are found wrong, so that another
    error than these says that the call was let through.
    """
    try:
        system_call(x86_64, aarch64, *arguments)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT, errno.EACCES):
            return
        got_through(f"{what}, which said {errno.errorcode[error.errno]}")
    got_through(what)


def open_what_is_there(path, flags):
    """Open a file; OSError also where the null device was laid over it, which holds nothing."""
    descriptor = os.open(path, flags)
    if os.fstat(descriptor).st_rdev == os.makedev(1, 3):
        os.close(descriptor)
        raise OSError(errno.ENODEV, "the null device")
    return descriptor


def write_into(path):
    with open(path, "ab") as file:
        file.write(b"changed")
