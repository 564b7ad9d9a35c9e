# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes memory that System V would keep after its end"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "memory"
# says = "unresolved: memory"
# needs = "memory"
# ///
import ctypes

import attack

for _ in range(32):
    segment = attack.LIBC.shmget(0, 16 * attack.MIB, 0o1600)
    if segment < 0:
        raise SystemExit(0)
    attack.LIBC.shmat.restype = ctypes.c_void_p
    place = attack.LIBC.shmat(segment, None, 0)
    ctypes.memset(place, 1, 16 * attack.MIB)
attack.got_through("512 MiB of shared memory")
