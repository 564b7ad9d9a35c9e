"""Builders of the values that pass between steps, and a world in which a verify runs simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import tomli_w
from hypothesis import settings

from runner.attempt import Attempt, Facts, Loaded
from runner.boundaries import Boundaries
from runner.case import Case, parse
from runner.environment import (
    Failure,
    FailureKind,
    Interpreter,
    Lock,
    Wanted,
    Wheel,
    pins,
)
from runner.findings import (
    CellFindings,
    Conclusion,
    Confirmation,
    Need,
    SeriesFindings,
    Want,
)
from runner.matrix import AsOf, Borrowed, Cell, Role, Series, Universe, series_of, wanted
from runner.metadata import Claims
from runner.outcome import Decision, decide
from runner.plans.kinds import AnyPlan, step
from runner.plans.verify import VerifyPlan
from runner.releases import File, History, Release
from runner.report import Ground, Host, Report
from runner.reporting import build
from runner.sandbox import Ending, EndingKind, Limits, SandboxDescription, SandboxKind, Stream
from runner.verdict import Counts, Judgement, Observation, Reason, Verdict, unresolved

settings.register_profile("unit", deadline=None, derandomize=True, database=None, max_examples=80)
settings.load_profile("unit")

LONG_AGO = datetime(2020, 1, 1, 12, tzinfo=UTC)
"""Upload of the first release of a history that names no times; the next ones come day by day."""
TODAY = datetime(2026, 2, 11, tzinfo=UTC)
LATER = datetime(2026, 2, 11, 16, 52, 29, tzinfo=UTC)
"""Start of the first simulated attempt; the next ones come second by second."""


def a_script(
    *,
    dependencies: Iterable[str] = ("pkg",),
    requires_python: str | None = None,
    uv: Mapping[str, Any] | None = None,
    body: str = "import pkg\n",
    **keys: Any,
) -> str:
    """A PEP 723 script with `keys` under [tool.fixproof]; a key that is None is left out."""
    usual = {"package": "pkg", "title": "A bug", "signature": "^BUG"}
    claim = {} if {"fixed", "broken"} & keys.keys() else {"fixed": "1.2"}
    named = {key: value for key, value in {**usual, **claim, **keys}.items() if value is not None}
    tool: dict[str, Any] = {"fixproof": named}
    if uv is not None:
        tool["uv"] = dict(uv)
    document: dict[str, Any] = {"dependencies": list(dependencies), "tool": tool}
    if requires_python is not None:
        document["requires-python"] = requires_python
    return a_block(tomli_w.dumps(document)) + body


def a_block(toml: str) -> str:
    """A metadata block with this TOML in it."""
    lines = (f"# {line}".rstrip(" ") for line in toml.rstrip("\n").split("\n"))
    return "\n".join(("# /// script", *lines, "# ///", ""))


def read(script: str, case_id: str = "demo") -> Case:
    """The case that a script states, with digests of no meaning."""
    return parse(case_id, script, sha256="5" * 64, body_sha256="b" * 64)


def a_case(case_id: str = "demo", **words: Any) -> Case:
    """A case as `a_script` writes it."""
    return read(a_script(**words), case_id)


def an_interpreter(python: str = "3.11", patch: int = 4) -> Interpreter:
    version = f"{python}.{patch}"
    return Interpreter(
        python=python,
        version=version,
        executable=f"/opt/python/{version}/bin/python{python}",
        prefix=f"/opt/python/{version}",
        platform="linux-x86_64-glibc2.36",
        sha256=sha_of(version),
    )


def a_release(
    version: str,
    *,
    uploaded: datetime | None = LONG_AGO,
    yanked: bool = False,
    requires_python: str = "",
    files: int = 1,
) -> Release:
    """A release of which one file came each hour."""
    return Release(
        version=version,
        files=tuple(
            File(
                name=f"pkg-{version}-{number}-py3-none-any.whl",
                uploaded=uploaded + timedelta(hours=number) if uploaded else None,
                yanked=yanked,
                requires_python=requires_python,
            )
            for number in range(files)
        ),
    )


def a_history(*releases: str | Release) -> History:
    """Releases in the order in which they are named; those named by version came day by day."""
    return History(
        package="pkg",
        releases=tuple(
            each
            if isinstance(each, Release)
            else a_release(each, uploaded=LONG_AGO + timedelta(days=day))
            for day, each in enumerate(releases)
        ),
        fetched=TODAY,
    )


def a_universe(
    history: History,
    *pythons: str,
    as_of: AsOf | datetime = AsOf.RELEASE,
    pinned: dict[str, dict[str, Release]] | None = None,
) -> Universe:
    return Universe(
        history=history,
        pinned=pinned or {},
        interpreters=tuple(an_interpreter(each) for each in pythons or ("3.8",)),
        as_of=as_of,
        today=TODAY,
    )


def sha_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_lock(**versions: str) -> Lock:
    """A lock of pure wheels; `_` in a name stands for `-`."""
    return lock_of({name.replace("_", "-"): version for name, version in versions.items()})


def lock_of(versions: Mapping[str, str]) -> Lock:
    return Lock(
        wheels=tuple(
            Wheel(
                name=name,
                version=version,
                file=f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
                sha256=sha_of(f"{name}=={version}"),
            )
            for name, version in sorted(versions.items())
        )
    )


def a_failure(kind: FailureKind = FailureKind.NO_SOLUTION) -> Failure:
    return Failure(kind=kind, detail="the resolver said no")


class Said(NamedTuple):
    """How one attempt goes."""

    kind: EndingKind = EndingKind.EXIT
    code: int | None = 0
    stdout: bytes = b""


GOOD = Said()
BUG = Said(code=1, stdout=b"BUG: it broke\n")
ERROR = Said(code=1, stdout=b"ImportError\n")
ODD = Said(code=125)
CONTRADICTION = Said(code=0, stdout=b"BUG: it broke\n")
HANG = Said(EndingKind.TIMEOUT, None, b"BUG point reached\n")
NO_HANG = Said(code=0, stdout=b"BUG point reached\n")
KILLED = Said(EndingKind.MEMORY, None)


def an_attempt(
    said: Said = BUG,
    *,
    number: int = 0,
    stdout: bytes | Stream | None = None,
    stderr: bytes | Stream = b"",
    doubled: bool = False,
    reused: bool = False,
    ran: datetime = LATER,
) -> Attempt:
    output = said.stdout if stdout is None else stdout
    return Attempt(
        id=f"attempt-{number}",
        ran=ran,
        ending=Ending(kind=said.kind, code=said.code),
        stdout=output if isinstance(output, Stream) else Stream(head=output),
        stderr=stderr if isinstance(stderr, Stream) else Stream(head=stderr),
        seconds=0.25,
        doubled=doubled,
        reused=reused,
    )


def facts(
    *attempts: Said | Attempt,
    lock: Lock | Failure | None = None,
    loaded: str | None = "1.2",
) -> Facts:
    """What is known of a cell; attempts given by what they said get numbers."""
    return Facts(
        lock=a_lock(pkg="1.2") if lock is None else lock,
        loaded=Loaded(version=loaded, location="/env/pkg/__init__.py"),
        attempts=tuple(
            an_attempt(each, number=number) if isinstance(each, Said) else each
            for number, each in enumerate(attempts)
        ),
    )


# A verify, simulated.


class Trial(NamedTuple):
    """One attempt that a world is asked to make."""

    version: str | None
    """None for a control: the package is not there."""
    dependencies: dict[str, str]
    variant: str | None
    number: int
    """Attempts of this cell before this one."""
    doubled: bool
    cell: str


Behaviour = Callable[[Trial], Said]
Dependencies = dict[str, str] | Failure


def broken_in(*versions: str) -> Behaviour:
    """A deterministic bug of the package: these releases show it, without it nothing runs."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        return BUG if trial.version in versions else GOOD

    return behave


def flaky(rate: float, *versions: str) -> Behaviour:
    """A bug that these releases show at a rate; which attempts do follows from their names."""

    def behave(trial: Trial) -> Said:
        if trial.version is None:
            return ERROR
        drawn = int(sha_of(f"{trial.cell}/{trial.number}")[:8], 16) / 0x100000000
        return BUG if trial.version in versions and drawn < rate else GOOD

    return behave


@dataclass(frozen=True)
class World:
    """Everything that a verify finds out by resolving and running."""

    behave: Behaviour
    dependencies: Callable[[str], Dependencies] = lambda _version: {"dep": "1.0"}
    """Of a release of the package, as released; or why it cannot be installed."""
    allows: Callable[[str, Mapping[str, str]], bool] = lambda _version, _dependencies: True
    """Whether a release can be installed with exactly these."""
    loads: Callable[[str], str | None] = lambda version: version

    def resolve(self, asked: Wanted | Lock) -> Lock | Failure:
        if isinstance(asked, Lock):
            return asked
        if asked.exactly:
            version = asked.exactly["pkg"]
            others = {name: each for name, each in asked.exactly.items() if name != "pkg"}
            possible = self.allows(version, others)
            return lock_of(asked.exactly) if possible else a_failure()
        version = pins(asked.requirements)["pkg"]
        natural = self.dependencies(version)
        return natural if isinstance(natural, Failure) else lock_of({**natural, "pkg": version})


@dataclass
class Simulation:
    """A driver that makes what a plan wants, until it concludes."""

    plan: AnyPlan
    world: World
    facts: dict[str, Facts] = field(default_factory=dict)
    needs: list[Need] = field(default_factory=list)
    made: int = 0
    """Attempts that were made here."""

    def step(self) -> Need | Conclusion:
        return step(self.plan, self.facts)

    def run(
        self,
        choose: Callable[[tuple[Want, ...]], Iterable[Want]] = lambda wants: wants,
        *,
        at_most: int = 3000,
        one_by_one: bool = False,
    ) -> Conclusion:
        """Loop until the conclusion; an AssertionError if it takes more than that many rounds."""
        for _ in range(at_most):
            asked = self.step()
            if isinstance(asked, Conclusion):
                return asked
            self.needs.append(asked)
            for want in choose(asked.wants):
                self.make(want, 1 if one_by_one else want.attempts)
        message = f"no conclusion after {self.made} attempts"
        raise AssertionError(message)

    def make(self, want: Want, attempts: int) -> None:
        """Resolve a cell, or, where that is done, run attempts of it."""
        cell, known = want.cell, self.facts.get(want.cell.id, Facts())
        if known.lock is None:
            self.facts[cell.id] = Facts(lock=self._lock(cell))
            return
        assert isinstance(known.lock, Lock), f"{cell.id} cannot be installed and is asked for"
        if known.loaded is None:
            version = None if cell.control else self.world.loads(cell.version)
            known = known.model_copy(update={"loaded": Loaded(version=version, location=None)})
        for _ in range(attempts):
            known = self._attempt(want, known)
        self.facts[cell.id] = known

    def attempts(self, version: str, suffix: str = "") -> int:
        """How often a release was run, as released or as the suffix says, in all series."""
        return sum(
            len(each.attempts)
            for name, each in self.facts.items()
            if f"/pkg-{version}/" in name and name.partition("@")[2] == suffix
        )

    def _attempt(self, want: Want, known: Facts) -> Facts:
        assert isinstance(known.lock, Lock)
        index = len(known.attempts)
        said = self.world.behave(
            Trial(
                version=None if want.cell.control else want.cell.version,
                dependencies=known.lock.without("pkg").versions(),
                variant=self._series(want.cell).variant,
                number=index,
                doubled=want.doubled,
                cell=want.cell.id,
            )
        )
        attempt = an_attempt(said, doubled=want.doubled, ran=LATER + timedelta(seconds=self.made))
        attempt = attempt.model_copy(update={"id": f"{want.cell.id}#{index}"})
        self.made += 1
        return known.model_copy(update={"attempts": (*known.attempts, attempt)})

    def _lock(self, cell: Cell) -> Lock | Failure:
        locks = {name: f.lock for name, f in self.facts.items() if isinstance(f.lock, Lock)}
        series = self._series(cell)
        return self.world.resolve(wanted(self.plan.case, self.plan.universe, series, cell, locks))

    def _series(self, cell: Cell) -> Series:
        return next(each for each in self.plan.series if each.name == cell.series)


def a_plan(
    case: Case, universe: Universe, *, latest: bool = False, confidence: float = 0.99
) -> VerifyPlan:
    return VerifyPlan(
        case=case,
        universe=universe,
        series=series_of(case, universe),
        latest=latest,
        confidence=confidence,
    )


class Verified(NamedTuple):
    """All that came of a simulated verify."""

    simulation: Simulation
    conclusion: Conclusion
    report: Report

    @property
    def only(self) -> SeriesFindings:
        (series,) = self.conclusion.series
        return series

    @property
    def decision(self) -> Decision:
        return decide(self.only, self.simulation.plan.universe.history)

    @property
    def confirmation(self) -> Confirmation:
        (confirmation,) = self.only.confirmations
        return confirmation

    @property
    def ends(self) -> tuple[str, str]:
        return str(self.report.status), str(self.report.outcome)

    def counts(self, version: str) -> Counts:
        (cell,) = [each for each in self.only.released() if each.cell.version == version]
        return cell.judgement.counts


def verify(plan: VerifyPlan, world: World) -> Verified:
    """Simulate a plan to its end."""
    simulation = Simulation(plan, world)
    conclusion = simulation.run()
    return Verified(simulation, conclusion, a_report(plan, conclusion))


def a_ground(**changes: Any) -> Ground:
    usual: dict[str, Any] = {
        "run": "run-1",
        "kind": "verify",
        "again": "fixproof verify demo --fresh",
        "confidence": 0.99,
        "limits": Limits(),
        "sandbox": SandboxDescription(
            kind=SandboxKind.BUBBLEWRAP, network="none", isolated=True, base="sha256:ba5e"
        ),
        "host": Host(arch="x86_64", kernel="6.1", fixproof="0.1.0", uv="0.9.0"),
    }
    return Ground(**{**usual, **changes})


def a_report(plan: AnyPlan, conclusion: Conclusion, ground: Ground | None = None) -> Report:
    return build(plan.case, plan.universe, conclusion, ground or a_ground())


# Findings made by hand, for what decides over them.

JUDGED = {
    Verdict.PRESENT: Counts(present=3),
    Verdict.ABSENT: Counts(absent=5),
    Verdict.UNRESOLVED: Counts(unresolved=2),
}
ATTEMPTED = {Verdict.PRESENT: BUG, Verdict.ABSENT: GOOD, Verdict.UNRESOLVED: ODD}


def a_finding(
    version: str,
    verdict: Verdict,
    *roles: Role,
    suffix: str = "",
    lock: Lock | Failure | None = None,
    ran: bool = True,
) -> CellFindings:
    """A cell with a verdict and as many attempts as it usually takes."""
    counts = JUDGED[verdict] if ran else Counts()
    number = counts.judged + counts.unresolved
    reason = Reason.EXIT_CODE if verdict is Verdict.UNRESOLVED else None
    said = unresolved(Reason.EXIT_CODE) if reason else Observation(says=verdict)
    control = Role.CONTROL in roles
    borrowed = Borrowed(base="base", own="own") if control or Role.CONFIRM in roles else None
    cell = Cell(
        id=f"demo/pkg-{version}/py3.8{suffix}{'@control' if control else ''}",
        version=version,
        series="py3.8",
        control=control,
        borrowed=borrowed,
    )
    found = facts(*[ATTEMPTED[verdict]] * number, lock=lock or a_lock(pkg=version), loaded=version)
    return CellFindings(
        cell=cell,
        roles=roles,
        facts=found,
        judgement=Judgement(
            verdict=verdict, reason=reason, counts=counts, observations=(said,) * number
        ),
    )


def a_series(
    *cells: CellFindings,
    claims: Claims | None = None,
    interpreter: Interpreter | None = None,
    confirmations: tuple[Confirmation, ...] = (),
    boundaries: Boundaries | None = None,
    missing: tuple[str, ...] = (),
) -> SeriesFindings:
    return SeriesFindings(
        series=Series(
            python="3.8",
            variant=None,
            claims=claims or Claims(fixed=("1.2",)),
            interpreter=interpreter or an_interpreter("3.8"),
        ),
        cells=cells,
        confirmations=confirmations,
        boundaries=boundaries or Boundaries(),
        missing=missing,
    )
