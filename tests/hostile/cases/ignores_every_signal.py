# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Ignores every signal that can be ignored"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 1
#
# [tool.hostile]
# ends = "timeout"
# says = "unresolved: timeout"
# ///
import signal
import time

for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
end = time.monotonic() + 10
while time.monotonic() < end:
    time.sleep(0.1)
