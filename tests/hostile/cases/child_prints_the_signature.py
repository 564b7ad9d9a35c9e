# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Has a child print the signature, and fail, in its place"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "unresolved: contradictory"
# ///
import os

if os.fork() == 0:
    os.write(1, b"BUG: from a child\n")
    os._exit(1)
os.wait()
