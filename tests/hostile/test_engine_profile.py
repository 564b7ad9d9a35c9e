"""The profile for container engines says of every call what the filter of system calls says."""

from __future__ import annotations

import errno
import json
import random
from pathlib import Path
from typing import Any, cast

import pytest

from runner.adapters.container_engine import Engine
from runner.adapters.containers import profile_for, security
from runner.adapters.engine_profile import ALLOWED, engine_profile
from runner.adapters.system_calls import ARCHITECTURES, DENIED
from tests.hostile.test_system_calls import CALLS, ROWS, decided, refused

BY_ARGUMENTS = ("clone", "ioctl", "personality", "socket", "socketpair")
SECCOMP = {"Architecture": "x86_64", "SecurityOptions": ["name=seccomp,profile=default"]}


def profile() -> dict[str, Any]:
    found = engine_profile("x86_64")
    assert found is not None
    return cast("dict[str, Any]", json.loads(found))


PROFILE = profile()


def fits(rule: dict[str, Any], arguments: tuple[int, ...]) -> bool:
    padded = (*arguments, *[0] * (6 - len(arguments)))
    return all(
        test["op"] == "SCMP_CMP_MASKED_EQ"
        and padded[test["index"]] & test["value"] == test["valueTwo"]
        for test in rule.get("args", [])
    )


def told(name: str, arguments: tuple[int, ...] = ()) -> int:
    """What an engine makes of a call; of two rules for it, nobody knows which would hold."""
    rules = [each for each in PROFILE["syscalls"] if name in each["names"]]
    fitting = [each for each in rules if fits(each, arguments)]
    assert len(fitting) <= 1
    if not fitting:
        return refused(PROFILE["defaultErrnoRet"])
    allowed = fitting[0]["action"] == "SCMP_ACT_ALLOW"
    return refused(0 if allowed else fitting[0]["errnoRet"])


@pytest.mark.parametrize(("name", "arguments", "error"), ROWS.values(), ids=ROWS)
def test_what_depends_on_arguments(name: str, arguments: tuple[int, ...], error: int) -> None:
    assert told(name, arguments) == refused(error)


@pytest.mark.parametrize("name", BY_ARGUMENTS)
def test_any_arguments_are_told_the_same_by_both(name: str) -> None:
    chance = random.Random(name)
    special = (0, 1, 2, 10, 16, 40, 0x5412, 0x541C, 0x7E020000, 0xFFFFFFFF)
    for _ in range(3000):
        arguments = tuple(
            (chance.choice(special) ^ chance.choice((0, 0, 1 << chance.randrange(32))))
            | chance.choice((0, 0, 1 << 32, 0xFFFFFFFF << 32))
            for _ in range(3)
        )
        assert told(name, arguments) == decided("x86_64", CALLS[name]["x86_64"], arguments)


def test_what_is_denied_in_any_case() -> None:
    assert {told(name) for name in DENIED} == {refused(errno.EPERM)}


def test_what_nobody_named_is_not_there() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert told("a_call_of_next_year") == refused(errno.ENOSYS)


def test_no_call_is_both_allowed_and_not() -> None:
    assert len(set(ALLOWED)) == len(ALLOWED) > 280
    assert not set(ALLOWED) & {*DENIED, *BY_ARGUMENTS, "clone3"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_only_the_engines_own_architecture_is_let_through(architecture: str) -> None:
    told_all = json.loads(engine_profile(architecture) or "")
    assert told_all["architectures"] == [f"SCMP_ARCH_{architecture.upper()}"]
    assert "archMap" not in told_all


def test_there_is_no_profile_for_other_machines() -> None:
    assert engine_profile("riscv64") is None


@pytest.mark.parametrize(
    ("info", "told_of"),
    [
        (SECCOMP, True),
        ({**SECCOMP, "SecurityOptions": ["name=apparmor"]}, False),
        ({**SECCOMP, "SecurityOptions": None}, False),
        ({**SECCOMP, "Architecture": "s390x"}, False),
        ({**SECCOMP, "BuildahVersion": "1.33"}, False),
    ],
    ids=["has filters", "has none", "says nothing", "another machine", "Podman"],
)
def test_an_engine_is_told_where_it_can_be(info: dict[str, Any], *, told_of: bool) -> None:
    assert (profile_for(an_engine(info)) is not None) is told_of


def an_engine(info: dict[str, Any]) -> Engine:
    engine = Engine()
    engine.__dict__["info"] = info
    return engine


def test_podman_is_told_by_a_file(tmp_path: Path) -> None:
    told = [
        security(
            an_engine({**SECCOMP, "Architecture": name, "BuildahVersion": "1"}), tmp_path / "x"
        )
        for name in ("amd64", "x86_64")
    ]
    assert told[0] == told[1]
    path = Path(told[0][1].removeprefix("seccomp="))
    assert path.parent == tmp_path / "x"
    assert path.read_text() == engine_profile("x86_64")
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_machine_that_has_no_filters_gets_no_file(tmp_path: Path) -> None:
    engine = an_engine({**SECCOMP, "Architecture": "s390x", "BuildahVersion": "1"})
    assert security(engine, tmp_path) == ["no-new-privileges"]
    assert list(tmp_path.iterdir()) == []
