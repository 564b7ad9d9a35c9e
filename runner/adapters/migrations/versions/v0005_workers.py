"""Which worker made an attempt, and which one a run should rather not be carried out by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("runs", sa.Column("avoid", Key))
    op.add_column("work", sa.Column("avoid", Key))
    op.add_column("run_attempts", sa.Column("worker", Key))
