"""Nothing of an attempt survives it: no process, no cgroup, no folder, whoever ends it and how."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from runner.adapters.cgroup_hierarchies import find_cgroups
from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.errors import Interrupted
from runner.sandbox import EndingKind, Sandbox
from tests.attempts import (
    MakeSandbox,
    a_script,
    becomes,
    every_real_sandbox,
    is_alive,
    limits,
    run,
)

STRAY = """
import subprocess, sys, time
sleep = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(30)", sys.argv[1]]
inner = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
subprocess.run([sys.executable, "-I", "-S", "-c", inner, *sleep], start_new_session=True)
print("started", flush=True)
time.sleep(float(sys.argv[2]))
"""


def is_gone(mark: str, sandbox: Sandbox) -> bool:
    """Whether nothing is left; a plain process that has no cgroup cannot promise that."""
    description = sandbox.describe()
    if not description.isolated and "processes" in description.unenforced:
        return True
    return becomes(lambda: not is_alive(mark), within=5)


def left_behind(pid: int) -> list[str]:
    """Cgroups that the process `pid` made and that are still there."""
    parents = find_cgroups().parents.values()
    return [place.name for parent in parents for place in parent.glob(f"*-{pid}-*")]


@every_real_sandbox
@pytest.mark.parametrize(("seconds", "kind"), [("0", EndingKind.EXIT), ("60", EndingKind.TIMEOUT)])
def test_a_daemon_that_holds_the_pipes_neither_survives_nor_delays(
    make: MakeSandbox, seconds: str, kind: EndingKind
) -> None:
    mark, sandbox = uuid4().hex, make()
    begun = time.monotonic()
    result = run(sandbox, STRAY, mark, seconds, limits=limits(timeout=2))
    assert (result.ending.kind, result.stdout.head) == (kind, b"started\n")
    assert time.monotonic() - begun < 25, "it waited for the daemon, which sleeps 30 seconds"
    assert is_gone(mark, sandbox)


@every_real_sandbox
def test_a_stop_ends_what_would_run_for_a_minute(make: MakeSandbox) -> None:
    sandbox, mark = make(), uuid4().hex
    with ThreadPoolExecutor(3) as pool:
        attempts = [pool.submit(run, sandbox, STRAY, mark, "60") for _ in range(3)]
        assert becomes(lambda: is_alive(mark), within=10)
        sandbox.stop()
        for attempt in attempts:
            with pytest.raises(Interrupted, match="a-1 was interrupted"):
                attempt.result(timeout=10)
    assert is_gone(mark, sandbox)
    assert left_behind(os.getpid()) == []


@every_real_sandbox
def test_attempts_run_side_by_side(make: MakeSandbox) -> None:
    sandbox = make()
    code = "import sys, time; time.sleep(0.2); print(sys.argv[1] * 1000)"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: run(sandbox, code, str(n)), range(16)))
    assert [result.stdout.head for result in results] == [
        f"{str(n) * 1000}\n".encode() for n in range(16)
    ]
    assert left_behind(os.getpid()) == []


@every_real_sandbox
def test_a_fork_bomb_is_ended(make: MakeSandbox) -> None:
    sandbox, mark = make(), uuid4().hex
    if "processes" in sandbox.describe().unenforced:
        return
    code = (
        "import os, time\nend = time.monotonic() + 60\n"
        "while time.monotonic() < end:\n"
        "  try: os.fork()\n  except OSError: pass"
    )
    result = run(sandbox, code, mark, limits=limits(timeout=1, processes=32, memory=128))
    assert result.ending.kind in {EndingKind.TIMEOUT, EndingKind.MEMORY}
    assert not is_alive(mark)


@every_real_sandbox
def test_no_folder_is_left(
    make: MakeSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "import os; os.mkdir('d'); open('d/f', 'w').close(); os.chmod('d', 0)"
    assert run(make(), code).ending.code == 0
    assert list(tmp_path.iterdir()) == []


SUPERVISOR = """
import sys
from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.sandbox import RunRequest
BubblewrapSandbox().run(RunRequest.model_validate_json(sys.argv[1]))
"""


@pytest.mark.bubblewrap
def test_a_killed_supervisor_leaves_no_process_and_its_cgroup_is_swept() -> None:
    mark = uuid4().hex
    request = a_script(STRAY, mark, "60").model_dump_json()
    words = [sys.executable, "-c", SUPERVISOR, request]
    with subprocess.Popen(words, cwd=Path(__file__).parents[1]) as supervisor:
        assert becomes(lambda: is_alive(mark), within=10)
        supervisor.send_signal(signal.SIGKILL)
    assert becomes(lambda: not is_alive(mark), within=2)
    BubblewrapSandbox().check()
    assert left_behind(supervisor.pid) == []


@pytest.mark.bubblewrap
def test_the_cgroups_of_a_living_supervisor_are_not_touched() -> None:
    with find_cgroups().made(limits()) as group:
        BubblewrapSandbox().check()
        assert group is None or all(place.is_dir() for place in group.places)
