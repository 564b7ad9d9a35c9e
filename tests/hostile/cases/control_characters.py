# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints all control characters"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

os.write(1, bytes(range(32)) + b"\x7f" + bytes(range(128, 160)))
os.write(2, "".join(map(chr, range(160))).encode())
print("BUG is not here\rall is well")
print("12345678\b\b\b\b\b\b\b\bfine")
