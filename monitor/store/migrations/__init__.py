"""The schema's history, and how a database is brought to its newest.

Expand first: during a deploy, the old release still leads on the schema that the new one has made. So a migration only
adds, with defaults that the old release's rows are right with, and new words in stored values are read one release
before any is written. What is not needed any more goes in a later release, whose migration raises the fact
`oldest_leader` to the first schema that never used it. A release refuses a newer schema only when it is older than
that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from monitor.store import schema
from monitor.store.base import StoreUnusable

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_QUERY = "SELECT version_num FROM alembic_version"
OLDEST_LEADER_QUERY = "SELECT value FROM facts WHERE name = 'oldest_leader'"


def may_lead(version: int, oldest_leader: int, known: int = schema.CURRENT) -> None:
    """Raise `StoreUnusable` unless a release made for the schema `known` may work with the schema `version`."""
    if version > known and oldest_leader > known:
        msg = (
            f"the store was last used by a newer release, with schema {version}; this one knows schema {known} and only"
            f" releases from schema {oldest_leader} on can use it"
        )
        raise StoreUnusable(msg)


def migrate(connection: Connection) -> None:
    """Bring the database up to the schema of this release, within the caller's transaction.

    Raises `StoreUnusable` when it has a newer one that this release must not use.
    """
    version = found_version(connection)
    if version > schema.CURRENT:
        may_lead(version, connection.execute(text(OLDEST_LEADER_QUERY)).scalar_one())
    elif version < schema.CURRENT:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        command.upgrade(config, "head")


def found_version(connection: Connection) -> int:
    """Return the number of the database's schema, 0 when it has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return 0
    return int(connection.execute(text(VERSION_QUERY)).scalar_one())
