"""Real Staging AI's database and Redis: connections, disk, migrations, and the worker's queue."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.systems.bench import bench
from tests.systems.database import database
from tests.systems.proof import CRITICAL, WARNING, prove_down, prove_figure
from tests.systems.realstaging import RealStaging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.peers import Authority
    from tests.postgres import Cluster
    from tests.systems.bench import Bench
    from tests.systems.database import Database

SCHEMA = (
    "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
    "INSERT INTO schema_migrations VALUES (7, false)",
)


@asynccontextmanager
async def realstaging(
    server: Cluster, authority: Authority, **settings: str
) -> AsyncIterator[tuple[Bench[RealStaging], Database]]:
    """Run Real Staging AI with a database in which all is well."""
    own = {"REALSTAGING_MIGRATION": "7"} | settings
    async with (
        database(server, *SCHEMA) as kept,
        bench(RealStaging, authority, REALSTAGING_DATABASE_URL=kept.dsn(), **own) as running,
    ):
        yield running, kept


@pytest.mark.parametrize("check", [pytest.param("database", id="RS-02")])
async def test_connection(check: str, server: Cluster, authority: Authority) -> None:
    """A database that lets nobody in is critical."""
    async with realstaging(server, authority) as (running, kept):
        await prove_down(
            running,
            check,
            CRITICAL,
            kept.stop,
            kept.start,
            "refused the connection",
            "See in Render whether realstaging-db is up",
        )


@pytest.mark.parametrize("version", [pytest.param(8, id="RS-06 dirty")])
async def test_a_migration_that_failed_half_way(version: int, server: Cluster, authority: Authority) -> None:
    """Every later one refuses to run: critical."""
    async with realstaging(server, authority) as (running, kept):
        await prove_down(
            running,
            "migrations",
            CRITICAL,
            lambda: kept.run(f"UPDATE schema_migrations SET version = {version}, dirty = true"),
            lambda: kept.run("UPDATE schema_migrations SET version = 7, dirty = false"),
            str(version),
            "migrate force",
        )


@pytest.mark.parametrize("version", [pytest.param(6, id="RS-06 version")])
async def test_another_version(version: int, server: Cluster, authority: Authority) -> None:
    """A warning, once a deploy has had time."""
    async with realstaging(server, authority) as (running, kept):
        await prove_figure(
            running,
            "migration-version",
            "other version",
            WARNING,
            lambda: kept.run(f"UPDATE schema_migrations SET version = {version}"),
            lambda: kept.run("UPDATE schema_migrations SET version = 7"),
            f"{version}",
            "infra/migrations",
        )


@pytest.mark.parametrize("size", [pytest.param("12MB", id="RS-18")])
async def test_disk(size: str, server: Cluster, authority: Authority) -> None:
    """Over 80 % of the disk warns, over 90 % is critical."""
    async with realstaging(server, authority, REALSTAGING_DATABASE_SIZE=size) as (running, kept):
        await prove_figure(
            running,
            "database",
            "disk",
            CRITICAL,
            lambda: kept.run("CREATE TABLE big AS SELECT repeat('x', 900) AS note FROM generate_series(1, 4000)"),
            lambda: kept.run("DROP TABLE big"),
            "big",
            "Pictures belong in the bucket",
        )


@pytest.mark.parametrize("limit", [pytest.param(20, id="RS-23")])
async def test_connections(limit: int, server: Cluster, authority: Authority) -> None:
    """Over 90 % of what the database takes."""
    async with realstaging(server, authority) as (running, kept):
        await kept.run(f"ALTER DATABASE {kept.name} CONNECTION LIMIT {limit}")
        await prove_figure(
            running,
            "database",
            "connections",
            CRITICAL,
            lambda: kept.guests(18, "realstaging-worker"),
            kept.leave,
            "realstaging-worker",
            "MaxOpenConns",
        )
