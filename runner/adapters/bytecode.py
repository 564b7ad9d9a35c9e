"""Gives a tree its bytecode before it is used: an attempt sees it read-only and writes none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from runner.environment import Interpreter
from runner.errors import EnvironmentTrouble

_SCRIPT = Path(__file__).parents[1] / "inside" / "compile_tree.py"
_SECONDS = 600
_FIRST = (3, 7)
"""The first Python whose bytecode can do without time stamps."""


def compile_tree(tree: Path, interpreter: Interpreter, kept: Path) -> None:
    """Compile what is new in `tree`, link the rest from `kept`; no third-party code runs."""
    if tuple(map(int, interpreter.python.split("."))) < _FIRST:
        return
    command = [interpreter.executable, "-I", "-S", str(_SCRIPT), str(tree), str(kept)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS, text=True)
    except subprocess.CalledProcessError as error:
        raise EnvironmentTrouble("bytecode cannot be written", hint=error.stderr.strip()) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentTrouble(f"bytecode cannot be written: {error}") from error
