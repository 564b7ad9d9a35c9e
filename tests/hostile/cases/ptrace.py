# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Traces its init, and reads and writes the memory of others"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import os

import attack

attack.must_be_denied("trace me", 101, 117, 0, 0, 0, 0)
attack.must_be_denied("attach", 101, 117, 16, 1, 0, 0)
attack.must_be_denied("seize", 101, 117, 0x4206, os.getppid(), 0, 0)
attack.must_be_denied("process_vm_readv", 310, 270, 1, 0, 0, 0, 0, 0)
attack.must_be_denied("process_vm_writev", 311, 271, 1, 0, 0, 0, 0, 0)
attack.must_be_denied("pidfd_getfd", 438, 438, -1, 0, 0)
attack.must_be_denied("process_madvise", 440, 440, -1, 0, 0, 0, 0)
attack.must_be_denied("kcmp", 312, 272, 1, os.getpid(), 0, 0, 0)
