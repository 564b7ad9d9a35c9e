# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Makes system calls of a 32-bit machine, which have other numbers"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "signal 31"
# says = "unresolved: signal"
# needs = "system_calls"
# ///
import ctypes
import mmap
import os
import platform
import signal

# mov eax, 20 (getpid there); int 0x80; ret
CODE = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
if platform.machine() != "x86_64":
    os.kill(os.getpid(), signal.SIGSYS)
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(CODE)
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
print("BUG: the call was made", call(), flush=True)
raise SystemExit(1)
