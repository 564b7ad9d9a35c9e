"""The words by which a fix page names its parts and what it says in them.

Two layouts of one site, and pages like them: tables, so that another layout is a row and no code.
"""

from __future__ import annotations

from enum import StrEnum

from runner.pages.page import Field


class Section(StrEnum):
    """The parts of a page."""

    TOP = "top"
    """What stands before the first heading, or without any."""
    FIX = "fix"
    WHY = "why"
    PROOF = "proof"
    EXECUTION = "execution"
    LOGS = "logs"
    DISCUSSION = "discussion"
    SIGNATURE = "signature"
    SIGNATURE_COPY = "signature_copy"
    ERROR = "error"
    REPRODUCTION = "reproduction"
    WHAT_BROKE = "what_broke"
    WHY_BROKE = "why_broke"
    AFFECTED = "affected"
    TABLE = "table"
    BOX = "box"
    """A patch or a script within a part about the fix."""
    SKIPPED = "skipped"
    """Parts that say nothing of this fix, or of another."""
    OTHER = "other"
    """Parts that nobody knows."""


HEADINGS = {
    "the fix": Section.FIX,
    "fix": Section.FIX,
    "why this fix works in production": Section.WHY,
    "why this fix works": Section.WHY,
    "why this breaks in prod": Section.WHY,
    "why this breaks": Section.WHY,
    "proof / evidence": Section.PROOF,
    "proof and evidence": Section.PROOF,
    "proof": Section.PROOF,
    "evidence": Section.PROOF,
    "verified execution": Section.EXECUTION,
    "logs": Section.LOGS,
    "discussion": Section.DISCUSSION,
    "failure signature (search string)": Section.SIGNATURE,
    "failure signature": Section.SIGNATURE,
    "copy-friendly signature": Section.SIGNATURE_COPY,
    "error message": Section.ERROR,
    "stack trace": Section.ERROR,
    "minimal reproduction": Section.REPRODUCTION,
    "reproduction": Section.REPRODUCTION,
    "environment": Section.PROOF,
    "what broke": Section.WHAT_BROKE,
    "why it broke": Section.WHY_BROKE,
    "fix options (details)": Section.FIX,
    "fix options": Section.FIX,
    "affected versions": Section.AFFECTED,
    "version compatibility table": Section.TABLE,
    "version compatibility": Section.TABLE,
    "when not to use this fix": Section.SKIPPED,
    "verify fix": Section.SKIPPED,
    "did this fix work in your case?": Section.SKIPPED,
    "prevention": Section.SKIPPED,
    "related issues": Section.SKIPPED,
    "related fixes": Section.SKIPPED,
    "sources": Section.SKIPPED,
    "get updates": Section.SKIPPED,
}
"""Headings in lower case."""

LABELS = {
    "package": Field.PACKAGE,
    "repository": Field.REPOSITORY,
    "github issue": Field.ISSUE,
    "issue": Field.ISSUE,
    "fix": Field.FIX,
    "fix pr": Field.FIX,
    "fix reference": Field.FIX,
    "fix commit": Field.FIX,
    "pull request": Field.FIX,
    "first fixed release": Field.FIRST_FIXED,
    "first fixed version": Field.FIRST_FIXED,
    "first fixed": Field.FIRST_FIXED,
    "fixed in": Field.FIRST_FIXED,
    "fixed": Field.FIRST_FIXED,
    "affected versions": Field.AFFECTED,
    "affected releases": Field.AFFECTED,
    "affected": Field.AFFECTED,
    "python": Field.PYTHON,
    "python version": Field.PYTHON,
    "last verified": Field.LAST_VERIFIED,
    "ran": Field.RAN,
    "ran (utc)": Field.RAN,
    "confidence": Field.CONFIDENCE,
    "reproduced locally": Field.REPRODUCED,
    "reproduced": Field.REPRODUCED,
    "did this fix it?": Field.UPSTREAM,
    "status": Field.STATUS,
    "mode": Field.MODE,
    "outcome": Field.OUTCOME,
    "trigger": Field.TRIGGER,
    "mechanism": Field.MECHANISM,
    "why the fix works": Field.WHY,
    "production symptom (often without a traceback)": Field.SYMPTOM,
    "surfaces as": Field.SYMPTOM,
    "own content ratio": Field.OWN_CONTENT,
}
"""What stands before a colon, or in the first of two cells, in lower case."""

BROKEN_WORDS = frozenset({"broken", "affected", "vulnerable", "buggy", "fails", "not fixed"})
FIXED_WORDS = frozenset({"fixed", "patched"})
UNAFFECTED_WORDS = frozenset({"unaffected", "not affected", "ok", "works", "not broken"})
ROW_WORDS = {
    **dict.fromkeys(BROKEN_WORDS, Field.BROKEN_ROW),
    **dict.fromkeys(FIXED_WORDS, Field.FIXED_ROW),
    **dict.fromkeys(UNAFFECTED_WORDS, Field.UNAFFECTED_ROW),
}
"""What a version table says of a release, in lower case."""

FILES = frozenset({"repro.py", "error.txt", "signature.txt", "fix.md", "verify", "stack trace"})
"""Names of boxes: one layout has them in the line before what is in the box."""
NOT_CAPTURED = "signature-only (no traceback captured)"
"""What the layouts say where nobody saw the error."""
