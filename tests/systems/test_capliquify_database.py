"""CapLiquify's database: connections, statements, the schema for each tenant, and PgBouncer before it."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from monitor.finding import finding
from tests.pgbouncer import pgbouncer
from tests.postgres import PASSWORD, USER
from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.database import WATCHER, database
from tests.systems.proof import CRITICAL, WARNING, prove_down, prove_figure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from monitor.model import Severity
    from tests.peers import Authority
    from tests.postgres import Cluster
    from tests.systems.bench import Bench
    from tests.systems.database import Database

SIZE = 2
"""Connections of the pool."""
LONGEST_WAIT = 5.3
FUNCTION = "CREATE FUNCTION create_tenant_schema() RETURNS int LANGUAGE sql AS 'SELECT 1'"
SCHEMA = (
    "CREATE TABLE tenants (name text)",
    "INSERT INTO tenants VALUES ('one'), ('two')",
    "CREATE SCHEMA tenant_one",
    "CREATE SCHEMA tenant_two",
    FUNCTION,
    (
        "SET allow_system_table_mods = on;"
        " INSERT INTO pg_extension VALUES (90001, 'vector', 10, 2200, true, '0.7', NULL, NULL)"
    ),
)


@asynccontextmanager
async def capliquify(
    server: Cluster, authority: Authority, **settings: str
) -> AsyncIterator[tuple[Bench[CapLiquify], Database]]:
    """Run CapLiquify with a database in which all is well."""
    async with (
        database(server, *SCHEMA) as kept,
        bench(CapLiquify, authority, CAPLIQUIFY_DATABASE_URL=kept.dsn(), **settings) as running,
    ):
        yield running, kept


@pytest.mark.parametrize(
    ("slots", "severity"),
    [pytest.param(17, WARNING, id="CL-06 warning"), pytest.param(19, CRITICAL, id="CL-06 critical")],
)
async def test_connections(slots: int, severity: int, server: Cluster, authority: Authority) -> None:
    """The database takes 20: over 80 % warns, over 90 % is critical, and who holds them is named."""
    async with capliquify(server, authority) as (running, kept):
        await kept.run(f"ALTER DATABASE {kept.name} CONNECTION LIMIT 20")
        await prove_figure(
            running,
            "database",
            "connections",
            WARNING if severity == WARNING else CRITICAL,
            lambda: kept.guests(slots - 1, "sentia-backend"),
            kept.leave,
            f"sentia-backend {slots - 1}",
            "Is PgBouncer bypassed?",
        )


async def test_the_step_that_asks_who_holds_the_connections_is_answered(server: Cluster, authority: Authority) -> None:
    """By the database itself: whoever is woken reads it below the step."""
    async with capliquify(server, authority) as (running, kept):
        questions = running.plan("database").questions
        assert list(questions) == [running.plan("database").thresholds[0].remedy[0]]
        await kept.guests(7, "sentia-backend")
        await kept.guests(9, "mcp-server")
        (question,) = questions.values()
        said = finding(await running.run("database"), question)
        assert re.match(r"\d+ in all: mcp-server 9, sentia-backend 7(, |$)", said), said


@pytest.mark.parametrize("seconds", [pytest.param(1.1, id="CL-26")])
async def test_a_slow_statement(seconds: float, server: Cluster, authority: Authority) -> None:
    """With its queryid, calls and mean."""
    async with capliquify(server, authority) as (running, kept):
        await kept.counts_statements()
        await prove_figure(
            running,
            "database",
            "slow statement",
            WARNING,
            lambda: kept.run(*[f"SELECT pg_sleep({seconds})"] * 2),
            lambda: kept.run("SELECT pg_stat_statements_reset()"),
            "queryid",
            "EXPLAIN",
        )


CASES = [
    pytest.param(
        "functions",
        CRITICAL,
        "DROP FUNCTION create_tenant_schema",
        FUNCTION,
        ("expected functions", "002_tenant_schema_functions.sql"),
        id="CL-09",
    ),
    pytest.param(
        "tenants",
        WARNING,
        "INSERT INTO tenants VALUES ('three')",
        "DELETE FROM tenants WHERE name = 'three'",
        ('"tenants": 3', '"schemas": 2', "half created"),
        id="CL-10",
    ),
    pytest.param(
        "schema",
        CRITICAL,
        "ALTER TABLE tenants RENAME TO gone",
        "ALTER TABLE gone RENAME TO tenants",
        ("tenants", "001_create_public_schema.sql"),
        id="CL-11",
    ),
    pytest.param(
        "extension",
        CRITICAL,
        "SET allow_system_table_mods = on; UPDATE pg_extension SET extname = 'gone' WHERE extname = 'vector'",
        "SET allow_system_table_mods = on; UPDATE pg_extension SET extname = 'vector' WHERE extname = 'gone'",
        ("CREATE EXTENSION IF NOT EXISTS vector",),
        id="CL-25",
    ),
]


@pytest.mark.parametrize(("check", "severity", "fault", "mended", "said"), CASES)
async def test_schema(
    check: str, severity: int, fault: str, mended: str, said: tuple[str, ...], server: Cluster, authority: Authority
) -> None:
    """What must be there, and is not."""
    async with capliquify(server, authority) as (running, kept):
        level = WARNING if severity == WARNING else CRITICAL
        await prove_down(running, check, level, lambda: kept.run(fault), lambda: kept.run(mended), *said)


class Crowd:
    """Clients of a PgBouncer with two connections: two that hold them, and one that waits."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._guests: list[asyncpg.Connection[Any]] = []
        self._waiting: asyncio.Task[object] | None = None

    async def come(self) -> None:
        """Take both connections in transactions that stay open, and wait for a third."""
        for _ in range(SIZE):
            await (await self._guest()).execute("BEGIN; SELECT 1")
        self._waiting = asyncio.create_task((await self._guest()).execute("SELECT 1"))

    async def wait(self) -> None:
        """Come, and be waiting for over five seconds by PgBouncer's own clock."""
        await self.come()
        await asyncio.sleep(LONGEST_WAIT)

    async def leave(self) -> None:
        """Give everything back; PgBouncer knows of it when this returns."""
        guests, self._guests = self._guests, []
        for guest in guests[:SIZE]:
            await guest.execute("ROLLBACK")
        if self._waiting:
            await self._waiting
        for guest in guests:
            await guest.close()

    async def _guest(self) -> asyncpg.Connection[Any]:
        guest = await asyncpg.connect(self._dsn, statement_cache_size=0)
        self._guests.append(guest)
        return guest


@pytest.mark.parametrize(
    ("threshold", "severity", "how", "said"),
    [
        pytest.param("waiting clients", WARNING, Crowd.come, "pg_terminate_backend", id="CL-18 waiting"),
        pytest.param("longest wait", CRITICAL, Crowd.wait, "raise default_pool_size", id="CL-18 wait"),
    ],
)
async def test_a_pool_that_is_full(
    threshold: str,
    severity: Severity,
    how: Callable[[Crowd], Awaitable[None]],
    said: str,
    server: Cluster,
    authority: Authority,
) -> None:
    """Through a real PgBouncer: who waits for a minute warns, who waits for over five seconds is critical."""
    with pgbouncer(server, USER, PASSWORD, SIZE, {WATCHER: PASSWORD}, stats_users=WATCHER) as port:
        console = f"postgresql://{WATCHER}:{PASSWORD}@127.0.0.1:{port}/pgbouncer"
        async with capliquify(server, authority, CAPLIQUIFY_PGBOUNCER_URL=console) as (running, kept):
            crowd = Crowd(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{kept.name}")
            try:
                await prove_figure(
                    running, "pgbouncer", threshold, severity, lambda: how(crowd), crowd.leave, kept.name, said
                )
            finally:
                await crowd.leave()
