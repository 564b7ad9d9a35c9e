# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Splits the signature with codes that a reader does not see"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 1"
# says = "present"
# ///
import os

os.write(1, b"\x1b[1mBU\x1b[0mG: shown\n")
raise SystemExit(1)
