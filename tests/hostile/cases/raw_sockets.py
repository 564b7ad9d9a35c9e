# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Opens raw and packet sockets"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import socket

import attack

for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (socket.IPPROTO_ICMP, socket.IPPROTO_TCP, socket.IPPROTO_RAW):
        attack.must_fail(f"raw {family}", socket.socket, family, socket.SOCK_RAW, protocol)
for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    attack.must_fail("packet", socket.socket, socket.AF_PACKET, kind, 3)
