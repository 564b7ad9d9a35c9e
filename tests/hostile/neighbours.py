"""Attempts that mean well, beside a hostile one and after it, and see what it does to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from runner.errors import Interrupted
from runner.sandbox import Sandbox
from tests.attempts import a_script, limits

LOOKS = """
import os, sys, time
def look():
    files = {at: sorted(os.listdir(at)) for at in ("/tmp", "/dev/shm")}
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    texts = [open(at + "/mine").read() for at in files if "mine" in files[at]]
    return files, pids, texts, sorted(os.environ), os.getcwd(), os.getloadavg() and None
"""
STAYS = """
for at in ("/tmp", "/dev/shm"):
    open(at + "/mine", "w").write("mine")
first = look()
while True:
    print("well" if look() == first else f"harmed {first} {look()}", flush=True)
    time.sleep(0.05)
"""
COMES = "print(look()[0], len(look()[1]))"
FRESH = b"{'/tmp': [], '/dev/shm': []} 2\n"
PATIENCE = 5.0
"""Seconds in which one who is not starved shows a sign of life."""


class Neighbour:
    """An attempt that runs all the while and says whether its world is as it was."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._signs = threading.Condition()
        self._heard = b""
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def living(self) -> Iterator[Neighbour]:
        self._thread.start()
        try:
            yield self
        finally:
            self._sandbox.stop()
            self._thread.join(PATIENCE)

    def is_well(self) -> bool:
        """Whether it says so anew, and never said anything else."""
        with self._signs:
            known = len(self._heard)
            self._signs.wait_for(lambda: len(self._heard) > known + 10, PATIENCE)
            return len(self._heard) > known and not self._heard.replace(b"well\n", b"")

    def _run(self) -> None:
        request = a_script(LOOKS + STAYS, limits=limits(timeout=900))
        with suppress(Interrupted):
            self._sandbox.run(request, self._hear)

    def _hear(self, _stream: str, chunk: bytes) -> None:
        with self._signs:
            self._heard += chunk
            self._signs.notify_all()


def finds_nothing_of_others(sandbox: Sandbox) -> bool:
    """Whether the next attempt starts in a world where nobody was before."""
    return sandbox.run(a_script(LOOKS + COMES)).stdout.head == FRESH
