# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Doubles its processes until it may no more"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 1
#
# [tool.hostile]
# ends = "timeout"
# says = "unresolved: timeout"
# ///
import os
import time

for _ in range(9):
    try:
        os.fork()
    except OSError:
        pass
time.sleep(10)
