# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Speaks with a container engine"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os
import socket

import attack

for path in (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/systemd/private",
    "/run/dbus/system_bus_socket",
    os.environ["HOST_SOCKET"],
    "\0" + os.environ["HOST_ABSTRACT"],
):
    attack.must_fail(path, socket.socket(socket.AF_UNIX).connect, path)
