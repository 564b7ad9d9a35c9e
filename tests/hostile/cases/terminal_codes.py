# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints codes that act on a terminal"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

CODES = (
    b"\x1b[2J\x1b[H",
    b"\x1b]0;title\x07",
    b"\x1b]52;c;Y2FuYXJ5\x07",
    b"\x1b[8mhidden\x1b[0m",
    b"\x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\",
    b"\x1bP+q544e\x1b\\",
    b"\x1b[6n",
    b"\x9b31m",
    b"\xc2\x9b31m",
    b"\x1bc",
    b"\x1b[",
    b"\x1b]unended",
    b"\x1b\x1b[[31m",
    b"\x1b(0",
    b"\x0e\x0f",
    b"\x1b[?1049h",
    b"\x1b_apc\x1b\\",
    b"\x1b^pm\x1b\\",
    b"\x1b%G",
)
os.write(1, b"\n".join(CODES))
os.write(2, b"".join(CODES))
