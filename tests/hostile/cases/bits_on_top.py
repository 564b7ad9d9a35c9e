# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Sets bits of arguments that filters see, and the kernel does not look at"
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

TOP = 1 << 32
for command in (0x5412, 0x541C):
    attack.must_be_denied(f"ioctl {command:#x}", 16, 29, 0, command, 0)
    attack.must_be_denied(f"ioctl {command:#x} with a bit", 16, 29, 0, TOP | command, 0)
for persona in (0x0040000, 8):
    attack.must_be_denied(f"personality {persona:#x} with a bit", 135, 92, TOP | persona)
for family in (16, 17, 40):
    attack.must_be_denied(f"family {family} with a bit", 41, 198, TOP | family, 3, 9)
