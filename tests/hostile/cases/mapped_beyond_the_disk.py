# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Writes to a mapped file that is larger than its disk"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "signal 7"
# says = "unresolved: signal"
# needs = "disk"
# ///
import mmap

import attack

with open("/tmp/sparse", "wb+") as file:
    file.truncate(1 << 40)
    mapped = mmap.mmap(file.fileno(), 64 * attack.MIB)
for at in range(0, 64 * attack.MIB, 4096):
    mapped[at] = 1
attack.got_through("64 MiB")
