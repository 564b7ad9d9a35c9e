# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes namespaces, where it would be root"
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

FLAGS = (0x10000000, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x20000000, 0x40000000, 0x80)
for flag in FLAGS:
    attack.must_be_denied(f"unshare {flag:#x}", 272, 97, flag)
    attack.must_be_denied(f"unshare {flag:#x} as root", 272, 97, flag | 0x10000000)
for flag in FLAGS[:-1]:
    attack.must_be_denied(f"clone {flag:#x}", 56, 220, flag | 17, 0, 0, 0, 0)
attack.must_be_denied("clone3", 435, 435, 0, 0)
with open("/proc/self/setgroups") as file:
    print(file.read())
attack.must_fail("map", attack.write_into, "/proc/self/uid_map")
