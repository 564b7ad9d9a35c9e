"""The real command as a user calls it, with a home of its own, and what it is asked about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tomli_w

from tests.index_server import IndexServer, Offered, Style
from tests.schemas import validator_of
from tests.wheels import Built, sdist, wheel

PROGRAM = Path(sys.executable).parent / "fixproof"
DAY = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)
"""When the first release of a package came, unless a test says otherwise; each next a day later."""
PATIENCE = 120.0
"""Seconds that a call may take; most take one or two."""
_FOREIGN = ("UV_", "FIXPROOF_", "PIP_", "VIRTUAL_ENV", "PYTHON", "COV_")

BROKEN = "BROKEN = True\n"
GOOD = "BROKEN = False\n"
TELLS = """
import sys
import {module}
if {module}.BROKEN:
    print("BUG: it is broken")
    sys.exit(1)
print("fine")
"""
"""The script of most cases: it believes what the package says of itself."""


@dataclass(frozen=True)
class Result:
    """How a call ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def document(self) -> dict[str, Any]:
        """What was printed: one JSON document, as its schema says, and nothing else."""
        found: dict[str, Any] = json.loads(self.stdout)
        validator_of(found["schema"]).validate(found)
        return found


@dataclass(frozen=True)
class Fixproof:
    """The command, with a home and an index."""

    home: Path
    index: str | None
    """None: uv's own configuration says which."""
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str | Path, **env: str) -> Result:
        """Call it and wait for its end."""
        with self.started(*words, **env) as process:
            try:
                stdout, stderr = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=10)
                raise
        return Result(process.returncode, stdout, stderr.decode(errors="replace"))

    def started(self, *words: str | Path, **env: str) -> subprocess.Popen[bytes]:
        """Call it, and do not wait."""
        return subprocess.Popen(
            [str(PROGRAM), *map(str, words)],
            env=self.environ() | env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def environ(self) -> dict[str, str]:
        """The caller's environment without what would lead the call elsewhere."""
        own = {name: each for name, each in os.environ.items() if not name.startswith(_FOREIGN)}
        own["FIXPROOF_HOME"] = str(self.home)
        own["FIXPROOF_SANDBOX"] = "bubblewrap"  # whatever engine runs for other tests
        if self.index is None:
            uv = {name: each for name, each in os.environ.items() if name.startswith("UV_")}
            return own | uv | self.env
        ours = {"UV_DEFAULT_INDEX": self.index, "UV_NO_CONFIG": "1", "NO_PROXY": "127.0.0.1"}
        return own | ours | self.env

    def verify(self, *words: str | Path, code: int | None = None, **env: str) -> dict[str, Any]:
        """The report of a verify; `code` is how it must end."""
        return self._report("verify", *words, code=code, **env)

    def sweep(self, *words: str | Path, code: int | None = None, **env: str) -> dict[str, Any]:
        """The report of a sweep; `code` is how it must end."""
        return self._report("sweep", *words, code=code, **env)

    def bisect(self, *words: str | Path, code: int | None = None, **env: str) -> dict[str, Any]:
        """The report of a bisection; `code` is how it must end."""
        return self._report("bisect", *words, code=code, **env)

    def _report(self, *words: str | Path, code: int | None, **env: str) -> dict[str, Any]:
        done = self(*words, "--json", **env)
        report = done.document
        assert report["schema"] == "fixproof.report/1", (report, done.stderr)
        if code is not None:
            assert done.code == code, (
                report["status"],
                report["outcome"],
                report["summary"],
                [each["detail"] for each in report["cells"]],
            )
        return report

    def error(self, *words: str | Path, **env: str) -> dict[str, Any]:
        """The error document of a call that cannot succeed; its exit code is the process's."""
        done = self(*words, "--json", **env)
        assert b"Traceback" not in done.stdout
        assert "Traceback" not in done.stderr
        error = done.document
        assert error["schema"] == "fixproof.error/1", error
        assert error["exit_code"] == done.code
        return error


class Package:
    """A package in the index, one release after the other."""

    def __init__(self, index: IndexServer, name: str) -> None:
        self._index = index
        self.name = name
        self.count = 0

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    def release(
        self,
        version: str,
        source: str = GOOD,
        *,
        requires: tuple[str, ...] = (),
        uploaded: datetime | None = None,
        yanked: bool = False,
        requires_python: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Package:
        """One more release, as a wheel; a day after the one before unless `uploaded`."""
        built = wheel(
            self.name,
            version,
            files=files or {f"{self.module}.py": source},
            requires=requires,
            requires_python=requires_python,
        )
        self._index.offer(Offered(built, uploaded or self.next_day(), yanked))
        return self

    def source_only(
        self,
        version: str,
        source: str = GOOD,
        files: Mapping[str, str] | None = None,
        uploaded: datetime | None = None,
    ) -> Package:
        """One more release that nobody can install without building it."""
        everything = {f"{self.module}.py": source, **(files or {})}
        built = sdist(self.name, version, files=everything)
        self._index.offer(Offered(built, uploaded or self.next_day()))
        return self

    def offer(self, built: Built, uploaded: datetime = DAY) -> None:
        """A file of any package, beside this one."""
        self._index.offer(Offered(built, uploaded))

    def next_day(self) -> datetime:
        self.count += 1
        return DAY + timedelta(days=self.count - 1)

    def usual(self) -> Package:
        """1.0 and 1.1 are broken, 1.2 and 1.3 are not."""
        for version, source in (("1.0", BROKEN), ("1.1", BROKEN), ("1.2", GOOD), ("1.3", GOOD)):
            self.release(version, source)
        return self


@dataclass(frozen=True)
class Cases:
    """Writes cases of one package into a folder."""

    folder: Path
    package: Package

    def write(
        self,
        body: str = TELLS,
        *,
        name: str = "bug",
        requires: tuple[str, ...] = (),
        uv: Mapping[str, Any] | None = None,
        **keys: object,
    ) -> Path:
        """A script; `{module}` in its body is the package's module. `keys` are of its table."""
        path = self.folder / f"{name}.py"
        path.write_text(self.text(body, requires=requires, uv=uv, **keys), encoding="utf-8")
        return path

    def text(
        self,
        body: str = TELLS,
        *,
        requires: tuple[str, ...] = (),
        uv: Mapping[str, Any] | None = None,
        **keys: object,
    ) -> str:
        """What `write` writes."""
        usual = {"package": self.package.name, "title": "It is broken", "signature": "^BUG: "}
        if not {"fixed", "broken"} & {*keys}:
            usual["fixed"] = "1.2"
        table = {**usual, **keys}
        tool = {"fixproof": {name: each for name, each in table.items() if each is not None}}
        block = {
            "requires-python": ">=3.8",
            "dependencies": [self.package.name, *requires],
            "tool": {**tool, **({"uv": dict(uv)} if uv else {})},
        }
        lines = [f"# {line}".rstrip() for line in tomli_w.dumps(block).splitlines()]
        head = "\n".join(["# /// script", *lines, "# ///"])
        return f"{head}\n{body.replace('{module}', self.package.module)}"


def cells(report: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """The cells of a report that have a role."""
    return [each for each in report["cells"] if role in each["roles"]]


def cell(report: dict[str, Any], role: str) -> dict[str, Any]:
    """The one cell of a report that has a role."""
    found = cells(report, role)
    assert len(found) == 1, [each["id"] for each in found]
    return found[0]


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    """What each release of a report with one series says, as released."""
    aside = {"control", "confirm"}
    released = [each for each in report["cells"] if not aside & {*each["roles"]}]
    return {each["version"]: each["verdict"] for each in released}


def counts(cell: dict[str, Any]) -> tuple[int, int, int]:
    """Attempts that say present, absent, nothing."""
    told = cell["counts"]
    return told["present"], told["absent"], told["unresolved"]


def said(report: dict[str, Any]) -> tuple[str, str]:
    """Status and outcome."""
    return report["status"], report["outcome"]


def ran_now(report: dict[str, Any]) -> int:
    """How many attempts a run made itself."""
    return sum(not each["reused"] for every in report["cells"] for each in every["attempts"])


def elsewhere(fixproof: Fixproof, style: Style, index: IndexServer) -> Fixproof:
    """The same command, pointed to the index in another style."""
    return Fixproof(fixproof.home, index.address(style), fixproof.cwd, fixproof.env)


def processes_of(home: Path) -> list[str]:
    """Command lines of living processes that have to do with a home."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in words and int(place.parent.name) != os.getpid():
            found.append(words)
    return found
