# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes devices in /tmp and opens them"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os
import stat

import attack

for name, kind, number in (
    ("disk", stat.S_IFBLK, (254, 0)),
    ("sda", stat.S_IFBLK, (8, 0)),
    ("loop", stat.S_IFBLK, (7, 0)),
    ("mem", stat.S_IFCHR, (1, 1)),
    ("kmsg", stat.S_IFCHR, (1, 11)),
    ("null", stat.S_IFCHR, (1, 3)),
):
    attack.must_fail(f"mknod {name}", os.mknod, f"/tmp/{name}", kind | 0o666, os.makedev(*number))
for name in (
    "sda",
    "vda",
    "nvme0n1",
    "mem",
    "kmem",
    "port",
    "kmsg",
    "kvm",
    "fuse",
    "loop-control",
    "net/tun",
    "uinput",
    "snapshot",
    "vhost-net",
    "vsock",
    "console",
    "mapper/control",
):
    attack.must_fail(f"/dev/{name}", open, f"/dev/{name}", "rb")
