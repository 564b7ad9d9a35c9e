"""The command line: checks what was asked, makes one call, prints what came of it.

What is slow to import is imported by the command that needs it: `--help` answers at once.
"""

from __future__ import annotations

import gc as garbage
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from itertools import pairwise
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from runner import __version__
from runner.cli_ground import base, gc
from runner.cli_nightly import nightly, print_night
from runner.cli_options import (
    chosen_format,
    common,
    formatted,
    formatted_stored,
    of_bisect,
    of_verify,
    program_and_options,
    sampled,
)
from runner.cli_options import program as program_of
from runner.cli_pages import audit, new
from runner.cli_publish import publish, withdraw
from runner.cli_results import (
    documents,
    exit_code,
    print_all,
    print_log,
    print_result,
    print_runs,
)
from runner.errors import FixproofError, Interrupted, WrongUsage
from runner.formats import Format

if TYPE_CHECKING:
    from runner.documents import StoredRun
    from runner.options import Kind
    from runner.report import Report
    from runner.store import Run
    from runner.wiring import Program

_OBJECTS_BETWEEN_COLLECTIONS = 200_000
"""Starting makes many objects and no garbage; looking for it costs a tenth of the start."""

_OF_THE_SERVICE = ("beat", "cancel", "doctor", "submit", "worker")

_PIPE_CLOSED = 128 + signal.SIGPIPE


def main(clock: Callable[[], datetime] | None = None) -> None:
    """The entry point; the one place that turns an error into a message and an exit code.

    Args:
        clock: what time it is for nights; the machine's own where there is none.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _as_interrupt)
    garbage.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "1"  # we have none; looking for them takes time
    try:
        code = cli(standalone_mode=False, obj=clock)
    except FixproofError as error:
        code = _complain(error)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        if _json_asked_for():
            code = _complain(WrongUsage(error.format_message()))
        else:
            error.show()
            code = WrongUsage.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        code = Interrupted.exit_code
    except BrokenPipeError:
        code = _PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - Python's own 1 would say: a claim is contradicted
        traceback.print_exc()
        code = _complain(FixproofError(f"a fault of fixproof's own: {error!r}"))
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End at once: taking all objects apart would cost a fourth of a run with nothing to do.

    Nothing is lost: what is kept is in the database, and no thread or process is left.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        code = _PIPE_CLOSED
    os._exit(code)


def _as_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _json_asked_for() -> bool:
    """As far as that can be told where the command line itself may be at fault."""
    words = sys.argv[1:]
    return bool({"--json", "--format=json"} & {*words}) or ("--format", "json") in pairwise(words)


def _complain(error: FixproofError) -> int:
    if _json_asked_for():
        click.echo(documents([error]))
    else:
        click.echo(f"fixproof: {error}", err=True)
    return error.exit_code


class _Commands(click.Group):
    """The service brings its own commands along: they are loaded by name when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_OF_THE_SERVICE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _OF_THE_SERVICE:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module("worker.commands"), cmd_name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fixproof")
def cli() -> None:
    """Does this release fix this bug? An answer with evidence, or why there is none."""


@cli.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@click.option(
    "--for",
    "kind",
    type=click.Choice(["verify", "sweep", "bisect"]),
    default="verify",
    show_default=True,
    help="The command whose cells are shown.",
)
@common
@sampled
@of_verify
@of_bisect
def plan(cases: tuple[str, ...], kind: Kind, as_json: bool, **options: Any) -> None:
    """Show every cell that is known beforehand, command and limit; run nothing."""
    from runner.asking import plan_of
    from runner.documents import PlansDocument
    from runner.plan_view import plan_document, plan_text
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    with progress(sys.stderr) as listener:
        plans = [plan_of(program, kind, each, chosen, listener) for each in cases]
    if as_json:
        found = [plan_document(each) for each in plans]
        whole = found[0] if len(found) == 1 else PlansDocument(plans=tuple(found))
        click.echo(whole.document())
    else:
        click.echo("\n".join(plan_text(each) for each in plans), nl=False)


@cli.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@common
@sampled
@formatted
@of_verify
def verify(cases: tuple[str, ...], as_json: bool, form: str, **options: Any) -> int:
    """Run both sides of each claim, and print the Verified Execution section.

    Exit code: 0 all claims hold, 1 one is contradicted, 2 wrong usage or a broken case,
    3 inconclusive, above that trouble.
    """
    return _carry_out("verify", cases, chosen_format(form, as_json=as_json), options)


@cli.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@common
@sampled
@formatted
def sweep(cases: tuple[str, ...], as_json: bool, form: str, **options: Any) -> int:
    """Run every release of the case's window: the measured compatibility table.

    Exit code: as of verify.
    """
    return _carry_out("sweep", cases, chosen_format(form, as_json=as_json), options)


@cli.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@common
@sampled
@formatted
@of_bisect
def bisect(cases: tuple[str, ...], as_json: bool, form: str, **options: Any) -> int:
    """Find the release that fixed the bug, and the one that brought it, with few attempts.

    Exit code: as of verify.
    """
    return _carry_out("bisect", cases, chosen_format(form, as_json=as_json), options)


def _carry_out(kind: Kind, cases: tuple[str, ...], form: Format, options: dict[str, Any]) -> int:
    """Carry out one run a case; what came of each is printed as soon as it is there."""
    from runner.progress import progress
    from runner.running import carry_out

    if form is Format.HTML and len(cases) > 1:
        raise WrongUsage(
            "a page shows one case",
            hint="Leave --format out; fixproof report RUN --format html makes a page of each run.",
        )
    program, chosen = program_and_options(**options)
    results: list[Report | FixproofError] = []
    for each in cases:
        try:
            with progress(sys.stderr) as listener:
                results.append(carry_out(program, kind, each, chosen, listener))
        except FixproofError as error:
            if isinstance(error, Interrupted) or (len(cases) == 1 and form is not Format.JUNIT):
                raise
            results.append(error)
        print_result(program, results[-1], form)
    print_all(program, results, form)
    return exit_code(results)


@cli.command()
@click.argument("case")
@click.argument("release")
@common
def run(case: str, release: str, **options: Any) -> int:
    """Run one release of a case once, live, for the author of its script.

    Exit code: 0 the bug is absent, 1 it is present, 3 the attempt is unresolved. Nothing is kept.
    """
    from runner.by_hand import run_once
    from runner.prepared import one
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    with progress(sys.stderr) as listener:  # it has the terminal only until the script has it
        prepared = one(program, case, release, chosen, listener)
        installed = prepared.install(listener)
    return run_once(prepared, installed)


@cli.command()
@click.argument("case")
@click.argument("release")
@common
def shell(case: str, release: str, **options: Any) -> int:
    """Open a shell in the sandbox and environment of one release of a case."""
    from runner.by_hand import open_shell
    from runner.prepared import one
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    with progress(sys.stderr) as listener:  # it has the terminal only until the shell has it
        prepared = one(program, case, release, chosen, listener)
        installed = prepared.install(listener)
    return open_shell(prepared, installed)


@cli.command()
@click.argument("run_id", metavar="RUN")
@formatted_stored
@click.option("--log", metavar="NAME", help="Print one attempt's output as it was read, instead.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def report(run_id: str, form: str, log: str | None, as_json: bool, home: str | None) -> int:
    """Show the report of a stored run, drawn up anew from what is stored."""
    from runner.running import report_of

    program = program_of(home=home)
    if run_id.startswith("night-") and (night := program.store.nights.night(run_id)):
        print_night(program, night, chosen_format(form, as_json=as_json))
        return night.exit_code
    if log is not None:
        print_log(program, program.stored(run_id).id, log)
        return 0
    found, chosen = (
        report_of(program, run_id, unfinished=True),
        chosen_format(form, as_json=as_json),
    )
    print_result(program, found, chosen)
    print_all(program, [found], chosen)
    return exit_code([found])


@cli.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def runs(limit: int, as_json: bool, home: str | None) -> None:
    """List runs, the newest first."""
    from runner.documents import RunsDocument

    program = program_of(home=home)
    rows = tuple(_stored(program, each) for each in program.runs.recent(limit))
    if as_json:
        click.echo(RunsDocument(runs=rows).document())
    else:
        print_runs(rows)


cli.add_command(base)
cli.add_command(gc)
cli.add_command(publish)
cli.add_command(withdraw)
cli.add_command(audit)
cli.add_command(new)


cli.add_command(nightly)


def _stored(program: Program, run: Run) -> StoredRun:
    from runner.documents import StoredRun

    state = _state(program, run)
    return StoredRun.model_validate(
        {
            "run": run.id,
            "kind": run.kind,
            "case": run.case_id,
            "began": run.began,
            "state": state,
            "status": run.status if state == "ended" else None,
            "outcome": run.outcome if state == "ended" else None,
            "summary": run.summary,
        }
    )


def _state(program: Program, run: Run) -> str:
    from runner.store import CANCELLED, TROUBLE

    if run.ended:
        return str(run.outcome) if run.outcome in (CANCELLED, TROUBLE) else "ended"
    if run.queue is not None:
        return "running" if run.plan else "queued"
    return "running" if program.locks.held(run.id) else "interrupted"
