"""Finds the case that is about an issue, in the corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from runner.adapters.case_files import SCRIPT
from runner.pages.references import Reference, reference

_ISSUE = re.compile(r"^#\s*issue\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
_MOST_BYTES = 100_000
"""Of a script: its metadata stands at its head."""


class CaseSearch:
    """Which case of a corpus is about which issue; each script is opened once."""

    def __init__(self, repros: Path) -> None:
        self._repros = repros

    def about(self, package: str | None, repository: str | None, issue: int) -> str | None:
        """The id of the case about an issue: by the issue's address, or by its usual id.

        Owners of repositories change, so of an address the repository's name and the number count;
        an owner that is the same goes first.
        """
        name = repository.rpartition("/")[2].lower() if repository else None
        found = self._by_issue.get((name, issue), []) if name else []
        owned = [case for case, owner in found if f"{owner}".lower() == f"{repository}".lower()]
        usual = f"{package}-{issue}".lower()
        ids = [*(each for each in owned if each == usual), *owned, *(case for case, _ in found)]
        if ids:
            return ids[0]
        about = self._numbers.get(usual, -1)
        return usual if about is None or (about == issue and name is None) else None

    @cached_property
    def _by_issue(self) -> dict[tuple[str | None, int], list[tuple[str, str | None]]]:
        found: dict[tuple[str | None, int], list[tuple[str, str | None]]] = {}
        for case, script in self._scripts():
            pointed = _issue_of(script)
            if pointed and pointed.number is not None:
                key = (pointed.name, pointed.number)
                found.setdefault(key, []).append((case, pointed.repository))
        return found

    @cached_property
    def _numbers(self) -> dict[str, int | None]:
        """The issue that each case names; None where only its id tells what it is about."""
        pointed = ((case, _issue_of(script)) for case, script in self._scripts())
        return {case: each.number if each else None for case, each in pointed}

    def _scripts(self) -> Iterator[tuple[str, str]]:
        """Ids and heads of all scripts."""
        if not self._repros.is_dir():
            return
        for path in sorted(self._repros.iterdir()):
            script = path / SCRIPT if path.is_dir() else path
            if script.suffix == ".py" and script.is_file() and not path.name.startswith((".", "_")):
                with script.open("rb") as file:
                    text = file.read(_MOST_BYTES).decode("utf-8", "replace")
                yield path.name.removesuffix(".py"), text


def _issue_of(script: str) -> Reference | None:
    found = _ISSUE.search(script)
    return reference(found[1]) if found else None
