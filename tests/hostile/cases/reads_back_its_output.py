# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes back from its pipes what it had printed"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 1"
# says = "present | unresolved: no_signature"
# ///
import os

print("BUG: shown", flush=True)
for number in (1, 2):
    try:
        pipe = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)
        os.read(pipe, 1 << 20)
    except OSError:
        pass
raise SystemExit(1)
