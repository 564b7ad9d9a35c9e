"""Publishes what was measured: gathers what is known of a case, and writes it into pages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from runner.adapters.written_pages import WrittenPages
from runner.case import Case
from runner.errors import FixproofError, UnknownRun, WrongUsage
from runner.publish.markers import (
    BadMarkers,
    SectionName,
    has_markers,
    places,
    with_sections,
)
from runner.publish.published import Published
from runner.publish.rows import MOST_RECORDS
from runner.publish.sections import section
from runner.publish.standing import standing
from runner.publish.written import Form, form_of, written
from runner.records import Record
from runner.render.privacy import Privacy
from runner.report import Report
from runner.running import report_of
from runner.runs import EXPIRES
from runner.value import Value
from runner.wiring import Program


class PageChange(Value):
    """One page, as it is and as it would be."""

    path: Path
    before: bytes
    after: bytes

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def diff(self) -> str:
        """What would change, as a unified diff."""
        old, new = (
            each.decode("utf-8", "replace").splitlines(keepends=True)
            for each in (self.before, self.after)
        )
        lines = difflib.unified_diff(old, new, str(self.path), str(self.path))
        return "".join(each if each.endswith("\n") else f"{each}\n" for each in lines)


class Publisher:
    """Gathers what is known of cases, each once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.privacy = Privacy(user_home=str(Path.home()))
        self.published = lru_cache(maxsize=16)(self._published)

    def changes(self, names: Sequence[str]) -> tuple[PageChange, ...]:
        """What is to be written into pages; nothing is written yet.

        Raises:
            FixproofError: of the first page that cannot be published, which it names.
        """
        pages = WrittenPages()
        found = []
        for path, named in pages.named(tuple(names)):
            before = pages.read(path)
            if named or has_markers(before):
                found.append(PageChange(path=path, before=before, after=self._after(path, before)))
        if not found:
            raise BadMarkers("no page in these folders has markers")
        return tuple(found)

    def _after(self, path: Path, before: bytes) -> bytes:
        form = form_of(path.name)
        try:
            texts = {
                (each.case, each.section): self._text(each.case, each.section, form)
                for each in places(before)
            }
            after = with_sections(before, texts, html=form is Form.HTML)
            if len(places(after)) != len(texts):
                raise AssertionError(f"what is written into {path} reads as a marker")
        except WrongUsage as error:
            error.message = f"{path}: {error.message}"
            raise
        return after

    def _text(self, case: str, name: SectionName, form: Form) -> str:
        found = self.published(case)
        return written(section(found, name, self._program.runs.attempt), form, self.privacy)

    def _published(self, case_id: str) -> Published:
        case, folder = self._program.cases.load(case_id)
        script = (folder / "repro.py").read_bytes().decode("utf-8-sig")
        records = self._program.store.records.of_case(case.id, MOST_RECORDS)
        return self.gathered(case, script, records)

    def gathered(self, case: Case, script: str, records: Sequence[Record]) -> Published:
        """What is known of a case, from its script and its records.

        A record whose report cannot be drawn up any more is not relied on.
        """
        found, reports, lost = standing(records, case.sha256), dict[str, Report](), set[str]()
        while missing := [each for each in found.relied_on if each.run not in reports]:
            try:
                reports[missing[0].run] = self.report(missing[0].run)
            except UnknownRun:
                lost.add(missing[0].run)
                left = [each for each in records if each.run not in lost]
                found = standing(left, case.sha256)
        made = Published(
            case=case,
            script=script,
            standing=found,
            verification=found.verification and reports[found.verification.run],
            survey=found.survey and reports[found.survey.run],
            shared=tuple(
                run
                for each in found.relied_on
                for run in self._program.store.records.shared_with_withdrawn(each.run)
            ),
        )
        expired = made.ran is not None and made.ran < self._program.now() - EXPIRES
        return made.model_copy(update={"expired": expired})

    def report(self, run: str) -> Report:
        """The report of a stored run.

        Raises:
            UnknownRun: what it was drawn up from is gone, or another fixproof kept it.
        """
        try:
            return report_of(self._program, run)
        except ValidationError as error:
            raise UnknownRun(f"run {run} was kept by another fixproof") from error


def write(changes: Sequence[PageChange]) -> tuple[FixproofError, ...]:
    """Write all pages that change; what was in the way of some."""
    pages, troubles = WrittenPages(), []
    for each in changes:
        if each.changes:
            try:
                pages.replace(each.path, each.before, each.after)
            except FixproofError as error:
                troubles.append(error)
    return tuple(troubles)
