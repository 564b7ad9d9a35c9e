"""Nights: in which order they were begun, of which cases, and whether that was all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("nights", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("nights", sa.Column("wish", sa.Text))
    op.add_column(
        "nights", sa.Column("whole", sa.Boolean, nullable=False, server_default=sa.true())
    )
    op.execute(
        "UPDATE nights SET number = "
        "(SELECT count(*) FROM nights AS earlier WHERE earlier.id <= nights.id)"
    )
