"""Ends what a killed supervisor left: a process that does nothing until then, and outlives it.

bubblewrap dies with its parent once it has said so to the kernel. A supervisor that is killed in
the milliseconds before that would leave an attempt without a limit of time.
"""

from __future__ import annotations

import os
from functools import cache

_SHELL = "/bin/sh"

# The read ends when the supervisor does. What is in its cgroups is then killed, until there is
# nothing left to kill and the cgroups can be removed.
_WATCH = """
trap '' INT TERM HUP
maker=$1
shift
read -r _
tries=0
while [ "$tries" -lt 200 ]; do
    left=0
    for parent in "$@"; do
        for group in "$parent/$maker"-*; do
            [ -d "$group" ] || continue
            left=1
            while read -r pid; do
                [ "$pid" -gt 0 ] && kill -9 "$pid"
            done <"$group/cgroup.procs"
            rmdir "$group"
        done
    done
    [ "$left" = 0 ] && exit
    tries=$((tries + 1))
    sleep 0.05
done 2>/dev/null
"""


@cache
def stand_watch(maker: str, parents: tuple[str, ...]) -> None:
    """Start the watch over the cgroups whose names begin with `maker`, once."""
    hears, _held = os.pipe()  # held until this process ends, and by no child of it
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [
        (os.POSIX_SPAWN_DUP2, hears, 0),
        (os.POSIX_SPAWN_DUP2, nothing, 1),
        (os.POSIX_SPAWN_DUP2, nothing, 2),
    ]
    words = [_SHELL, "-c", _WATCH, _SHELL, maker, *parents]
    os.posix_spawn(_SHELL, words, {"PATH": "/usr/bin:/bin"}, file_actions=actions, setsid=True)
    os.close(hears)
    os.close(nothing)
