# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Leaves files that nobody may remove, for the next attempt to find"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

for place in ("/tmp", "/dev/shm"):
    os.makedirs(f"{place}/locked/inner")
    os.mkfifo(f"{place}/pipe")
    os.symlink("/case/repro.py", f"{place}/link")
    with open(f"{place}/usercustomize.py", "w") as file:
        file.write("raise SystemExit('BUG: code of another attempt')")
    os.chmod(f"{place}/locked", 0)
