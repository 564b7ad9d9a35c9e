"""Root file systems of Debian and its like, made by debootstrap from the machine's own mirror."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runner.adapters.container_engine import Engine, asking
from runner.errors import SandboxUnavailable

SECONDS = 900
PYTHONS = {"3.9": "bullseye", "3.11": "bookworm", "3.13": "trixie"}
"""Which suite of Debian has which Python."""
_LEFT_OUT = ("var/cache/apt/archives", "var/lib/apt/lists", "var/log")
_HINT = "As root: apt-get install debootstrap. Elsewhere, let the engine pull python:X.Y-slim."


class DebianRoots:
    """Images of bare root file systems, each made once and kept by the engine."""

    def __init__(self, engine: Engine, root: Path = Path("/")) -> None:
        self._engine = engine
        self._root = root

    def own_suite(self) -> str:
        """The suite that this machine runs.

        Raises:
            SandboxUnavailable: it is nothing that debootstrap knows.
        """
        release = _assignments(self._root / "etc/os-release")
        suite, family = release.get("VERSION_CODENAME"), release.get("ID")
        if suite is None or family not in ("debian", "ubuntu"):
            message = f"this machine runs {family or 'something unknown'}, no Debian"
            raise SandboxUnavailable(message, hint=_HINT)
        return suite

    def ensure(self, suite: str, packages: Sequence[str] = (), *, name: str) -> str:
        """The image of a suite with some packages beside the least; its digest.

        Raises:
            SandboxUnavailable: it cannot be made.
        """
        kept = self._engine.image(name)
        return str(kept["Id"]) if kept else self._made(suite, packages, name)

    def _made(self, suite: str, packages: Sequence[str], name: str) -> str:
        program = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if program is None or os.geteuid() != 0:
            why = "there is no debootstrap" if program is None else "only root may use debootstrap"
            raise SandboxUnavailable(f"no Debian root file system can be made: {why}", hint=_HINT)
        with tempfile.TemporaryDirectory(prefix="fixproof-root-") as folder:
            place = Path(folder) / "root"
            _bootstrap(program, suite, packages, place, self.mirror())
            _tidy(place)
            return self._imported(place, name)

    def mirror(self) -> str:
        """Where apt gets this machine's suite from.

        Raises:
            SandboxUnavailable: apt's lists do not say.
        """
        suite = self.own_suite()
        for address, suites in _sources(self._root / "etc/apt"):
            if suite in suites:
                return address
        raise SandboxUnavailable(f"apt's lists name no mirror of {suite}", hint=_HINT)

    def _imported(self, place: Path, name: str) -> str:
        command = ["tar", "--numeric-owner", "-C", str(place), "-c", "."]
        packing = subprocess.Popen(command, stdout=subprocess.PIPE)
        with packing as tar, asking(f"to import {name}"):
            self._engine.api.import_image_from_stream(tar.stdout, name)  # Podman loses a tag apart
        made = self._engine.image(name)
        if made is None or tar.returncode != 0:
            raise SandboxUnavailable(f"{name} could not be imported by the container engine")
        return str(made["Id"])


def _bootstrap(program: str, suite: str, packages: Sequence[str], place: Path, mirror: str) -> None:
    included = [f"--include={','.join(packages)}"] if packages else []
    command = [program, "--variant=minbase", *included, suite, str(place), mirror]
    # What it mounts in there is gone with its namespace, so that removing the folder is safe.
    apart = ["unshare", "--mount", "--propagation", "private", *command]
    try:
        done = subprocess.run(
            apart, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnavailable(f"debootstrap did not run: {error}", hint=_HINT) from error
    if done.returncode != 0:
        last = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise SandboxUnavailable(f"debootstrap could not make Debian {suite}", hint=last)


def _tidy(place: Path) -> None:
    for name in _LEFT_OUT:
        shutil.rmtree(place / name, ignore_errors=True)
        (place / name).mkdir(parents=True, exist_ok=True)
    # Mounts below it are for a user who is not root.
    (place / "root").chmod(0o755)


def _sources(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Addresses and suites, in both of the formats that apt reads."""
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        for line in _text(path).splitlines():
            found = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", line)
            if found:
                yield found[1], [found[2]]
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        for block in re.split(r"\n\s*\n", _text(path)):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", block, re.MULTILINE))
            for address in fields.get("URIs", "").split():
                yield address, fields.get("Suites", "").split()


def _assignments(path: Path) -> Mapping[str, str]:
    return {
        name: value.strip('"')
        for name, _, value in (line.partition("=") for line in _text(path).splitlines())
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
