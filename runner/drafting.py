"""Writes the skeleton of a case into the corpus, or where it is asked to; it overwrites nothing."""

from __future__ import annotations

import re
from pathlib import Path

from runner.adapters.case_files import SCRIPT
from runner.adapters.page_files import PageFile
from runner.auditing import read_fix_page
from runner.case import Case
from runner.errors import NoSpace, WrongUsage
from runner.pages.skeleton import Draft, draft_of_issue, draft_of_page, skeleton
from runner.settings import repros


def draft_of(source: str | None) -> Draft:
    """What a page, or the address of an issue, says of a case; nothing where none is named.

    Raises:
        BrokenPage: the page cannot be read, or is none.
        WrongUsage: the address is none of an issue.
    """
    if source is None:
        return Draft()
    if re.match(r"https?://", source):
        return draft_of_issue(source)
    return draft_of_page(read_fix_page(PageFile(source, Path(source), named=True)))


def write_skeleton(draft: Draft, *, case_id: str | None, output: str | None) -> tuple[Path, Case]:
    """Write a case that is still to be written.

    Args:
        case_id: None: `<package>-<issue>`.
        output: a file, or a folder to put it in; None: the corpus.

    Raises:
        WrongUsage: too little is known, or there is a case of that name already.
    """
    path = _place(case_id or draft.id, output)
    named = path.parent.name if path.name == SCRIPT else path.stem
    script, case = skeleton(named, draft)
    in_the_way = [each for each in (path, path.with_suffix("")) if each.exists()]
    if in_the_way:
        raise _there_already(in_the_way[0])
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(script)
    except FileExistsError as error:
        raise _there_already(path) from error
    except OSError as error:
        raise NoSpace(f"{path} cannot be written: {error.strerror}") from error
    return path, case


def _there_already(path: Path) -> WrongUsage:
    hint = "Nothing is overwritten. Another place: --output."
    return WrongUsage(f"{path} is there already", hint=hint)


def _place(case_id: str | None, output: str | None) -> Path:
    if output is not None and not Path(output).is_dir():
        return Path(output).absolute()
    if case_id is None:
        raise WrongUsage(
            "the case has no name: its issue is not known",
            hint="Name the issue by --issue ADDRESS, or the case by --id or --output.",
        )
    return (Path(output).absolute() if output else repros()) / f"{case_id}.py"
