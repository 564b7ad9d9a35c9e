# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Keeps something in a keyring, which outlives it and which all of its user share"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import ctypes

import attack

name = ctypes.create_string_buffer(b"user")
attack.must_be_denied("add_key", 248, 217, ctypes.addressof(name), ctypes.addressof(name), 0, 0, -4)
attack.must_be_denied("request_key", 249, 218, ctypes.addressof(name), ctypes.addressof(name), 0, 0)
for ring in range(-8, 0):
    attack.must_be_denied(f"keyring {ring}", 250, 219, 0, ring, 1)
