"""What a report says of a candidate: which build it was, and what of it was installed."""

from __future__ import annotations

from runner.candidate import CandidateKind
from runner.environment import Lock, Wheel
from runner.findings import Conclusion
from runner.matrix import Role, Universe
from runner.releases import in_order
from runner.value import Value


class CandidateReport(Value):
    """The build that was asked about in place of the claimed fix."""

    kind: CandidateKind
    file: str
    """Name of the wheel, the archive or the folder."""
    sha256: str
    """Of the file; of a folder: of what was packed of it."""
    version: str
    replaces: tuple[str, ...]
    """The releases that are claimed to be fixed; they were not run."""
    wheels: tuple[Wheel, ...]
    """What was installed, of each interpreter; more than one where they were built apart."""


def candidate_report(universe: Universe, conclusion: Conclusion) -> CandidateReport | None:
    """Of a run that asked about a candidate; None of others."""
    candidate = universe.candidate
    if candidate is None:
        return None
    package = universe.history.package
    claims = [each.series.claims for each in conclusion.series]
    cells = [cell for each in conclusion.series for cell in each.of_role(Role.CANDIDATE)]
    locks = [each.facts.lock for each in cells if isinstance(each.facts.lock, Lock)]
    wheels = {each.sha256: each for lock in locks for each in lock.wheels if each.name == package}
    return CandidateReport(
        kind=candidate.kind,
        file=candidate.file,
        sha256=candidate.sha256,
        version=candidate.called,
        replaces=in_order(version for each in claims for version in each.replaced),
        wheels=tuple(wheels.values()),
    )
