# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes system calls of x32, which has the same architecture and other numbers"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# # Engines before Docker 23 have their runtime refuse what is above all numbers; others, and
# # bubblewrap, kill. The call is made by none.
# ends = "signal 31 | exit 0"
# says = "unresolved: signal | absent"
# needs = "system_calls"
# ///
import attack

for name, number in (("getpid", 39), ("unshare", 272)):
    number += 0x40000000
    attack.must_be_denied(f"{name} of x32", number, number, 0, 0, 0, 0, 0, 0)
