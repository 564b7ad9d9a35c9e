"""Locks: how they are read, kept, compared and named; and as of when they are made."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from runner.environment import (
    SETTLED,
    Difference,
    Lock,
    Wanted,
    Wheel,
    admitted_until,
    cutoff,
    environment_digest,
    pinned_requirement,
    pins,
)
from runner.releases import Release
from tests.builders import LONG_AGO, a_case, a_lock, a_release, an_interpreter, lock_of, sha_of

SECOND = timedelta(seconds=1)
SECRET = "https://user:token@index.example/files"


def a_pylock(*files: str, name: str = "pkg", version: str = "1.0") -> str:
    """A lock of one package as a resolver writes it, with addresses."""
    wheels = [{"url": f"{SECRET}/{each}", "hashes": {"sha256": sha_of(each)}} for each in files]
    package = {"name": name, "version": version, "index": SECRET, "wheels": wheels}
    return tomli_w.dumps({"lock-version": "1.0", "created-by": "uv", "packages": [package]})


CHOICES = [
    ("py3-none-any", ["py3-none-any", "py2.py3-none-any"]),
    ("cp38-cp38-manylinux2014_x86_64", ["cp38-cp38-manylinux1_x86_64", "cp38-cp38-manylinux2014_x86_64"]),
    ("cp38-cp38-manylinux2014_x86_64", ["cp38-cp38-manylinux2014_x86_64", "cp38-cp38-manylinux2010_x86_64"]),
    ("cp38-cp38-manylinux_2_28_x86_64", ["cp38-cp38-manylinux_2_28_x86_64", "cp38-cp38-manylinux2014_x86_64"]),
    ("cp38-cp38-manylinux_2_5_x86_64.manylinux1_x86_64", ["cp38-cp38-manylinux_2_5_x86_64.manylinux1_x86_64", "py3-none-any"]),
    ("cp311-cp311-manylinux2014_x86_64", ["py3-none-any", "cp311-cp311-manylinux2014_x86_64"]),
    ("cp38-cp38-linux_x86_64", ["cp38-cp38-linux_x86_64", "py2.py3-none-any"]),
    ("cp36-abi3-manylinux2014_x86_64", ["py3-none-any", "cp36-abi3-manylinux2014_x86_64"]),
    ("cp38-cp38-manylinux1_x86_64", ["cp36-abi3-manylinux_2_28_x86_64", "cp38-cp38-manylinux1_x86_64"]),
    ("py3-none-manylinux2014_x86_64", ["py3-none-any", "py3-none-manylinux2014_x86_64"]),
    ("cp38-cp38-musllinux_1_2_x86_64", ["cp38-cp38-musllinux_1_1_x86_64", "cp38-cp38-musllinux_1_2_x86_64"]),
    ("cp311-abi3-manylinux_2_28_x86_64", ["cp37-abi3-manylinux_2_28_x86_64", "cp311-abi3-manylinux_2_28_x86_64"]),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "offered"), CHOICES)
def test_of_several_wheels_that_fit_the_most_specific_is_locked(
    chosen: str, offered: list[str]
) -> None:
    files = [f"pkg-1.0-{each}.whl" for each in offered]
    for order in (files, files[::-1]):
        (wheel,) = Lock.parse(a_pylock(*order)).wheels
        assert wheel.file == f"pkg-1.0-{chosen}.whl"
        assert wheel.sha256 == sha_of(wheel.file)


def test_of_two_builds_of_one_wheel_the_later_is_locked() -> None:
    (wheel,) = Lock.parse(a_pylock("pkg-1.0-py3-none-any.whl", "pkg-1.0-2-py3-none-any.whl")).wheels
    assert wheel.file == "pkg-1.0-2-py3-none-any.whl"


def test_a_lock_of_one_wheel_is_read_without_addresses_and_credentials() -> None:
    text = a_pylock("My_Pkg-1.0%2Blocal-py3-none-any.whl", name="My.Pkg", version="1.0+local")
    lock = Lock.parse(text)
    assert lock.wheels == (
        Wheel(
            name="my-pkg",
            version="1.0+local",
            file="My_Pkg-1.0+local-py3-none-any.whl",
            sha256=sha_of("My_Pkg-1.0%2Blocal-py3-none-any.whl"),
        ),
    )
    assert "token" not in lock.pylock()
    assert "://" not in lock.pylock()


def test_a_package_without_a_wheel_is_no_lock() -> None:
    with pytest.raises(ValueError, match="pkg has no wheel"):
        Lock.parse(a_pylock())


def test_a_lock_of_nothing_is_empty() -> None:
    assert Lock.parse('lock-version = "1.0"\ncreated-by = "uv"\npackages = []') == Lock(wheels=())


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,3}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]\.[0-9]", fullmatch=True)
LOCKS = st.dictionaries(NAMES, NUMBERS, max_size=5).map(lock_of)


@given(LOCKS)
def test_a_lock_survives_being_kept(lock: Lock) -> None:
    kept = lock.pylock()
    assert Lock.parse(kept) == lock
    assert Lock.parse(kept).pylock() == kept
    assert "://" not in kept


@given(LOCKS, LOCKS)
def test_a_digest_names_the_wheels_and_nothing_else(one: Lock, other: Lock) -> None:
    same = {each.sha256 for each in one.wheels} == {each.sha256 for each in other.wheels}
    assert (one.sha256 == other.sha256) is same
    assert Lock(wheels=one.wheels[::-1]).sha256 == one.sha256


@given(LOCKS)
def test_an_environment_is_named_by_wheels_interpreter_and_platform(lock: Lock) -> None:
    interpreter = an_interpreter("3.8")
    named = environment_digest(lock, interpreter)
    moved = interpreter.model_copy(update={"executable": "/elsewhere", "prefix": "/elsewhere"})
    musl = interpreter.model_copy(update={"platform": "linux-x86_64-musl1.2"})
    assert environment_digest(Lock(wheels=lock.wheels[::-1]), interpreter) == named
    assert environment_digest(lock, moved) == named
    assert environment_digest(lock, musl) != named
    assert environment_digest(lock, an_interpreter("3.8", patch=5)) != named
    more = Lock(wheels=(*lock.wheels, *a_lock(zzzzzz="1").wheels))
    assert environment_digest(more, interpreter) != named


def test_the_control_has_everything_but_the_package() -> None:
    assert a_lock(pkg="1", dep="2", pkg_more="3").without("pkg") == a_lock(dep="2", pkg_more="3")


@given(LOCKS, NAMES)
def test_taking_a_package_away_takes_nothing_else(lock: Lock, name: str) -> None:
    rest = lock.without(name).versions()
    assert rest == {key: each for key, each in lock.versions().items() if key != name}


def test_differences_are_what_else_is_not_the_same_by_name() -> None:
    older = a_lock(pkg="1.0", same="1", changed="1", gone="1")
    newer = a_lock(pkg="1.1", same="1", changed="2", added="1")
    assert older.differences(newer, apart_from="pkg") == (
        Difference(package="added", older=None, newer="1"),
        Difference(package="changed", older="1", newer="2"),
        Difference(package="gone", older="1", newer=None),
    )
    assert [str(each) for each in older.differences(newer, apart_from="pkg")] == [
        "added absent → 1",
        "changed 1 → 2",
        "gone 1 → absent",
    ]


@given(LOCKS, LOCKS)
def test_differences_are_the_same_from_both_sides(one: Lock, other: Lock) -> None:
    there = one.differences(other, apart_from="pkg")
    back = other.differences(one, apart_from="pkg")
    assert [(each.package, each.older, each.newer) for each in there] == [
        (each.package, each.newer, each.older) for each in back
    ]
    assert one.differences(one, apart_from="pkg") == ()


UPLOADS: list[tuple[list[Release], timedelta | None]] = [
    ([a_release("1")], timedelta(0)),
    ([a_release("1", files=5)], timedelta(0)),
    ([a_release("1"), a_release("2", uploaded=LONG_AGO + timedelta(days=3))], timedelta(days=3)),
    ([a_release("2", uploaded=LONG_AGO + timedelta(days=3)), a_release("1")], timedelta(days=3)),
    ([a_release("1", uploaded=None)], None),
    ([a_release("1"), a_release("2", uploaded=None)], None),
    ([], None),
]


@pytest.mark.parametrize(("pinned", "after"), UPLOADS)
def test_the_cut_off_is_one_second_after_the_latest_first_upload(
    pinned: list[Release], after: timedelta | None
) -> None:
    expected = None if after is None else LONG_AGO + after + SECOND
    assert cutoff(tuple(pinned)) == expected


def test_all_files_of_a_release_are_admitted_whenever_they_came() -> None:
    release = a_release("1", files=5)
    assert admitted_until(release) == LONG_AGO + timedelta(hours=4) + SECOND
    assert admitted_until(a_release("1", uploaded=None)) is None


def test_pins_are_exact_versions_by_normalised_name() -> None:
    found = pins(("H_11==0.9", "a>=1", "b==1.*", "c===2.0", "d~=1.0", "e==1,>0", "f"))
    assert found == {"h-11": "0.9", "c": "2.0", "e": "1"}


@pytest.mark.parametrize(
    ("own", "pinned"),
    [
        ("pkg", "pkg==1.1"),
        ("pkg>=1,<2", "pkg==1.1"),
        ("Pkg[b,a]>=1", "Pkg[a,b]==1.1"),
    ],
)
def test_the_requirement_of_the_package_is_pinned_to_one_release(own: str, pinned: str) -> None:
    assert pinned_requirement(a_case(dependencies=[own]), "1.1") == pinned


NOW = LONG_AGO + timedelta(days=1000)
RECENTLY = NOW - SETTLED


@pytest.mark.parametrize(
    ("as_of", "admitted", "expected"),
    [
        (LONG_AGO, {}, True),
        (RECENTLY - SECOND, {}, True),
        (RECENTLY, {}, False),
        (NOW, {}, False),
        (None, {}, False),
        (None, {"pkg": LONG_AGO}, False),
        (LONG_AGO, {"pkg": LONG_AGO + SECOND}, True),
        (LONG_AGO, {"pkg": LONG_AGO, "other": RECENTLY}, False),
    ],
)
def test_only_what_was_long_ago_may_be_read_from_a_page_of_a_few_minutes_ago(
    as_of: datetime | None,
    admitted: dict[str, datetime],
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    wanted = Wanted(
        requirements=("pkg==1",), interpreter=an_interpreter(), as_of=as_of, admitted=admitted
    )
    assert wanted.long_ago(NOW) is expected
