"""What a site costs: `python -m benchmarks.site [CASES] [NIGHTS]`.

A store of made-up records is filled; then the site is built in one process, built again with
nothing changed, and built again after one case got one more run. Seconds are those of the
processor, in a process of its own each; memory is the most that this had.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tests.builders import LATER
from tests.made_up import MadeUp, corpus


class Cost(NamedTuple):
    """Of one build."""

    cpu: float
    wall: float
    peak_mib: float


def main(cases: int, nights: int) -> None:
    few, many = (measured(cases, each) for each in (1, nights))
    for name, costs in (
        (f"{cases} cases × 1 night", few),
        (f"{cases} cases × {nights} nights", many),
    ):
        print(name)
        for what, cost in zip(("full", "nothing changed", "one case changed"), costs, strict=True):
            said = f"{cost.cpu:8.2f} s of processor {cost.wall:8.2f} s"
            print(f"  {what:17} {said} {cost.peak_mib:7.0f} MiB")
    full, nothing, one = many
    print(f"nothing changed: {nothing.cpu / full.cpu:.2%} of the full cost")
    print(f"one case changed: {one.cpu / full.cpu:.2%} of the full cost")
    print(f"peak memory of {nights} nights to that of 1: {full.peak_mib / few[0].peak_mib:.2f}")


def measured(cases: int, nights: int) -> tuple[Cost, Cost, Cost]:
    """The costs of a full build, of one with nothing changed, and of one with one change."""
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        ids = corpus(world / "repros", cases)
        made = MadeUp(world / "home", world / "repros")
        made.fill(ids, nights)
        full, nothing = build(world), build(world)
        made.night(ids[cases // 2], LATER + timedelta(days=1))
        made.close()
        return full, nothing, build(world)


def build(world: Path) -> Cost:
    """Build the site in a process of its own, as a user does."""
    began = time.monotonic()
    words = ["fixproof", "publish", "--site", str(world / "site"), "--home", str(world / "home")]
    program = str(Path(sys.executable).parent / words[0])
    process = os.fork()
    if process == 0:
        os.chdir(world)
        os.execv(program, words)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"publish ended with {status}")
    return Cost(_cpu(usage), time.monotonic() - began, usage.ru_maxrss / 1024)


def _cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    words = [int(each) for each in sys.argv[1:]]
    main(*(words + [1_000, 365][len(words) :]))
