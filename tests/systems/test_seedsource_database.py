"""Seed & Source's database in Neon: migrations, the column a release needs, and who may change the schema."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.systems.bench import bench
from tests.systems.database import database
from tests.systems.proof import CRITICAL, WARNING, prove_down
from tests.systems.seedsource import SeedSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Severity
    from tests.peers import Authority
    from tests.postgres import Cluster
    from tests.systems.bench import Bench
    from tests.systems.database import Database

HEAD = "005_add_payment_feature_unlocked"
SCHEMA = (
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
    f"INSERT INTO alembic_version VALUES ('{HEAD}')",
    "CREATE TABLE payments (id int, feature_unlocked boolean)",
)
RIGHTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT CREATE ON SCHEMA public TO neondb_owner",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO neondb_owner",
)
AT_HEAD = (
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)",
    "DELETE FROM alembic_version",
    f"INSERT INTO alembic_version VALUES ('{HEAD}')",
    "GRANT SELECT ON alembic_version TO neondb_owner",
)


@asynccontextmanager
async def seedsource(server: Cluster, authority: Authority) -> AsyncIterator[tuple[Bench[SeedSource], Database]]:
    """Run Seed & Source with its two roles: the owner's, and one that may only look."""
    async with database(server, *SCHEMA, *RIGHTS, roles=["neondb_owner"]) as kept:
        urls = {"SEEDSOURCE_DATABASE_URL": kept.dsn("neondb_owner"), "SEEDSOURCE_APP_DATABASE_URL": kept.dsn()}
        async with bench(SeedSource, authority, **urls) as running:
            yield running, kept


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            "UPDATE alembic_version SET version_num = '004_prices'", "004_prices", id="SS-06 behind or unknown"
        ),
        pytest.param("INSERT INTO alembic_version VALUES ('004_other')", "004_other", id="SS-06 several heads"),
        pytest.param("DELETE FROM alembic_version", "no migration", id="SS-06 empty"),
        pytest.param("DROP TABLE alembic_version", "alembic_version", id="SS-06 no table"),
    ],
)
async def test_migrations(fault: str, said: str, server: Cluster, authority: Authority) -> None:
    """What was found is said: another revision, several heads, empty, no table."""
    async with seedsource(server, authority) as (running, kept):
        await prove_down(
            running,
            "migrations",
            CRITICAL,
            lambda: kept.run(fault),
            lambda: kept.run(*AT_HEAD),
            said,
            "alembic upgrade head",
        )


@pytest.mark.parametrize("check", [pytest.param("migrations", id="SS-06 asleep")])
async def test_a_compute_that_sleeps_is_left_alone(check: str, server: Cluster, authority: Authority) -> None:
    """Nothing is told of it, an outage neither begins nor ends, and no run connects."""
    async with seedsource(server, authority) as (running, kept):
        await kept.run("DELETE FROM alembic_version")
        running.stand_in.compute_is("idle")
        assert (await running.run(check, times=4)).left_out
        assert running.told() == []
        running.stand_in.compute_is("active")
        await running.run(check, times=2)
        running.assert_told(check, CRITICAL, "no migration")
        await kept.run(*AT_HEAD)
        running.stand_in.compute_is("idle")
        assert (await running.run(check, times=4)).left_out
        assert running.told() == []
        running.stand_in.compute_is("active")
        await running.run(check, times=2)
        running.assert_resolved(check, CRITICAL)


@pytest.mark.parametrize("column", [pytest.param("feature_unlocked", id="SS-17")])
async def test_column(column: str, server: Cluster, authority: Authority) -> None:
    """Without it every answer is UndefinedColumn."""
    async with seedsource(server, authority) as (running, kept):
        await prove_down(
            running,
            "feature-column",
            CRITICAL,
            lambda: kept.run(f"ALTER TABLE payments DROP COLUMN {column}"),
            lambda: kept.run(f"ALTER TABLE payments ADD COLUMN {column} boolean"),
            "expected columns",
            "alembic upgrade head",
        )


@pytest.mark.parametrize(
    ("check", "severity", "fault", "mended", "said"),
    [
        pytest.param(
            "migration-role",
            CRITICAL,
            "REVOKE CREATE ON SCHEMA public FROM neondb_owner",
            "GRANT CREATE ON SCHEMA public TO neondb_owner",
            ("got false", "choose the role neondb_owner"),
            id="SS-16 migration role",
        ),
        pytest.param(
            "runtime-role",
            WARNING,
            "GRANT CREATE ON SCHEMA public TO watcher",
            "REVOKE CREATE ON SCHEMA public FROM watcher",
            ("got true", "Let it run as app_user"),
            id="SS-16 runtime role",
        ),
    ],
)
async def test_roles(
    check: str,
    severity: Severity,
    fault: str,
    mended: str,
    said: tuple[str, str],
    server: Cluster,
    authority: Authority,
) -> None:
    """The migration role may create, the one that the application runs with may not."""
    async with seedsource(server, authority) as (running, kept):
        await prove_down(running, check, severity, lambda: kept.run(fault), lambda: kept.run(mended), *said)
