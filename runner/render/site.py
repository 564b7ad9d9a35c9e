"""The pages of a site: one style sheet, one small script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from jinja2 import BytecodeCache

from runner.render import html, survey
from runner.render.privacy import Privacy
from runner.render.templating import FOLDER, html_templates, style
from runner.report import Report
from runner.value import digest

INDEX, CASE, RUN = "site_index.html.j2", "site_case.html.j2", "site_run.html.j2"


@cache
def sheet() -> str:
    """The style sheet of a site."""
    return f"{style()}{_read('site.css')}"


@cache
def script() -> str:
    """What a site runs in a browser that allows it."""
    return _read("site.js")


@cache
def design() -> str:
    """A digest of all that decides how pages look."""
    files = sorted(each for each in FOLDER.rglob("*") if each.is_file())
    return digest(*(part for each in files for part in (each.name, each.read_bytes())))


class SitePages:
    """Renders pages of one site."""

    def __init__(
        self, privacy: Privacy, *, title: str, program: str, compiled: BytecodeCache | None = None
    ) -> None:
        self.privacy = privacy
        self._templates = html_templates(compiled, privacy)
        digested = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
        self._frame = {
            "site": title,
            "program": program,
            "behaviour": script(),
            "policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
            f"script-src 'sha256-{digested}'; base-uri 'none'; form-action 'none'",
        }

    def page(self, template: str, root: str, **context: Any) -> str:
        """One page; `root` leads from it to the folder of the site."""
        found = self._templates.get_template(template)
        return found.render(context | self._frame | {"root": root})

    def run(self, report: Report, logs: html.Logs, warning: str) -> str:
        """The page of a run."""
        context = html.context(report, logs, self.privacy)
        return self.page(RUN, "../", **context, warning=warning)

    def of_report(self, report: Report, surveyed: Report | None, logs: html.Logs) -> dict[str, Any]:
        """What the page of a case shows of its main report, and of a survey beside it."""
        context = html.context(report, logs, self.privacy)
        if surveyed:
            context |= {"windows": html.windows(surveyed), "left_out": survey.left_out(surveyed)}
        kept = ("report", "outcome", "grid", "windows", "claims", "series", "ground")
        return {name: context[name] for name in kept}


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
