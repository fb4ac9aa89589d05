"""CapLiquify's database: connections, statements, the schema for each tenant, and PgBouncer before it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.database import database
from tests.systems.proof import CRITICAL, WARNING, prove_down, prove_figure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.peers import Authority
    from tests.postgres import Cluster
    from tests.systems.bench import Bench
    from tests.systems.database import Database

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
