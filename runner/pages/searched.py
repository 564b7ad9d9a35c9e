"""The signature of a page, looked for in the stored logs of its case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.pages.finding import Finding, Kind, Severity, finding
from runner.pages.page import Field, Page, quoted
from runner.pages.witness import Evidence
from runner.value import Value
from runner.verdict import Verdict, whole_lines

_OF_TEXT = (Kind.SIGNATURE_IS_PROSE, Kind.SIGNATURE_IS_SOURCE, Kind.SIGNATURE_OF_HEALTHY_LOG)
"""Doubts about a signature that come from its text alone."""


class Searched(Value):
    """In how many logs one signature was found."""

    present: int
    """Of attempts with the bug,"""
    of_present: int
    absent: int
    """and without it."""
    of_absent: int


def searched(text: str, evidence: Evidence) -> Searched:
    """Look for a text, as it stands, in every log that tells whether the bug is there."""
    logs = list(_logs(evidence))
    found = {verdict: [text in log for said, log in logs if said is verdict] for verdict in Verdict}
    return Searched(
        present=sum(found[Verdict.PRESENT]),
        of_present=len(found[Verdict.PRESENT]),
        absent=sum(found[Verdict.ABSENT]),
        of_absent=len(found[Verdict.ABSENT]),
    )


def with_logs(page: Page, findings: Iterable[Finding], evidence: Evidence) -> tuple[Finding, ...]:
    """The findings about a page, with what the logs say of its signatures."""
    listed = list(findings)
    for each in dict.fromkeys(page.all(Field.SIGNATURE)):
        told = searched(each.value, evidence)
        doubted = [one for one in listed if each.place in one.places and one.kind in _SIGNATURES]
        if told.absent:
            said = (
                f"The signature was found in {told.absent} of {told.of_absent} logs of attempts "
                f"without the bug: {quoted(each.value)}."
            )
            listed.append(finding(Kind.SIGNATURE_WITHOUT_BUG, said, [each]))
        elif told.present:
            found = f"It was found in {told.present} of {told.of_present} logs with the bug."
            listed = [_settled(one, found) if one in doubted else one for one in listed]
        elif told.of_present and doubted:
            found = f"It was found in none of {told.of_present} logs with the bug."
            listed = [
                one.model_copy(update={"said": f"{one.said} {found}"}) if one in doubted else one
                for one in listed
            ]
        elif told.of_present:
            said = (
                f"The signature was found in none of {told.of_present} logs of attempts with the "
                f"bug: {quoted(each.value)}."
            )
            listed.append(finding(Kind.SIGNATURE_NOT_IN_LOGS, said, [each]))
    return tuple(listed)


_SIGNATURES = (*_OF_TEXT, Kind.SIGNATURE_NEVER_PRINTED)


def _settled(doubt: Finding, found: str) -> Finding:
    return doubt.model_copy(update={"severity": Severity.NOTE, "said": f"{doubt.said} {found}"})


def _logs(evidence: Evidence) -> Iterator[tuple[Verdict, str]]:
    """What each attempt of a release as released says, and what it wrote."""
    seen: set[str] = set()
    for witness in evidence.witnesses:
        for cell in witness.judged():
            observed = zip(cell.facts.attempts, cell.judgement.observations, strict=True)
            for attempt, observation in observed:
                if attempt.id not in seen:
                    seen.add(attempt.id)
                    streams = (attempt.stdout, attempt.stderr)
                    log = "\n".join(part for one in streams for part in whole_lines(one))
                    yield observation.says, log
