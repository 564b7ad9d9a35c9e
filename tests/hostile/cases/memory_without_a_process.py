# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes memory that belongs to files without a name"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "memory"
# says = "unresolved: memory"
# needs = "memory"
# ///
import os

import attack

files = [os.memfd_create(str(number)) for number in range(32)]
for file in files:
    os.write(file, b"x" * 16 * attack.MIB)
attack.got_through("512 MiB in files without a name")
