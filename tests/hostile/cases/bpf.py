# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Runs programs within the kernel, and watches it"
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

attack.must_be_denied("bpf", 321, 280, 0, 0, 0)
attack.must_be_denied("perf_event_open", 298, 241, 0, 0, -1, -1, 0)
attack.must_be_denied("userfaultfd", 323, 282, 1)
attack.must_be_denied("lookup_dcookie", 212, 18, 0, 0, 0)
attack.must_be_denied("syslog", 103, 116, 3, 0, 0)
attack.must_be_denied("fanotify_init", 300, 262, 0, 0)
