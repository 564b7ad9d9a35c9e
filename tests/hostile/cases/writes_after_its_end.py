# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Leaves a grandchild that goes on writing"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent | unresolved: contradictory"
# ///
import os
import time

if os.fork() == 0:
    os.setsid()
    for _ in range(200):
        os.write(1, b"BUG: still here\n")
        time.sleep(0.05)
os._exit(0)
