# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Stops itself, so that it cannot hear of its end"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 1
#
# [tool.hostile]
# ends = "timeout"
# says = "unresolved: timeout"
# ///
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
