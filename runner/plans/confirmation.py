"""Whether a boundary is the package's own: one set of dependencies on both sides of it."""

from __future__ import annotations

from typing import NamedTuple

from runner.case import Case
from runner.environment import Difference, Lock
from runner.findings import Confirmation, ConfirmationResult, Want
from runner.matrix import Borrowed, Cell, Role
from runner.plans.sampling import Sample, Sampling
from runner.value import Value
from runner.verdict import Verdict

MOST_SWAPS = 8
"""Dependencies that are tried one at a time, at most, to find the one that a verdict follows."""


class Boundary(Value):
    """Two neighbours that disagree."""

    older: Sample
    newer: Sample


class Step(NamedTuple):
    """Where a confirmation stands: what to run next, or how it ended, and the cells it used."""

    outcome: tuple[Want, ...] | Confirmation
    samples: tuple[Sample, ...] = ()


def confirm(case: Case, sampling: Sampling, boundary: Boundary) -> Step:
    """Hold the dependencies still: the newer side's first, then the older's.

    Under either set, the package alone deciding the verdict confirms the boundary. It is
    contradicted where under no set it does and under one it demonstrably does not.
    """
    older, newer = boundary.older.cell, boundary.newer.cell
    locks = sampling.facts_of(older).lock, sampling.facts_of(newer).lock
    if not isinstance(locks[0], Lock) or not isinstance(locks[1], Lock):
        raise AssertionError(f"a boundary between {older.id} and {newer.id} that never ran")
    differs = locks[0].differences(locks[1], apart_from=case.package)
    stated = Confirmation(
        older=older.version, newer=newer.version, result=ConfirmationResult.SAME, differs=differs
    )
    if not differs:
        return Step(stated)
    return _try_both_sets(sampling, boundary, stated)


def _try_both_sets(sampling: Sampling, boundary: Boundary, stated: Confirmation) -> Step:
    samples: list[Sample] = []
    contradicted = False
    for natural, base in ((boundary.older, boundary.newer), (boundary.newer, boundary.older)):
        sample = _with_dependencies_of(natural.cell, base.cell)
        samples.append(sample)
        wants = sampling.wants([sample])
        if wants:
            return Step(wants, tuple(samples))
        says, expected = sampling.judge(sample).verdict, sampling.judge(natural).verdict
        if says is expected:
            cells = (sample.cell.id,)
            return Step(stated.model_copy(update={"cells": cells}), tuple(samples))
        contradicted = contradicted or says is not Verdict.UNRESOLVED
    ids = tuple(each.cell.id for each in samples)
    if not contradicted:
        update = {"result": ConfirmationResult.IMPOSSIBLE, "cells": ids}
        return Step(stated.model_copy(update=update), tuple(samples))
    update = {"result": ConfirmationResult.DIFFERS, "cells": ids}
    return _find_followed(sampling, boundary, stated.model_copy(update=update), samples)


def _find_followed(
    sampling: Sampling, boundary: Boundary, stated: Confirmation, samples: list[Sample]
) -> Step:
    """Move one dependency at a time to the newer side's release until the verdict turns."""
    if len(stated.differs) == 1:
        return Step(stated.model_copy(update={"follows": stated.differs[0]}), tuple(samples))
    turned = sampling.judge(boundary.newer).verdict
    for difference in stated.differs[:MOST_SWAPS]:
        sample = _with_one_moved(boundary, difference)
        samples.append(sample)
        wants = sampling.wants([sample])
        if wants:
            return Step(wants, tuple(samples))
        if sampling.judge(sample).verdict is turned:
            return Step(stated.model_copy(update={"follows": difference}), tuple(samples))
    return Step(stated, tuple(samples))


def _with_dependencies_of(cell: Cell, base: Cell) -> Sample:
    of = "candidate" if base.candidate else base.version
    update = {
        "id": f"{cell.plain_id}@deps={of}",
        "borrowed": Borrowed(base=base.id, own=cell.id),
    }
    return Sample(cell=cell.model_copy(update=update), roles=(Role.CONFIRM,))


def _with_one_moved(boundary: Boundary, moved: Difference) -> Sample:
    older, newer = boundary.older.cell, boundary.newer.cell
    borrowed = Borrowed(base=older.id, own=older.id, swapped=moved.package, source=newer.id)
    name = f"{older.plain_id}@{moved.package}={moved.newer or 'absent'}"
    cell = older.model_copy(update={"id": name, "borrowed": borrowed})
    return Sample(cell=cell, roles=(Role.CONFIRM,))
