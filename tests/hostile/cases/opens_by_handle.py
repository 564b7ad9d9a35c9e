# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Opens files of the host by their handles, whatever is mounted"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import ctypes
import os

import attack

# The root of most file systems is inode 2.
handle = ctypes.create_string_buffer(bytes([8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]), 16)
for place in ("/usr", "/case"):
    mount = os.open(place, os.O_RDONLY)
    attack.must_be_denied(place, 304, 265, mount, ctypes.addressof(handle), os.O_RDONLY)
