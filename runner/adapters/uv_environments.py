"""Resolves and installs with uv alone: wheels only, outside of any third-party code."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from runner.adapters.bytecode import compile_tree
from runner.adapters.commands import Commands, HostCommands
from runner.adapters.uv_configuration import write_index_settings
from runner.adapters.wheel_builder import WheelBuilder
from runner.environment import (
    Environment,
    Failure,
    FailureKind,
    Interpreter,
    Lock,
    Wanted,
    environment_digest,
)
from runner.errors import EnvironmentTrouble, IndexUnreachable, NoSpace
from runner.metadata import UvSettings

_UV_SECONDS = 600
_MOST_BUILDS = 8
"""Source distributions that are built for one cell, at most."""

# What a user's configuration says of where packages come from is uv's business; what it says of
# which ones to take would make a cell depend on the machine it was resolved on.
_OF_INDEXES = re.compile(
    r"UV_(INDEX.*|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|SYSTEM_CERTS"
    r"|NATIVE_TLS|INSECURE_HOST|OFFLINE|HTTP_.*|REQUEST_TIMEOUT|CONCURRENT_.*"
    r"|CERT)"
)
_ADDRESS = re.compile(r"\b(?:https?|file)://\S+")
_NETWORK = ("error sending request", "Failed to fetch", "Could not connect", "dns error", "offline")


class UvEnvironments:
    """Trees under `store/envs`, beside uv's own cache so that files can be hard links."""

    def __init__(
        self,
        store: Path,
        uv: str,
        *,
        builder: WheelBuilder | None = None,
        commands: Commands | None = None,
    ) -> None:
        self._uv = uv
        self._builder = builder
        self._commands = commands or HostCommands()
        self._trees = store / "envs"
        self._cache = store / "uv-cache"
        self._configuration = store / "uv.toml"

    def stop(self) -> None:
        """End what runs; it and every later call raises `Interrupted`."""
        self._commands.stop()

    def resolve(self, wanted: Wanted) -> Lock | Failure:
        """The lock for what is wanted; what has no wheel is built, alone, in a sandbox."""
        built: tuple[Path, ...] = ()
        answer = self._resolve_wheels(wanted)
        for _ in range(_MOST_BUILDS):
            lacking = _without_wheel(answer)
            if self._builder is None or wanted.uv.no_build or not lacking:
                return answer
            made = self._builder.build(lacking, wanted, self._prepare_build)
            if isinstance(made, Failure):
                return made
            built = (*built, made)
            answer = self._resolve_wheels(wanted, built)
        return answer

    def _prepare_build(self, wanted: Wanted) -> Environment | Failure:
        """The environment of a build: wheels only, like any other, and never built itself."""
        lock = self._resolve_wheels(wanted)
        return lock if isinstance(lock, Failure) else self.install(lock, wanted.interpreter)

    def _built(self, interpreter: Interpreter) -> list[str]:
        """Where uv also finds what is locked, if it was built; hashes say which wheel it is."""
        folder = self._builder.folder(interpreter) if self._builder else None
        return ["--find-links", str(folder)] if folder and folder.is_dir() else []

    def _resolve_wheels(self, wanted: Wanted, built: tuple[Path, ...] = ()) -> Lock | Failure:
        """The lock out of wheels.

        Only where each release is pinned is uv kept offline: else it would take an older release
        for a newer one of which its cache lacks the metadata, and say nothing of it.

        Args:
            wanted: what is asked.
            built: wheels that were built for this question. Others that were ever built stay out
                of sight: no cut-off would hold back what belongs to another day.
        """
        if wanted.exactly:
            answer = self._compile(wanted, built, offline=True)
            if isinstance(answer, Lock):
                return answer
        return self._compile(wanted, built, offline=False)

    def install(self, lock: Lock, interpreter: Interpreter) -> Environment:
        """The tree of a lock, made beside its place and moved there whole."""
        digest = environment_digest(lock, interpreter)
        tree = self._trees / digest[:32]
        environment = Environment(digest=digest, path=str(tree), interpreter=interpreter)
        if tree.is_dir():
            return environment
        try:
            with self._workplace(interpreter) as workplace:
                new = workplace / "tree"
                self._make(new, lock, interpreter)
                self._move(new, tree)
        except OSError as error:
            raise NoSpace(f"the store cannot be written: {error}") from error
        return environment

    @contextmanager
    def _workplace(self, interpreter: Interpreter) -> Iterator[Path]:
        """A folder of one's own, beside the trees; the first free one of a few.

        uv remembers what it learnt of an interpreter by its path: asking a tree's own again, at
        a path never seen before, would cost more than installing into it.
        """
        self._trees.mkdir(parents=True, exist_ok=True)
        for number in itertools.count():
            workplace = self._trees / f".making-{interpreter.sha256[:12]}-{number}"
            try:
                workplace.mkdir()
            except FileExistsError:
                continue
            try:
                yield workplace
            finally:
                shutil.rmtree(workplace)
            return

    def _make(self, tree: Path, lock: Lock, interpreter: Interpreter) -> None:
        self._run(
            ["venv", str(tree), "--python", interpreter.executable, "--relocatable"], "a tree"
        )
        requirements = tree / "requirements.txt"
        lines = [f"{each.name}=={each.version} --hash=sha256:{each.sha256}" for each in lock.wheels]
        requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            *("pip", "install", "--python", str(tree / "bin/python"), "--no-deps"),
            *("--require-hashes", "--no-build", "--link-mode", "hardlink"),
            *("-r", str(requirements), *self._built(interpreter)),
        ]
        if lock.wheels and self._attempt([*command, "--offline"]).returncode != 0:
            self._run(command, "a locked environment")
        compile_tree(tree, interpreter, self._trees.parent / "bytecode", self._commands)

    def _move(self, new: Path, tree: Path) -> None:
        try:
            new.rename(tree)
        except OSError:
            if not tree.is_dir():  # else another process was faster, with the same content
                raise

    def _compile(self, wanted: Wanted, built: tuple[Path, ...], *, offline: bool) -> Lock | Failure:
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache.parent, prefix=".asked-") as folder:
            output = Path(folder, "pylock.toml")
            command = _compile_command(wanted, Path(folder), output)
            for each in built:
                os.link(each, Path(folder, each.name))
            command += ["--find-links", folder] if built else []
            done = self._attempt([*command, *(["--offline"] if offline else [])])
            if done.returncode != 0:
                return self._failed(done.stderr, offline=offline)
            return _as_wanted(Lock.parse(output.read_text(encoding="utf-8")), wanted)

    def _failed(self, stderr: str, *, offline: bool) -> Failure:
        said = _ADDRESS.sub("<address>", stderr).strip()
        if "No solution found" in stderr or offline:
            return Failure(kind=_failure_kind(stderr), detail=said)
        raise _trouble(stderr, said, "resolving")

    def _run(self, arguments: Sequence[str], what: str) -> None:
        done = self._attempt(arguments)
        if done.returncode != 0:
            said = _ADDRESS.sub("<address>", done.stderr).strip()
            raise _trouble(done.stderr, said, f"installing {what}")

    def _attempt(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = [self._uv, "--quiet", "--no-progress", "--color", "never", *arguments]
        return self._commands.run(command, self._environ(), _UV_SECONDS)

    def _environ(self) -> dict[str, str]:
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("UV_") or _OF_INDEXES.fullmatch(name)
        }
        own.pop("VIRTUAL_ENV", None)
        self._configuration.parent.mkdir(parents=True, exist_ok=True)
        write_index_settings(os.environ, self._configuration)
        own["UV_CONFIG_FILE"] = str(self._configuration)
        return {**own, "UV_CACHE_DIR": str(self._cache), "UV_PYTHON_DOWNLOADS": "never"}


def _compile_command(wanted: Wanted, folder: Path, output: Path) -> list[str]:
    requirements = folder / "requirements.in"
    requirements.write_text("\n".join(wanted.requirements) + "\n", encoding="utf-8")
    command = [
        *("pip", "compile", str(requirements), "--output-file", str(output)),
        *("--format", "pylock.toml", "--no-header", "--no-annotate", "--no-sources"),
        *("--python", wanted.interpreter.executable),
        *_settings(wanted.uv, folder),
    ]
    if wanted.as_of is not None:
        command += ["--exclude-newer", wanted.as_of.isoformat()]
        for name, until in wanted.admitted.items():
            command += ["--exclude-newer-package", f"{name}={until.isoformat()}"]
    return command


def _settings(uv: UvSettings, folder: Path) -> list[str]:
    """The script's own `[tool.uv]`, but for its cut-off, which is part of the cell's."""
    command = ["--no-build"]
    for flag, lines in (
        ("--constraint", uv.constraint_dependencies),
        ("--override", uv.override_dependencies),
    ):
        if lines:
            path = folder / f"{flag[2:]}.txt"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            command += [flag, str(path)]
    if uv.no_binary:
        command += ["--no-binary", ":all:"]
    for name in uv.no_binary_package:
        command += ["--no-binary", name]
    return command


def _as_wanted(lock: Lock, wanted: Wanted) -> Lock | Failure:
    """The lock, unless exactly these versions were asked for and others came out."""
    if not wanted.exactly:
        return lock
    exactly = {canonicalize_name(name): Version(each) for name, each in wanted.exactly.items()}
    came = {name: Version(each) for name, each in lock.versions().items()}
    if came == exactly:
        return lock
    more = ", ".join(sorted(came.keys() - exactly.keys()))
    return Failure(
        kind=FailureKind.NO_SOLUTION,
        detail=f"these dependencies are not enough for it, it also needs {more}",
    )


def _without_wheel(answer: Lock | Failure) -> str | None:
    """The first package that a resolution failed for because it has no wheel that fits."""
    if isinstance(answer, Lock) or answer.kind is not FailureKind.NO_WHEEL:
        return None
    found = re.search(r"Wheels are required for `([^`]+)`", answer.detail)
    return found[1] if found else None


def _failure_kind(stderr: str) -> FailureKind:
    if "no usable wheels" in stderr or "building from source is disabled" in stderr:
        return FailureKind.NO_WHEEL
    if "the current Python version" in stderr:
        return FailureKind.PYTHON_NOT_ALLOWED
    return FailureKind.NO_SOLUTION


def _trouble(stderr: str, said: str, doing: str) -> NoSpace | IndexUnreachable | EnvironmentTrouble:
    if "No space left" in stderr or "Disk quota" in stderr:
        return NoSpace(f"the disk was full while {doing}", hint=said)
    if any(each in stderr for each in _NETWORK):
        return IndexUnreachable(f"the package index did not answer while {doing}", hint=said)
    return EnvironmentTrouble(f"uv failed while {doing}", hint=said)
