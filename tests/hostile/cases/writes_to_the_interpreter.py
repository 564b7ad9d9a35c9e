# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Changes the interpreter and its library"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os
import sys

import attack

program = os.path.realpath(sys.executable)
for path in (program, "/proc/self/exe", os.__file__, "/bin/sh", "/usr/bin/env"):
    attack.must_fail(f"write {path}", attack.write_into, path)
    attack.must_fail(f"unlink {path}", os.unlink, path)
attack.must_fail("cache", attack.write_into, os.path.dirname(os.__file__) + "/__pycache__/x.pyc")
attack.must_fail("site", attack.write_into, os.path.dirname(os.__file__) + "/sitecustomize.py")
