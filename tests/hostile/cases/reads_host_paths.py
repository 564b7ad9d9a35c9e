# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Learns from its init where the store and the home of the host are"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

import attack

with open("/proc/1/cmdline", encoding="utf-8", errors="replace") as file:
    words = file.read()
for name in ("STORE", "HOST_FILE"):
    if os.environ[name] in words.replace(os.environ["OWN_TREE"], ""):
        attack.got_through(words)
