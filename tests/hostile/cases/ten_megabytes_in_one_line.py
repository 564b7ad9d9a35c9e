# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Writes one line of ten megabytes"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "unresolved: output_cut"
# ///
import os

import attack

for _ in range(10):
    os.write(1, b"x" * attack.MIB)
os.write(1, b"\n")
