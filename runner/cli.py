"""The command line: checks what was asked, makes one call, prints what came of it.

What is slow to import is imported by the command that needs it: `--help` answers at once.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from runner import __version__
from runner.cli_options import common, program_and_options, sampled
from runner.cli_options import program as program_of
from runner.errors import FixproofError, Interrupted, WrongUsage

if TYPE_CHECKING:
    from runner.report import Report
    from runner.wiring import Program

_BY_STATUS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}

_OBJECTS_BETWEEN_COLLECTIONS = 200_000
"""Starting makes many objects and no garbage; looking for it costs a tenth of the start."""

_PIPE_CLOSED = 128 + signal.SIGPIPE


def main() -> None:
    """The entry point; the one place that turns an error into a message and an exit code."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _as_interrupt)
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "1"  # we have none; looking for them takes time
    try:
        code = cli(standalone_mode=False)
    except FixproofError as error:
        code = _complain(error)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        if "--json" in sys.argv:
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


def _complain(error: FixproofError) -> int:
    if "--json" in sys.argv:
        click.echo(json.dumps(error_document(error), ensure_ascii=False))
    else:
        click.echo(f"fixproof: {error}", err=True)
    return error.exit_code


def error_document(error: FixproofError) -> dict[str, Any]:
    """An error as `fixproof.error/1`."""
    return {
        "schema": "fixproof.error/1",
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
        "case": error.case,
        "exit_code": error.exit_code,
    }


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fixproof")
def cli() -> None:
    """Does this release fix this bug? An answer with evidence, or why there is none."""


@cli.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@common
@sampled
def plan(cases: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Show every cell, command and limit; run nothing."""
    from runner.plan_view import plan_document, plan_text
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    with progress(sys.stderr) as listener:
        plans = [program.plan(each, chosen, listener) for each in cases]
    if as_json:
        documents = [plan_document(each) for each in plans]
        click.echo(
            json.dumps(
                documents[0]
                if len(documents) == 1
                else {"schema": "fixproof.plans/1", "plans": documents}
            )
        )
    else:
        click.echo("\n".join(plan_text(each) for each in plans), nl=False)


@cli.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@common
@sampled
def verify(cases: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Run both sides of each claim, and print the Verified Execution section.

    Exit code: 0 all claims hold, 1 one is contradicted, 2 wrong usage or a broken case,
    3 inconclusive, above that trouble.
    """
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    results: list[Report | FixproofError] = []
    for each in cases:
        try:
            with progress(sys.stderr) as listener:
                results.append(program.verify(each, chosen, listener))
        except FixproofError as error:
            if isinstance(error, Interrupted) or len(cases) == 1:
                raise
            results.append(error)
        if not as_json:
            _print_result(program, results[-1])
    if as_json:
        click.echo(_documents(results))
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
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    with progress(sys.stderr) as listener:  # it has the terminal only until the script has it
        prepared = program.one(case, release, chosen, listener)
        installed = prepared.install(listener)
    return run_once(prepared, installed)


@cli.command()
@click.argument("case")
@click.argument("release")
@common
def shell(case: str, release: str, **options: Any) -> int:
    """Open a shell in the sandbox and environment of one release of a case."""
    from runner.by_hand import open_shell
    from runner.progress import progress

    program, chosen = program_and_options(**options)
    with progress(sys.stderr) as listener:  # it has the terminal only until the shell has it
        prepared = program.one(case, release, chosen, listener)
        installed = prepared.install(listener)
    return open_shell(prepared, installed)


@cli.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--format", "form", type=click.Choice(["md", "json"]), default="md", show_default=True
)
@click.option("--log", metavar="NAME", help="Print one attempt's output as it was read, instead.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def report(run_id: str, form: str, log: str | None, as_json: bool, home: str | None) -> int:
    """Show the report of a stored run, drawn up anew from what is stored."""
    program = program_of(home=home)
    if log is not None:
        _print_log(program, program.stored(run_id).id, log)
        return 0
    found = program.report(run_id)
    if as_json or form == "json":
        click.echo(found.document())
    else:
        _print_result(program, found)
    return exit_code([found])


@cli.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def runs(limit: int, as_json: bool, home: str | None) -> None:
    """List runs, the newest first."""
    program = program_of(home=home)
    rows = [
        {
            "run": each.id,
            "kind": each.kind,
            "case": each.case_id,
            "began": each.began.isoformat(),
            "state": _state(program, each.id, bool(each.ended)),
            "status": each.status,
            "outcome": each.outcome,
            "summary": each.summary,
        }
        for each in program.runs.recent(limit)
    ]
    if as_json:
        click.echo(json.dumps({"schema": "fixproof.runs/1", "runs": rows}))
        return
    for row in rows:
        said = f"{row['status']} / {row['outcome']}" if row["status"] else row["state"]
        click.echo(f"{row['run']}  {said}")
        if row["summary"]:
            click.echo(f"    {row['summary']}")
    if not rows:
        click.echo("no runs yet", err=True)


@cli.group()
def base() -> None:
    """The images that Docker attempts run in."""


@base.command("build")
@click.argument("pythons", nargs=-1, metavar="[X.Y]...")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def base_build(pythons: tuple[str, ...], home: str | None) -> None:
    """Make fixproof/base:X.Y and fixproof/build:X.Y, where they are not there.

    From python:X.Y-slim where it can be pulled, else from this machine's interpreter, else from
    Debian's packages. Without X.Y: of all interpreters at hand.
    """
    for made in program_of(sandbox="docker", home=home).build_bases(pythons):
        click.echo(f"{made.name}: {made.origin} ({made.made_from}), {made.image}")


def exit_code(results: list[Report | FixproofError]) -> int:
    """The first of trouble, 1, 3, 0 that occurs."""
    codes = [
        each.exit_code if isinstance(each, FixproofError) else _BY_STATUS[each.status]
        for each in results
    ]
    trouble = [
        each for each in codes if each == WrongUsage.exit_code or each > _BY_STATUS["INCONCLUSIVE"]
    ]
    if trouble:
        return trouble[0]
    return next((each for each in (1, 3) if each in codes), 0)


def _state(program: Program, run_id: str, ended: bool) -> str:
    if ended:
        return "ended"
    return "running" if program.locks.held(run_id) else "interrupted"


def _print_result(program: Program, result: Report | FixproofError) -> None:
    if isinstance(result, FixproofError):
        click.echo(f"fixproof: {result}", err=True)
    else:
        click.echo(program.section(result))


def _print_log(program: Program, run_id: str, name: str) -> None:
    from runner.errors import UnknownRun

    of_run = (each for facts in program.runs.facts(run_id).values() for each in facts.attempts)
    attempt = next((each for each in of_run if each.id == name), None)
    if attempt is None:
        raise UnknownRun(
            f"run {run_id} has no attempt {name!r}", hint="Its report as JSON names them."
        )
    for stream, target in ((attempt.stdout, sys.stdout), (attempt.stderr, sys.stderr)):
        target.buffer.write(stream.head)
        if stream.omitted:
            target.buffer.write(f"\n[... {stream.omitted} bytes left out ...]\n".encode())
            target.buffer.write(stream.tail)
        target.flush()


def _documents(results: list[Report | FixproofError]) -> str:
    documents = [
        json.dumps(error_document(each)) if isinstance(each, FixproofError) else each.document()
        for each in results
    ]
    if len(documents) == 1:
        return documents[0]
    return f'{{"schema":"fixproof.reports/1","reports":[{",".join(documents)}]}}'
