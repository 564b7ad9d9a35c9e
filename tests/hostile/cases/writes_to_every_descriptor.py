# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Writes a status to every descriptor that it may have inherited"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

import attack

for number in range(3, 256):
    try:
        os.write(number, b'{"exit-code": 1}\n')
    except OSError:
        continue
    attack.got_through(f"descriptor {number}")
for number in (0, 1, 2):
    target = os.readlink(f"/proc/self/fd/{number}")
    if not target.startswith(("pipe:", "/dev/null", "socket:")):
        attack.got_through(target)
