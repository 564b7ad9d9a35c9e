"""What is wrong with a page, as far as that shows without running anything: a closed set of kinds.

docs/audit.md explains each; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from runner.pages.page import Place, Statement
from runner.value import Value


class Severity(StrEnum):
    """What a finding means for the page; worst first."""

    FALSE = "false"
    """The page says something that is not so."""
    DOUBT = "doubt"
    """Something does not fit, and a person, or a run, has to tell."""
    NOTE = "note"
    """It looked doubtful, and the runs of the case settled it in the page's favour."""


class Kind(StrEnum):
    """What is wrong."""

    NO_SUCH_RELEASE = "no_such_release"
    YANKED_RELEASE = "yanked_release"
    NOT_A_RELEASE = "not_a_release"
    NO_SUCH_PACKAGE = "no_such_package"
    EMPTY_RANGE = "empty_range"
    FIRST_FIXED_DIFFERS = "first_fixed_differs"
    TABLE_CONTRADICTS_ITSELF = "table_contradicts_itself"
    TABLE_CONTRADICTS_TEXT = "table_contradicts_text"
    TABLE_NAMES_OTHER_FIX = "table_names_other_fix"
    RANGE_CONTAINS_FIX = "range_contains_fix"
    ROW_OUTSIDE_RANGE = "row_outside_range"
    FIX_BEFORE_REPORT = "fix_before_report"
    RELEASE_BEFORE_REPORT = "release_before_report"
    FIX_SHOWS_BUG = "fix_shows_bug"
    QUOTE_NAMES_OTHER_FIX = "quote_names_other_fix"
    FIX_IS_AN_OPTION = "fix_is_an_option"
    VERIFIED_BEFORE_RELEASE = "verified_before_release"
    VERIFIED_BEFORE_RUN = "verified_before_run"
    DATE_IN_FUTURE = "date_in_future"
    NOT_A_DATE = "not_a_date"
    PASS_NOT_EXECUTED = "pass_not_executed"  # noqa: S105 - no password
    PASS_PROVES_NOTHING = "pass_proves_nothing"  # noqa: S105 - no password
    PASS_WITHOUT_MODE = "pass_without_mode"  # noqa: S105 - no password
    VERIFIED_NOT_EXECUTED = "verified_not_executed"
    CONFIDENCE_WITHOUT_ATTEMPTS = "confidence_without_attempts"
    REPRODUCTION_NOT_CODE = "reproduction_not_code"
    REPRODUCTION_CANNOT_RUN = "reproduction_cannot_run"
    REPRODUCTION_NOT_PYTHON = "reproduction_not_python"
    SIGNATURE_NEVER_PRINTED = "signature_never_printed"
    SIGNATURE_IS_PROSE = "signature_is_prose"
    SIGNATURE_IS_SOURCE = "signature_is_source"
    SIGNATURE_OF_HEALTHY_LOG = "signature_of_healthy_log"
    SIGNATURE_WITHOUT_BUG = "signature_without_bug"
    SIGNATURE_NOT_IN_LOGS = "signature_not_in_logs"
    SEVERAL_FIXES = "several_fixes"
    INCOMPLETE = "incomplete"


_FALSE = (
    Kind.NO_SUCH_RELEASE,
    Kind.NO_SUCH_PACKAGE,
    Kind.EMPTY_RANGE,
    Kind.FIRST_FIXED_DIFFERS,
    Kind.TABLE_CONTRADICTS_ITSELF,
    Kind.TABLE_CONTRADICTS_TEXT,
    Kind.RANGE_CONTAINS_FIX,
    Kind.ROW_OUTSIDE_RANGE,
    Kind.VERIFIED_BEFORE_RELEASE,
    Kind.VERIFIED_BEFORE_RUN,
    Kind.DATE_IN_FUTURE,
    Kind.PASS_NOT_EXECUTED,
    Kind.PASS_PROVES_NOTHING,
    Kind.REPRODUCTION_NOT_CODE,
    Kind.REPRODUCTION_CANNOT_RUN,
    Kind.SIGNATURE_NEVER_PRINTED,
    Kind.SIGNATURE_WITHOUT_BUG,
)
SEVERITIES = {each: Severity.FALSE if each in _FALSE else Severity.DOUBT for each in Kind}
"""What each kind means for the page, before any run settled it."""

SETTLED_BY_CONFIRMED_FIX = frozenset(
    {
        Kind.FIX_BEFORE_REPORT,
        Kind.RELEASE_BEFORE_REPORT,
        Kind.FIX_SHOWS_BUG,
        Kind.QUOTE_NAMES_OTHER_FIX,
        Kind.FIX_IS_AN_OPTION,
    }
)
"""Reasons to doubt the first fixed release: once it is measured, they are none."""


class Finding(Value):
    """One thing that is wrong with a page."""

    kind: Kind
    severity: Severity
    said: str
    """What is wrong, in a plain sentence."""
    places: tuple[Place, ...]
    """Where the page says it; none where something is missing."""


def finding(kind: Kind, said: str, statements: Iterable[Statement] = ()) -> Finding:
    """A finding about some statements, with the severity of its kind."""
    places = tuple(dict.fromkeys((each.place.line, each.place) for each in statements))
    return Finding(
        kind=kind,
        severity=SEVERITIES[kind],
        said=said,
        places=tuple(place for _, place in places),
    )
