# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Exits as if it had crashed"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "signal 11"
# says = "unresolved: signal"
# ///
raise SystemExit(139)
