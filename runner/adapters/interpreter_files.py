"""What of this machine an interpreter needs to run elsewhere at the same path; it copies nothing.

Only what belongs to the interpreter: no packages that somebody installed into it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from runner.adapters.image_making import Layer
from runner.environment import Interpreter

LIBRARIES = "/.fixproof-libraries"
"""Where shared libraries wait in an image until it is seen which of them it has itself."""
_WITHOUT = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo"})
_SECONDS = 60
LDD = "/usr/bin/ldd"
_LINKED = re.compile(r"(?:=> )?(/\S+) \(0x")


def put_interpreter(layer: Layer, interpreter: Interpreter) -> None:
    """Add an interpreter, its library, its headers and the shared libraries of all these."""
    prefix, python = Path(interpreter.prefix), interpreter.python
    for path in _programs(prefix, interpreter):
        layer.add(path, str(path))
    library = prefix / "lib" / f"python{python}"
    layer.add_tree(library, str(library), without=_WITHOUT)
    layer.folder(f"{library}/site-packages")
    headers = prefix / "include" / _headers(prefix, python)
    if headers.is_dir():
        layer.add_tree(headers, str(headers), without=_WITHOUT)
    for path in (prefix / "lib").glob("libpython*.so*"):
        layer.add(path, str(path))
    for path in _shared_libraries(prefix, interpreter):
        # By its real folder: /lib may be a link here and there alike.
        layer.add(path.resolve(), f"{LIBRARIES}{path.parent.resolve()}/{path.name}")


def _programs(prefix: Path, interpreter: Interpreter) -> Iterator[Path]:
    names = ("python", "python3", f"python{interpreter.python}")
    for path in sorted({*(prefix / "bin" / name for name in names), Path(interpreter.executable)}):
        if path.exists() and path.resolve() == Path(interpreter.executable):
            yield path


def _headers(prefix: Path, python: str) -> str:
    """`python3.6m` and the like, until 3.7."""
    return next(
        (each.name for each in (prefix / "include").glob(f"python{python}*")), f"python{python}"
    )


def _shared_libraries(prefix: Path, interpreter: Interpreter) -> list[Path]:
    modules = prefix / "lib" / f"python{interpreter.python}" / "lib-dynload"
    files = [interpreter.executable, *map(str, sorted(modules.glob("*.so")))]
    try:
        # With a status that says nothing: it fails where one file of many is no program.
        said = subprocess.run(
            [LDD, *files], capture_output=True, text=True, timeout=_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = {Path(each) for each in _LINKED.findall(said)}
    return sorted(
        path for path in found if not path.is_relative_to(prefix) or prefix == Path("/usr")
    )
