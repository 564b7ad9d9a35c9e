"""A real browser without a window: what it makes of a page, and what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

PATIENCE = 120.0
_NOBODY = "127.0.0.1:1"
"""Who is asked for whatever is not a file: nobody is there."""
_NAMES = ("chromium", "google-chrome")


class Seen(NamedTuple):
    """A page as the browser has it."""

    document: str
    console: list[str]
    """What it complains of, such as what a page's policy forbids."""


@cache
def no_browser() -> str | None:
    """Why there can be no browser; None if there can."""
    return None if any(map(shutil.which, _NAMES)) else "chromium is not installed"


def browse(page: Path, profile: Path) -> Seen:
    """Open a page, with a profile of its own in a folder."""
    words = [
        *next(filter(None, ([found] for each in _NAMES if (found := shutil.which(each))))),
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "--headless",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={profile}",
        f"--proxy-server={_NOBODY}",
        "--enable-logging=stderr",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
        env=os.environ | {"HOME": str(profile)},
    )
    return Seen(done.stdout, [each for each in done.stderr.splitlines() if "CONSOLE" in each])
