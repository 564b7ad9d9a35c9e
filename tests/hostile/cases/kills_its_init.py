# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Kills its init, and all that it can see"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# # Nothing of this reaches an init. A container's hands SIGTERM on, to the script itself, which
# # then may die of that one first: it could have sent it there, too.
# ends = "signal 9 | signal 15"
# says = "unresolved: signal"
# ///
import os
import signal

if os.fork() == 0:
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV):
        try:
            os.kill(1, number)
        except OSError:
            pass
    os.kill(-1, signal.SIGKILL)
    os._exit(0)
os.wait()
print("still here")
