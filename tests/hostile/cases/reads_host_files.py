# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Reads files of the host"
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


def has_content(path):
    """Whether there is anything to read: images have an empty file at some of these places."""
    try:
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


for path in (
    os.environ["HOST_FILE"],
    "/etc/shadow",
    "/etc/machine-id",
    "/etc/resolv.conf",
    "/etc/ssh",
    "/root/.ssh",
    "/var/lib/docker",
    "/var/log",
    "/var/run",
    "/home",
    "/boot",
    "/mnt",
    "/srv",
    "/sys",
):
    if os.path.isdir(path):
        if set(os.listdir(path)) - attack.OF_ENGINES:
            attack.got_through(f"{path}: {os.listdir(path)[:3]}")
    elif has_content(path):
        attack.got_through(path)
for path in ("/proc/self/root", "/proc/self/cwd", "/proc/1/root", "/proc/1/cwd"):
    attack.must_fail(path, open, path + "/.." * 20 + os.environ["HOST_FILE"])
