"""What Alembic runs to get to work; `migrations.migrate` gives it a connection."""

from __future__ import annotations

from alembic import context

from runner.adapters.sql_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
