"""Which troubles are worth another try, after how long, and when to give up."""

from __future__ import annotations

from runner.errors import FixproofError, UnknownPackage, WrongUsage
from runner.value import digest

MOST_TRIES = 6
"""How often an item of work is taken at most; a worker that was lost with it counts too."""
_FIRST = 2.0
_GROWTH = 4.0
_LONGEST = 300.0


def retry_after(error: FixproofError, tries: int, item_id: str) -> float | None:
    """Seconds until an item is worth another try; None if it never is.

    Only trouble of ours can pass: the index, the engine, the disk, the database. What a case or a
    question does wrong stays wrong.

    Args:
        error: what happened.
        tries: how often the item was taken, this time included.
        item_id: spreads items that met the same trouble, so that they do not return at once.
    """
    if isinstance(error, (WrongUsage, UnknownPackage)) or tries >= MOST_TRIES:
        return None
    usual = min(_LONGEST, _FIRST * _GROWTH ** (tries - 1))
    drawn = int(digest("spread/1", item_id, str(tries))[:8], 16) / 0x100000000
    return usual * (0.75 + drawn / 2)
