"""The commands about fix pages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from runner.cli_options import program as program_of

if TYPE_CHECKING:
    from runner.auditing import Audit
    from runner.pages.audit import AuditedPage, TroubledPage


@click.command()
@click.argument("pages", nargs=-1, required=True, metavar="PAGE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "md", "json"]),
    default="text",
    show_default=True,
    help="For the terminal, Markdown, or one JSON document.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--fresh", is_flag=True, help="Ask the package index, however new what is known is.")
@click.option("--home", metavar="DIR", help="Where everything is kept.")
def audit(pages: tuple[str, ...], form: str, as_json: bool, fresh: bool, home: str | None) -> int:
    """Hold published fix pages against the index, against themselves, and against what was run.

    PAGE is a file or a folder: text, Markdown or HTML. Exit code: 0 every claim is confirmed and
    nothing is wrong, 1 something is false, 2 wrong usage or no fix page, 3 something is untested or
    does not fit, above that trouble.
    """
    from runner.auditing import Audit

    service = Audit(program_of(home=home), fresh=fresh)
    form = "json" if as_json else form
    if form == "text":
        return _on_terminal(service, pages)
    document = service.pages(pages, _nobody)
    if form == "json":
        click.echo(document.document())
    else:
        from runner.pages.markdown import markdown

        click.echo(markdown(document), nl=False)
    return document.exit_code


def _on_terminal(service: Audit, pages: tuple[str, ...]) -> int:
    from rich.console import Console

    from runner.audit_view import AuditView

    view = AuditView(Console(file=sys.stdout, highlight=False))
    document = service.pages(pages, view.show)
    view.end(document)
    return document.exit_code


def _nobody(_page: AuditedPage | TroubledPage) -> None:
    """Is told nothing: all is printed at the end."""


@click.command()
@click.argument("source", required=False, metavar="[PAGE|ISSUE-URL]")
@click.option("--package", metavar="NAME", help="The distribution whose releases are under test.")
@click.option("--issue", metavar="URL", help="The address of the issue.")
@click.option("--fix", metavar="URL", help="The address of the fix.")
@click.option("--fixed", multiple=True, metavar="V", help="Claim: the first fixed release.")
@click.option("--broken", multiple=True, metavar="V", help="Claim: a release with the bug.")
@click.option("--title", metavar="TEXT", help="The bug in one line.")
@click.option("--id", "case_id", metavar="ID", help="Name of the case.  [default: PACKAGE-ISSUE]")
@click.option("--output", metavar="PATH", help="A file or a folder.  [default: repros/ID.py]")
def new(
    source: str | None,
    package: str | None,
    issue: str | None,
    fix: str | None,
    fixed: tuple[str, ...],
    broken: tuple[str, ...],
    title: str | None,
    case_id: str | None,
    output: str | None,
) -> None:
    """Write the skeleton of a case: its metadata and claims, ready for a script.

    From a fix page, from the address of an issue, or from options alone; options go first. Nothing
    is asked over the network, and nothing is overwritten.
    """
    from runner.drafting import draft_of, write_skeleton
    from runner.pages.skeleton import Draft

    said = Draft(package=package, issue=issue, fix=fix, fixed=fixed, broken=broken, title=title)
    whole = said.completed(draft_of(source))
    path, case = write_skeleton(whole, case_id=case_id, output=output)
    release = next(iter((*case.metadata.broken, *case.metadata.fixed)))
    click.echo(f"{path}: now write its script, and try it")
    click.echo(f"  fixproof run {case.id if output is None else path} {release}")
