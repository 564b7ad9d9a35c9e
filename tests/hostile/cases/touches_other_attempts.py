# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Looks for files and processes of other attempts"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

import attack

for place in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/var/run"):
    if os.path.isdir(place) and set(os.listdir(place)) - attack.OF_ENGINES:
        attack.got_through(f"{place}: {os.listdir(place)}")
for pid in filter(str.isdigit, os.listdir("/proc")):
    for place in ("tmp", "dev/shm"):
        path = f"/proc/{pid}/root/{place}"
        if int(pid) != os.getpid() and os.access(path, os.R_OK) and os.listdir(path):
            attack.got_through(f"{path}: {os.listdir(path)}")
