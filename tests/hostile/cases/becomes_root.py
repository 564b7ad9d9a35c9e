# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Becomes another user"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

import attack

for name in ("setuid", "setgid", "seteuid", "setegid"):
    attack.must_fail(name, getattr(os, name), 0)
attack.must_fail("setresuid", os.setresuid, 0, 0, 0)
attack.must_fail("setgroups", os.setgroups, [0])
attack.must_fail("chown", os.chown, "/tmp", 0, 0)
if os.getuid() == 0 or os.geteuid() == 0:
    attack.got_through("it is root")
