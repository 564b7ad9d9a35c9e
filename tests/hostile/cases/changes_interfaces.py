# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes its loopback down, gives it an address, and makes another"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import fcntl
import socket
import struct

import attack

control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
request = struct.pack("16sH14x", b"lo", 0)
address = struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, socket.inet_aton("192.0.2.7"))
attack.must_fail("down", fcntl.ioctl, control, 0x8914, request)
attack.must_fail("address", fcntl.ioctl, control, 0x8916, address)
attack.must_fail("bridge", fcntl.ioctl, control, 0x89A0, b"br0".ljust(16, b"\0"))
