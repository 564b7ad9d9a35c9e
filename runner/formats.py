"""A report in the formats that people and CI servers read, with the logs that are stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import FixproofError

if TYPE_CHECKING:
    from jinja2 import BytecodeCache

    from runner.attempt import Attempt
    from runner.report import Report
    from runner.wiring import Program


class Format(StrEnum):
    """How a result is printed."""

    MD = "md"
    HTML = "html"
    JSON = "json"
    JUNIT = "junit"
    OSV = "osv"
    """Of a stored sweep alone."""


OF_RUNS = tuple(each for each in Format if each is not Format.OSV)
"""Those in which any run can be printed."""


def section(program: Program, report: Report) -> str:
    """The Verified Execution section, as Markdown."""
    from runner.render.section import markdown

    return markdown(
        report, program.runs.attempt, compiled=compiled(program), user_home=str(Path.home())
    )


def page(program: Program, report: Report) -> str:
    """One page of HTML."""
    from runner.render.html import page as html

    return html(
        report, program.runs.attempt, compiled=compiled(program), user_home=str(Path.home())
    )


def suites(program: Program, results: Sequence[Report | FixproofError]) -> str:
    """All results as JUnit XML."""
    from runner.render.junit import junit

    def logs(name: str) -> Attempt | None:
        return program.runs.attempt(name)  # opened only where there is a log: it may be the trouble

    return junit(results, logs, user_home=str(Path.home()))


def advisory(report: Report) -> str:
    """The measured ranges of a sweep as a record of the Open Source Vulnerability format."""
    from runner.render.osv import record

    return json.dumps(record(report), ensure_ascii=False)


def compiled(program: Program) -> BytecodeCache:
    """Templates as they were compiled at their first use."""
    from jinja2 import FileSystemBytecodeCache

    from runner.render.templating import COMPILED

    folder = program.settings.cache / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder), COMPILED)
