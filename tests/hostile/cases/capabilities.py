# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Takes capabilities"
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

with open("/proc/self/status", encoding="ascii") as file:
    lines = dict(line.split(":", 1) for line in file)
for name in ("CapPrm", "CapEff", "CapAmb", "CapInh"):
    if int(lines[name], 16):
        attack.got_through(f"{name} {lines[name]}")
if lines["NoNewPrivs"].strip() != "1" or lines["Seccomp"].strip() != "2":
    attack.got_through("no filter, or new privileges")
for capability in range(41):
    if attack.LIBC.prctl(47, 2, capability, 0, 0) == 0:
        attack.got_through(f"raised {capability}")
if attack.LIBC.prctl(38, 0, 0, 0, 0) == 0:
    attack.got_through("new privileges again")
