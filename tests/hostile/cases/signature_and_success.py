# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints the signature and exits as if nothing were wrong"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "unresolved: contradictory"
# ///
print("BUG: and yet all is well")
