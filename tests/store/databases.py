"""Databases on a PostgreSQL server, one for each test."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg

from monitor.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.postgres import Cluster

TEMPLATE = "template_store"
OURS = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"


class Databases:
    """Makes databases by copying one whose schema is up to date, which takes a tenth of migrating each."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._numbers = itertools.count()
        self._run(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(self._fill())

    def fresh(self, template: str = TEMPLATE) -> str:
        """Return the address of a new database; `template0` for an empty one."""
        name = f"store_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self.cluster.dsn(name)

    @contextmanager
    def borrowed(self) -> Iterator[Callable[[], str]]:
        """Give a way to make databases, and see afterwards that nobody is connected to them any more."""
        made: list[str] = []

        def fresh() -> str:
            made.append(self.fresh())
            return made[-1]

        yield fresh
        for url in made:
            self.left(url)
            self._run(f"DROP DATABASE {url.rpartition('/')[2]}")

    def left(self, url: str) -> None:
        """Say so unless every connection to a database is gone, or goes within seconds."""
        late = time.monotonic() + 5
        name = url.rpartition("/")[2]
        while self.connections(name):
            assert time.monotonic() < late, f"{self.connections(name)} connections were left open"
            time.sleep(0.01)

    def connections(self, name: str) -> int:
        """Return how many connections a database has."""

        async def ask() -> int:
            connection = await asyncpg.connect(self.cluster.dsn())
            try:
                count: int = await connection.fetchval(OURS, name)
            finally:
                await connection.close()
            return count

        return asyncio.run(ask())

    async def _fill(self) -> None:
        await (await open_store(self.cluster.dsn(TEMPLATE))).close()

    def _run(self, statement: str) -> None:
        self.cluster.psql(statement)
