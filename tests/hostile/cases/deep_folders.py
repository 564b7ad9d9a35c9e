# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Nests folders deeper than a path can be long"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

for _ in range(3000):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)
