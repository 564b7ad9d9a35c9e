# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes system calls that no filter has heard of"
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

for number in (*range(467, 520), 1000, 0x3FFFFFFF):
    attack.must_be_denied(f"number {number:#x}", number, number, 0, 0, 0, 0, 0, 0)
