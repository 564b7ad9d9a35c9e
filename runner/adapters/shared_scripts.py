"""A copy of our scripts for sandboxes, in the store: where a container engine sees them too.

The program itself may be in a container, of whose files the engine's machine knows nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from runner.errors import NoSpace
from runner.value import digest


def shared(scripts: Path, store: Path) -> Path:
    """The folder in the store that has these scripts, made if it is not there.

    Raises:
        NoSpace: the store cannot be written.
    """
    files = sorted(scripts.glob("*.py"))
    content = (part for each in files for part in (each.name, each.read_bytes()))
    kept = store / "inside" / digest("inside/1", *content)[:32]
    if kept.is_dir():
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".new-") as temporary:
            copy = Path(temporary) / "inside"
            copy.mkdir(mode=0o755)
            for each in files:
                shutil.copyfile(each, copy / each.name)
            copy.rename(kept)
    except OSError as error:
        if not kept.is_dir():  # else another process was faster
            raise NoSpace(f"the store cannot be written: {error}") from error
    return kept
