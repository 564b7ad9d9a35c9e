"""fixproof: does this release fix this bug? It answers with evidence, or says why it cannot."""

__version__ = "0.1.0"
