# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Opens the memory and the descriptors of its init"
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


def write_status(path):
    """Where init's descriptor is another than the three that are the script's own, too."""
    seen = os.stat(path)
    if stat.S_ISCHR(seen.st_mode) or any(os.path.samestat(seen, os.fstat(n)) for n in (1, 2)):
        raise OSError("its own")
    with open(path, "wb", 0) as file:
        file.write(b'{"exit-code": 1}\n')


for path in ("/proc/1/mem", "/proc/1/task/1/mem"):
    attack.must_fail(path, attack.open_what_is_there, path, os.O_RDWR)
for number in range(64):
    attack.must_fail(f"descriptor {number}", write_status, f"/proc/1/fd/{number}")
