"""Resolves and installs with uv alone: wheels only, outside of any third-party code."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from runner.adapters.bytecode import SCRIPTS, compile_tree
from runner.adapters.candidate_wheels import CandidateWheels
from runner.adapters.commands import Commands, HostCommands
from runner.adapters.tree_uses import TreeUses
from runner.adapters.uv import NO_SOLUTION, BadFile, Uv, failure_of, require_success
from runner.adapters.uv_explanations import Lacking, lacking_wheel
from runner.adapters.wheel_builder import WheelBuilder
from runner.candidate import Build
from runner.environment import (
    Building,
    Environment,
    Failure,
    FailureKind,
    Interpreter,
    Lock,
    Wanted,
    environment_digest,
    unheard,
)
from runner.errors import EnvironmentTrouble, NoSpace
from runner.metadata import UvSettings

_MOST_BUILDS = 8
"""Source distributions that are built for one cell, at most."""

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


class UvEnvironments:
    """Trees under `store/envs`, beside uv's own cache so that files can be hard links."""

    def __init__(
        self,
        store: Path,
        uv: str,
        *,
        builder: WheelBuilder | None = None,
        commands: Commands | None = None,
        scripts: Path = SCRIPTS,
        uses: TreeUses | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
    ) -> None:
        self._builder = builder
        self._candidates = CandidateWheels(store / "candidates", builder)
        self._commands = commands or HostCommands()
        self._scripts = scripts
        self._uses = uses or TreeUses(store)
        self._trees = store / "envs"
        self._cache = store / "uv-cache"
        self._uv = Uv(uv, self._cache, self._commands)
        self._clock = clock

    def stop(self) -> None:
        """End what runs; it and every later call raises `Interrupted`."""
        self._commands.stop()

    def resolve(
        self, wanted: Wanted, *, fresh: bool = False, building: Building = unheard
    ) -> Lock | Failure:
        """The lock for what is wanted; what has no wheel is built, alone, in a sandbox."""
        if wanted.candidate is None:
            return self._resolve(wanted, fresh=fresh, building=building)
        build = self.wheel_of(wanted)
        if isinstance(build, Failure):
            return build
        path = self._candidates.path(build)
        answer = self._resolve(wanted, (path,), fresh=fresh, building=building)
        if isinstance(answer, Lock) and build.sha256 not in {e.sha256 for e in answer.wheels}:
            raise EnvironmentTrouble(
                f"uv took another wheel than the candidate's, {build.file}",
                hint="Is a wheel of the same version in a folder of UV_FIND_LINKS?",
            )
        return answer

    def wheel_of(self, wanted: Wanted) -> Build | Failure:
        """The wheel of the candidate that is wanted, built where it is none."""
        return self._candidates.wheel_of(wanted, self._prepare_build)

    def _resolve(
        self, wanted: Wanted, built: tuple[Path, ...] = (), *, fresh: bool, building: Building
    ) -> Lock | Failure:
        answer = self._resolve_wheels(wanted, built, fresh=fresh)
        for _ in range(_MOST_BUILDS):
            lacking = _without_wheel(answer)
            if self._builder is None or not lacking or not wanted.uv.may_build(lacking.package):
                break
            if wanted.candidate and lacking.package == wanted.candidate.package:
                break  # the index may have a source of its version, which is not meant
            made = self._builder.build(lacking, wanted, self._prepare_build, building)
            if isinstance(made, Failure):
                return made
            if made in built:
                break  # it was built, and is not what is lacking
            built = (*built, made)
            answer = self._resolve_wheels(wanted, built, fresh=fresh)
        return _unless_refused(answer, wanted.uv, built)

    def _prepare_build(self, wanted: Wanted) -> Environment | Failure:
        """The environment of a build: wheels only, like any other, and never built itself."""
        lock = self._resolve_wheels(wanted)
        return lock if isinstance(lock, Failure) else self.install(lock, wanted.interpreter)

    def _built(self, lock: Lock, interpreter: Interpreter) -> list[str]:
        """Where uv also finds what is locked, if it was built; hashes say which wheel it is."""
        folders = [self._builder.folder(interpreter)] if self._builder else []
        found = [each for each in folders if each.is_dir()]
        found += self._candidates.folders(lock)
        return [word for each in found for word in ("--find-links", str(each))]

    def _resolve_wheels(
        self, wanted: Wanted, built: tuple[Path, ...] = (), *, fresh: bool = False
    ) -> Lock | Failure:
        """The lock out of wheels.

        Only where each release is pinned is uv kept offline: else it would take an older release
        for a newer one of which its cache lacks the metadata, and say nothing of it. Where a page
        of a few minutes ago could lack something, the index is asked again (decision 0009).

        Args:
            wanted: what is asked.
            built: wheels that were built for this question. Others that were ever built stay out
                of sight: no cut-off would hold back what belongs to another day.
            fresh: rely on no page that was read before.
        """
        if wanted.exactly:
            answer = self._compile(wanted, built, "--offline")
            if isinstance(answer, Lock):
                return answer
        if not fresh and wanted.long_ago(self._clock()):
            answer = self._compile(wanted, built)
            if isinstance(answer, Lock) or answer.kind is not FailureKind.NO_SOLUTION:
                return answer  # else a page of before may lack what there is by now
        return self._compile(wanted, built, "--refresh")

    def install(self, lock: Lock, interpreter: Interpreter) -> Environment | Failure:
        """The tree of a lock, made beside its place and moved there whole."""
        digest = environment_digest(lock, interpreter)
        tree = self._trees / digest[:32]
        environment = Environment(digest=digest, path=str(tree), interpreter=interpreter)
        self._uses.use(tree.name)
        if tree.is_dir():
            os.utime(tree)  # what was not used for long is taken away one day
            return environment
        try:
            bare = self._bare(interpreter)
            with self._workplace(interpreter) as workplace:
                new = workplace / "tree"
                shutil.copytree(bare, new, symlinks=True)
                self._fill(new, lock, interpreter)
                self._move(new, tree)
        except OSError as error:
            raise NoSpace(f"the store cannot be written: {error}") from error
        except BadFile as bad:
            return Failure(kind=FailureKind.BAD_FILE, detail=str(bad))
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
            self._uses.use(workplace.name)
            try:
                workplace.mkdir()
            except FileExistsError:
                continue
            try:
                yield workplace
            finally:
                shutil.rmtree(workplace)
            return

    def _bare(self, interpreter: Interpreter) -> Path:
        """A tree without any wheel, which the others begin as: made once for an interpreter."""
        bare = self._trees / f".bare-{interpreter.sha256[:32]}"
        self._uses.use(bare.name)
        if bare.is_dir():
            os.utime(bare)
        else:
            with self._workplace(interpreter) as workplace:
                new, executable = workplace / "tree", interpreter.executable
                words = ["venv", str(new), "--python", executable, "--relocatable"]
                require_success(self._uv.run(words), "making a tree")
                self._move(new, bare)
        return bare

    def _fill(self, tree: Path, lock: Lock, interpreter: Interpreter) -> None:
        requirements = tree / "requirements.txt"
        lines = [f"{each.name}=={each.version} --hash=sha256:{each.sha256}" for each in lock.wheels]
        requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            *("pip", "install", "--python", str(tree / "bin/python"), "--no-deps"),
            *("--require-hashes", "--no-build", "--link-mode", "hardlink"),
            *("-r", str(requirements), *self._built(lock, interpreter)),
        ]
        if lock.wheels:
            self._install(command)
        kept = self._trees.parent / "bytecode"
        compile_tree(tree, interpreter, kept, self._commands, self._scripts)

    def _install(self, command: Sequence[str]) -> None:
        """Install what is locked, and so is there: a page of before may lack what others found."""
        if self._uv.run([*command, "--offline"]).returncode == 0:
            return
        done = self._uv.run(command, remembering=True)
        if NO_SOLUTION in done.stderr:
            done = self._uv.run([*command, "--refresh"])
        require_success(done, "installing a locked environment")

    def _move(self, new: Path, tree: Path) -> None:
        try:
            new.rename(tree)
        except OSError:
            if not tree.is_dir():  # else another process was faster, with the same content
                raise

    def _compile(self, wanted: Wanted, built: tuple[Path, ...], *flags: str) -> Lock | Failure:
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache.parent, prefix=".asked-") as folder:
            output = Path(folder, "pylock.toml")
            command = _compile_command(wanted, Path(folder), output)
            for each in built:
                os.link(each, Path(folder, each.name))
            command += ["--find-links", folder] if built else []
            done = self._uv.run([*command, *flags], remembering=not flags)
            if done.returncode != 0:
                return failure_of(done.stderr, offline="--offline" in flags)
            return _as_wanted(Lock.parse(output.read_text(encoding="utf-8")), wanted)


def _compile_command(wanted: Wanted, folder: Path, output: Path) -> list[str]:
    requirements = folder / "requirements.in"
    requirements.write_text("\n".join(wanted.requirements) + "\n", encoding="utf-8")
    command = [
        *("pip", "compile", str(requirements), "--output-file", str(output)),
        *("--format", "pylock.toml", "--no-header", "--no-annotate", "--no-sources"),
        *("--python", wanted.interpreter.executable),
        *_settings(wanted.uv, folder),
    ]
    admitted = dict(wanted.admitted) if wanted.as_of is not None else {}
    if wanted.as_of is not None:
        command += ["--exclude-newer", wanted.as_of.isoformat()]
    if wanted.candidate is not None:  # of its package, nothing that the index has
        admitted[wanted.candidate.package] = _BEFORE_ALL
    for name, until in admitted.items():
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
    return command


def _unless_refused(
    answer: Lock | Failure, uv: UvSettings, built: tuple[Path, ...]
) -> Lock | Failure:
    """The lock, unless the script asks for its sources where we only take the wheel."""
    if isinstance(answer, Failure):
        return answer
    ours = {parse_wheel_filename(each.name)[0] for each in built}
    names = (name for name in answer.versions() if canonicalize_name(name) not in ours)
    refused = ", ".join(name for name in names if uv.refuses_wheel(name))
    if not refused:
        return answer
    return Failure(
        kind=FailureKind.NO_WHEEL,
        detail=f"the script's no-binary refuses the published wheel of {refused}, and what has a "
        "wheel is never built here: take no-binary out of [tool.uv]",
    )


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


def _without_wheel(answer: Lock | Failure) -> Lacking | None:
    """What a resolution failed for because it has no wheel that fits."""
    if isinstance(answer, Lock) or answer.kind is not FailureKind.NO_WHEEL:
        return None
    return lacking_wheel(answer.detail)
