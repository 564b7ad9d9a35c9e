# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes links in /tmp to what is not its own, and writes through them"
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

targets = (os.environ["HOST_FILE"], os.environ["STORE"], "/proc/1/root/etc", "/etc/shadow")
for number, target in enumerate(targets):
    os.symlink(target, f"/tmp/{number}")
    attack.must_fail(f"read through a link: {target}", open, f"/tmp/{number}")
    attack.must_fail(f"write through a link: {target}", attack.write_into, f"/tmp/{number}/x")
for target in ("/case/repro.py", "/usr/bin/env", "/proc/self/exe"):
    attack.must_fail(f"hard link to {target}", os.link, target, "/tmp/hard")
