"""The options of commands, and what they are put together to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from runner.errors import WrongUsage
from runner.formats import OF_RUNS, Format

if TYPE_CHECKING:
    from runner.options import Options
    from runner.wiring import Program

SANDBOXES = click.Choice(["auto", "docker", "bubblewrap", "process"])

Command = Callable[..., Any]


def common(command: Command) -> Command:
    """Options that all commands about cases have."""
    for option in reversed(
        [
            click.option("--sandbox", type=SANDBOXES, help="Where attempts run.  [default: auto]"),
            click.option(
                "--python",
                "pythons",
                multiple=True,
                metavar="X.Y",
                help="Interpreter instead of the case's own choice; can be repeated.",
            ),
            click.option(
                "--only",
                metavar="PATTERN",
                help="Only series that have a cell whose id is like this (* and ?).",
            ),
            click.option(
                "--as-of",
                metavar="release|today|DATE",
                default="release",
                show_default=True,
                help="As of when dependencies are resolved.",
            ),
            click.option("--fresh", is_flag=True, help="Rely on nothing that was made before."),
            click.option("--home", metavar="DIR", help="Where everything is kept."),
        ]
    ):
        command = option(command)
    return command


def sampled(command: Command) -> Command:
    """Options of commands that run many attempts."""
    for option in reversed(
        [
            click.option(
                "--jobs",
                type=click.IntRange(1, 64),
                help="Attempts at a time.  [default: one a processor]",
            ),
            click.option(
                "--confidence",
                type=click.FloatRange(0.5, 0.9999),
                default=0.99,
                show_default=True,
                help="Of an absence, given the rate of the bug.",
            ),
            click.option(
                "--json",
                "as_json",
                is_flag=True,
                help="One JSON document on standard output, and nothing else.",
            ),
        ]
    ):
        command = option(command)
    return command


def formatted(command: Command) -> Command:
    """In which format the result of a run is printed."""
    return _format(OF_RUNS, "Markdown, a page of HTML, JSON, or JUnit XML.")(command)


def formatted_stored(command: Command) -> Command:
    """In which format a stored run is printed."""
    told = "Markdown, a page of HTML, JSON, JUnit XML, or of a sweep an OSV record."
    return _format(tuple(Format), told)(command)


def _format(choices: tuple[Format, ...], told: str) -> Callable[[Command], Command]:
    return click.option(
        "--format",
        "form",
        type=click.Choice([each.value for each in choices]),
        default=Format.MD.value,
        show_default=True,
        help=told,
    )


def chosen_format(form: str, *, as_json: bool) -> Format:
    """The format that was asked for; --json is short for --format json."""
    return Format.JSON if as_json else Format(form)


def of_verify(command: Command) -> Command:
    """Options of verify alone."""
    candidate = click.option(
        "--candidate",
        metavar="PATH",
        help="A wheel, a source distribution or a source folder: does this build fix it?",
    )
    latest = click.option("--latest", is_flag=True, help="Also judge the newest release.")
    return latest(candidate(command))


def of_bisect(command: Command) -> Command:
    """Options of bisect alone."""
    budget = click.option(
        "--budget",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Attempts at most; the answer is then what is known so far.",
    )
    return budget(command)


def program(**options: Any) -> Program:
    """One fixproof, by its settings."""
    from runner.settings import read
    from runner.wiring import Program

    return Program(read(**options))


def program_and_options(
    *,
    sandbox: str | None,
    pythons: tuple[str, ...],
    only: str | None,
    as_of: str,
    fresh: bool,
    home: str | None,
    jobs: int | None = None,
    confidence: float = 0.99,
    latest: bool = False,
    candidate: str | None = None,
    budget: int | None = None,
) -> tuple[Program, Options]:
    """One fixproof, and what the command line says of its runs."""
    from runner.options import Options, default_jobs

    chosen = Options(
        jobs=jobs or default_jobs(),
        pythons=pythons,
        only=only,
        as_of=_as_of(as_of),
        confidence=confidence,
        fresh=fresh,
        latest=latest,
        candidate=candidate,
        budget=budget,
    )
    return program(sandbox=sandbox, home=home), chosen


def _as_of(text: str) -> Any:
    if text in ("release", "today"):
        from runner.matrix import AsOf

        return AsOf(text)
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise WrongUsage(
            f"--as-of takes 'release', 'today' or a date like 2021-03-01, not {text!r}"
        ) from error
