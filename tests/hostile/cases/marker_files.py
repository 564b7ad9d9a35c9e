# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Leaves files that say what its result is"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 125"
# says = "unresolved: exit_code"
# ///
import json

for path in ("/tmp/result.json", "/dev/shm/fixproof.json", "/tmp/begun"):
    with open(path, "w") as file:
        json.dump({"kind": "exit", "code": 1, "exit-code": 1}, file)
raise SystemExit(125)
