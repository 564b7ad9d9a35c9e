# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Types at the terminal of whoever started it"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import fcntl

import attack

for stream in (0, 1, 2):
    for command in (0x5412, 0x541C):
        attack.must_fail(f"stream {stream}", fcntl.ioctl, stream, command, b"\n")
attack.must_fail("/dev/tty", open, "/dev/tty", "r+b", 0)
