# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes too much memory in many small processes"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "memory"
# says = "unresolved: memory"
# needs = "memory"
# ///
import os
import time

import attack

for _ in range(16):
    if os.fork() == 0:
        taken = b"x" * 24 * attack.MIB
        time.sleep(5)
        os._exit(len(taken) % 2)
time.sleep(3)
attack.got_through("16 children of 24 MiB each")
