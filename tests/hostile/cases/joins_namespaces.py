# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Joins the namespaces of its init"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import os

import attack

for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"):
    for pid in ("1", "self"):
        try:
            file = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        attack.must_be_denied(f"setns {pid} {name}", 308, 268, file, 0)
