"""Whether a script asks for the version of a release. It reads the source, and runs nothing.

Such a script may decide by the number instead of the behaviour, which no run can tell apart.
"""

from __future__ import annotations

import ast

_NAMES = {"__version__", "__version_info__", "version_info", "VERSION"}
_FUNCTIONS = {"version", "get_distribution"}
_INTERPRETER = "sys"
"""`sys.version_info` is the interpreter's, and in order."""


def reads_version(script: str) -> bool:
    """Whether the source names a version, or a function of `importlib.metadata` that tells one.

    A script that only another Python can parse is not looked at.
    """
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return False
    return any(_reads(node) for node in ast.walk(tree))


def _reads(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return owner != _INTERPRETER and name in {*_NAMES, *_FUNCTIONS}
        case ast.Attribute(attr=name):
            return name in {*_NAMES, *_FUNCTIONS}
        case ast.ImportFrom(module=module, names=names):
            wanted = _NAMES if module != "importlib.metadata" else {*_NAMES, *_FUNCTIONS}
            return module != _INTERPRETER and any(each.name in wanted for each in names)
        case _:
            return False
