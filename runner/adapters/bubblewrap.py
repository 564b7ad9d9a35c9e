"""Bubblewrap's words: what this machine's `bwrap` can do, and the command line of one attempt.

As root no user namespace is made: the attempt then has a uid that owns nothing on the host, and
homes that others may not enter can be mounted for it nonetheless. Other callers need one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.adapters.hidden_paths import MASKED
from runner.adapters.refusal import refuse_nul
from runner.adapters.system_calls import seccomp_filter
from runner.errors import SandboxUnavailable
from runner.sandbox import Limits, Mount, RunRequest

NOBODY = 65534
HOSTNAME = "sandbox"
WRITABLE = ("/tmp", "/dev/shm")  # noqa: S108 - of the sandbox
HOME = WRITABLE[0]
INSTALL = "apt-get install bubblewrap util-linux"
MIB = 1024 * 1024

NAMESPACES = tuple(f"--unshare-{name}" for name in ("ipc", "pid", "net", "uts", "cgroup"))
TOP_LEVEL = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""What links to /usr, or, where /usr is not merged, is a folder of its own."""
FROM_ETC = ("/etc/ld.so.cache", "/etc/alternatives")
"""What programs of /usr need of the host's settings; nothing else of them is shown."""

MADE_UP = {
    "/etc/passwd": f"root:x:0:0::/:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}::{HOME}:/bin/sh\n",
    "/etc/group": f"root:x:0:\nnogroup:x:{NOBODY}:\n",
    "/etc/hosts": f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
"""Files that the attempt sees, with their contents."""


@dataclass(frozen=True)
class Channels:
    """What of ours bwrap reads and writes; nothing of it is open in the attempt."""

    files: Mapping[str, int]
    """Where each made-up file is read from, by its place in the sandbox."""
    words: int
    """Where bwrap reads its options: on its command line, every attempt would see them."""
    seccomp: int | None
    """Where it reads the filter of system calls; None for no filter."""
    report: int
    """Where we read what bwrap reports."""
    status: int
    """Where bwrap writes it."""

    def inherited(self) -> tuple[int, ...]:
        """What bwrap needs to be given."""
        filters = () if self.seccomp is None else (self.seccomp,)
        return (*self.files.values(), self.words, *filters, self.status)

    def reported(self) -> dict[str, int]:
        """What bwrap said: `child-pid` once it made the namespaces, `exit-code` of the command.

        There is no exit code if the command could not be started.
        """
        found: dict[str, int] = {}
        with suppress(BlockingIOError, json.JSONDecodeError):
            for line in os.read(self.report, 65536).splitlines():
                found |= json.loads(line)
        return found


@dataclass(frozen=True)
class Bubblewrap:
    """What this machine offers."""

    program: str
    sized: bool
    """Whether writable places can be limited in size."""
    sealed: bool
    """Whether further user namespaces can be forbidden."""
    setpriv: str | None
    """What leaves root behind; None where we are not root."""
    prlimit: str | None
    """What limits the processes of a user namespace; None where nothing can."""
    seccomp: bytes | None = None
    """The filter of system calls; None where none can be loaded."""

    def holds_processes(self) -> bool:
        """Whether it limits the number of processes without any cgroup."""
        return self.setpriv is None and self.prlimit is not None

    def command_line(
        self, request: RunRequest, channels: Channels, *, on_terminal: bool
    ) -> tuple[str, ...]:
        """The words that start one attempt; its options are written where bwrap reads them.

        Raises:
            SandboxTrouble: the request has a NUL in it, which nothing can be started with.
        """
        refuse_nul(request)
        options = self._options(request, channels, on_terminal=on_terminal)
        _write_words(channels.words, options)
        descent = self._descent(request.limits)
        return (self.program, "--args", str(channels.words), "--", *descent, *request.command)

    def _options(
        self, request: RunRequest, channels: Channels, *, on_terminal: bool
    ) -> tuple[str, ...]:
        """What holds for one attempt; nothing of the host is writable in it."""
        size = request.limits.disk * MIB
        made_up = (("--perms", "0644", "--file", str(fd), at) for at, fd in channels.files.items())
        return (
            *(*NAMESPACES, "--die-with-parent", "--hostname", HOSTNAME),
            *(() if on_terminal else ("--new-session",)),
            *("--json-status-fd", str(channels.status)),
            *(() if channels.seccomp is None else ("--seccomp", str(channels.seccomp))),
            *self._identity(),
            *_system(),
            *("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", *_masks()),
            *("--dev", "/dev"),
            *(word for place in WRITABLE for word in self._writable(place, size)),
            *(word for words in made_up for word in words),
            *_mounts(request.mounts),
            *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME, "--clearenv"),
            *(word for name, value in request.env.items() for word in ("--setenv", name, value)),
        )

    def _identity(self) -> tuple[str, ...]:
        if self.setpriv is None:
            own = ("--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY))
            return (*own, "--disable-userns") if self.sealed else own
        needed = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
        return ("--cap-drop", "ALL", *(word for cap in needed for word in ("--cap-add", cap)))

    def _descent(self, limits: Limits) -> tuple[str, ...]:
        """The last step within the sandbox, before the command."""
        if self.setpriv is not None:
            ids = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
            return (self.setpriv, *ids, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
        if self.prlimit is not None:
            return (self.prlimit, f"--nproc={limits.processes}")
        return ()

    def _writable(self, place: str, size: int) -> tuple[str, ...]:
        sized = ("--size", str(size)) if self.sized else ()
        return ("--perms", "1777", *sized, "--tmpfs", place)


@contextmanager
def open_channels(seccomp: bytes | None) -> Iterator[Channels]:
    """Channels for one attempt.

    Args:
        seccomp: the filter that bwrap is to load; None for no filter.
    """
    with ExitStack() as stack:
        opened = os.pipe()
        for descriptor in opened:
            stack.callback(os.close, descriptor)
        os.set_blocking(opened[0], False)
        files = {at: _in_memory(stack, text.encode()) for at, text in MADE_UP.items()}
        filters = None if seccomp is None else _in_memory(stack, seccomp)
        yield Channels(files, _in_memory(stack, b""), filters, *opened)


def _in_memory(stack: ExitStack, data: bytes) -> int:
    """A descriptor from which `data` can be read once."""
    descriptor = os.memfd_create("fixproof")
    stack.callback(os.close, descriptor)
    os.pwrite(descriptor, data, 0)
    return descriptor


def _write_words(descriptor: int, words: tuple[str, ...]) -> None:
    os.pwrite(descriptor, b"".join(os.fsencode(word) + b"\0" for word in words), 0)


def find_bubblewrap() -> Bubblewrap:
    """Ask the `bwrap` of this machine what it can do; whether the kernel lets it is not tried.

    Raises:
        SandboxUnavailable: a program is missing, or too old.
    """
    program = _program("bwrap")
    options = _options(program)
    if not {"--args", "--perms", "--json-status-fd", "--die-with-parent"} <= options:
        raise SandboxUnavailable("bwrap is too old", hint="bubblewrap 0.5 or later is needed")
    root = os.geteuid() == 0
    return Bubblewrap(
        program=program,
        sized="--size" in options,
        sealed="--disable-userns" in options,
        setpriv=_program("setpriv") if root else None,
        prlimit=None if root else _prlimit(),
        seccomp=seccomp_filter() if "--seccomp" in options else None,
    )


def _options(program: str) -> frozenset[str]:
    try:
        run = subprocess.run(
            [program, "--help"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnavailable(f"bwrap cannot be run: {error}", hint=INSTALL) from error
    return frozenset(word for word in run.stdout.split() if word.startswith("--"))


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SandboxUnavailable(f"no {name} on this machine", hint=INSTALL)
    return found


def _prlimit() -> str | None:
    """The program, if this kernel counts processes in each user namespace by itself (Linux 5.14).

    Older ones count all that the user runs, so that a limit would hit what is none of ours.
    """
    major, minor = (int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    return shutil.which("prlimit") if (major, minor) >= (5, 14) else None


def _system() -> tuple[str, ...]:
    words = ["--ro-bind", "/usr", "/usr"]
    for place in map(Path, TOP_LEVEL):
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    for name in FROM_ETC:
        words += ["--ro-bind-try", name, name]
    return ("--perms", "0755", "--dir", "/etc", *words)


def _masks() -> Iterator[str]:
    for name in MASKED:
        if Path(name).is_dir():
            yield from ("--tmpfs", name, "--remount-ro", name)
        elif Path(name).exists():
            # A device that may not be opened as one: whoever reads it is refused.
            yield from ("--ro-bind", "/dev/null", name)


def _mounts(mounts: tuple[Mount, ...]) -> Iterator[str]:
    # By target: what is to lie within another mount must come after it.
    there = set(map(PurePosixPath, ("/", "/usr", "/etc", "/dev", "/proc", *WRITABLE, *TOP_LEVEL)))
    for mount in sorted(mounts, key=lambda mount: mount.target):
        target = PurePosixPath(mount.target)
        for parent in reversed(target.parents):
            if parent not in there:
                # Left to itself, bwrap makes folders that only root may enter.
                yield from ("--perms", "0755", "--dir", str(parent))
                there.add(parent)
        there.add(target)
        yield from ("--ro-bind", mount.source, mount.target)
