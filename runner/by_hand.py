"""For the author of a script: one attempt, live, or a shell where it would run. Nothing is kept."""

from __future__ import annotations

import os
import sys
from typing import Literal

import click

from runner.prepared import Installed, Prepared
from runner.verdict import Verdict, judge

_EXIT_CODES = {Verdict.ABSENT: 0, Verdict.PRESENT: 1, Verdict.UNRESOLVED: 3}


def run_once(prepared: Prepared, installed: Installed) -> int:
    """Run the cell once; its output goes to the terminal as it comes."""
    service, environment, facts = installed
    attempt = service.once(prepared.cell, environment, watch=_pass_on)
    seen = facts.model_copy(update={"attempts": (attempt,)})
    (observed,) = judge(prepared.plan.case, prepared.cell.version, seen, needed=1).observations
    reason = f" ({observed.reason})" if observed.reason else ""
    peak = f", {attempt.peak_mib:.0f} MiB" if attempt.peak_mib else ""
    click.echo(
        f"{prepared.cell.id}: {attempt.ending} after {attempt.seconds:.1f} s{peak}: "
        f"{observed.says}{reason}",
        err=True,
    )
    return _EXIT_CODES[observed.says]


def open_shell(prepared: Prepared, installed: Installed) -> int:
    """Open a shell on the caller's terminal."""
    service, environment, _ = installed
    request = service.request(prepared.cell, environment, f"{prepared.cell.id}#shell")
    env = {**request.env, "TERM": os.environ.get("TERM", "dumb")}
    click.echo(f"{prepared.cell.id}: the script is {request.command[-1]}; exit ends it", err=True)
    shell = request.model_copy(update={"command": ("/bin/sh", "-i"), "env": env})
    return prepared.program.sandbox.shell(shell)


def _pass_on(stream: Literal["stdout", "stderr"], data: bytes) -> None:
    target = sys.stdout if stream == "stdout" else sys.stderr
    target.buffer.write(data)
    target.flush()
