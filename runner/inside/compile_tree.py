"""Runs as a base interpreter with `-I -S`: gives a tree its bytecode, without importing from it.

It is started as `python -I -S compile_tree.py TREE KEPT`. Bytecode is made once for each content of
a source file, and linked from KEPT into every tree that has this content. Such files are
"unchecked": the source is not looked at again, so links work whatever the time stamps are.
"""

import hashlib
import importlib.util
import os
import py_compile
import sys
import tempfile


def sources(tree):
    for folder, folders, names in os.walk(tree):
        folders[:] = [each for each in folders if each != "__pycache__"]
        for name in names:
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def keep(source, kept):
    """Compile into KEPT; a file that this Python cannot read stays without bytecode.

    What is kept is never replaced: a link to a file that is being replaced fails.
    """
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(kept))
    os.close(handle)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    try:
        py_compile.compile(source, temporary, doraise=True, invalidation_mode=mode)
        os.chmod(temporary, 0o644)
        os.link(temporary, kept)
    except FileExistsError:
        pass  # another process was faster, with the same content
    except (py_compile.PyCompileError, ValueError, SyntaxError, RecursionError):
        return False
    finally:
        os.unlink(temporary)
    return True


def link(source, kept_folder):
    with open(source, "rb") as file:
        content = hashlib.sha256(file.read()).hexdigest()
    target = importlib.util.cache_from_source(source)
    kept = os.path.join(kept_folder, content)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.exists(kept) or keep(source, kept):
        os.link(kept, target)


def main(tree, kept):
    folder = os.path.join(kept, sys.implementation.cache_tag)
    os.makedirs(folder, exist_ok=True)
    for source in sources(os.path.join(tree, "lib")):
        link(source, folder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
