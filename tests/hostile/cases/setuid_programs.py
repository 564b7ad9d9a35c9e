# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Runs programs that would become root"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os
import stat
import subprocess

import attack

for place in ("/", "/usr", "/tmp", "/dev/shm", "/case"):
    if not os.statvfs(place).f_flag & os.ST_NOSUID and attack.LIBC.prctl(39, 0, 0, 0, 0) != 1:
        attack.got_through(f"programs of {place} may become another user")
for folder in ("/usr/bin", "/usr/sbin", "/usr/lib"):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.stat(path).st_mode & stat.S_ISUID:
            print("found", path)
with open("/usr/bin/env", "rb") as source, open("/tmp/env", "wb") as copy:
    copy.write(source.read())
os.chmod("/tmp/env", 0o6755)
ids = "import os; print(*os.getresuid(), *os.getresgid())"
said = subprocess.run(
    ["/tmp/env", os.path.realpath("/proc/self/exe"), "-I", "-S", "-c", ids],
    stdout=subprocess.PIPE,
    check=True,
).stdout
if {int(each) for each in said.split()} != {os.getuid(), os.getgid()}:
    attack.got_through(said)
