"""What commands print of results, and the exit codes that these come to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from runner.errors import FixproofError, WrongUsage
from runner.formats import Format, advisory, page, section, suites

if TYPE_CHECKING:
    from runner.documents import DoctorDocument, StoredRun
    from runner.report import Report
    from runner.wiring import Program

_MARKS = {"ok": "OK", "warning": "warning", "failed": "FAILED", "unused": "-"}
_BY_STATUS = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}


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


def print_result(program: Program, result: Report | FixproofError, form: Format) -> None:
    """What is printed of one result as soon as it is there: for people, not for programs."""
    if isinstance(result, FixproofError):
        if form is not Format.JSON:
            click.echo(f"fixproof: {result}", err=True)
    elif form is Format.MD:
        click.echo(section(program, result))
    elif form is Format.HTML:
        click.echo(page(program, result), nl=False)
    if not isinstance(result, FixproofError) and sys.stderr.isatty():
        from runner.terminal import show

        sys.stdout.flush()
        show(result, sys.stderr)


def print_all(program: Program, results: list[Report | FixproofError], form: Format) -> None:
    """What is printed at the end: one document for programs."""
    if form is Format.JSON:
        click.echo(documents(results))
    elif form is Format.JUNIT:
        click.echo(suites(program, results))
    elif form is Format.OSV:
        click.echo(
            "\n".join(advisory(each) for each in results if not isinstance(each, FixproofError))
        )


def print_log(program: Program, run_id: str, name: str) -> None:
    """What one attempt of a run wrote, each stream on its own."""
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


def documents(results: list[Report | FixproofError]) -> str:
    """One JSON document for one result, and one for several."""
    from runner.documents import ErrorDocument, ReportsDocument

    listed = [
        ErrorDocument.of(each) if isinstance(each, FixproofError) else each for each in results
    ]
    if len(listed) == 1:
        return listed[0].document()
    return ReportsDocument(reports=tuple(listed)).document()


def print_runs(rows: tuple[StoredRun, ...]) -> None:
    """Each with its answer, for people."""
    for row in rows:
        said = f"{row.status} / {row.outcome}" if row.status else row.state
        click.echo(f"{row.run}  {said}")
        if row.summary:
            click.echo(f"    {row.summary}")
    if not rows:
        click.echo("no runs yet", err=True)


def print_checks(found: DoctorDocument) -> None:
    """What was looked at, a line each, and below it what to do."""
    for each in found.checks:
        click.echo(f"{_MARKS[each.state]:<8} {each.name}: {each.said}")
        if each.hint:
            click.echo(f"{'':8} {each.hint}")
