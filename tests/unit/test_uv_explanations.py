"""What is read out of uv's explanations: which wheel is lacking, and which releases would do."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from runner.adapters.uv_explanations import Lacking, lacking_wheel

HINT = (
    "hint: Wheels are required for `{}` because building from source is disabled for all packages"
)
BECAUSE = "  × No solution found when resolving dependencies:\n  ╰─▶ Because {}\n\n      " + HINT

ROWS = [
    ("websockets", "uvicorn==0.8.3 depends on\n      websockets==7.*, we can conclude", "==7.*"),
    ("httptools", "u==1 depends on httptools{python_full_version >= '3.5' and a != 'b'}==0.0.13, we", "==0.0.13"),
    ("h11", "all versions of h11 have no usable wheels and you require h11>=0.8,<0.9, we", ">=0.8,<0.9"),
    ("h11", "a==1 depends on h11>=0.8 and b==1 depends on h11<0.10, we can", ">=0.8,<0.10"),
    ("h11", "a==1 depends on h11 and h11 has no usable wheels, we can", ""),
    ("h11", "a==1 depends on h11x>=2 and other-h11>=3, we can", ""),
    ("a.b", "c==1 depends on a.b~=1.4.2 and you require c==1, we", "~=1.4.2"),
]  # fmt: skip


@pytest.mark.parametrize(("package", "because", "within"), ROWS)
def test_the_lacking_wheel_is_told_with_the_releases_that_would_do(
    package: str, because: str, within: str
) -> None:
    found = lacking_wheel(BECAUSE.format(because, package))
    assert found == Lacking(package, SpecifierSet(within))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Because pkg==1 needs Python>=3.9 and the current Python version is 3.8, we can",
        "hint: h11",
    ],
)
def test_where_no_wheel_is_lacking_nothing_is_to_be_built(said: str) -> None:
    assert lacking_wheel(said) is None
