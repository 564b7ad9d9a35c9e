# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes as many empty files as it can"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 8
#
# [tool.hostile]
# ends = "memory"
# says = "unresolved: memory"
# needs = "memory"
# ///
import os

import attack

made = 0
try:
    while made < 400_000:
        os.close(os.open(f"/tmp/{made}", os.O_CREAT))
        made += 1
except OSError:
    raise SystemExit(0) from None
attack.got_through(f"{made} empty files")
