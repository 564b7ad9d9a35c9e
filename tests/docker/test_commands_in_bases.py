"""Commands in a base, beside the store: what they may, and what becomes of them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from runner.adapters.docker_commands import InBase
from runner.adapters.supervisors import ATTEMPT, SUPERVISOR, this_supervisor
from runner.errors import EnvironmentTrouble, Interrupted
from tests.docker.sandboxes import base, docker_sandbox, engine

pytestmark = pytest.mark.docker

LOOKS = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def said(result):
    return ctypes.get_errno() if result < 0 else 0
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
    audit = 0
except OSError as error:
    audit = error.errno
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
print(said(libc.ptrace(0, 0, 0, 0)), said(libc.personality(8)), audit,
      status["Seccomp"], status["NoNewPrivs"], int(status["CapEff"], 16), os.getuid())
"""


def in_base(store: Path) -> InBase:
    return InBase(engine=engine(), base=base(), store=store)


def words(code: str) -> tuple[str, ...]:
    return (base().interpreter.executable, "-I", "-S", "-c", code)


def test_system_calls_are_denied_as_to_attempts(tmp_path: Path) -> None:
    if "system_calls" in docker_sandbox().describe().unenforced:
        pytest.skip("this engine is left to its own filter")
    done = in_base(tmp_path).run(words(LOOKS), {}, 60)
    refused = f"{errno.EPERM} {errno.EPERM} {errno.EAFNOSUPPORT}"
    assert (done.stdout, done.stderr) == (f"{refused} 2 1 0 {os.getuid()}\n", "")


def test_only_the_store_can_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "beside").mkdir()
    code = (
        "import os\n"
        f"for place in ({str(tmp_path / 'store')!r}, {str(tmp_path / 'beside')!r}, '/', '/usr'):\n"
        "    try: open(place + '/new', 'w').close(); print(os.path.basename(place))\n"
        "    except OSError: pass\n"
    )
    visible = (str(tmp_path / "beside"),)
    commands = InBase(engine=engine(), base=base(), store=tmp_path / "store", visible=visible)
    assert commands.run(words(code), {}, 60).stdout == "store\n"
    assert (tmp_path / "store/new").stat().st_uid == os.getuid()


def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    done = in_base(tmp_path).run(words("import sys; print('a'); sys.exit('b')"), {}, 60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "a\n", "b\n")


def test_who_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentTrouble, match="did not end within 1 s"):
        in_base(tmp_path).run(words("import time; time.sleep(60)"), {}, 1)
    ours = {"label": [f"{ATTEMPT}=uv", f"{SUPERVISOR}={this_supervisor()}"]}
    assert engine().api.containers(all=True, filters=ours) == []


def test_who_was_stopped_starts_nothing(tmp_path: Path) -> None:
    commands = in_base(tmp_path)
    commands.stop()
    with pytest.raises(Interrupted):
        commands.run(words("pass"), {}, 60)
