# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Says nothing, and does nothing"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
# silence = 1
#
# [tool.hostile]
# ends = "silence"
# says = "unresolved: silence"
# ///
import time

print("so far", flush=True)
time.sleep(10)
