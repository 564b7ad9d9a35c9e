"""One night: what is due, what came of it, and what changed since the one before."""
