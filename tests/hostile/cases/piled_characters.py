# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Piles thousands of marks on one letter, on many lines"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import sys

sys.stdout.reconfigure(encoding="utf-8")
for _ in range(200):
    print("Z" + "\u0301" * 500)
