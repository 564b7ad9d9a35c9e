# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Exits as if a signal had ended it"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "signal 9"
# says = "unresolved: signal"
# ///
raise SystemExit(137)
