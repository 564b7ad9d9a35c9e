"""One container for one attempt: what it may do and see, its labels, and its sure removal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from runner.adapters import podman
from runner.adapters.container_cgroups import MARGIN, Nest
from runner.adapters.container_engine import Engine, asking, unless_gone
from runner.adapters.engine_profile import engine_profile
from runner.adapters.hidden_paths import MASKED
from runner.adapters.supervisors import LABEL, SUPERVISOR, UNTIL, labels, owner_of
from runner.adapters.supervisors import is_leftover as is_left_by
from runner.sandbox import Limits, Mount, RunRequest

if TYPE_CHECKING:
    from docker.types import Mount as DockerMount

NOBODY = "65534:65534"
HOSTNAME = "sandbox"
HOME = "/tmp"  # noqa: S108 - of the sandbox
MIB = 1024 * 1024
PATIENCE = 600
"""Seconds beyond its own limit after which nobody can be waiting for an attempt."""
HIDDEN = (
    *MASKED,
    *("/sys", "/run", "/var/log"),
    # Made by engines out of the host's own.
    "/etc/resolv.conf",
)
"""What of a container's files tells of the machine, its engine, or how its image was made."""
GIVEN_BY_ENGINES = ("PATH", "HOSTNAME", "HOME", "TERM", "container")
"""Variables that engines set unasked; a name alone, without a value, takes one away."""
ENV = "/usr/bin/env"
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Podman's names for them."""


@dataclass(frozen=True)
class Image:
    """What a container is made of."""

    id: str
    """Its digest, `sha256:` and all."""
    own: tuple[str, ...] = ()
    """Paths that it brings along: a mount of the host's is not to hide them."""
    variables: tuple[str, ...] = ()
    """Names that it would set in the environment."""


@dataclass(frozen=True)
class Fashion:
    """What of containers is up to whoever runs fixproof here."""

    runtime: str | None = None
    """Another OCI runtime that the engine knows; None for its usual one."""
    cpus: float | None = None
    """Processors that one attempt may keep busy; None for all."""
    profiles: Path | None = None
    """A folder at the same path for Podman, to keep what it is told of system calls in."""


def options(
    engine: Engine,
    request: RunRequest,
    image: Image,
    fashion: Fashion,
    *,
    nest: Nest | None = None,
    interactive: bool = False,
) -> dict[str, Any]:
    """What the engine is asked to create; nothing of the host in it but read-only mounts."""
    given = {name: value for name, value in request.env.items() if name not in ("", "HOME")}
    unset = {*GIVEN_BY_ENGINES, *image.variables} - request.env.keys()
    taken = set[str]()
    if "HOME" in request.env:
        given["HOME"] = request.env["HOME"]
    else:  # Runtimes set it last of all, and cannot be told not to.
        taken.add("HOME")
    if engine.is_podman:  # A name without a value is one of its own environment.
        podman.refuse_missing(request.mounts)
        taken, unset = taken | unset, set()
    command = (*_without(taken), *request.command)
    return {
        "image": image.id,
        "entrypoint": [command[0]],
        "command": list(command[1:]),
        "environment": [*sorted(unset), *(f"{name}={value}" for name, value in given.items())],
        "use_config_proxy": False,
        "working_dir": HOME,
        "user": NOBODY,
        "hostname": HOSTNAME,
        "labels": _labels(request, interactive=interactive),
        "tty": interactive and sys.stdin.isatty(),
        "stdin_open": interactive,
        "host_config": _confinement(engine, request, image, fashion, nest),
    }


def _without(names: set[str]) -> tuple[str, ...]:
    """Words before a command that has these variables not."""
    words = (word for name in sorted(names) for word in ("-u", name))
    return (ENV, *words) if names else ()


def _confinement(
    engine: Engine, request: RunRequest, image: Image, fashion: Fashion, nest: Nest | None
) -> Any:
    from docker.types import LogConfig, Ulimit

    api: Any = engine.api
    limits, hidden = request.limits, _hidden(request.mounts)
    size = f"size={limits.disk * MIB},mode=1777,nosuid,nodev"
    memory = (limits.memory + (MARGIN if nest else 0)) * MIB
    tmpfs = {HOME: f"{size},exec", "/dev/shm": f"{size},noexec"}  # noqa: S108 - of the sandbox
    ulimits = [("nofile", limits.descriptors), ("core", 0)]
    told = security(engine, fashion.profiles)
    if engine.is_podman:
        tmpfs |= podman.TMPFS
        ulimits.append(("nproc", podman.MOST_PROCESSES))
        told.append(podman.masks(hidden))
    confined = api.create_host_config(
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=told,
        read_only=True,
        tmpfs=tmpfs,
        mem_limit=memory,
        memswap_limit=memory,
        pids_limit=limits.processes,
        nano_cpus=None if fashion.cpus is None else int(fashion.cpus * 1e9),
        ulimits=[Ulimit(name=name, soft=value, hard=value) for name, value in ulimits],
        init=True,
        ipc_mode="private",
        mounts=[_mount(each) for each in request.mounts if each.target not in image.own],
        log_config=LogConfig(type="none"),
        runtime=fashion.runtime,
        cgroup_parent=nest.parent if nest else None,
    )
    # The SDK has no word for it.
    return {**confined, "MaskedPaths": hidden}


def security(engine: Engine, profiles: Path | None = None) -> list[str]:
    """What every container of ours is told, whatever runs in it: no way to become more.

    Args:
        engine: which is told.
        profiles: a folder of this machine that Podman, if it is that, can read as well.
    """
    profile = profile_for(engine, profiles)
    if profile is None:
        return ["no-new-privileges"]
    if engine.is_podman and profiles is not None:
        profile = podman.kept_profile(profile, profiles)
    return ["no-new-privileges", f"seccomp={profile}"]


def _hidden(mounts: tuple[Mount, ...]) -> list[str]:
    """What to hide, but for places with a mount in them: it would be hidden as well."""
    targets = [PurePosixPath(each.target) for each in mounts]
    return [at for at in HIDDEN if not any(each.is_relative_to(at) for each in targets)]


def profile_for(engine: Engine, profiles: Path | None = None) -> str | None:
    """What is told of system calls; None where an engine must be left to its own profile.

    That is where the kernel or the machine has no filters, and with Podman where there is no
    folder: it takes the name of a file.
    """
    info = engine.info
    filters = any("seccomp" in each for each in info.get("SecurityOptions") or ())
    usable = filters and not (engine.is_podman and profiles is None)
    said = info.get("Architecture", "")
    return engine_profile(_ARCHITECTURES.get(said, said)) if usable else None


def _mount(mount: Mount) -> DockerMount:
    from docker.types import Mount as DockerMount

    return DockerMount(
        target=mount.target,
        source=mount.source,
        type="bind",
        read_only=True,
        propagation="rprivate",
    )


def _labels(request: RunRequest, *, interactive: bool) -> dict[str, str]:
    usual = labels(request.id)
    if interactive:  # It may last as long as somebody sits at it.
        return usual
    return {**usual, UNTIL: str(_until(request.limits))}


def _until(limits: Limits) -> int:
    return int(time.time() + limits.timeout + PATIENCE)


def remove(engine: Engine, container: str) -> None:
    """End a container, whatever state it is in, and take it away.

    Raises:
        SandboxTrouble: the engine does not.
    """
    with asking("to remove a container"):
        engine.knock()
        unless_gone(lambda: engine.api.remove_container(container, force=True, v=True))


def leftovers(engine: Engine) -> Iterator[str]:
    """Containers of ours whose supervisor is dead."""
    now = time.time()
    for container, labelled in _ours(engine):
        if is_left_by(labelled.get(SUPERVISOR, ""), labelled.get(UNTIL), now):
            yield container


def unleased(engine: Engine, service: str, owners: Callable[[], Collection[str]]) -> Iterator[str]:
    """Containers for items of a service that whoever made them has no more, wherever that was.

    Args:
        engine: whose they are.
        service: which one.
        owners: asks who has an item; whoever gets one later has no container of those listed.
    """
    there = [(each, owner_of(labelled, service)) for each, labelled in _ours(engine)]
    if any(owner is not None for _, owner in there):
        alive = owners()
        yield from (each for each, owner in there if owner is not None and owner not in alive)


def _ours(engine: Engine) -> list[tuple[str, dict[str, str]]]:
    """Containers of ours, with their labels."""
    with asking("for leftovers"):
        there = engine.api.containers(all=True, filters={"label": f"{LABEL}=1"})
    return [(each["Id"], each["Labels"] or {}) for each in there]
