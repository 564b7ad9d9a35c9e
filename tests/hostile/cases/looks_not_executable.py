# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Exits as a shell does that found no program"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 127"
# says = "unresolved: exit_code"
# ///
import os

os.write(2, b"/bin/sh: 1: exec: /case/repro.py: not found\n")
raise SystemExit(127)
