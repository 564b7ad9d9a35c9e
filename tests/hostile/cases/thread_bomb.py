# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Starts more threads than it may"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "processes"
# ///
import os
import threading
import time

import attack

threading.stack_size(64 * 1024)
made = 0
try:
    while made < 200:
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        made += 1
except RuntimeError:
    os._exit(0)
attack.got_through(f"{made} threads")
