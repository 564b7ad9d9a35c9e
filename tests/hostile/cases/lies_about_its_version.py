# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Puts a made-up release in place of the one under test"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os
import sys

os.makedirs("/tmp/pkg")
os.makedirs("/tmp/pkg-9.9.dist-info")
with open("/tmp/pkg/__init__.py", "w") as file:
    file.write("__version__ = '9.9'")
with open("/tmp/pkg-9.9.dist-info/METADATA", "w") as file:
    file.write("Metadata-Version: 2.1\nName: pkg\nVersion: 9.9\n")
sys.path.insert(0, "/tmp")
import pkg  # noqa: E402 - made above

print("loaded", pkg.__version__)
