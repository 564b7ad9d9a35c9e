# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Raises the limits that it was given"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import resource

import attack

for name in ("RLIMIT_NOFILE", "RLIMIT_CORE"):
    number = getattr(resource, name)
    soft, hard = resource.getrlimit(number)
    for limits in ((soft, hard + 1), (hard + 1, hard + 1), (-1, -1)):
        try:
            resource.setrlimit(number, limits)
        except (OSError, ValueError):
            continue
        attack.got_through(f"{name} {limits}")
