# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Looks for a network beyond its own loopback"
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

names = [name for _, name in socket.if_nameindex()]
if names != ["lo"]:
    attack.got_through(f"interfaces {names}")
with open("/proc/net/route", encoding="ascii") as file:
    if len(file.readlines()) > 1:
        attack.got_through("a route")
# To connect a datagram socket sends nothing, but needs a way there.
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    attack.must_fail(address, datagrams.connect, (address, 9))
