"""What Podman must be told otherwise than Docker, whose language it speaks but for some words."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from runner.errors import NoSpace, SandboxTrouble, SandboxUnavailable
from runner.sandbox import Mount
from runner.value import digest

MOST_PROCESSES = 32_768
"""Of one user, which all attempts are together: it would ask for more than it may have itself."""
_INIT = "/run"
"""Where it puts the init of a container: no place to hide."""
_READ_ONLY = "ro,size=1m,nosuid,nodev,notmpcopyup"
TMPFS = {"/run": _READ_ONLY, "/var/tmp": f"{_READ_ONLY},noexec"}  # noqa: S108 - of the container
"""What else it would let be written to, without limit, where the root is read-only."""


def masks(hidden: Iterable[str]) -> str:
    """What to hide, as a security option."""
    return f"mask={':'.join(each for each in hidden if each != _INIT)}"


def kept_profile(profile: str, folder: Path) -> str:
    """The path of a profile of system calls, of which Podman wants to read a file.

    Raises:
        NoSpace: the folder cannot be written to.
    """
    path = folder / f"seccomp-{digest('seccomp/1', profile)[:16]}.json"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
                file.write(profile)
            Path(file.name).replace(path)
    except OSError as error:
        raise NoSpace(f"the store cannot be written: {error}") from error
    return str(path)


def refuse_runtime(runtime: str | None, usual: str) -> None:
    """Podman runs what it usually does, whatever it is asked for.

    Raises:
        SandboxUnavailable: that is another one.
    """
    if runtime not in (None, usual):
        raise SandboxUnavailable(
            f"Podman runs {usual} and takes no other runtime over its socket; asked for: {runtime}",
            hint=f"podman --runtime {runtime} system service",
        )


def refuse_missing(mounts: Iterable[Mount]) -> None:
    """Podman would make the folder that is to be mounted.

    Raises:
        SandboxTrouble: something to mount is not there.
    """
    for each in mounts:
        if not Path(each.source).exists():
            raise SandboxTrouble(f"there is nothing to mount at {each.source}")
