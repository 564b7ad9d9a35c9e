# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes more memory than it may"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "memory"
# says = "unresolved: memory"
# needs = "memory"
# ///
import attack

taken = [bytearray(b"x" * 16 * attack.MIB) for _ in range(32)]
attack.got_through(f"{len(taken)} times 16 MiB")
