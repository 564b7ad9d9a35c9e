# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints characters that turn and hide text"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import sys

MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HIDDEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\U000e0041\U000e007f\u2028\u2029"
sys.stdout.reconfigure(encoding="utf-8")
for mark in MARKS + HIDDEN:
    print(f"not {mark}fixed in 2.0{mark} was it")
