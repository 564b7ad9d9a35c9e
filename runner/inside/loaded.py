"""Runs inside an environment: says which release of a package importing it would run.

It is started as `python loaded.py FOLDER PACKAGE`, with FOLDER the script's, and prints JSON. It
imports nothing of the package, and must be understood by every Python that a case can ask for.
"""

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


if __name__ == "__main__":
    sys.path[0] = sys.argv[1]
    print(json.dumps(loaded(normalised(sys.argv[2]))))
