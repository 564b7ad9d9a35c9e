# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Asks the kernel to act for it where no filter looks"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import attack

attack.must_be_denied("setup", 425, 425, 1, 0)
attack.must_be_denied("enter", 426, 426, -1, 0, 0, 0, 0, 0)
attack.must_be_denied("register", 427, 427, -1, 0, 0, 0)
