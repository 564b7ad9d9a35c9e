# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Fills /tmp"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "disk"
# ///
import errno

import attack

written = 0
try:
    with open("/tmp/big", "wb", buffering=0) as file:
        while written < 64 * attack.MIB:
            written += file.write(b"x" * attack.MIB)
except OSError as error:
    if error.errno == errno.ENOSPC:
        raise SystemExit(0) from None
    raise
attack.got_through(f"{written} bytes")
