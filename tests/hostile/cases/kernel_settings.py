# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Changes settings of the kernel, or reads what it tells root alone"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os

import attack

for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        attack.must_fail(f"{folder}/{name}", os.open, f"{folder}/{name}", os.O_WRONLY)
for name in ("sysrq-trigger", "kcore", "kmsg", "sched_debug", "scsi/scsi", "acpi/wakeup"):
    attack.must_fail(f"/proc/{name}", attack.open_what_is_there, f"/proc/{name}", os.O_RDWR)
for name in ("kcore", "keys", "timer_list", "timer_stats", "interrupts", "latency_stats"):
    attack.must_fail(f"/proc/{name}", attack.open_what_is_there, f"/proc/{name}", os.O_RDONLY)
for name in ("/sys/kernel", "/sys/fs/cgroup", "/sys/firmware", "/proc/irq/default_smp_affinity"):
    attack.must_fail(name, attack.write_into, name + ("" if "smp" in name else "/x"))
