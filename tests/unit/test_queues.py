"""Whose turn it is, and which worker serves which queue."""

from __future__ import annotations

import pytest

from runner.queues import Capability, Priority, intake_of, priority_of, queue_of, queues_for

HERE = Capability(arch="x86_64", sandbox="docker")
ELSEWHERE = Capability(arch="aarch64", sandbox="bubblewrap")


def test_what_was_begun_goes_before_what_is_new_and_on_demand_before_nightly() -> None:
    assert queues_for(HERE) == (
        "0-on-demand.begun.x86_64.docker",
        "0-on-demand.new.any.any",
        "0-on-demand.new.any.docker",
        "0-on-demand.new.x86_64.any",
        "0-on-demand.new.x86_64.docker",
        "1-nightly.begun.x86_64.docker",
        "1-nightly.new.any.any",
        "1-nightly.new.any.docker",
        "1-nightly.new.x86_64.any",
        "1-nightly.new.x86_64.docker",
    )


def test_without_intake_only_what_was_begun_goes_on() -> None:
    queues = queues_for(HERE, intake=False)
    assert queues == ("0-on-demand.begun.x86_64.docker", "1-nightly.begun.x86_64.docker")


@pytest.mark.parametrize("arch", ["any", "x86_64", "aarch64"])
@pytest.mark.parametrize("sandbox", ["any", "docker", "bubblewrap"])
def test_a_run_comes_to_workers_that_have_what_it_needs(arch: str, sandbox: str) -> None:
    needed = Capability(arch=arch, sandbox=sandbox)
    for offered in (HERE, ELSEWHERE):
        fits = arch in ("any", offered.arch) and sandbox in ("any", offered.sandbox)
        assert (intake_of(Priority.NIGHTLY, needed) in queues_for(offered)) is fits


def test_a_queue_says_its_priority() -> None:
    for priority in Priority:
        assert priority_of(queue_of(priority, HERE)) is priority
        assert priority_of(intake_of(priority, HERE)) is priority
