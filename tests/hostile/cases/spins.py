# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Uses all processors until its time is over"
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

for _ in range(7):
    if os.fork() == 0:
        break
end = time.monotonic() + 10
while time.monotonic() < end:
    pass
