"""Runs inside an environment: says which release of a package importing it would run.

It is started as `python loaded.py FOLDER PACKAGE`, with FOLDER the script's, and prints JSON. It
imports nothing of the package, and must be understood by every Python that a case can ask for.
Where a file beside the script hides any module of the environment or of Python, that file is what
it says is loaded: nothing of such an environment is as it was locked.
"""

import importlib.machinery
import importlib.util
import json
import os
import re
import sys


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def find(package):
    """The first installation on the search path, as the script would find it."""
    for folder in sys.path:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            match = re.match(r"(.+?)-([^-]+)(\.dist-info|-py\d.*\.egg-info|\.egg-info)$", name)
            if match and normalised(match.group(1)) == package:
                return folder, match.group(2), os.path.join(folder, name)
    return None


def modules(metadata):
    """Names that the installation adds to the top level."""
    names = set()
    record = os.path.join(metadata, "RECORD")
    with open(record, encoding="utf-8") as lines:
        for line in lines:
            path = line.rsplit(",", 2)[0].strip('"')
            top = path.split("/")[0]
            module = re.match(r"(\w+)(\.py|\.[\w.-]*so)$", top)
            if module:
                names.add(module.group(1))
            elif re.match(r"\w+/.*\.(py|so)$", path) and top != "__pycache__":
                names.add(top)
    return sorted(names)


def loaded(package):
    """Version, and the file that importing runs first; no version if that is not its own."""
    found = find(package)
    if found is None:
        return {"version": None, "location": None}
    folder, version, metadata = found
    location = None
    for name in modules(metadata):
        spec = importlib.util.find_spec(name)
        origin = spec and spec.origin
        if origin and not origin.startswith(folder + os.sep):
            return {"version": None, "location": origin}
        location = location or origin
    return {"version": version, "location": location or metadata}


def names(folder):
    """What a folder of the search path could be asked for."""
    found = {entry.split(".")[0] for entry in os.listdir(folder)}
    return sorted(name for name in found if name.isidentifier() and name != "__pycache__")


def is_plain(spec):
    """Whether a folder is found for want of anything better: it hides nothing but its like."""
    folders = spec.submodule_search_locations
    return folders is not None and not (spec.origin and os.path.isfile(spec.origin))


def has_code(spec):
    """Whether there is something to import in a plain folder."""
    places = list(spec.submodule_search_locations)
    files = (name for place in places for _, _, names in os.walk(place) for name in names)
    return any(name.endswith((".py", ".pyc", ".so")) for name in files)


def hiding(folder, others):
    """The first file beside the script that hides a module of the same name, if there is one."""
    for name in names(folder):
        own = importlib.machinery.PathFinder.find_spec(name, [folder])
        hidden = own and importlib.machinery.PathFinder.find_spec(name, others)
        if not hidden:
            continue
        if not is_plain(own):
            return own.origin
        if is_plain(hidden) and has_code(own) and has_code(hidden):
            return os.path.join(folder, name)
    return None


def asked(folder, package):
    """What importing the package loads; or what hides a module that it, or the script, may need."""
    found = loaded(package)
    file = hiding(folder, sys.path[1:]) if found["version"] is not None else None
    return {"version": None, "location": file} if file else found


if __name__ == "__main__":
    sys.path[0] = sys.argv[1]
    print(json.dumps(asked(sys.argv[1], normalised(sys.argv[2]))))
