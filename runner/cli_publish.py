"""The commands that publish what was measured, and take it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli_options import program as program_of
from runner.errors import UnknownRun, WrongUsage

if TYPE_CHECKING:
    from runner.wiring import Program


@click.command()
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if something would change.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
@click.option("--site", metavar="DIR", help="Build a static site of all cases there.")
@click.option("--title", default="Measured fixes", show_default=True, help="Of the site.")
@click.option("--base-url", default="", metavar="URL", help="Where the site will be, for its feed.")
@click.option("--all-runs", is_flag=True, help="A page for every run, not just for telling ones.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def publish(
    pages: tuple[str, ...],
    check: bool,
    dry_run: bool,
    site: str | None,
    title: str,
    base_url: str,
    all_runs: bool,
    home: str | None,
) -> int:
    """Write the measured sections into pages, between their markers; or build a site.

    PAGE is Markdown, HTML or text, or a folder of these, with places such as
    <!-- fixproof:begin uvicorn-824 evidence --> and <!-- fixproof:end --> on lines of their own.
    All else in a page stays as it is, byte by byte. Exit code: 0; 1 with --check if a page is not
    up to date; 2 and above trouble.
    """
    if not pages and site is None:
        raise WrongUsage("nothing to publish", hint="Name pages, or --site DIR.")
    if site is not None and (check or dry_run):
        raise WrongUsage("--check and --dry-run are of pages, not of a site")
    program = program_of(home=home)
    code = _pages(program, pages, check=check, dry_run=dry_run) if pages else 0
    if site is not None:
        base = f"{base_url.rstrip('/')}/" if base_url else ""
        code = code or _site(program, site, title=title, base=base, all_runs=all_runs)
    return code


def _pages(program: Program, pages: tuple[str, ...], *, check: bool, dry_run: bool) -> int:
    from runner.publishing import Publisher, write

    changes = Publisher(program).changes(pages)
    stale = [each for each in changes if each.changes]
    if dry_run:
        for each in stale:
            click.echo(each.diff(), nl=False)
    if check or dry_run:
        for each in stale:
            click.echo(f"not up to date: {each.path}", err=True)
        return 1 if check and stale else 0
    troubles = write(stale)
    for trouble in troubles:
        click.echo(f"fixproof: {trouble}", err=True)
    click.echo(f"{len(stale) - len(troubles)} of {len(changes)} pages written", err=True)
    return troubles[0].exit_code if troubles else 0


def _site(program: Program, site: str, *, title: str, base: str, all_runs: bool) -> int:
    from runner.site_building import SiteBuilder, SiteOptions

    options = SiteOptions(title=title, base=base, all_runs=all_runs)
    done = SiteBuilder(program, Path(site), options).build()
    for trouble in done.troubles:
        click.echo(f"fixproof: {trouble}", err=True)
    click.echo(f"{done.cases} cases, {done.made} made again, {done.wrote} files written", err=True)
    return WrongUsage.exit_code if done.troubles else 0


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--why", required=True, metavar="TEXT", help="What is wrong with it, in a sentence.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def withdraw(run: str, why: str, home: str | None) -> None:
    """Say that nobody is to rely on a run any more; it stays, and says so wherever it is shown."""
    from runner.records import Withdrawal

    program = program_of(home=home)
    said = " ".join(why.split())
    if not said:
        raise WrongUsage("--why says nothing", hint="Readers of the page will want to know.")
    found = program.stored(run)
    if found.ended is None:
        raise UnknownRun(f"run {run} did not end: there is nothing to withdraw")
    withdrawal = Withdrawal(at=program.now(), why=said)
    if not program.store.records.withdraw(run, withdrawal):
        raise WrongUsage(f"run {run} was withdrawn before", hint="A withdrawal stays as it is.")
    click.echo(f"withdrawn: {run}\n  fixproof publish says so on pages; then measure again:")
    click.echo(f"  fixproof {found.kind} {found.case_id} --fresh")
