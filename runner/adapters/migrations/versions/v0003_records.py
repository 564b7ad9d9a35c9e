"""Records: runs of a case are found by it, and can be withdrawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_index("runs_of_cases", "runs", ["case_id", "ended"])
    op.create_table(
        "withdrawals",
        sa.Column("run_id", Key, primary_key=True),
        sa.Column("case_id", sa.String, nullable=False),
        sa.Column("at", Key, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
