"""Podman's socket: what it understands otherwise than Docker, and what it is told so.

What every sandbox must do is asked of it by the contract suite, and by a build that tries all that
the hostile scripts try.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from runner.adapters.debian_roots import DebianRoots
from runner.adapters.docker_commands import InBase
from runner.adapters.docker_sandbox import DockerSandbox, OneImage
from runner.adapters.supervisors import LABEL
from runner.errors import SandboxTrouble, SandboxUnavailable
from runner.sandbox import Mount
from tests.attempts import a_script
from tests.docker.sandboxes import (
    PODMAN_FOLDER,
    fashion,
    podman,
    podman_base,
    podman_bases,
    podman_sandbox,
)
from tests.docker.test_commands_in_bases import LOOKS as LOOKS_AT_CALLS

pytestmark = pytest.mark.podman

LOOKS = """
import os
places = ("/", "/etc", "/run", "/run/lock", "/tmp", "/dev/shm", "/var/tmp", "/var/lock")
print([at for at in places if os.access(at, os.W_OK)])
print([at for at in ("/sys", "/var/log") if os.listdir(at)])
print(sorted(set(os.listdir("/run")) - {".containerenv", "podman-init"}))
print([at for at in ("/etc/resolv.conf", "/proc/keys") if open(at, "rb").read()])
for pid in ("1", "self"):
    print(sorted(open(f"/proc/{pid}/environ").read().split(chr(0))[:-1]))
"""


def a_sandbox(runtime: str | None) -> DockerSandbox:
    images = OneImage(lambda: podman_base().as_image())
    return DockerSandbox(images, engine=podman(), fashion=fashion(runtime))


def test_everything_is_enforced_that_docker_enforces() -> None:
    assert set(podman_sandbox().describe().unenforced) <= {"swap"}


def test_nothing_of_the_machine_is_seen_or_writable() -> None:
    """Not the environment of the engine either, of which a bare name would be taken."""
    seen = podman_sandbox().run(a_script(LOOKS)).stdout.head.decode().splitlines()
    assert seen[0] == "['/tmp', '/dev/shm']"
    assert seen[1:4] == ["[]", "[]", "[]"]
    engines = Path("/proc", Path(PODMAN_FOLDER, "engine.pid").read_text().strip())
    path = next(
        each for each in (engines / "environ").read_text().split("\0") if each.startswith("PATH=")
    )
    assert path not in seen[4]
    assert seen[5] == "[]"


@pytest.mark.parametrize("place", ["/run/store", "/var/tmp/store", "/var/log/x/y"])
def test_what_is_mounted_within_a_hidden_place_is_seen(place: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "here").write_text("seen")
    request = a_script(f"print(open('{place}/here').read())")
    mounts = (*request.mounts, Mount(source=str(tmp_path), target=place))
    result = podman_sandbox().run(request.model_copy(update={"mounts": mounts}))
    assert result.stdout.head == b"seen\n", result.stderr.head


def test_a_mount_that_is_not_there_is_trouble_and_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    request = a_script("pass")
    mounts = (*request.mounts, Mount(source=str(missing), target="/case"))
    with pytest.raises(SandboxTrouble, match=str(missing)):
        podman_sandbox().run(request.model_copy(update={"mounts": mounts}))
    assert not missing.exists()


def test_a_runtime_that_it_would_not_take_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="Podman runs runc") as caught:
        a_sandbox("runsc").run(a_script("pass"))
    assert caught.value.hint == "podman --runtime runsc system service"
    assert a_sandbox("runc").run(a_script("print(1)")).stdout.head == b"1\n"


def test_nothing_is_left() -> None:
    podman_sandbox().run(a_script("pass"))
    assert podman().api.containers(all=True, filters={"label": f"{LABEL}=1"}) == []


def test_where_the_kernel_kills_no_file_is_left_in_the_project() -> None:
    """Whoever watches a container makes one there, in the folder in which the engine was started."""
    engine = Path("/proc", Path(PODMAN_FOLDER, "engine.pid").read_text().strip())
    assert (engine / "cwd").readlink().is_relative_to(PODMAN_FOLDER)


def test_uv_is_told_the_same_of_system_calls(tmp_path: Path) -> None:
    commands = InBase(engine=podman(), base=podman_base(), store=tmp_path)
    words = (podman_base().interpreter.executable, "-I", "-S", "-c", LOOKS_AT_CALLS)
    refused = f"{errno.EPERM} {errno.EPERM} {errno.EAFNOSUPPORT}"
    done = commands.run(words, {}, 60)
    assert (done.stdout, done.stderr) == (f"{refused} 2 1 0 {os.getuid()}\n", "")


def test_bases_are_found_again_by_the_names_that_they_were_given() -> None:
    made = podman_base()
    assert made.name.startswith("fixproof/base:")
    assert made in podman_bases().at_hand()


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[str]:
    """The name of an image of one file."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file").write_text("x")
    name = f"fixproof-test/root:{uuid4().hex[:8]}"
    DebianRoots(podman())._imported(tmp_path / "root", name)
    yield name
    podman().api.remove_image(name)


def test_an_imported_root_has_its_whole_name(imported: str) -> None:
    assert podman().image(imported) is not None
