"""One cell of a case, ready to be installed and run by hand; nothing of it is kept."""

from __future__ import annotations

from typing import NamedTuple

from runner.asking import prepared_plan
from runner.attempt import Facts
from runner.environment import Environment, Failure
from runner.errors import CannotInstall, WrongUsage
from runner.matrix import Cell, cell_of, suffix_of
from runner.options import Options
from runner.plans.kinds import AnyPlan
from runner.releases import History
from runner.runs import Listener, Runs
from runner.wiring import Program

Installed = tuple[Runs, Environment, Facts]
"""A service that runs things in an environment, and what is known of it."""


class Prepared(NamedTuple):
    """One cell, and what it is part of."""

    program: Program
    plan: AnyPlan
    cell: Cell
    options: Options

    def install(self, listener: Listener) -> Installed:
        """The service that runs things, its environment, and what is known of it.

        Raises:
            CannotInstall: no environment can be made; the message says what the resolver said.
        """
        job = self.program.job(None, self.plan.kind, self.plan.case, self.options)
        service = Runs(self.program, job, self.plan, listener)
        facts = service.resolve(self.cell, {})
        environment: Environment | None = None
        if not isinstance(facts.lock, Failure):
            environment, facts = service.install(self.cell, facts)
        if isinstance(facts.lock, Failure):
            raise CannotInstall(
                f"{self.cell.id} cannot be installed ({facts.lock.kind})",
                hint=facts.lock.detail,
                case=self.plan.case.id,
            )
        if environment is None:
            raise AssertionError(f"{self.cell.id} has neither an environment nor a failure")
        return service, environment, facts


def one(
    program: Program, named: str, release: str, options: Options, listener: Listener
) -> Prepared:
    """Everything to run one release of a case once, as its author asks for it."""
    plan = prepared_plan(program, "verify", named, options, listener)
    found = plan.universe.history.find(release)
    if found is None:
        raise WrongUsage(
            f"the package index has no release {release} of {plan.case.package}",
            hint=f"The newest one is {_newest(plan.universe.history)}.",
            case=plan.case.id,
        )
    series = next((each for each in plan.series if each.interpreter), None)
    if series is None:
        wanted = " or ".join(dict.fromkeys(each.python for each in plan.series))
        here = ", ".join(each.python for each in plan.universe.interpreters)
        raise WrongUsage(
            plan.series[0].note or f"Python {wanted} is not at hand",
            hint=f"At hand are {here}; another is found on PATH or where pyenv and uv put it.",
            case=plan.case.id,
        )
    cell = cell_of(plan.case, series, found.version, suffix_of(plan.universe.as_of))
    return Prepared(program=program, plan=plan, cell=cell, options=options)


def _newest(history: History) -> str:
    latest = history.latest()
    return latest.version if latest else "none"
