"""The tables of the database, as they are now; `migrations/` says how they came to be."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

SCHEMA = 6
"""Version of the tables: the number of the last migration."""

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
"""Compared byte by byte in every database, whatever language its server speaks."""

metadata = sa.MetaData()


def _where(condition: str) -> dict[str, Any]:
    """An index of those rows alone, in either database."""
    return {"sqlite_where": sa.text(condition), "info": {"where": condition}}


def tell_postgres() -> None:
    """Tell it, too, of which rows an index is: its dialect takes a tenth of a start to load."""
    for index in (index for table in metadata.tables.values() for index in table.indexes):
        if "where" in index.info:
            index.dialect_options["postgresql"]["where"] = sa.text(index.info["where"])


runs = sa.Table(
    "runs",
    metadata,
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
    sa.Column("case_sha256", Key),
    sa.Column("asked", sa.Text),
    sa.Column("queue", Key),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("avoid", Key),
    sa.Index("runs_of_cases", "case_id", "ended"),
    sa.Index("runs_at_work", "id", **_where("queue IS NOT NULL AND ended IS NULL")),
)

locks = sa.Table(
    "locks",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("pylock", sa.Text),
    sa.Column("failure", sa.String),
    sa.Column("detail", sa.Text),
    sa.Column("made", Key, nullable=False),
)

loads = sa.Table(
    "loads",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("version", sa.String),
    sa.Column("location", sa.String),
)

attempts = sa.Table(
    "attempts",
    metadata,
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

run_cells = sa.Table(
    "run_cells",
    metadata,
    sa.Column("run_id", Key, primary_key=True),
    sa.Column("cell_id", Key, primary_key=True),
    sa.Column("lock", Key, nullable=False),
    sa.Column("loaded", Key, nullable=False),
    sa.Column("attempts", Key, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
)

run_attempts = sa.Table(
    "run_attempts",
    metadata,
    sa.Column("run_id", Key, primary_key=True),
    sa.Column("cell_id", Key, primary_key=True),
    sa.Column("attempt_id", Key, primary_key=True),
    sa.Column("reused", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("worker", Key),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("sha256", Key, primary_key=True),
    sa.Column("packed", sa.LargeBinary, nullable=False),
)

work = sa.Table(
    "work",
    metadata,
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
    sa.Column("avoid", Key),
    sa.Index("work_queued", "queue", "sends", "made", **_where("state = 'queued'")),
    sa.Index("work_begun", "id", **_where("state <> 'queued'")),
)

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("run_id", Key, primary_key=True),
    sa.Column("case_id", sa.String, nullable=False),
    sa.Column("at", Key, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

nights = sa.Table(
    "nights",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("began", Key, nullable=False),
    sa.Column("ended", Key),
    sa.Column("at_work", Key, unique=True),
    sa.Column("owner", Key, nullable=False),
    sa.Column("beats", sa.Integer, nullable=False),
    sa.Column("found", sa.LargeBinary),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("wish", sa.Text),
    sa.Column("whole", sa.Boolean, nullable=False, server_default=sa.true()),
)

night_cases = sa.Table(
    "night_cases",
    metadata,
    sa.Column("night_id", Key, primary_key=True),
    sa.Column("case_id", Key, primary_key=True),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
    sa.Index("night_cases_by_case", "case_id", "night_id"),
)

alembic_version = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), primary_key=True),
)
"""Alembic's own, where it finds which migrations were made."""
