"""The commands that see to the ground: images to run in, and room on the disk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from runner.cli_options import program

if TYPE_CHECKING:
    from runner.documents import CollectedDocument

_DAYS = click.IntRange(0, 99_999)


@click.group()
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
    for made in program(sandbox="docker", home=home).build_bases(pythons):
        click.echo(f"{made.name}: {made.origin} ({made.made_from}), {made.image}")


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be deleted; delete nothing.")
@click.option(
    "--environments",
    type=_DAYS,
    metavar="DAYS",
    help="What can be made again is kept for so long after it was used.  [default: 30]",
)
@click.option(
    "--runs", type=_DAYS, metavar="DAYS", help="Runs are kept for so long.  [default: 400]"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def gc(
    dry_run: bool, environments: int | None, runs: int | None, as_json: bool, home: str | None
) -> None:
    """Delete what is kept no longer: nothing that is used, that a kept run needs, or that counts.

    The newest run of each case and kind stays, whatever its age; evidence stays until it expires.
    """
    from runner.collecting import Keep, collect

    made = program(home=home)
    keep = Keep(
        environments=_span(environments, made.settings.keep_environments),
        runs=_span(runs, made.settings.keep_runs),
    )
    found = collect(made, keep, dry_run=dry_run)
    if as_json:
        click.echo(found.document())
    else:
        _print(found)


def _span(days: int | None, usual: timedelta) -> timedelta:
    return usual if days is None else timedelta(days=days)


def _print(found: CollectedDocument) -> None:
    from runner.adapters.disk_space import size

    done = "would be deleted" if found.dry_run else "deleted"
    for each in found.collected:
        if each.count:
            click.echo(f"{each.count:>8} {each.what.replace('_', ' ')}, {size(each.bytes)}")
    total = size(sum(each.bytes for each in found.collected))
    click.echo(f"{total} {done}")
    for why in found.left:
        click.echo(f"left: {why}")
