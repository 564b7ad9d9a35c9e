"""Moves the tables of an older database to the present version, by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from runner.adapters.sql_tables import alembic_version

_HERE = Path(__file__).parent


def config(connection: sa.Connection) -> Config:
    """What Alembic has to know to work on a connection."""
    found = Config(attributes={"connection": connection})
    found.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return found


def migrate(connection: sa.Connection, *, since: int) -> None:
    """Make all migrations after `since`, in the transaction that the connection is in."""
    chosen = config(connection)
    if since and not sa.inspect(connection).has_table(alembic_version.name):
        command.stamp(chosen, f"{since:04}")  # made before there was Alembic
    command.upgrade(chosen, "head")
