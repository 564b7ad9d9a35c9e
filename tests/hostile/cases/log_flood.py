# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Writes lines without end"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 20
#
# [tool.hostile]
# ends = "output_limit"
# says = "unresolved: output_limit"
# ///
import os

for _ in range(20_000):
    os.write(1, b"all is well\n" * 1000)
    os.write(2, b"all is well\n" * 1000)
