"""Where this machine lets cgroups be made: the hierarchies that are mounted and given to us."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from runner.adapters.cgroups import V1, V2, Cgroups

PARENT = "fixproof"


def find_cgroups(root: Path = Path("/")) -> Cgroups:
    """Find, and make, the parents below which this process may make cgroups.

    `root` is where `/proc` and `/sys` are looked for.
    """
    mounts = _mounts(root)
    parents = {name: made for name in V1.controllers if (made := _v1_parent(mounts, name))}
    if "memory" in parents or "pids" in parents:
        return Cgroups(V1, parents)
    unified = _v2_parent(root, mounts)
    return Cgroups(V2, dict.fromkeys(V2.controllers, unified) if unified else {})


def _mounts(root: Path) -> dict[str, Path]:
    """Where each version 1 controller, and version 2 as `""`, is mounted."""
    found: dict[str, Path] = {}
    with suppress(FileNotFoundError):
        for line in (root / "proc/self/mountinfo").read_text().splitlines():
            fields, _, kind = line.partition(" - ")
            place = root / fields.split()[4].lstrip("/")
            if kind.startswith("cgroup2 "):
                found.setdefault("", place)
            elif kind.startswith("cgroup "):
                found.update(dict.fromkeys(kind.split()[-1].split(","), place))
    return found


def _v1_parent(mounts: Mapping[str, Path], controller: str) -> Path | None:
    if controller not in mounts:
        return None
    parent = mounts[controller] / PARENT
    try:
        parent.mkdir(exist_ok=True)
    except OSError:
        return None
    return parent if os.access(parent, os.W_OK) else None


def _v2_parent(root: Path, mounts: Mapping[str, Path]) -> Path | None:
    """The outermost folder on the way to our own cgroup that is given to us, controllers and all.

    Only there: a process may be moved only within what was delegated to its owner.
    """
    if "" not in mounts:
        return None
    lines = (root / "proc/self/cgroup").read_text().splitlines()
    own = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    folders = [mounts[""] / own, *(mounts[""] / own).parents]
    for folder in reversed([place for place in folders if place.is_relative_to(mounts[""])]):
        if _is_delegated(folder) and (parent := _enabled_parent(folder)):
            return parent
    return None


def _is_delegated(folder: Path) -> bool:
    try:
        enabled = (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return False
    return set(V2.controllers) <= set(enabled) and os.access(folder / "cgroup.procs", os.W_OK)


def _enabled_parent(folder: Path) -> Path | None:
    parent = folder / PARENT
    try:
        parent.mkdir(exist_ok=True)
        (parent / "cgroup.subtree_control").write_text("+memory +pids")
    except OSError:
        return None
    # Where it is to be had, attempts get equal shares of the processors, however many they are in.
    with suppress(OSError):
        (parent / "cgroup.subtree_control").write_text("+cpu")
    return parent
