"""What uv is told of the user's indexes: the same ones in the same order, and how long a page holds."""

from __future__ import annotations

from typing import Any

import pytest

from runner.adapters.uv_configuration import remembered

A, B, C, D = (f"https://{each}.example/simple" for each in "abcd")
TEN_MINUTES = {"api": "max-age=600"}


def table(address: str, **more: Any) -> dict[str, Any]:
    return {"url": address, **more}


ROWS: list[tuple[dict[str, Any], dict[str, str], list[dict[str, Any]]]] = [
    ({"index-url": A}, {}, [table(A, default=True)]),
    ({"index": [table(A, default=True)]}, {}, [table(A, default=True)]),
    ({"index": [table(A, default=True)]}, {"UV_DEFAULT_INDEX": B}, [table(B, default=True)]),
    ({}, {"UV_DEFAULT_INDEX": f"own={A}"}, [table(A, name="own", default=True)]),
    ({}, {"UV_DEFAULT_INDEX": f"{A}?key=1"}, [table(f"{A}?key=1", default=True)]),
    ({"index-url": A}, {"UV_INDEX_URL": B}, [table(B, default=True)]),
    (
        {"index": [table(A, name="a"), table(B, default=True)], "extra-index-url": [C]},
        {},
        [table(A, name="a"), table(C), table(B, default=True)],
    ),
    (
        {"index": [table(A)], "index-url": B},
        {"UV_INDEX": f"{C} d={D}"},
        [table(C), table(D, name="d"), table(A), table(B, default=True)],
    ),
    (
        {"index-url": A, "extra-index-url": [B]},
        {"UV_EXTRA_INDEX_URL": f"{C} {D}"},
        [table(C), table(D), table(B), table(A, default=True)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "environ", "expected"), ROWS)
def test_indexes_keep_the_order_in_which_uv_asks_them_and_their_pages_hold_ten_minutes(
    settings: dict[str, Any], environ: dict[str, str], expected: list[dict[str, Any]]
) -> None:
    told, rest = remembered(settings, {**environ, "HOME": "/home"})
    order = [
        {name: x for name, x in each.items() if name != "cache-control"} for each in told["index"]
    ]
    assert sorted(order, key=lambda each: bool(each.get("default"))) == expected
    assert all(each["cache-control"] == TEN_MINUTES for each in told["index"])
    assert {*told} == {"index"}
    assert rest == {"HOME": "/home"}


def test_where_nothing_is_set_the_public_index_is_asked_and_its_files_stay_as_they_are() -> None:
    told, _ = remembered({"keyring-provider": "subprocess"}, {})
    assert told["keyring-provider"] == "subprocess"
    (public,) = told["index"]
    assert public["default"]
    assert public["cache-control"]["files"].endswith("immutable")


def test_where_no_index_is_to_be_asked_none_is_added() -> None:
    told, _ = remembered({"no-index": True, "find-links": ["/wheels"]}, {})
    assert told == {"no-index": True, "find-links": ["/wheels"], "index": []}


@pytest.mark.parametrize(
    "address", ["https://user:secret@a.example/simple", "own=https://u:p@a.example/", "./folder"]
)
@pytest.mark.parametrize("variable", ["UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL"])
def test_an_address_with_a_password_stays_in_its_variable_and_so_does_a_folder(
    variable: str, address: str
) -> None:
    settings, environ = {"index-url": A}, {variable: address}
    assert remembered(settings, environ) == (settings, environ)


@pytest.mark.parametrize("own", [{"cache-control": {"api": "no-store"}}, {"format": "flat"}])
def test_what_the_user_says_of_an_index_is_kept(own: dict[str, Any]) -> None:
    told, _ = remembered({"index": [table(A, default=True, **own)]}, {})
    assert told["index"] == [table(A, default=True, **own)]
