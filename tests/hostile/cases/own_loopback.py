# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Uses its own loopback, as many an honest script does"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import socket

server = socket.create_server(("localhost", 0))
client = socket.create_connection(server.getsockname(), 2)
other, _ = server.accept()
client.sendall(b"here")
raise SystemExit(0 if other.recv(4) == b"here" else 3)
