"""Which Python a case runs on where it names none, and which ones anybody has heard of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from packaging.version import Version

from runner.candidate import Candidate
from runner.case import Case
from runner.environment import Interpreter
from runner.errors import WrongUsage
from runner.releases import History, Release, satisfies

PYTHON_RELEASED = {
    "3.6": date(2016, 12, 23),
    "3.7": date(2018, 6, 27),
    "3.8": date(2019, 10, 14),
    "3.9": date(2020, 10, 5),
    "3.10": date(2021, 10, 4),
    "3.11": date(2022, 10, 24),
    "3.12": date(2023, 10, 2),
    "3.13": date(2024, 10, 7),
    "3.14": date(2025, 10, 7),
    "3.15": date(2026, 10, 1),
}
"""First final release of each Python, from its release schedule (PEP 494 and its successors)."""


def usual_python(
    case: Case,
    history: History,
    interpreters: Sequence[Interpreter],
    candidate: Candidate | None,
) -> tuple[str | None, str | None]:
    """The interpreter of a case that names none, and what to say of the choice.

    The newest at hand that existed when the oldest claimed release or its predecessor was
    published and that these and the script allow; where only newer ones are at hand, the oldest.
    """
    releases = _claimed_releases(case, history, candidate)
    allowed = [
        each
        for each in interpreters
        if satisfies(each.version, case.requires_python)
        and all(release.allows(each.version) for release in releases)
        and (candidate is None or candidate.allows(each.version, each.platform))
    ]
    if not allowed:
        whom = (
            "the script, the releases and the candidate"
            if candidate
            else "the script and the releases"
        )
        return None, f"no interpreter at hand is allowed by {whom}"
    dates = [each.uploaded.date() for each in releases if each.uploaded]
    if not dates:
        return allowed[-1].python, None
    published = min(dates)
    existed = [each for each in allowed if _released(each.python) <= published]
    if existed:
        return existed[-1].python, None
    note = (
        f"Python {allowed[0].python} is newer than the oldest release judged here "
        f"({published}); no interpreter of that time is at hand"
        f"{' that the candidate allows' if candidate else ''}"
    )
    return allowed[0].python, note


def _claimed_releases(case: Case, history: History, candidate: Candidate | None) -> list[Release]:
    """What the claims of all variants name, as far as it exists, with its predecessors.

    Fixed releases count only where they run: a candidate stands in for them. What is below a broken
    one that does not exist says nothing: below a number out of the air it may be the newest of all.
    """
    claims = [case.claims(variant) for variant in case.variant_names()]
    fixed = {version for each in claims for version in each.fixed}
    named = fixed | {version for each in claims for version in each.broken}
    before = [history.predecessor(each) for each in named if each in fixed or history.find(each)]
    run = {version for each in claims for version in each.broken} if candidate else named
    found = [history.find(version) for version in sorted(run, key=Version)]
    return [each for each in (*found, *before) if each is not None]


def _released(python: str) -> date:
    return PYTHON_RELEASED.get(python, date.max)


def refuse_unknown(pythons: Iterable[str], at_hand: Iterable[str], case: Case) -> None:
    """Refuse Pythons that are neither at hand nor in the release schedule.

    Raises:
        WrongUsage: nobody ever heard of one of them.
    """
    known = {*PYTHON_RELEASED, *at_hand}
    for python in pythons:
        if python not in known:
            raise WrongUsage(
                f"nobody has heard of Python {python}",
                hint=f"Known are {', '.join(sorted(known, key=Version))}.",
                case=case.id,
            )
