"""Runs of the service: what was asked, turns, packed cases, items of work."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("runs", sa.Column("case_sha256", Key))
    op.add_column("runs", sa.Column("asked", sa.Text))
    op.add_column("runs", sa.Column("queue", Key))
    for table in ("runs", "run_cells", "run_attempts"):
        op.add_column(table, sa.Column("version", sa.Integer, nullable=False, server_default="0"))
    op.create_index("runs_at_work", "runs", ["id"], **_where("queue IS NOT NULL AND ended IS NULL"))
    op.create_table(
        "cases",
        sa.Column("sha256", Key, primary_key=True),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "work",
        sa.Column("id", Key, primary_key=True),
        sa.Column("run_id", Key, nullable=False, index=True),
        sa.Column("task", sa.String, nullable=False),
        sa.Column("cell_id", Key),
        sa.Column("cell", sa.Text),
        sa.Column("doubled", sa.Boolean, nullable=False),
        sa.Column("queue", Key, nullable=False),
        sa.Column("state", Key, nullable=False),
        sa.Column("owner", Key),
        sa.Column("beats", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("delay", sa.Float, nullable=False),
        sa.Column("trouble", sa.Text),
        sa.Column("sends", sa.Integer, nullable=False),
        sa.Column("made", Key, nullable=False),
    )
    op.create_index("work_queued", "work", ["queue", "sends", "made"], **_where("state = 'queued'"))
    op.create_index("work_begun", "work", ["id"], **_where("state <> 'queued'"))


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
