"""Databases on a PostgreSQL server, for tests that take turns."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

from monitor.store import open_store, schema

if TYPE_CHECKING:
    from tests.postgres import Cluster

FIRST = "UPDATE facts SET value = CASE name WHEN 'oldest_leader' THEN 1 ELSE 0 END"
UNLED = "UPDATE leases SET holder = '', token = 0, expires_at = 0"
KEPT = {schema.facts, schema.leases}


NUMBERS = itertools.count()
"""Of all databases that this process makes, whichever folder of tests asks for them."""


class Databases:
    """Makes databases, and empties one that is migrated already, which takes a tenth of the time."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.shared = self.fresh()
        asyncio.run(_migrated(self.shared))

    def fresh(self) -> str:
        """Return the address of a new database without any table."""
        name = f"store_{next(NUMBERS)}"
        self.cluster.psql(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.cluster.dsn(name)

    def emptied(self) -> str:
        """Return the address of a store with nothing in it, always the same one."""
        tables = [f"DELETE FROM {table.name}" for table in schema.metadata.tables.values() if table not in KEPT]
        self.cluster.psql("; ".join([*tables, FIRST, UNLED]), self.shared.rpartition("/")[2])
        return self.shared

    def left(self, url: str) -> None:
        """Say so unless every connection of ours to a database is gone, or goes within seconds."""
        late = time.monotonic() + 5
        while found := self.connections(url):
            assert time.monotonic() < late, f"{found} connections were left open"
            time.sleep(0.01)

    def connections(self, url: str) -> int:
        """Return how many connections to a database are ours."""
        name = url.rpartition("/")[2]
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook-monitor' AND datname = "
        return int(self.cluster.psql(f"{query}'{name}'"))


async def _migrated(url: str) -> None:
    await (await open_store(url)).close()
