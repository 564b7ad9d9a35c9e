# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Closes its streams and stays"
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

for stream in (0, 1, 2):
    os.close(stream)
time.sleep(10)
