"""Audits pages: reads them, asks the index, gathers what was measured of their cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from runner.adapters.case_search import CaseSearch
from runner.adapters.page_files import PageFile, page_files, read_page
from runner.case import Case
from runner.errors import BrokenPage, FixproofError, UnknownPackage
from runner.findings import Conclusion
from runner.matrix import AsOf
from runner.outcome import decide
from runner.pages.audit import (
    AuditDocument,
    AuditedPage,
    SkippedPage,
    TroubledPage,
    audited,
    document,
)
from runner.pages.fields import page_of
from runner.pages.page import Page
from runner.pages.reading import read
from runner.pages.witness import Evidence, Lack, Witness, lacking, relied_on
from runner.plans.kinds import AnyPlan, parse, step
from runner.records import Record
from runner.releases import History
from runner.settings import repros
from runner.wiring import Program

_MOST_RUNS = 50
"""Runs of one case that are looked through, the newest first."""

Listen = Callable[[AuditedPage | TroubledPage], None]


class Audit:
    """One call of the command: index and corpus are asked once for all of its pages."""

    def __init__(self, program: Program, *, fresh: bool) -> None:
        self._program = program
        self._fresh = fresh
        self._cases = CaseSearch(repros())
        self._histories: dict[str, History | None] = {}

    def pages(self, named: tuple[str, ...], listen: Listen) -> AuditDocument:
        """Audit all pages; what came of each is told as soon as it is there.

        Raises:
            BrokenPage: there is nothing to audit.
        """
        found: list[AuditedPage | TroubledPage] = []
        skipped: list[SkippedPage] = []
        for each in page_files(named):
            try:
                page = read_fix_page(each)
            except BrokenPage as error:
                if not each.named:
                    skipped.append(SkippedPage(page=each.name, why=error.message))
                    continue
                found.append(TroubledPage.of(each.name, error))
            else:
                found.append(self._audited(page))
            listen(found[-1])
        if not found:
            raise BrokenPage("there is no fix page in what was named", hint=_WHAT_IT_IS)
        return document(found, skipped)

    def _audited(self, page: Page) -> AuditedPage | TroubledPage:
        try:
            case = self._case(page)
            history = self._history(case.package if case else page.package)
            return audited(page, history, self._evidence(case), self._program.now())
        except FixproofError as error:
            return TroubledPage.of(page.name, error)

    def _case(self, page: Page) -> Case | None:
        """The case about the page's issue, as it is now."""
        if len(page.issues) != 1:
            return None
        named = self._cases.about(page.package, page.repository, page.issues[0])
        return self._program.cases.load(named)[0] if named else None

    def _history(self, package: str | None) -> History | None:
        """What the index has; None where it does not know the package, or the page names none."""
        if package is None:
            return None
        if package not in self._histories:
            try:
                history = self._program.index.history(package, fresh=self._fresh)
            except UnknownPackage:
                history = None
            self._histories[package] = history
        return self._histories[package]

    def _evidence(self, case: Case | None) -> Evidence:
        if case is None:
            return Evidence(lack=Lack.NO_CASE)
        claims = [case.claims(variant) for variant in case.variant_names()]
        evidence = Evidence(
            case=case.id,
            fixed=tuple(dict.fromkeys(each for one in claims for each in one.fixed)),
            broken=tuple(dict.fromkeys(each for one in claims for each in one.broken)),
        )
        records = self._program.store.records.of_case(case.id, _MOST_RUNS)
        if not records:
            return evidence.model_copy(update={"lack": Lack.NOT_RUN})
        witnesses = self._witnesses(case, records)
        if not witnesses:
            return evidence.model_copy(update={"lack": Lack.STALE})
        return evidence.model_copy(
            update={"witnesses": relied_on(witnesses), "lack": lacking(witnesses)}
        )

    def _witnesses(self, case: Case, records: Iterable[Record]) -> list[Witness]:
        """The series of runs, the newest first; runs that can add nothing are not opened."""
        found: list[Witness] = []
        settled: set[tuple[str, str]] = set()
        for record in records:
            plan = self._plan(case, record)
            if plan is None or {(plan.kind, each.name) for each in plan.series} <= settled:
                continue
            of_run = list(self._of_run(record, plan))
            settled |= {(each.kind, each.series) for each in of_run if each.conclusive}
            found += of_run
        return found

    def _plan(self, case: Case, record: Record) -> AnyPlan | None:
        """What a run was about; None if it is not to be relied on.

        That is so where it was of another state of the case, was withdrawn or shares attempts with
        one that was, or was not about releases as released.
        """
        records = self._program.store.records
        if record.case_sha256 != case.sha256 or record.withdrawn:
            return None
        if records.shared_with_withdrawn(record.run):
            return None
        plan = parse(self._program.stored(record.run).plan)
        as_released = plan.universe.as_of is AsOf.RELEASE and plan.universe.candidate is None
        return plan if as_released else None

    def _of_run(self, record: Record, plan: AnyPlan) -> Iterator[Witness]:
        concluded = step(plan, self._program.runs.facts(record.run))
        for each in concluded.series if isinstance(concluded, Conclusion) else ():
            yield Witness(
                run=record.run,
                kind=plan.kind,
                ended=record.ended,
                partial=record.partial,
                decision=decide(each, plan.universe.history),
                findings=each,
            )


def read_fix_page(file: PageFile) -> Page:
    """A page with all that it says.

    Raises:
        BrokenPage: it cannot be read, or says nothing that a fix page says.
    """
    page = page_of(read(read_page(file), file.name), file.name)
    if not page.is_fix_page:
        raise BrokenPage(f"{file.name} is no fix page", hint=_WHAT_IT_IS)
    return page


_WHAT_IT_IS = (
    "A fix page names an issue, a fix, or a first fixed release; docs/audit.md shows the words "
    "that are looked for."
)
