"""The command that keeps a night's watch."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.cli_options import SANDBOXES, chosen_format
from runner.errors import (
    BrokerTrouble,
    Interrupted,
    NightTaken,
    NobodyTold,
    StoreTrouble,
    WrongUsage,
)
from runner.formats import OF_RUNS, Format

if TYPE_CHECKING:
    from runner.at_night import Asked, NightGround
    from runner.nightly.night import Night
    from runner.options import Options
    from runner.running import Watcher
    from runner.settings import Settings
    from runner.wiring import Program

_PAUSES = (5.0, 10.0, 20.0, 40.0, *[60.0] * 9)
"""Seconds between two tries to go on with a night."""
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@click.command()
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@click.option("--failed", metavar="RUN", help="Only what did not hold in that run, or night.")
@click.option("--dry-run", is_flag=True, help="Say what is due, and why; run nothing.")
@click.option("--deadline", metavar="6h", help="Begin nothing new after so long.")
@click.option("--always", is_flag=True, help="Tell people even if nothing changed.")
@click.option("--fresh", is_flag=True, help="Rely on nothing that was made before.")
@click.option("--here", is_flag=True, help="Run it all on this machine, and not on workers.")
@click.option("--sandbox", type=SANDBOXES, help="Where attempts run.  [default: auto]")
@click.option("--jobs", type=click.IntRange(1, 64), help="Attempts at a time.")
@click.option(
    "--format",
    "form",
    type=click.Choice([each.value for each in OF_RUNS]),
    default=Format.MD.value,
    show_default=True,
    help="Markdown, a page of HTML, JSON, or JUnit XML.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
@click.pass_context
def nightly(context: click.Context, /, as_json: bool, form: str, **options: Any) -> int:
    """Keep one night's watch: verify what is due, say what changed since the last night.

    CASE is an id of the corpus or a pattern (* and ?); without one, all are looked after. Where
    there is a service (FIXPROOF_BROKER_URL), its workers carry it out.

    Exit code: 0 nothing alarming changed, 1 something newly fails or was withdrawn, 3 something
    cannot be judged any more, above that trouble; 13: all is done, but somebody was not told.
    """
    from runner.at_night import Asked, due_tonight
    from runner.options import Options, default_jobs
    from runner.progress import progress

    chosen = chosen_format(form, as_json=as_json)
    program = _program(context, home=options["home"], sandbox=options["sandbox"])
    asked = Asked(
        patterns=options["cases"],
        failed=options["failed"],
        fresh=options["fresh"],
        deadline=span(options["deadline"]),
    )
    of_runs = Options(jobs=options["jobs"] or default_jobs())
    if options["dry_run"]:
        from runner.render.night import due_markdown

        with progress(sys.stderr) as listener:
            found = due_tonight(program, asked, of_runs, listener)
        click.echo(found.document() if chosen is Format.JSON else due_markdown(found), nl=False)
        return 0
    with progress(sys.stderr) as listener:

        def ground() -> NightGround:
            return _ground(program, of_runs, listener, here=options["here"])

        night, faults = watch_once(program, asked, ground, listener, always=options["always"])
    print_night(program, night, chosen)
    for fault in faults:
        click.echo(f"fixproof: {fault}", err=True)
    return NobodyTold.exit_code if faults else night.exit_code


def watch_once(
    program: Program,
    asked: Asked,
    ground: Callable[[], NightGround],
    listener: Watcher,
    *,
    always: bool,
    night_id: str | None = None,
) -> tuple[Night, tuple[str, ...]]:
    """Keep a night and tell people of it; with why somebody could not be told.

    Once it is begun, trouble with the database or the broker is waited out for some ten minutes.
    """
    from runner.at_night import keep_watch

    news = _News(program.settings, always=always, pings=asked.whole)
    pauses = iter(_PAUSES)
    while True:
        named = news.night or night_id
        try:
            night = keep_watch(program, asked, ground(), listener, news, night_id=named)
        except (Interrupted, NightTaken):  # another keeps it, or will
            raise
        except (StoreTrouble, BrokerTrouble) as trouble:
            pause = next(pauses, None)
            if pause is None or news.night is None:
                news.failed()
                raise
            listener.note(f"{trouble.message}; {news.night} goes on in {pause:.0f} s")
            time.sleep(pause)
        except Exception:
            news.failed()
            raise
        else:
            news.ended(night)
            return night, news.faults


def _ground(program: Program, options: Options, listener: Watcher, *, here: bool) -> NightGround:
    """Workers where there are some, else this machine."""
    from runner.at_night import LocalGround

    if here or program.settings.broker_url is None:
        return LocalGround(program, options, listener)
    made: NightGround = import_module("worker.night").ground(program, options, listener)
    return made


class _News:
    """Tells people of a night; that somebody could not be told never costs the night."""

    def __init__(self, settings: Settings, *, always: bool, pings: bool) -> None:
        self._settings = settings
        self._always = always
        self._pings = pings
        self.faults: tuple[str, ...] = ()
        self.night: str | None = None
        """The one that was begun, or gone on with."""

    def began(self, night_id: str) -> None:
        if self.night != night_id:
            self.night = night_id
            self._ping("start")

    def tell(self, night: Night) -> None:
        from runner.adapters.telling import tell
        from runner.nightly.night import worth_telling
        from runner.render.night import digest

        if self._settings.notify and (self._always or worth_telling(night)):
            self.faults += tell(self._settings.notify, *digest(night))

    def ended(self, night: Night) -> None:
        self._ping("fail" if night.blind else "")

    def failed(self) -> None:
        self._ping("fail")

    def _ping(self, what: str) -> None:
        from runner.adapters.telling import ping

        address = self._settings.ping if self._pings else None
        fault = "what FIXPROOF_PING_URL names does not answer"
        if address is not None and not ping(address, what) and fault not in self.faults:
            self.faults += (fault,)


def print_night(program: Program, night: Night, form: Format) -> None:
    """A night as it was asked for."""
    from runner.render.night import junit, markdown, page

    home = str(Path.home())
    match form:
        case Format.JSON:
            click.echo(night.document())
        case Format.JUNIT:
            click.echo(junit(night, user_home=home))
        case Format.HTML:
            from runner.formats import compiled

            click.echo(page(night, compiled=compiled(program), user_home=home), nl=False)
        case Format.MD:
            click.echo(markdown(night, user_home=home), nl=False)
        case Format.OSV:
            raise WrongUsage("a night is no advisory", hint="A sweep is: report --format osv.")


def span(text: str | None) -> timedelta | None:
    """A span of time, as 90m, 6h or 1h30m."""
    if text is None:
        return None
    found = _SPAN.fullmatch(text)
    parts = [int(each or 0) for each in found.groups()] if found and text else []
    if not parts:
        raise WrongUsage(f"{text!r} is no span of time", hint="It is like 6h, 90m or 1h30m.")
    days, hours, minutes, seconds = parts
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _program(context: click.Context, **options: Any) -> Program:
    """One fixproof whose clock is that of who called, if it brought one."""
    from runner.settings import read
    from runner.wiring import Program

    settings = read(**options)
    if context.obj is not None:
        return Program(settings, clock=context.obj, remembers=True)
    return Program(settings, remembers=True)
