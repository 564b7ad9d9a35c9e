"""Runs, locks, what was loaded, attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", Key, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("case_id", sa.String, nullable=False),
        sa.Column("inputs_sha256", Key, nullable=False, index=True),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("began", Key, nullable=False, index=True),
        sa.Column("ended", Key),
        sa.Column("status", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("summary", sa.String),
    )
    op.create_table(
        "locks",
        sa.Column("key", Key, primary_key=True),
        sa.Column("pylock", sa.Text),
        sa.Column("failure", sa.String),
        sa.Column("detail", sa.Text),
        sa.Column("made", Key, nullable=False),
    )
    op.create_table(
        "loads",
        sa.Column("key", Key, primary_key=True),
        sa.Column("version", sa.String),
        sa.Column("location", sa.String),
    )
    op.create_table(
        "attempts",
        sa.Column("id", Key, primary_key=True),
        sa.Column("key", Key, nullable=False, index=True),
        sa.Column("ran", Key, nullable=False),
        sa.Column("ending", sa.String, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("peak_mib", sa.Float),
        sa.Column("cpu_seconds", sa.Float),
        sa.Column("doubled", sa.Boolean, nullable=False),
        sa.Column("stdout", sa.LargeBinary, nullable=False),
        sa.Column("stderr", sa.LargeBinary, nullable=False),
        sa.Column("cuts", sa.String, nullable=False),
    )
    op.create_table(
        "run_cells",
        sa.Column("run_id", Key, primary_key=True),
        sa.Column("cell_id", Key, primary_key=True),
        sa.Column("lock", Key, nullable=False),
        sa.Column("loaded", Key, nullable=False),
        sa.Column("attempts", Key, nullable=False),
    )
    op.create_table(
        "run_attempts",
        sa.Column("run_id", Key, primary_key=True),
        sa.Column("cell_id", Key, primary_key=True),
        sa.Column("attempt_id", Key, primary_key=True),
        sa.Column("reused", sa.Boolean, nullable=False),
    )
