"""Makes an image out of another: some files put into it, one command run in it, labels, a name.

Without any build files, so that every engine can, and without network.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote, unquote

from runner.adapters.container_engine import Engine, asking
from runner.adapters.containers import remove, security
from runner.adapters.supervisors import ATTEMPT, LABEL, SUPERVISOR, this_supervisor
from runner.errors import FixproofError, SandboxUnavailable

SECONDS = 600
_MEMORY = 16 * 1024 * 1024
"""Bytes of an archive that are kept in memory; more goes to a file."""


class Layer:
    """Files to be put into an image, owned by root and open to everybody."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w")  # noqa: SIM115 - `layer` closes it
        self._there: set[str] = set()

    def add(self, source: Path, target: str) -> None:
        """One file, link or empty folder of the host."""
        self._parents(target)
        member = self._tar.gettarinfo(source, arcname=target.lstrip("/"))
        if member is None:  # a socket
            return
        if member.islnk():  # Another member's name, which is none of the image's.
            member.type, member.linkname, member.size = tarfile.REGTYPE, "", source.stat().st_size
        self._put(member, source)

    def add_tree(self, source: Path, target: str, *, without: frozenset[str]) -> None:
        """A folder with all that is in it, but for folders of these names."""
        for folder, folders, names in os.walk(source):
            kept = [name for name in folders if name not in without]
            links = [name for name in kept if (Path(folder) / name).is_symlink()]
            folders[:] = [name for name in kept if name not in links]
            place = PurePosixPath(target, Path(folder).relative_to(source))
            self.folder(str(place))
            for name in sorted([*names, *links]):
                self.add(Path(folder, name), str(place / name))

    def folder(self, target: str) -> None:
        self._parents(f"{target}/x")

    def close(self) -> None:
        self._tar.close()

    def _parents(self, target: str) -> None:
        for parent in reversed(PurePosixPath(target.lstrip("/")).parents):
            if str(parent) not in (".", *self._there):
                self._there.add(str(parent))
                member = tarfile.TarInfo(str(parent))
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                self._put(member, None)

    def _put(self, member: tarfile.TarInfo, source: Path | None) -> None:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mode |= 0o555 if member.mode & 0o111 else 0o444
        member.mode &= ~0o022
        if source is None or not member.isreg():
            self._tar.addfile(member)
            return
        with source.open("rb") as file:
            self._tar.addfile(member, file)


@contextmanager
def layer() -> Iterator[tuple[Layer, IO[bytes]]]:
    """An empty layer, and the file that it is written to."""
    with tempfile.SpooledTemporaryFile(_MEMORY) as file:
        new = Layer(file)
        try:
            yield new, file
        finally:
            new.close()


@dataclass(frozen=True)
class Workpiece:
    """A container that becomes an image."""

    engine: Engine
    id: str

    def put(self, archive: IO[bytes]) -> None:
        archive.seek(0, io.SEEK_SET)
        with asking("to take files in"):
            self.engine.api.put_archive(self.id, "/", archive)

    def run(self) -> bytes:
        """Run its command to the end; what it printed.

        Raises:
            SandboxUnavailable: it failed; its last words are in the hint.
        """
        api = self.engine.api
        with asking("to run a step of making a base"):
            api.start(self.id)
            code = api.wait(self.id, timeout=SECONDS)["StatusCode"]
            out = bytes(api.logs(self.id, stdout=True, stderr=False))
            said = bytes(api.logs(self.id, stdout=False, stderr=True))
        if code != 0:
            last = said.decode(errors="replace").strip().splitlines()[-5:]
            message = f"a step of making a base ended with exit code {code}"
            raise SandboxUnavailable(message, hint="\n  ".join(last) or None)
        return out

    def commit(self, name: str, labels: Mapping[str, str]) -> str:
        """The digest of the image that it becomes; labels are kept as `spelled` has them."""
        repository, _, tag = name.partition(":")
        # What says whose this container is must not be said of all containers of the image.
        unsaid = dict.fromkeys((LABEL, ATTEMPT, SUPERVISOR), "none")
        said = {**unsaid, **{key: spelled(value) for key, value in labels.items()}}
        # Podman passes over the configuration that the SDK would send.
        lines = ['CMD ["/bin/sh"]', "ENTRYPOINT []", *(f"LABEL {k}={v}" for k, v in said.items())]
        with asking(f"to make {name}"):
            made = self.engine.api.commit(self.id, repository, tag, changes="\n".join(lines))
        return str(made["Id"])


def spelled(value: str) -> str:
    """A label's value in letters that no engine's own way to quote concerns."""
    return quote(value, safe="")


def read_label(value: str) -> str:
    """What was spelled so."""
    return unquote(value)


@contextmanager
def workpiece(engine: Engine, image: str, command: list[str]) -> Iterator[Workpiece]:
    """A container of an image with a command that was not started yet; gone afterwards."""
    labels = {LABEL: "1", ATTEMPT: "base", SUPERVISOR: this_supervisor()}
    with asking("to begin a base"):
        config: Any = engine.api.create_host_config(
            network_mode="none", security_opt=security(engine)
        )
        made = engine.api.create_container(
            image,
            entrypoint=[command[0]],
            command=command[1:],
            labels=labels,
            host_config=config,
            user="0:0",
            use_config_proxy=False,
        )
    try:
        yield Workpiece(engine, str(made["Id"]))
    except BaseException:
        with suppress(FixproofError):
            remove(engine, str(made["Id"]))
        raise
    remove(engine, str(made["Id"]))
