"""What a container may do and see, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from runner.adapters.container_cgroups import PARENT, ROOT
from runner.adapters.containers import Fashion
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.errors import SandboxTrouble
from runner.sandbox import EndingKind, Mount, RunRequest, SandboxKind, ending_of
from tests.attempts import INTERPRETER, a_script, becomes, is_alive, limits, run
from tests.docker.sandboxes import base, docker_sandbox, engine

pytestmark = pytest.mark.docker

SEEN = """
import json, os, socket
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
def writable(path):
    try:
        open(path + "/x", "w").close()
    except OSError as error:
        return error.errno
    return True
print(json.dumps({
    "ids": os.getresuid() + os.getresgid(), "groups": os.getgroups(),
    "capabilities": [status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")],
    "privileges": status["NoNewPrivs"], "interfaces": [name for _, name in socket.if_nameindex()],
    "host": socket.gethostname(), "here": os.getcwd(),
    "writable": [path for path in ("/", "/tmp", "/dev/shm", "/etc", "/var/tmp", "/dev")
                 if writable(path) is True],
    "modes": [oct(os.stat(path).st_mode & 0o7777) for path in ("/tmp", "/dev/shm")],
}))
"""


def containers() -> set[str]:
    """All containers of ours that the engine knows."""
    there = engine().api.containers(all=True, filters={"label": "fixproof=1"})
    return {each["Id"] for each in there}


def test_a_script_is_nobody_and_sees_nothing() -> None:
    seen = json.loads(run(docker_sandbox(), SEEN).stdout.head)
    assert set(seen["ids"]) == {65534}
    assert set(seen["groups"]) <= {65534}
    assert set(seen["capabilities"]) == {"0" * 16}
    assert seen["privileges"] == "1"
    assert seen["interfaces"] == ["lo"]
    assert (seen["host"], seen["here"]) == ("sandbox", "/tmp")
    assert seen["writable"] == ["/tmp", "/dev/shm"]
    assert seen["modes"] == ["0o1777", "0o1777"]


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_writable_places_are_sized(place: str) -> None:
    code = (
        f"import os; f = open('{place}/x', 'wb')\n"
        "try:\n    for _ in range(60): f.write(bytes(1 << 20)); f.flush()\n"
        "except OSError as e: print(os.strerror(e.errno), f.tell() >> 20)"
    )
    result = run(docker_sandbox(), code, limits=limits(disk=20))
    assert result.stdout.head.startswith(b"No space left on device 2")


def test_what_is_put_into_tmp_can_be_executed() -> None:
    code = (
        "import os, shutil, subprocess; shutil.copy('/bin/true', '/tmp/x');"
        " print(subprocess.call(['/tmp/x']))"
    )
    assert run(docker_sandbox(), code).stdout.head == b"0\n"


def test_nothing_of_an_attempt_is_left() -> None:
    before = containers()
    sandbox = docker_sandbox()
    for code, kind in (("pass", EndingKind.EXIT), ("while True: pass", EndingKind.TIMEOUT)):
        assert run(sandbox, code, limits=limits(timeout=1)).ending.kind is kind
    assert containers() == before
    assert list(ROOT.glob(f"*/{PARENT}/*-{os.getpid()}-*")) == []


def test_what_was_used_is_counted_however_short_it_was() -> None:
    result = run(docker_sandbox(), "pass")
    sandbox_counts = any(ROOT.glob(f"*/{PARENT}"))
    assert not sandbox_counts or (result.peak_mib is not None and result.cpu_seconds is not None)


def test_the_report_names_the_image_and_what_does_not_hold() -> None:
    description = docker_sandbox().describe()
    assert description.kind is SandboxKind.DOCKER
    assert description.base == base().image
    assert (description.network, description.isolated) == ("none", True)
    assert set(description.unenforced) <= {"memory", "swap", "processes"}


def test_a_mount_that_is_not_there_is_trouble() -> None:
    mount = Mount(source="/no/such/folder", target="/case")
    request = RunRequest(id="a-1", command=(str(INTERPRETER), "-c", "1"), mounts=(mount,))
    with pytest.raises(SandboxTrouble, match=r"/no/such/folder"):
        docker_sandbox().run(request)


def test_a_runtime_that_the_engine_does_not_know_is_trouble() -> None:
    sandbox = DockerSandbox(
        OneImage(lambda: base().as_image()), engine=engine(), fashion=Fashion(runtime="nobodys")
    )
    with pytest.raises(SandboxTrouble, match="nobodys"):
        run(sandbox, "pass")


def test_processors_can_be_shared_out() -> None:
    fashion = Fashion(cpus=0.25)
    sandbox = DockerSandbox(OneImage(lambda: base().as_image()), engine=engine(), fashion=fashion)
    code = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    result = run(sandbox, code)
    assert result.cpu_seconds is None or result.cpu_seconds < 0.7


SUPERVISOR = """
import sys
from tests.attempts import a_script
from tests.docker.sandboxes import docker_sandbox
docker_sandbox().run(a_script("import time; time.sleep(60)", sys.argv[1]))
"""


def test_leftovers_of_a_killed_supervisor_are_swept_and_no_others() -> None:
    marks = [uuid4().hex, uuid4().hex]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, mark],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": "."},
        )
        for mark in marks
    ]
    try:
        assert becomes(lambda: all(map(is_alive_inside, marks)), within=20)
        started[0].send_signal(signal.SIGKILL)
        started[0].wait()
        assert is_alive_inside(marks[0])
        docker_sandbox().check()
        assert becomes(lambda: not is_alive_inside(marks[0]), within=2)
        assert is_alive_inside(marks[1])
    finally:
        for each in started:
            each.kill()
            each.wait()
        docker_sandbox().check()
    assert not any(map(is_alive_inside, marks))


def is_alive_inside(mark: str) -> bool:
    """Whether the script of an attempt runs: not its supervisor, which has the mark, too."""
    return is_alive(mark) and any(
        mark in words and "time.sleep(60)" in " ".join(words) and "docker_sandbox" not in words[2]
        for words in _commands()
    )


def _commands() -> list[list[str]]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_text(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if len(words) > 5:
            found.append(words)
    return found


def test_a_flood_ends_in_time() -> None:
    code = "import os\nwhile True: os.write(1, b'x' * 65536)"
    begun = time.monotonic()
    result = run(docker_sandbox(), code, limits=limits(timeout=60))
    assert result.ending.kind is EndingKind.OUTPUT_LIMIT
    assert time.monotonic() - begun < 10


def test_a_fork_bomb_ends_in_time() -> None:
    code = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    begun = time.monotonic()
    result = run(docker_sandbox(), code, limits=limits(timeout=2, memory=256))
    assert result.ending.kind in (EndingKind.TIMEOUT, EndingKind.MEMORY)
    assert time.monotonic() - begun < 10


def test_a_script_finds_no_home_that_nobody_gave_it() -> None:
    request = a_script("print(sorted(open('/proc/self/environ').read().split(chr(0))[:-1]))")
    assert docker_sandbox().run(request).stdout.head == b"[]\n"
    given = request.model_copy(update={"env": {"HOME": "/tmp", "PATH": "/bin"}})
    result = docker_sandbox().run(given)
    assert result.ending == ending_of(0)
    assert result.stdout.head == b"['HOME=/tmp', 'PATH=/bin']\n"
