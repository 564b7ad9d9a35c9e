# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Reaches for the processes of the host by their numbers"
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

host = int(os.environ["HOST_PID"])
for pid in (host, -host):
    if host > 50:
        attack.must_fail(f"process {pid}", os.kill, pid, 0)
seen = [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]
if max(seen) > 50:
    attack.got_through(f"processes {seen}")
higher = os.getpriority(os.PRIO_PROCESS, 0) - 1
attack.must_fail("priority", os.setpriority, os.PRIO_PROCESS, 0, higher)
