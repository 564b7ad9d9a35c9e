"""Runs in a throwaway sandbox beside a build back end: makes a wheel of a source distribution.

It is started as `python build_wheel.py MODE SDIST BACKEND [PATH...]` and hands out, on standard
output and nothing else, either the further requirements of the build as JSON (MODE `requires`), or
the wheel's file name, a line feed, and its bytes (MODE `wheel`). Whatever the build prints goes to
standard error. The hooks are those of PEP 517.
"""

import importlib
import json
import os
import shutil
import sys
import tarfile
import zipfile

WORK = "/tmp/build"


def unpack(sdist):
    """The one folder that a source distribution has."""
    opener = zipfile.ZipFile if sdist.endswith(".zip") else tarfile.open
    with opener(sdist) as archive:
        archive.extractall(WORK)
    (folder,) = os.listdir(WORK)
    return os.path.join(WORK, folder)


def hooks(backend):
    module, _, attribute = backend.partition(":")
    found = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        found = getattr(found, name)
    return found


def requires(backend):
    ask = getattr(backend, "get_requires_for_build_wheel", None)
    return json.dumps(list(ask()) if ask else []).encode() + b"\n"


def wheel(backend):
    os.makedirs("/tmp/wheel")
    name = backend.build_wheel("/tmp/wheel")
    with open(os.path.join("/tmp/wheel", name), "rb") as file:
        return name.encode() + b"\n" + file.read()


def main(mode, sdist, backend, *paths):
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.makedirs(WORK)
    source = unpack(sdist)
    os.chdir(source)
    sys.path[:0] = [os.path.join(source, path) for path in paths]
    answers.write({"requires": requires, "wheel": wheel}[mode](hooks(backend)))
    answers.close()
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
