# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints what a sandbox that failed would"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 1"
# says = "unresolved: no_signature"
# ///
import os

os.write(2, b"bwrap: Creating new namespace failed: Operation not permitted\n")
os.write(2, b"docker: Error response from daemon: OCI runtime create failed\n")
raise SystemExit(1)
