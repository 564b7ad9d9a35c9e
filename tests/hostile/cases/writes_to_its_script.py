# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Changes its own script for the next attempt"
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

for path in (__file__, "/case/repro.py", "/case/attack.py"):
    attack.must_fail(f"write {path}", attack.write_into, path)
    attack.must_fail(f"unlink {path}", os.unlink, path)
    attack.must_fail(f"chmod {path}", os.chmod, path, 0o666)
    attack.must_fail(f"reopen {path}", os.open, path, os.O_RDWR)
attack.must_fail("new file", attack.write_into, "/case/sitecustomize.py")
