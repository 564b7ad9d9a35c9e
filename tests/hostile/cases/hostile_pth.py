# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Is installed beside a wheel whose .pth acts at every start of the interpreter"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "unresolved: contradictory"
# tree = "pth"
# ///
import pkg

print("the script itself", pkg.__version__)
raise SystemExit(125)
