"""What every sandbox promises, asked of each of them: bubblewrap, a plain process, and the fake.

What only a process can show is asked of the real ones; where a limit cannot be held on a machine,
the sandbox must say so.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.errors import Interrupted, SandboxTrouble
from runner.sandbox import Ending, EndingKind, Limits, Mount, RunRequest, ending_of
from tests.attempts import (
    INTERPRETER,
    LIMITS,
    MIB,
    MOUNTS,
    MakeSandbox,
    a_script,
    every_real_sandbox,
    every_sandbox,
    limits,
    run,
)
from tests.fakes import Act, ScriptedSandbox


@dataclass(frozen=True)
class Row:
    """What a script does, and what every sandbox says of it."""

    code: str
    ending: Ending
    stdout: bytes = b""
    stderr: bytes = b""
    limits: Limits = LIMITS


SAYS_BWRAP = "import os; os.write(2, b'bwrap: Creating new namespace failed'); os._exit(1)"
SAYS_SETPRIV = "import os; os.write(2, b'setpriv: failed to execute x'); os._exit(127)"
ENDINGS = {
    "exits 0": Row("print('fine')", ending_of(0), b"fine\n"),
    "exits 1": Row("import sys; sys.exit('BUG')", ending_of(1), b"", b"BUG\n"),
    "exits 125": Row("import sys; sys.exit(125)", ending_of(125)),
    "speaks like bwrap": Row(
        SAYS_BWRAP, ending_of(1), stderr=b"bwrap: Creating new namespace failed"
    ),
    "speaks like setpriv": Row(
        SAYS_SETPRIV, ending_of(127), stderr=b"setpriv: failed to execute x"
    ),
    "dies of a signal": Row(
        "import os; os.kill(os.getpid(), 11)", Ending(kind=EndingKind.SIGNAL, code=11)
    ),
    "kills itself": Row(
        "import os; os.kill(os.getpid(), 9)", Ending(kind=EndingKind.SIGNAL, code=9)
    ),
    "hangs": Row(
        "import time; print(1, flush=True); time.sleep(60)",
        Ending(kind=EndingKind.TIMEOUT),
        b"1\n",
        limits=limits(timeout=0.5),
    ),
    "will not be terminated": Row(
        "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
        Ending(kind=EndingKind.TIMEOUT),
        limits=limits(timeout=0.5),
    ),
    "falls silent": Row(
        "import time; print(1, flush=True); time.sleep(60)",
        Ending(kind=EndingKind.SILENCE),
        b"1\n",
        limits=limits(silence=0.5),
    ),
    "prints bytes that are no text": Row(
        "import os; os.write(1, bytes(range(256)))", ending_of(0), bytes(range(256))
    ),
    "prints more than is kept": Row(
        "print('a' * 5000 + 'z' * 4999)",
        ending_of(0),
        b"a" * 5000 + b"z" * 4999 + b"\n",
        limits=limits(kept=100),
    ),
}


@every_sandbox
@pytest.mark.parametrize("row", ENDINGS.values(), ids=ENDINGS)
def test_how_a_script_ends_is_seen_from_outside(make: type[ScriptedSandbox], row: Row) -> None:
    script = [Act(row.ending, row.stdout, row.stderr)] if make is ScriptedSandbox else []
    heard: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    def watch(stream: str, chunk: bytes) -> None:
        heard[stream] += chunk

    request = a_script(row.code, limits=row.limits)
    result = make(*script).run(request, watch)
    assert result.request == request
    assert result.ending == row.ending
    assert heard == {"stdout": row.stdout, "stderr": row.stderr}
    assert len(result.stdout) == len(row.stdout)
    assert row.stdout.startswith(result.stdout.head)
    assert row.stdout.endswith(result.stdout.tail)
    assert len(result.stdout.head) + len(result.stdout.tail) <= row.limits.kept
    assert 0 < result.seconds < 5


@every_sandbox
def test_nothing_runs_after_a_stop(make: type[ScriptedSandbox]) -> None:
    sandbox = make()
    sandbox.stop()
    with pytest.raises(Interrupted):
        sandbox.run(a_script("pass"))
    with pytest.raises(Interrupted):
        sandbox.shell(a_script("pass"))


def test_the_fake_raises_what_it_is_told_to_and_is_loud_at_its_end() -> None:
    sandbox = ScriptedSandbox(SandboxTrouble("down"), lambda _: Act(ending_of(7)))
    with pytest.raises(SandboxTrouble):
        sandbox.run(a_script("pass"))
    assert sandbox.run(a_script("pass")).ending == ending_of(7)
    with pytest.raises(AssertionError, match="nothing is scripted for run 3, a-1"):
        sandbox.run(a_script("pass"))


@every_real_sandbox
def test_a_shell_returns_its_exit_code(make: MakeSandbox) -> None:
    assert make().shell(a_script("import os; os._exit(7)")) == 7


@every_real_sandbox
def test_endless_output_ends_the_attempt_and_stays_bounded(make: MakeSandbox) -> None:
    code = "import os\nwhile True: os.write(1, b'x' * 65536)"
    result = run(make(), code, limits=limits(output=3 * MIB, kept=1000))
    assert result.ending == Ending(kind=EndingKind.OUTPUT_LIMIT)
    assert 3 * MIB < len(result.stdout) < 4 * MIB
    assert len(result.stdout.head) + len(result.stdout.tail) == 1000


@every_real_sandbox
@pytest.mark.parametrize(
    "code",
    [
        "b = bytearray(200 << 20); b[::4096] = b'x' * len(b[::4096])",
        "import os, time\nif not os.fork():\n  bytearray(b'x' * (200 << 20))\nelse: time.sleep(9)",
    ],
    ids=["main", "child"],
)
def test_too_much_memory_is_told_from_other_deaths(make: MakeSandbox, code: str) -> None:
    sandbox = make()
    result = run(sandbox, code, limits=limits(memory=64, timeout=8))
    held = "memory" not in sandbox.describe().unenforced
    assert (result.ending.kind is EndingKind.MEMORY) == held
    assert (result.peak_mib is not None) == held


FORKS = """
import os, time
made = 0
try:
    while made < 100:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except BlockingIOError:
    pass
print(made)
"""


@every_real_sandbox
def test_processes_are_counted(make: MakeSandbox) -> None:
    sandbox = make()
    result = run(sandbox, FORKS, limits=limits(processes=32))
    held = "processes" not in sandbox.describe().unenforced
    assert (int(result.stdout.head) < 32) == held


@every_real_sandbox
def test_descriptors_are_limited_and_none_of_ours_is_there(make: MakeSandbox) -> None:
    code = (
        "import os, resource; print(sorted(os.listdir('/proc/self/fd'))[:-1],"
        " resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    with Path("/dev/null").open() as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003 - takes no name
        result = run(make(), code, limits=limits(descriptors=99))
    assert result.stdout.head == b"['0', '1', '2'] (99, 99) (0, 0)\n"


@every_real_sandbox
def test_standard_input_is_empty(make: MakeSandbox) -> None:
    assert run(make(), "import sys; print(repr(sys.stdin.read()))").stdout.head == b"''\n"


@every_real_sandbox
def test_the_environment_is_the_one_asked_for(make: MakeSandbox) -> None:
    code = "print(sorted(open('/proc/self/environ').read().split(chr(0))))"
    request = a_script(code).model_copy(update={"env": {"A": "1", "B": "x y=z\n"}})
    found = make().run(request).stdout.head.decode()
    assert found.replace("'PWD=/tmp', ", "").replace(", 'PWD=/tmp'", "") == (
        "['', 'A=1', 'B=x y=z\\n']\n"
    )


@every_real_sandbox
def test_a_mount_is_found_at_its_target(make: MakeSandbox, tmp_path: Path) -> None:
    (tmp_path / "case").mkdir(mode=0o755)
    (tmp_path / "case/repro.py").write_text(
        "import os; print(open(os.environ['DATA'].split(':')[1]).read())"
    )
    (tmp_path / "case/data").write_text("here")
    request = RunRequest(
        id="a-1",
        command=(str(INTERPRETER), "-I", "-S", "/case/repro.py"),
        env={"DATA": "http:/case/data"},
        mounts=(*MOUNTS, Mount(source=str(tmp_path / "case"), target="/case")),
    )
    assert make().run(request).stdout.head == b"here\n"


@every_real_sandbox
@pytest.mark.parametrize("command", ["/no/such/program", "/usr", os.__file__])
def test_a_command_that_cannot_be_executed_is_trouble(make: MakeSandbox, command: str) -> None:
    with pytest.raises(SandboxTrouble, match=re.escape(f"a-1: {command} cannot be executed")):
        make().run(RunRequest(id="a-1", command=(command,), mounts=MOUNTS))
