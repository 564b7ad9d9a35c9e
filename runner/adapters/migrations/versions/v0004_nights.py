"""Nights: who keeps watch, what was found, where each case stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "nights",
        sa.Column("id", Key, primary_key=True),
        sa.Column("began", Key, nullable=False),
        sa.Column("ended", Key),
        sa.Column("at_work", Key, unique=True),
        sa.Column("owner", Key, nullable=False),
        sa.Column("beats", sa.Integer, nullable=False),
        sa.Column("found", sa.LargeBinary),
    )
    op.create_table(
        "night_cases",
        sa.Column("night_id", Key, primary_key=True),
        sa.Column("case_id", Key, primary_key=True),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_index("night_cases_by_case", "night_cases", ["case_id", "night_id"])
