# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Exits as a failing supervisor would"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 255"
# says = "unresolved: exit_code"
# ///
raise SystemExit(255)
