"""Gives a tree its bytecode before it is used: an attempt sees it read-only and writes none."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from runner.adapters.commands import Commands, was_full
from runner.environment import Interpreter
from runner.errors import EnvironmentTrouble, NoSpace

SCRIPTS = Path(__file__).parents[1] / "inside"
_SCRIPT = "compile_tree.py"
_SECONDS = 600
_FIRST = (3, 7)
"""The first Python whose bytecode can do without time stamps."""


def compile_tree(
    tree: Path,
    interpreter: Interpreter,
    kept: Path,
    commands: Commands,
    scripts: Path = SCRIPTS,
) -> None:
    """Compile what is new in `tree`, link the rest from `kept`; no third-party code runs.

    Args:
        scripts: our scripts, where the commands see them.

    Raises:
        NoSpace: the disk is full.
        EnvironmentTrouble: something else is wrong.
    """
    if tuple(map(int, interpreter.python.split("."))) < _FIRST:
        return
    tag = f"cpython-{interpreter.python.replace('.', '')}"
    if _link_all(tree / "lib", kept / tag, tag):
        return
    command = [interpreter.executable, "-I", "-S", str(scripts / _SCRIPT), str(tree), str(kept)]
    done = commands.run(command, {"LANG": "C.UTF-8"}, _SECONDS)
    if done.returncode != 0:
        said = done.stderr.strip()
        if was_full(said):
            raise NoSpace("the disk was full while writing bytecode", hint=said)
        raise EnvironmentTrouble("bytecode cannot be written", hint=said)


def _link_all(folder: Path, kept: Path, tag: str) -> bool:
    """Whether all bytecode that this folder takes was kept; then it has it.

    The script does the same and more, but an interpreter would have to be started for it.
    """
    whole = True
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each != "__pycache__"]
        cache = Path(place, "__pycache__")
        for name in names:
            if name.endswith(".py"):
                cache.mkdir(exist_ok=True)
                content = Path(place, name).read_bytes()
                target = cache / f"{name.removesuffix('.py')}.{tag}.pyc"
                try:
                    _link(kept / hashlib.sha256(content).hexdigest(), target)
                except FileNotFoundError:
                    whole = False
    return whole


def _link(kept: Path, target: Path) -> None:
    """Link; what has as many links as its file system allows is copied (ext4: 65,000)."""
    try:
        os.link(kept, target)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        shutil.copy(kept, target)
