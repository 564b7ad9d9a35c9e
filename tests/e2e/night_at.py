"""The command with a clock of a test's own: `python -m tests.e2e.night_at START WORDS...`."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta

from runner.cli import main

if __name__ == "__main__":
    start, began = datetime.fromisoformat(sys.argv.pop(1)), time.monotonic()
    main(lambda: start + timedelta(seconds=time.monotonic() - began))
