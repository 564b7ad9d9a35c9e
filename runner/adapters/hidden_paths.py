"""What of /proc is held back from attempts, in all sandboxes alike."""

from __future__ import annotations

MASKED = (
    *("/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys"),
    *("/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger"),
    *("/proc/timer_list", "/proc/timer_stats"),
    # Who has the uid of the sandbox's init could write into its memory, where it is its parent.
    *("/proc/1/mem", "/proc/1/task"),
    # Shown by the kernel in the end, with what is mounted in it.
    *("/proc/sys/fs/binfmt_misc",),
)
"""What container engines hold back, too: it tells of the machine, or acts on it."""
