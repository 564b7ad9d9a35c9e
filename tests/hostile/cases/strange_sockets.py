# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Opens sockets of families that nobody needs, which would load modules"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import socket

import attack

ALLOWED = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
for family in set(range(46)) - set(ALLOWED):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        for pair in ((41, 198), (53, 199)):
            attack.must_fail(f"family {family}", attack.system_call, *pair, family, kind, 0, 0)
for protocol in (4, 6, 9, 12, 15, 16, 20):
    attack.must_fail(
        f"netlink {protocol}", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, protocol
    )
