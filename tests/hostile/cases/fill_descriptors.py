# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Opens as many files as it can"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import errno
import os

import attack

opened = 0
try:
    while opened < 5000:
        os.open("/dev/null", os.O_RDONLY)
        opened += 1
except OSError as error:
    raise SystemExit(0 if error.errno == errno.EMFILE else 2) from None
attack.got_through(f"{opened} descriptors")
