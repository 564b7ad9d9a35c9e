# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Crashes the interpreter"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "signal 11"
# says = "unresolved: signal"
# ///
import ctypes

ctypes.string_at(0)
