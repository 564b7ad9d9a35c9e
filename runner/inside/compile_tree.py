"""Runs as a base interpreter with `-I -S`: gives a tree its bytecode, without importing from it.

It is started as `python -I -S compile_tree.py TREE KEPT`. Bytecode is made once for each content of
a source file, and linked from KEPT into every tree that has this content. Such files are
"unchecked": the source is not looked at again, so links work whatever the time stamps are.

It starts once for each tree, so it does without modules that are slow to import: py_compile,
tempfile, importlib.util.
"""

import _imp
import errno
import hashlib
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, cache_from_source

UNCHECKED = (0b01).to_bytes(4, "little")
"""Flags of a file of bytecode whose source is not looked at (PEP 552)."""


def sources(tree):
    for folder, folders, names in os.walk(tree):
        folders[:] = [each for each in folders if each != "__pycache__"]
        for name in names:
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def bytecode(source, content):
    """A whole file of bytecode; None of what this Python cannot read."""
    try:
        code = compile(content, source, "exec", dont_inherit=True)
    except Exception:  # noqa: BLE001 - a compiler may stumble over foreign text in any way
        return None
    key = _imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), content)
    return MAGIC_NUMBER + UNCHECKED + key + marshal.dumps(code)


def keep(kept, data):
    """Write into KEPT, whole or not at all.

    What is kept is never replaced: a link to a file that is being replaced fails.
    """
    temporary = "%s.%d" % (kept, os.getpid())
    with open(temporary, "xb") as file:
        file.write(data)
    try:
        os.chmod(temporary, 0o644)
        os.link(temporary, kept)
    except FileExistsError:
        pass  # another process was faster, with the same content
    finally:
        os.unlink(temporary)


def link_or_copy(kept, target):
    """Link; what has as many links as its file system allows is copied (ext4: 65,000)."""
    try:
        os.link(kept, target)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        with open(kept, "rb") as source, open(target, "xb") as copy:
            copy.write(source.read())
        os.chmod(target, 0o644)


def link(source, kept_folder):
    with open(source, "rb") as file:
        content = file.read()
    target = cache_from_source(source)
    kept = os.path.join(kept_folder, hashlib.sha256(content).hexdigest())
    os.makedirs(os.path.dirname(target), exist_ok=True)
    while True:
        try:
            link_or_copy(kept, target)
        except FileNotFoundError:  # not made yet, or taken away a moment ago
            data = bytecode(source, content)
            if data is None:
                return
            keep(kept, data)
        except FileExistsError:  # who started this linked what there was
            return
        else:
            return


def main(tree, kept):
    folder = os.path.join(kept, sys.implementation.cache_tag)
    os.makedirs(folder, exist_ok=True)
    for source in sources(os.path.join(tree, "lib")):
        link(source, folder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
