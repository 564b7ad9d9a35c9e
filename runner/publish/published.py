"""All that is known of a case when it is published: what its script says, and what was measured."""

from __future__ import annotations

from datetime import datetime

from runner.case import Case
from runner.publish.standing import Standing
from runner.report import Report
from runner.value import Value


class Published(Value):
    """One case with the records that are relied on."""

    case: Case
    script: str
    """The whole script, as it is run."""
    standing: Standing
    verification: Report | None = None
    survey: Report | None = None
    """The reports of what is relied on."""
    shared: tuple[str, ...] = ()
    """Withdrawn runs whose attempts these rely on too."""
    expired: bool = False
    """Whether the oldest attempt relied on is so old that a new run would not rely on it."""

    @property
    def reports(self) -> tuple[Report, ...]:
        return tuple(each for each in (self.verification, self.survey) if each)

    @property
    def main(self) -> Report | None:
        """The report that says how the case stands."""
        return self.verification or self.survey

    @property
    def ran(self) -> datetime | None:
        """When the oldest attempt relied on ran."""
        return min((each.ran for each in self.reports if each.ran), default=None)
