"""Small made-up packages, one for each behaviour, with the report that is expected beside each.

`tests/corpus/NAME.toml` says what a package does and what a case claims of it, `NAME.json` what
fixproof must say. Where a report has changed for good reason, a failure names the command that
accepts the new one.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tests.e2e.command import DAY, TELLS, Cases, Fixproof, Package
from tests.index_server import IndexServer

CORPUS = Path(__file__).parents[1] / "corpus"
BEHAVIOURS = sorted(each.stem for each in CORPUS.glob("*.toml"))
ACCEPT = "FIXPROOF_ACCEPT"
"""Set to 1, what is measured now is written down as expected."""

_OF_THE_RUN = {
    *("run", "ran", "again", "host", "sandbox"),  # of this machine, and of this run
    *("seconds", "peak_mib", "cpu_seconds", "log", "reused"),
    *("sha256", "lock_sha256"),
}
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_corpus_has_every_behaviour_that_was_promised() -> None:
    assert len(BEHAVIOURS) >= 17


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_the_report_is_the_expected_one(
    name: str, fixproof: Fixproof, index: IndexServer, tmp_path: Path, other_python: str
) -> None:
    behaviour = read(name, other_python)
    offer(index, behaviour)
    script = Cases(tmp_path, Package(index, name)).write(
        behaviour["script"], name=name, **behaviour["case"]
    )
    options = behaviour.get("options", ())
    options = options if "--python" in options else (*options, "--python", _HERE)
    done = fixproof("verify", script, "--jobs", "1", "--json", *options)
    found = told({"exit code": done.code, **done.document}, behaviour, other_python)
    expected = CORPUS / f"{name}.json"
    if os.environ.get(ACCEPT) == "1":
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8"), (
        f"the report of {name} is another than {expected.name}; to accept it:\n"
        f"    {ACCEPT}=1 .venv/bin/pytest tests/e2e/test_corpus.py -k {name}"
    )


@pytest.fixture
def other_python(request: pytest.FixtureRequest, warm_home: Path) -> str:
    """Another Python than this one, where a behaviour needs it."""
    if "python-dependent" not in request.node.name:
        return "3.0"
    kept = [json.loads(each.read_text()) for each in warm_home.iterdir()]
    found = {str(each["python"]) for entry in kept if isinstance(entry, list) for each in entry}
    usable = [each for each in found - {_HERE} if Version(each) >= Version("3.8")]
    if not usable:
        pytest.skip("only one Python is at hand")
    return max(usable, key=Version)


def read(name: str, other_python: str) -> dict[str, Any]:
    """A behaviour, with names and Pythons filled in."""
    words = {
        "{tells}": json.dumps(TELLS)[1:-1],
        "{name}": name,
        "{module}": re.sub(r"[-.]", "_", name),
        "{here}": _HERE,
        "{here_numbers}": _HERE.replace(".", ", "),
        "{other}": other_python,
    }
    text = (CORPUS / f"{name}.toml").read_text(encoding="utf-8")
    for word, meant in words.items():
        text = text.replace(word, meant)
    return {"name": name, **tomllib.loads(text)}


def offer(index: IndexServer, behaviour: Mapping[str, Any]) -> None:
    """Have the package and what it needs in the index."""
    for name, releases in {behaviour["name"]: behaviour["releases"], **others(behaviour)}.items():
        package = Package(index, name)
        for each in releases:
            day = DAY + timedelta(days=each["day"]) if "day" in each else package.next_day()
            if "sdist" in each:
                package.source_only(each["version"], each["source"], each["sdist"], uploaded=day)
            else:
                package.release(
                    each["version"],
                    each["source"],
                    requires=tuple(each.get("requires", ())),
                    uploaded=day,
                    yanked=each.get("yanked", False),
                )


def others(behaviour: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = behaviour.get("others", {})
    return found


def told(report: Mapping[str, Any], behaviour: Mapping[str, Any], other_python: str) -> str:
    """A report without what may differ from one run to the next, or one machine to the next."""
    if behaviour.get("ends") == "early":
        report = _as_far_as_it_must_be(report)
    varies = behaviour.get("numbers") == "vary"
    text: str = json.dumps(_kept(report, attempts=not varies), indent=1, ensure_ascii=False)
    for python, word in ((_HERE, "HERE"), (other_python, "OTHER")):
        digits = re.escape(python)
        text = re.sub(rf'(?<=[" y(]){digits}(\.\d+)?(?=["/ )@:])', word, text)
        text = re.sub(rf"python{digits}\b", "pythonHERE", text)
    text = re.sub(r'"location": "[^"]*/([^"/]+)"', r'"location": "…/\1"', text)
    if varies:
        text = re.sub(r"\b\d+ of \d+\b", "K of N", text)
        text = re.sub(r'"(present|absent|attempts)": \d+', r'"\1": "N"', text)
    return text + "\n"


def _as_far_as_it_must_be(report: Mapping[str, Any]) -> dict[str, Any]:
    """Where the control's first word ends a run: what else ran by then is an accident."""
    left_out = {"mode", "measured"}
    series = [{k: v for k, v in each.items() if k not in left_out} for each in report["series"]]
    control = [each for each in report["cells"] if "control" in each["roles"]]
    rest = {k: v for k, v in report.items() if k not in left_out}
    return {**rest, "series": series, "cells": control}


def _kept(value: Any, *, attempts: bool) -> Any:
    if isinstance(value, list):
        return [_kept(each, attempts=attempts) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _kept(v, attempts=attempts) for k, v in value.items() if k not in _OF_THE_RUN}
    if isinstance(kept.get("attempts"), list):  # how often each is said by the counts
        unique = {json.dumps(each): each for each in kept["attempts"]}
        kept["attempts"] = [unique[each] for each in sorted(unique)] if attempts else "vary"
    return kept
