"""Builds the site of all cases: what changed is made again, one case at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner import __version__
from runner.adapters.corpus_files import CorpusFiles
from runner.adapters.site_files import BuiltCase, Manifest, SiteFiles, Written
from runner.case import Case
from runner.errors import BrokenCase, FixproofError, WrongUsage
from runner.formats import compiled
from runner.nightly.standing import BrokenListing, Listed
from runner.publish import statements
from runner.publish.badge import badge
from runner.publish.feed import feed
from runner.publish.markers import SectionName
from runner.publish.published import Published
from runner.publish.rows import MARKS, MOST_RECORDS, Row, paged, row_of, state_of
from runner.publish.sections import claimed_fixed, measured, warnings
from runner.publish.standing import mark_of, said_of_lack
from runner.publish.strip import MOST_NIGHTS, history, strip
from runner.publishing import Publisher
from runner.records import CaseVersion, Record
from runner.render.marks import OUTCOMES, STATUSES
from runner.render.osv import record as osv_record
from runner.render.site import CASE, INDEX, SitePages, design, sheet
from runner.runs import EXPIRES
from runner.settings import repros
from runner.value import Value, digest
from runner.wiring import Program

INDEX_NIGHTS = 45
"""Nights that the strips of the index show."""


class SiteOptions(Value):
    """What a publisher may say of a site."""

    title: str = "Measured fixes"
    base: str = ""
    """The address of the site, with a slash at its end."""
    all_runs: bool = False
    """Whether every run has a page, and not just those that say something new."""


class SiteResult(Value):
    """What became of a build."""

    cases: int
    made: int
    """Cases that were made again."""
    wrote: int
    """Files that were written."""
    troubles: tuple[str, ...]
    """Of cases that could not be made."""


class SiteBuilder:
    """Builds one site."""

    def __init__(self, program: Program, folder: Path, options: SiteOptions) -> None:
        self._program = program
        self._options = options
        self._files = SiteFiles(folder)
        self._publisher = Publisher(program)
        self._pages = SitePages(
            self._publisher.privacy,
            title=options.title,
            program=__version__,
            compiled=compiled(program),
        )
        began = program.store.nights.began(MOST_NIGHTS)
        self._nights = frozenset(each.date() for each in began)
        self._ground = digest("site/1", __version__, design(), options.model_dump_json())

    def build(self) -> SiteResult:
        """Make all pages that are not as they would be made now."""
        corpus = CorpusFiles(repros(), self._program.cases, self._program.documents).listed()
        versions = {each.case: each for each in self._program.store.records.versions()}
        looks = self._program.store.nights.counted()
        cases: dict[str, BuiltCase] = {}
        troubles, made = [], 0
        for each in corpus:
            try:
                inputs = self._inputs(each, versions, looks)
                kept = self._kept(each.id, inputs)
                cases[each.id] = kept or self._case(each.id, inputs)
                made += kept is None
            except FixproofError as error:
                troubles.append(f"{each.id}: {error.message}")
        rows = [cases[each].row for each in sorted(cases)]
        self._files.finish(Manifest(cases=cases, files=self._whole(rows)))
        return SiteResult(
            cases=len(cases), made=made, wrote=self._files.wrote, troubles=tuple(troubles)
        )

    def _inputs(
        self,
        listed: Listed | BrokenListing,
        versions: dict[str, CaseVersion],
        looks: dict[str, int],
    ) -> str:
        """A digest of all that the pages of a case are made of."""
        if isinstance(listed, BrokenListing):
            raise BrokenCase(listed.why)
        version = versions.get(listed.id)
        of_runs = version.model_dump_json() if version else ""
        return digest(self._ground, listed.sha256, of_runs, str(looks.get(listed.id, 0)))

    def _kept(self, case_id: str, inputs: str) -> BuiltCase | None:
        """A case as it was built before, where nothing of it changed."""
        before = self._files.before.cases.get(case_id)
        if before is None or before.inputs != inputs:
            return None
        ran = before.row.ran
        expires = ran is not None and ran < self._program.now() - EXPIRES
        if expires is not before.row.expired:
            return None
        return before if all(map(self._files.is_there, before.files)) else None

    def _case(self, case_id: str, inputs: str) -> BuiltCase:
        case, folder = self._program.cases.load(case_id)
        script = (folder / "repro.py").read_bytes().decode("utf-8-sig")
        records = self._program.store.records.of_case(case.id, MOST_RECORDS)
        found = self._publisher.gathered(case, script, records)
        summary = found.main.summary if found.main else said_of_lack(found.standing, case.id)
        looks = self._program.store.nights.looks(case.id, MOST_NIGHTS)
        row = row_of(found, records, summary, history(looks, records, self._nights))
        files = self._runs(case, records, found)
        files |= self._advisory(found)
        files[f"badge/{case.id}.svg"] = self._files.put(
            f"badge/{case.id}.svg", badge("fixproof", row.mark)
        )
        page = self._case_page(found, row, records, files)
        files[f"case/{case.id}.html"] = self._files.put(f"case/{case.id}.html", page)
        return BuiltCase(inputs=inputs, row=row, files=files)

    def _runs(self, case: Case, records: Sequence[Record], found: Published) -> dict[str, Written]:
        chosen = records if self._options.all_runs else paged(records, found.standing.relied_on)
        files: dict[str, Written] = {}
        for each in chosen:
            mark = mark_of(each, records, case.sha256)
            warning, path = mark[1] if mark else "", f"run/{each.run}.html"
            inputs = digest(self._ground, each.run, warning)
            try:
                files[path] = self._files.kept(path, inputs) or self._files.put(
                    path, self._run_page(each, warning), inputs
                )
            except FixproofError:
                continue  # what it was drawn up from is gone: it is listed without a page
        return files

    def _run_page(self, record: Record, warning: str) -> str:
        report = self._publisher.report(record.run)
        return self._pages.run(report, self._program.runs.attempt, warning)

    def _advisory(self, found: Published) -> dict[str, Written]:
        """The OSV record of a sweep; one that was withdrawn says so, and stays."""
        path = f"osv/{found.case.id}.json"
        withdrawn = next((each for each in found.standing.withdrawn if each.kind == "sweep"), None)
        try:
            if found.survey and found.survey.kind == "sweep":
                document = osv_record(found.survey)
            elif withdrawn and withdrawn.withdrawn:
                at = f"{withdrawn.withdrawn.at:%Y-%m-%dT%H:%M:%S}Z"
                document = osv_record(self._publisher.report(withdrawn.run))
                document |= {"withdrawn": at, "modified": at}
            else:
                return {}
        except WrongUsage:
            return {}  # nothing was measured broken
        text = json.dumps(document, ensure_ascii=False, indent=1)
        return {path: self._files.put(path, f"{text}\n")}

    def _case_page(
        self,
        found: Published,
        row: Row,
        records: Sequence[Record],
        files: dict[str, Written],
    ) -> str:
        logs, main = self._program.runs.attempt, found.main
        osv, main_page = f"osv/{row.id}.json", f"run/{main.run if main else ''}.html"
        last = row.history.last
        earlier = {each for each in self._nights if last and each < last}
        nights = strip(row.history, last, MOST_NIGHTS, earlier)
        context: dict[str, Any] = {
            "case": found.case,
            "script": found.script,
            "mark": state_of(found),
            "outcome": OUTCOMES[main.outcome] if main else "",
            "summary": row.summary,
            "notices": [each for each in warnings(found) if each.text != row.summary],
            "evidence": statements.evidence(found),
            "claimed_fixed": claimed_fixed(found),
            "first_fixed": statements.first_fixed(found) if main else "",
            "affected": measured(found, SectionName.AFFECTED, logs),
            "upgrade": measured(found, SectionName.UPGRADE, logs),
            "commands": [each.again for each in found.reports]
            or [f"fixproof verify {found.case.id}"],
            "shown": nights,
            "runs": [
                _listed(each, records, found.case.sha256)
                for each in records
                if f"run/{each.run}.html" in files
            ],
            "osv": osv if osv in files else "",
            "main_page": main_page if main_page in files else "",
        }
        report = self._pages.of_report(main, found.survey, logs) if main else {"report": None}
        return self._pages.page(CASE, "../", **(report | context))

    def _whole(self, rows: Sequence[Row]) -> dict[str, Written]:
        """The files that are of all cases."""
        last = (each.history.last for each in rows)
        until = max((day for day in (*last, *self._nights) if day), default=None)
        counted = Counter(each.mark for each in rows)
        index = self._pages.page(
            INDEX,
            "",
            totals=[(each, counted[each]) for each in MARKS if counted[each]],
            rows=[
                (each, each.mark, strip(each.history, until, INDEX_NIGHTS, self._nights))
                for each in rows
            ],
            days=INDEX_NIGHTS,
            until=f"{until}" if until else "now",
        )
        newest = sorted(
            (change for each in rows for change in each.changes),
            key=lambda each: (each.at, each.run, each.kind),
            reverse=True,
        )
        atom = feed(newest, self._options.title, self._options.base)
        texts = {"index.html": index, "style.css": sheet(), "feed.atom": atom}
        return {path: self._files.put(path, text) for path, text in texts.items()}


def _listed(record: Record, records: Sequence[Record], sha256: str) -> dict[str, Any]:
    mark = mark_of(record, records, sha256)
    return {
        "kind": record.kind,
        "ended": f"{record.ended:%Y-%m-%d %H:%M}",
        "mark": STATUSES[record.status],
        "said": mark[1] if mark else "",
        "page": f"run/{record.run}.html",
    }
