"""A stand-in's PostgreSQL database: a real one of its own, with a role that may only look and one that may do harm."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg

from tests.acceptance.process import needed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.postgres import Cluster

WATCHER = "watcher"
PASSWORD = "pass-of-the-watcher"
MAKE_ROLE = (
    f"DO $$ BEGIN CREATE ROLE {{}} LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
)


class Database:
    """One database of a server, and whoever is connected to it."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self._guests: list[asyncpg.Connection[Any]] = []

    def dsn(self, role: str = WATCHER) -> str:
        """Return the address for a role; the watcher may look at everything and touch nothing."""
        return self.cluster.dsn(self.name, role, PASSWORD)

    @property
    def owner(self) -> str:
        """Return the address for the owner."""
        return self.cluster.dsn(self.name)

    async def run(self, *statements: str) -> None:
        """Run statements as the owner, each by itself."""
        connection = await asyncpg.connect(self.owner)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def guests(self, count: int, application: str, dsn: str = "") -> Sequence[asyncpg.Connection[Any]]:
        """Open so many connections under that application's name, and keep them until `leave`."""
        came = [
            await asyncpg.connect(dsn or self.owner, server_settings={"application_name": application})
            for _ in range(count)
        ]
        self._guests += came
        return came

    async def leave(self) -> None:
        """Close every connection that was kept, and return when the server has noticed."""
        gone = [guest.get_server_pid() for guest in self._guests]
        for guest in self._guests:
            guest.terminate()
        self._guests.clear()
        connection = await asyncpg.connect(self.cluster.dsn())
        while await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)", gone):
            await connection.execute("SELECT pg_sleep(0.01)")
        await connection.close()

    async def counts_statements(self) -> None:
        """Have statistics of statements from now on."""
        needed("" if self.cluster.offers("pg_stat_statements") else None, "pg_stat_statements", "postgresql")
        await self.run("CREATE EXTENSION pg_stat_statements")

    async def stop(self) -> None:
        """Stop the server."""
        self.cluster.stop()

    async def start(self) -> None:
        """Start it again."""
        self.cluster.start()


@asynccontextmanager
async def database(cluster: Cluster, *statements: str, roles: Sequence[str] = ()) -> AsyncIterator[Database]:
    """Make a database with the watcher's role and `roles`, run `statements` as its owner, and drop it in the end."""
    name = f"shop_{uuid4().hex[:12]}"
    cluster.psql(f"CREATE DATABASE {name}")
    made = Database(cluster, name)
    async with AsyncExitStack() as stack:
        stack.callback(cluster.psql, f"DROP DATABASE {name} WITH (FORCE)")
        await made.run(
            *(MAKE_ROLE.format(role) for role in (WATCHER, *roles)),
            f"GRANT pg_monitor TO {WATCHER}",
            *statements,
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {WATCHER}",
        )
        stack.push_async_callback(made.leave)
        yield made
