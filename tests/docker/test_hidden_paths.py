"""What of a container's files attempts do not see, and what they see nonetheless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.sandbox import Mount
from tests.attempts import a_script
from tests.docker.sandboxes import docker_sandbox

pytestmark = pytest.mark.docker

LOOKS = """
import json, os
print(json.dumps({at: os.listdir(at) for at in ("/sys", "/run", "/var/log") if os.path.exists(at)}))
print([at for at in ("/etc/resolv.conf", "/proc/keys", "/proc/1/mem") if open(at, "rb").read()])
"""


def test_nothing_is_seen_of_the_machine_and_its_engine() -> None:
    seen, read = docker_sandbox().run(a_script(LOOKS)).stdout.head.decode().splitlines()
    assert set(map(str, json.loads(seen).values())) == {"[]"}
    assert read == "[]"


@pytest.mark.parametrize("place", ["/run/store", "/var/log/x/y"])
def test_what_is_mounted_within_a_hidden_place_is_seen(place: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "here").write_text("seen")
    request = a_script(f"print(open('{place}/here').read())")
    mounts = (*request.mounts, Mount(source=str(tmp_path), target=place))
    result = docker_sandbox().run(request.model_copy(update={"mounts": mounts}))
    assert result.stdout.head == b"seen\n"
