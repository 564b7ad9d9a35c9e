"""What bubblewrap keeps from an attempt, as root and as a user, and how it says that it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.adapters.bubblewrap import Bubblewrap, find_bubblewrap
from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.errors import SandboxTrouble, SandboxUnavailable
from runner.sandbox import Mount, RunRequest, SandboxKind, ending_of
from tests.attempts import LIMITS, a_script, limits, run

pytestmark = pytest.mark.bubblewrap


def as_a_user() -> Bubblewrap:
    """What is done where the caller is not root."""
    return replace(find_bubblewrap(), setpriv=None)


@pytest.fixture(params=[find_bubblewrap, as_a_user], ids=["caller", "user"])
def sandbox(request: pytest.FixtureRequest) -> BubblewrapSandbox:
    return BubblewrapSandbox(request.param)


def printed(sandbox: BubblewrapSandbox, code: str) -> str:
    result = run(sandbox, code)
    assert result.ending == ending_of(0), result.stderr.head.decode()
    return result.stdout.head.decode().strip()


def test_it_says_what_it_is(sandbox: BubblewrapSandbox) -> None:
    description = sandbox.describe()
    assert (description.kind, description.network) == (SandboxKind.BUBBLEWRAP, "none")
    assert description.isolated
    assert description.base is None


def test_the_process_is_nobody_and_may_nothing(sandbox: BubblewrapSandbox) -> None:
    code = (
        "import os; lines = dict(l.split(':') for l in open('/proc/self/status'))\n"
        "caps = {int(lines[k], 16) for k in lines if k in ('CapPrm', 'CapEff', 'CapAmb')}\n"
        "print(os.getresuid(), os.getresgid(), caps, lines['NoNewPrivs'].strip())"
    )
    nobody = (65534, 65534, 65534)
    assert printed(sandbox, code) == f"{nobody} {nobody} {{0}} 1"


def test_there_is_no_network_but_the_own_loopback(sandbox: BubblewrapSandbox) -> None:
    code = (
        "import socket; print([name for _, name in socket.if_nameindex()])\n"
        "s = socket.create_server(('localhost', 0)); socket.create_connection(s.getsockname())\n"
        "try: socket.create_connection(('192.0.2.1', 80), 2)\n"
        "except OSError as error: print(error.strerror)"
    )
    assert printed(sandbox, code) == "['lo']\nNetwork is unreachable"


def test_nothing_of_the_host_is_writable(sandbox: BubblewrapSandbox) -> None:
    code = (
        "import os\n"
        "for place in ('/', '/etc', '/usr', '/dev', '/proc/sys/kernel', '/etc/passwd'):\n"
        "  try: open(place + '/x' if os.path.isdir(place) else place, 'w'); print(place)\n"
        "  except OSError: pass"
    )
    assert printed(sandbox, code) == ""


def test_little_of_the_host_is_seen(sandbox: BubblewrapSandbox) -> None:
    code = "import os; print(*sorted(set(os.listdir('/')) - {'bin', 'lib', 'lib64', 'sbin'}))"
    seen = printed(sandbox, code).split()
    mounted = {Path(mount.target).parts[1] for mount in a_script("").mounts}
    assert {"dev", "etc", "proc", "tmp", "usr"} <= set(seen)
    assert set(seen) <= {"dev", "etc", "proc", "tmp", "usr", "lib32", "libx32"} | mounted


def test_only_its_own_processes_are_seen(sandbox: BubblewrapSandbox) -> None:
    code = "import os; print(max(int(n) for n in os.listdir('/proc') if n.isdigit()) < 10)"
    assert printed(sandbox, code) == "True"


def test_names_are_resolved_without_the_files_of_the_host(sandbox: BubblewrapSandbox) -> None:
    code = (
        "import os, pwd, socket\n"
        "name = socket.gethostname()\n"
        "print(pwd.getpwuid(os.getuid()).pw_name, name, socket.gethostbyname(name))"
    )
    assert printed(sandbox, code) == "nobody sandbox 127.0.0.1"


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_writable_places_are_of_limited_size(sandbox: BubblewrapSandbox, place: str) -> None:
    code = f"open('{place}/f', 'wb').write(bytes(8 << 20))"
    assert run(sandbox, code, limits=limits(disk=16)).ending == ending_of(0)
    if "disk" not in sandbox.describe().unenforced:
        result = run(sandbox, code, limits=limits(disk=4))
        assert b"No space left" in result.stderr.head


def test_shared_memory_between_processes_works(sandbox: BubblewrapSandbox) -> None:
    code = "import multiprocessing; lock = multiprocessing.Lock(); print(lock.acquire())"
    assert printed(sandbox, code) == "True"


def test_mounts_are_read_only_and_may_lie_in_one_another(
    sandbox: BubblewrapSandbox, tmp_path: Path
) -> None:
    for name in ("outer/inner", "other"):
        (tmp_path / name).mkdir(mode=0o755, parents=True)
    (tmp_path / "other/file").write_text("other")
    mounts = (
        Mount(source=str(tmp_path / "other"), target="/deep/er/outer/inner"),
        Mount(source=str(tmp_path / "outer"), target="/deep/er/outer"),
    )
    script = "cat /deep/er/outer/inner/file; ! touch /deep/er/outer/inner/x 2> /dev/null"
    request = RunRequest(id="a-1", command=("/bin/sh", "-c", script), mounts=mounts, limits=LIMITS)
    result = sandbox.run(request)
    assert (result.ending, result.stdout.head) == (ending_of(0), b"other")


def test_a_mount_that_is_not_there_is_trouble(sandbox: BubblewrapSandbox) -> None:
    mounts = (Mount(source="/no/such/folder", target="/case"),)
    request = RunRequest(id="a-1", command=("/bin/sh", "-c", ":"), mounts=mounts)
    with pytest.raises(SandboxTrouble, match=r"a-1: bwrap: .*/no/such/folder"):
        sandbox.run(request)


def a_bwrap(at: Path, script: str) -> str:
    """A search path on which `bwrap` is a script; the true one is at `$BWRAP`."""
    program = at / "bwrap"
    program.write_text(f"#!/bin/sh\nBWRAP={find_bubblewrap().program}\n{script}\n")
    program.chmod(0o755)
    return f"{at}:/usr/sbin:/usr/bin:/sbin:/bin"


OLD = """if [ "$1" = --help ]; then "$BWRAP" --help | grep -v -e --size -e --disable-userns
else exec "$BWRAP" "$@"; fi"""


def test_an_older_bwrap_does_without_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", a_bwrap(tmp_path, OLD))
    for find in (find_bubblewrap, as_a_user):
        sandbox = BubblewrapSandbox(find)
        assert "disk" in sandbox.describe().unenforced
        assert printed(sandbox, "print(1)") == "1"


REFUSED = "bwrap: Creating new namespace failed: Operation not permitted"
UNAVAILABLE = {
    "too old": ("echo --unshare-all", "0.5 or later"),
    "refused": (
        f'[ "$1" = --help ] && exec "$BWRAP" --help; echo "{REFUSED}" >&2; exit 1',
        REFUSED,
    ),
    "broken": ('[ "$1" = --help ] && exec "$BWRAP" --help; kill -9 $$', "status -9"),
}


@pytest.mark.parametrize(("script", "said"), UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_a_bwrap_that_cannot_work_is_said_to_be_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setenv("PATH", a_bwrap(tmp_path, script))
    with pytest.raises(SandboxUnavailable, match=said):
        BubblewrapSandbox().check()


def test_a_bwrap_that_is_not_there_is_missed_at_the_first_run_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox = BubblewrapSandbox()
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap"):
        sandbox.run(a_script("pass"))
