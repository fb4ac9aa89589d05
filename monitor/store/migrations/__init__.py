"""The schema's history, and how a database is brought to its newest.

Expand first: during a deploy, the old release still leads on the schema that the new one has made. So a migration only
adds, with defaults that the old release's rows are right with, and new words in stored values are read one release
before any is written. What is not needed any more goes in a later release, whose migration raises the fact
`oldest_leader` to the first schema that never used it. A release refuses a newer schema only when it is older than
that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

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


def migrate(connection: Connection) -> int:
    """Bring the database up to the schema of this release, within the caller's transaction; return the one it had.

    Raises `StoreUnusable` when it has a newer one that this release must not use.
    """
    version = found_version(connection)
    if version > schema.CURRENT:
        may_lead(version, connection.execute(text(OLDEST_LEADER_QUERY)).scalar_one())
    elif version < schema.CURRENT:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        command.upgrade(config, "head")
    return version


def require_readable(connection: Connection) -> int:
    """Return the number of the database's schema, which this release can read without bringing it up to date.

    Raises `StoreUnusable` when there is none, when it is older than this release, or when it is too new for it.
    """
    version = found_version(connection)
    if version == 0:
        raise StoreUnusable("there is no store there yet: the daemon makes one when it first runs")
    if version < schema.CURRENT:
        now = schema.CURRENT
        raise StoreUnusable(
            f"the store has schema {version}, this release reads {now}: `monitor migrate` brings it there"
        )
    if version > schema.CURRENT:
        may_lead(version, connection.execute(text(OLDEST_LEADER_QUERY)).scalar_one())
    return version


def found_version(connection: Connection) -> int:
    """Return the number of the database's schema, 0 when it has none yet.

    Raises `StoreUnusable` when tables are there that are not ours.
    """
    known = set(inspect(connection).get_table_names())
    ours = known.intersection(schema.metadata.tables)
    if "alembic_version" not in known:
        if ours:
            _refuse(f"has tables of another program under our names: {', '.join(sorted(ours))}")
        return 0
    version = connection.execute(text(VERSION_QUERY)).scalar()
    if schema.facts.name not in ours or version is None or not version.isdecimal():
        _refuse("belongs to another program, which keeps its own history of migrations there")
    return int(version)


def _refuse(why: str) -> NoReturn:
    raise StoreUnusable(f"the database {why}; give the monitor one of its own. It was left as it is")
