"""Whether bisect and sweep find what is true of the cases in `repros/`: `make boundaries`.

python -m tests.boundaries [--all] [CASE...]

Each case is searched, then swept: real releases, in bubblewrap, each time in a home that has run
nothing. Only what uv fetched and what was built goes from one home to the next. It exits 1 where the
two contradict each other, or what is known to be true. With `--all`, also over the releases whose
dependencies have to be built: that takes an hour or more.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from packaging.version import Version

from tests.e2e.command import Fixproof, Result

REPROS = Path(__file__).parents[1] / "repros"
JOBS = ("--jobs", "4")
"""The scripts wait more than they work."""
CACHES = ("store/uv-cache", "store/built")
"""What says nothing of a verdict, and takes long to get."""
SAID = ("present", "absent")


class Answer(NamedTuple):
    """What there is to say of a case in one of its variants."""

    first_broken: str | None = None
    first_fixed: str | None = None
    shown: bool = True
    """Whether any release shows the bug."""
    follows: str | None = None
    """The dependency, and its releases, that the verdict follows at some place."""


TRUE = {
    "uvicorn-824/h11": Answer(first_fixed="0.12.3"),
    "uvicorn-824/httptools": Answer(first_fixed="0.12.3"),
    "uvicorn-1344/websockets": Answer(first_fixed="0.21.0"),
    "uvicorn-1344/wsproto": Answer(shown=False),
    "uvicorn-1778/websockets": Answer(first_broken="0.20.0"),
    "uvicorn-1778/wsproto": Answer(first_broken="0.20.0"),
    "uvicorn-451/default": Answer(),
    "uvicorn-451/option": Answer(first_fixed="0.22.0"),
    "uvicorn-868/h11": Answer(follows="wsproto 0.15.0 → 1.0.0"),
    "uvicorn-868/httptools": Answer(follows="wsproto 0.15.0 → 1.0.0"),
    "uvicorn-868/pinned": Answer(shown=False),
}
"""By case and variant; docs/cases.md tells why. What no bound is named of shows it up to the end."""
RECENT = ">=0.12"
"""Older ones require parts that have no wheels, and build on old Pythons only."""
ENOUGH = {"uvicorn-1344": ("--python", "3.11")}
"""Of several Pythons the one on which most releases can be judged."""


class Found(NamedTuple):
    """What one run says of one series."""

    answer: Answer
    ranges: Mapping[str, Mapping[str, Any] | None]
    """Where the bug came and where it went, as far as that was narrowed down."""
    verdicts: Mapping[str, str]
    cost: str
    summary: str


def found(report: Mapping[str, Any]) -> dict[str, Found]:
    """What a report says of each series, by the name that their cells share."""
    case = report["case"]["id"]
    return {
        f"{case}/py{each['python']}/{each['variant']}": _of_series(report, each)
        for each in report["series"]
    }


def _of_series(report: Mapping[str, Any], series: Mapping[str, Any]) -> Found:
    measured, follows = series["measured"], (series["confirmation"] or {}).get("follows")
    said = (follows["package"], follows["older"], "→", follows["newer"]) if follows else ()
    return Found(
        answer=Answer(
            first_broken=measured["first_broken"],
            first_fixed=measured["first_fixed"],
            shown=measured["last_broken"] is not None,
            follows=" ".join(said) or None,
        ),
        ranges={"fixed_in": measured["fixed_in"], "broken_in": series["broken_in"]},
        verdicts={
            each["version"]: each["verdict"]
            for each in report["cells"]
            if each["id"] in _released(report, series) and each["verdict"] in SAID
        },
        cost=f"{measured['attempts']} ({len(measured['tested'])} of {len(series['window'])})",
        summary=series["summary"],
    )


def _released(report: Mapping[str, Any], series: Mapping[str, Any]) -> set[str]:
    """Ids of the cells of a series that are releases as they were."""
    end = f"/py{series['python']}/{series['variant']}"
    return {each["id"] for each in report["cells"] if each["id"].endswith(end)}


def wrong(name: str, bisected: Found, swept: Found) -> Iterator[str]:
    """What two runs say that is not true, or that the sweep does not bear out."""
    case, _, variant = name.split("/")
    true = TRUE.get(f"{case}/{variant}")
    for kind, each in (("bisect", bisected), ("sweep", swept)):
        if each.answer != true:
            yield f"{kind} says {each.answer}, and true is {true}"
    for at in sorted({*bisected.verdicts} & {*swept.verdicts}, key=Version):
        if bisected.verdicts[at] != swept.verdicts[at]:
            yield f"{at} is {bisected.verdicts[at]} by bisect, {swept.verdicts[at]} by sweep"
    for change, narrowed in bisected.ranges.items():
        if narrowed and not _encloses(narrowed, swept.ranges[change]):
            yield f"{change} is {narrowed} by bisect, {swept.ranges[change]} by sweep"


def _encloses(wide: Mapping[str, Any], narrow: Mapping[str, Any] | None) -> bool:
    """Whether all that a range excludes is excluded by another, too."""
    if narrow is None:
        return False
    after, by = narrow["after"], narrow["by"]
    from_below = wide["after"] is None or (after and Version(after) >= Version(wide["after"]))
    from_above = wide["by"] is None or (by and Version(by) <= Version(wide["by"]))
    return bool(from_below and from_above)


class Homes:
    """One fresh home after the other; only caches are handed on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._last: Path | None = None

    def next(self) -> Path:
        home = self._folder / str(next(self._numbers))
        (home / "store").mkdir(parents=True)
        if self._last:
            for each in CACHES:
                if (self._last / each).exists():
                    (self._last / each).rename(home / each)
            shutil.rmtree(self._last)
        self._last = home
        return home


def run(kind: str, case: Path, home: Path) -> dict[str, Found]:
    """Search or sweep a case, however long it takes."""
    fixproof = Fixproof(home, None, REPROS.parent)
    words = (kind, case, *ENOUGH.get(case.stem, ()), *JOBS, "--json")
    with fixproof.started(*words) as process:
        stdout, stderr = process.communicate()
    report = Result(process.returncode, stdout, stderr.decode(errors="replace")).document
    if report["schema"] != "fixproof.report/1":
        raise SystemExit(f"{kind} of {case.stem} made no report: {report}")
    return found(report)


def recent(case: Path, folder: Path) -> Path:
    """The same case, of a window that takes minutes."""
    text = case.read_text(encoding="utf-8")
    if "\n# versions " not in text:
        table = "# [tool.fixproof]\n"
        text = text.replace(table, f'{table}# versions = "{RECENT}"\n', 1)
    copy = folder / case.name
    copy.write_text(text, encoding="utf-8")
    return copy


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command


def main(*names: str, whole: bool = False) -> int:
    """How many series something is wrong with."""
    cases = [REPROS / f"{each}.py" for each in names] or sorted(REPROS.glob("*.py"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="fixproof-boundaries-") as temporary:
        folder = Path(temporary)
        homes = Homes(folder / "homes")
        for each in cases:
            began = time.monotonic()
            case = each if whole else recent(each, folder)
            bisected, swept = (run(kind, case, homes.next()) for kind in ("bisect", "sweep"))
            say(f"{case.stem}: {time.monotonic() - began:.0f} s")
            for name in swept:
                failed += _told(name, bisected[name], swept[name])
    say(f"{failed} series with something wrong" if failed else "all as it should be")
    return failed


def _told(name: str, bisected: Found, swept: Found) -> bool:
    """Print what was found; whether something of it is wrong."""
    say(f"  {name}: bisect {bisected.cost}, sweep {swept.cost}")
    say(f"    {swept.summary}")
    failures = list(wrong(name, bisected, swept))
    for each in failures:
        say(f"    WRONG: {each}")
    return bool(failures)


if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(bool(main(*(each for each in words if each != "--all"), whole="--all" in words)))
