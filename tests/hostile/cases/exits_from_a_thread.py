# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Exits well from a thread while the script is about to fail"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "unresolved: contradictory"
# ///
import os
import threading
import time

print("BUG: about to fail", flush=True)
threading.Thread(target=os._exit, args=(0,)).start()
time.sleep(3)
raise SystemExit(1)
