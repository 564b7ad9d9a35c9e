"""The commands of the service; `fixproof` loads them when they are called."""

from __future__ import annotations

import sys
import threading
from typing import Any, get_args

import click

from runner.cli_options import (
    SANDBOXES,
    chosen_format,
    common,
    formatted,
    of_bisect,
    of_verify,
    program_and_options,
    sampled,
)
from runner.cli_options import program as program_of
from runner.queues import ARCHITECTURES


@click.command()
@click.argument("kind", type=click.Choice(["verify", "sweep", "bisect"]))
@click.argument("case")
@common
@sampled
@formatted
@of_verify
@of_bisect
@click.option(
    "--nightly", is_flag=True, help="It is not urgent: what is asked on demand goes first."
)
@click.option(
    "--arch",
    type=click.Choice(ARCHITECTURES),
    help="Only workers of this architecture.  [default: any]",
)
@click.option("--wait", is_flag=True, help="Wait for the end, and print what came of it.")
def submit(
    kind: Any,
    case: str,
    as_json: bool,
    form: str,
    nightly: bool,
    arch: str | None,
    wait: bool,
    sandbox: str | None,
    **options: Any,
) -> int:
    """Ask the service for a run, and print its id.

    KIND is verify, sweep or bisect, with the options of that command. Exit code: 0, or with --wait
    as of that command.
    """
    from runner.cli_results import exit_code, print_all, print_result
    from runner.documents import SubmittedDocument
    from runner.progress import progress
    from runner.queues import ANY, Capability, Priority
    from worker.broker import CeleryBroker
    from worker.questions import Question
    from worker.submitting import submit as ask
    from worker.submitting import unserved
    from worker.submitting import wait as wait_for

    program, chosen = program_and_options(sandbox=sandbox, **options)
    wanted = program.settings.sandbox
    question = Question(
        kind=kind,
        options=chosen,
        priority=Priority.NIGHTLY if nightly else Priority.ON_DEMAND,
        needed=Capability(arch=arch or ANY, sandbox=ANY if wanted == "auto" else wanted),
    )
    broker = CeleryBroker(program.settings.broker_url)
    run = ask(program, broker, case, question)
    if (warning := unserved(broker, run)) is not None:
        click.echo(f"warning: {warning}", err=True)
    if not wait:
        click.echo(SubmittedDocument(run=run.id).document() if as_json else run.id)
        return 0
    with progress(sys.stderr) as listener:
        found = wait_for(program, run.id, listener)
    chosen_form = chosen_format(form, as_json=as_json)
    print_result(program, found, chosen_form)
    print_all(program, [found], chosen_form)
    return exit_code([found])


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def cancel(run_id: str, as_json: bool, home: str | None) -> None:
    """End a run that is going on; attempts that run are ended, and their containers removed."""
    from runner.documents import CancelledDocument
    from worker.submitting import take_back

    left = take_back(program_of(home=home), run_id)
    if as_json:
        click.echo(CancelledDocument(run=run_id, left=left).document())
    else:
        click.echo("cancelled" if left else "cancelled; not every worker has said that it left it")


@click.command()
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "docker", "bubblewrap", "process"]),
    help="Where attempts run.  [default: auto]",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    help="Attempts at a time.  [default: one a processor]",
)
@click.option(
    "--grace",
    type=click.FloatRange(0, 86_400),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="When told to stop, finish what runs for so long, then hand it back.",
)
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def worker(sandbox: str | None, jobs: int | None, grace: float, home: str | None) -> int:
    """Carry out runs of the service, until told to stop."""
    from runner.options import default_jobs
    from runner.settings import read
    from worker.serving import fit, serve

    settings = fit(read(home=home, sandbox=sandbox))
    return serve(settings, processes=jobs or default_jobs(), grace=grace)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--sandbox", type=SANDBOXES, help="Where attempts are to run.  [default: auto]")
@click.option("--only", multiple=True, metavar="CHECK", help="Look at this only; can be repeated.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
@click.pass_context
def doctor(
    context: click.Context,
    as_json: bool,
    sandbox: str | None,
    only: tuple[str, ...],
    home: str | None,
) -> int:
    """Look at all that runs stand on, and say of each what is wrong and what to do.

    Exit code: 0 runs can be carried out; else that of the first check that failed.
    """
    from runner.cli_results import print_checks
    from runner.documents import CheckName
    from runner.errors import WrongUsage
    from runner.examining import examine
    from runner.settings import read
    from runner.wiring import Program
    from worker.broker import CeleryBroker

    unknown = {*only} - {*get_args(CheckName)}
    if unknown:
        names = ", ".join(get_args(CheckName))
        raise WrongUsage(f"there is no check {unknown.pop()!r}", hint=f"There are {names}.")
    settings = read(home=home, sandbox=sandbox)
    program = Program(settings, clock=context.obj) if context.obj else Program(settings)
    found = examine(program, lambda: CeleryBroker(settings.broker_url).check(), only)
    if as_json:
        click.echo(found.document())
    else:
        print_checks(found)
    return found.exit_code


@click.command()
@click.option(
    "--at",
    default="0 2 * * *",
    show_default=True,
    metavar="SCHEDULE",
    help="When, as crontab(5) writes it; UTC.",
)
@click.option("--deadline", metavar="6h", help="Begin nothing new after so long.")
@click.option("--always", is_flag=True, help="Tell people even if nothing changed.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def beat(at: str, deadline: str | None, always: bool, home: str | None) -> int:
    """Keep every night's watch with the workers of the service, until told to stop.

    Several beats do no harm: each night is kept once.
    """
    from runner.at_night import Asked, NightGround
    from runner.cli_nightly import span, watch_once
    from runner.options import Options
    from runner.render.night import headline
    from worker.broker import CeleryBroker
    from worker.logs import Spoken, configure
    from worker.night import ground
    from worker.schedule import Beat, Schedule

    program, schedule = program_of(home=home), Schedule(at)
    CeleryBroker(program.settings.broker_url).check()
    program.store.nights.open()  # a database that cannot be used says so before anybody waits
    asked, told = Asked(deadline=span(deadline)), threading.Event()
    configure(program.settings)
    listener = Spoken()

    def keep(night_id: str) -> None:
        tonight = program_of(home=home)  # it remembers nothing of other nights

        def stands_on() -> NightGround:
            return ground(tonight, Options(), listener)

        night, faults = watch_once(
            tonight, asked, stands_on, listener, always=always, night_id=night_id
        )
        listener.note(f"{night.night}: {headline(night)}")
        for fault in faults:
            listener.fault(fault)

    def open_night() -> str | None:
        found = program.store.nights.open()
        return found.id if found else None

    kept = Beat(
        schedule,
        now=program.now,
        keep=keep,
        open_night=open_night,
        told=told,
        say=listener.note,
        fault=listener.fault,
    )
    try:
        listener.note(f"ready, nights begin at {at}")
        kept.beat_on()
    except KeyboardInterrupt:  # SIGTERM too: that is how a beat ends
        listener.note("told to stop")
    return 0
