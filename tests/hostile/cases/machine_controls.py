# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Reboots, swaps, sets clocks and names"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import attack

# All with arguments that are wrong: a kernel that looks at them does nothing either.
attack.must_be_denied("reboot", 169, 142, 0, 0, 0, 0)
attack.must_be_denied("swapon", 167, 224, 1, -1)
attack.must_be_denied("swapoff", 168, 225, 1)
attack.must_be_denied("acct", 163, 89, 1)
attack.must_be_denied("quotactl", 179, 60, -1, 1, 0, 0)
attack.must_be_denied("settimeofday", 164, 170, 1, 1)
attack.must_be_denied("clock_settime", 227, 112, 0, 1)
attack.must_be_denied("sethostname", 170, 161, 1, 1000)
attack.must_be_denied("setdomainname", 171, 162, 1, 1000)
attack.must_be_denied("vhangup", 153, 58)
attack.must_be_denied("personality", 135, 92, 0x0040000)
