"""EcomDash's database: what its runbook says of connections, pools, disk, statements, migrations and freshness."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import Reason, State
from tests.systems.bench import bench
from tests.systems.database import database
from tests.systems.ecomdash import EcomDash
from tests.systems.proof import CRITICAL, INFO, WARNING, prove_down, prove_figure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Severity
    from tests.peers import Authority
    from tests.postgres import Cluster
    from tests.systems.bench import Bench
    from tests.systems.database import Database

HEAD = "0042_insights"
SCHEMA = (
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
    f"INSERT INTO alembic_version VALUES ('{HEAD}')",
    "CREATE TABLE shops (domain text, last_sync_at timestamptz, sync_status text DEFAULT 'pending')",
    "INSERT INTO shops VALUES ('one.myshopify.com', now(), 'done'), ('two.myshopify.com', now(), 'done')",
    (
        "SET allow_system_table_mods = on; INSERT INTO pg_extension"
        " SELECT 90000 + n, name, 10, 2200, true, '1'"
        " FROM unnest(ARRAY['vector', 'uuid-ossp']) WITH ORDINALITY AS x (name, n)"
    ),
)


@asynccontextmanager
async def ecomdash(
    server: Cluster, authority: Authority, **settings: str
) -> AsyncIterator[tuple[Bench[EcomDash], Database]]:
    """Run EcomDash with a database in which all is well; its limit is small, so that it is soon reached."""
    async with database(server, *SCHEMA) as kept:
        limits = {"ECOMDASH_DATABASE_CONNECTIONS": "20", "ECOMDASH_MIGRATION": HEAD} | settings
        async with bench(EcomDash, authority, ECOMDASH_DATABASE_URL=kept.dsn(), **limits) as running:
            await kept.counts_statements()
            await running.run("database")
            running.assert_told("database", WARNING, "pool budget")  # ED-09: it never fits
            yield running, kept


@pytest.mark.parametrize("guests", [pytest.param(17, id="ED-08")])
async def test_connections(guests: int, server: Cluster, authority: Authority) -> None:
    """18 of 20 slots, ours among them, are 90 %: a warning; one more is critical, the holders are named."""
    async with ecomdash(server, authority) as (running, kept):
        await prove_figure(
            running,
            "database",
            "connections",
            WARNING,
            lambda: kept.guests(guests - 1, "ecomdash-api"),
            kept.leave,
            "ecomdash-api 16",
            "Restart the one that holds more than its pool",
        )
        running.clock.skip(timedelta(hours=1))  # what opens and ends twice within an hour flaps
        await prove_figure(
            running,
            "database",
            "connections",
            CRITICAL,
            lambda: kept.guests(guests + 1, "ecomdash-worker"),
            kept.leave,
            "ecomdash-worker 18",
            "pool_size and max_overflow",
        )


@pytest.mark.parametrize("limit", [pytest.param(5, id="ED-08 refused")])
async def test_refused_at_the_last_slot(limit: int, server: Cluster, authority: Authority) -> None:
    """Whoever is refused knows that it is full: down, saturated, with what to do about that."""
    async with ecomdash(server, authority) as (running, kept):
        await running.run("database", times=2)
        running.databases.close()
        await kept.run(f"ALTER ROLE watcher CONNECTION LIMIT {limit}")
        try:
            await kept.guests(limit, "ecomdash-api", kept.dsn())
            sample = await running.run("database", times=3)
            assert (sample.state, sample.reason) == (State.DOWN, Reason.SATURATED)
            running.assert_told(
                "database", CRITICAL, "Database: down", "too many connections", "Restart the one that holds"
            )
            await kept.leave()
            await running.run("database", times=2)
            running.assert_resolved("database", CRITICAL)
        finally:
            await kept.run("ALTER ROLE watcher CONNECTION LIMIT -1")


@pytest.mark.parametrize(
    ("processes", "sum_"), [pytest.param("1", 61, id="ED-09"), pytest.param("2", 91, id="ED-09 2")]
)
async def test_pools_that_cannot_fit(processes: str, sum_: int, server: Cluster, authority: Authority) -> None:
    """30 per process, API and worker, against 25: told at the first look, with the arithmetic."""
    async with database(server, *SCHEMA) as kept:
        settings = {"ECOMDASH_DATABASE_URL": kept.dsn(), "ECOMDASH_API_PROCESSES": processes}
        async with bench(EcomDash, authority, **settings) as running:
            await running.run("database")
            worst = f"api {processes} × (20 + 10) + worker 1 × (20 + 10) + monitor 1 = {sum_}, limit 25"
            running.assert_told("database", WARNING, "pool budget", worst, "5 + 3 per process")


@pytest.mark.parametrize("size", [pytest.param("12MB", id="ED-10")])
async def test_disk(size: str, server: Cluster, authority: Authority) -> None:
    """A database that grows to 80 % of its plan warns, at 90 % it is critical, with its largest table named."""
    async with ecomdash(server, authority, ECOMDASH_DATABASE_SIZE=size) as (running, kept):
        await prove_figure(
            running,
            "database",
            "disk",
            CRITICAL,
            lambda: kept.run("CREATE TABLE orders AS SELECT repeat('x', 900) AS note FROM generate_series(1, 4000)"),
            lambda: kept.run("DROP TABLE orders"),
            "orders",
            "VACUUM",
        )


@pytest.mark.parametrize("seconds", [pytest.param(1.1, id="ED-11")])
async def test_a_slow_statement(seconds: float, server: Cluster, authority: Authority) -> None:
    """Its queryid, calls and mean are told, its text is not."""
    async with ecomdash(server, authority) as (running, kept):
        await prove_figure(
            running,
            "housekeeping",
            "slow statement",
            WARNING,
            lambda: kept.run(*[f"SELECT pg_sleep({seconds}), 'secret of a customer'"] * 2),
            lambda: kept.run("SELECT pg_stat_statements_reset()"),
            "queryid",
            "s in the mean",
            "EXPLAIN",
        )


@pytest.mark.parametrize("share", [pytest.param(0.3, id="ED-14")])
async def test_dead_rows(share: float, server: Cluster, authority: Authority) -> None:
    """Rows that wait for vacuum, with the table's name."""
    async with ecomdash(server, authority) as (running, kept):
        await kept.run(
            "CREATE TABLE orders (id int) WITH (autovacuum_enabled = off)",
            "INSERT INTO orders SELECT generate_series(1, 20000)",
        )
        await prove_figure(
            running,
            "housekeeping",
            "dead rows",
            INFO,
            lambda: kept.run(f"DELETE FROM orders WHERE id <= {20_000 * share}", "SELECT pg_stat_force_next_flush()"),
            lambda: kept.run("VACUUM ANALYZE orders"),
            "orders",
            "VACUUM ANALYZE",
        )


@pytest.mark.parametrize("index", [pytest.param("orders_note", id="ED-14 indexes")])
async def test_unused_indexes(index: str, server: Cluster, authority: Authority) -> None:
    """One that nobody reads, of a table that is worth it."""
    async with ecomdash(server, authority) as (running, kept):
        await kept.run("CREATE TABLE orders (id int, note text)")
        await kept.run("INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 5000) AS n", "ANALYZE orders")
        await prove_figure(
            running,
            "housekeeping",
            "unused indexes",
            INFO,
            lambda: kept.run(f"CREATE INDEX {index} ON orders (note)"),
            lambda: kept.run(f"DROP INDEX {index}"),
            "DROP INDEX CONCURRENTLY",
        )


@pytest.mark.parametrize("found", [pytest.param("0041_orders", id="ED-12")])
async def test_migration_drift(found: str, server: Cluster, authority: Authority) -> None:
    """Another revision than the release's head is critical."""
    async with ecomdash(server, authority) as (running, kept):
        await prove_down(
            running,
            "migrations",
            CRITICAL,
            lambda: kept.run(f"UPDATE alembic_version SET version_num = '{found}'"),
            lambda: kept.run(f"UPDATE alembic_version SET version_num = '{HEAD}'"),
            found,
            HEAD,
            "alembic upgrade head",
        )


@pytest.mark.parametrize("name", [pytest.param("uuid-ossp", id="ED-13"), pytest.param("vector", id="ED-13 vector")])
async def test_extensions(name: str, server: Cluster, authority: Authority) -> None:
    """The one that is missing is named."""
    async with ecomdash(server, authority) as (running, kept):
        rename = "SET allow_system_table_mods = on; UPDATE pg_extension SET extname = '{}' WHERE extname = '{}'"
        await prove_down(
            running,
            "extensions",
            CRITICAL,
            lambda: kept.run(rename.format("gone", name)),
            lambda: kept.run(rename.format(name, "gone")),
            name,
            "CREATE EXTENSION",
        )


@pytest.mark.parametrize(
    ("threshold", "change"),
    [
        pytest.param("stale shops", "last_sync_at = now() - interval '2 hours'", id="ED-25 stale"),
        pytest.param("failed synchronisations", "sync_status = 'error'", id="ED-25 failed"),
    ],
)
async def test_freshness(threshold: str, change: str, server: Cluster, authority: Authority) -> None:
    """How many shops, never which."""
    async with ecomdash(server, authority) as (running, kept):
        await prove_figure(
            running,
            "freshness",
            threshold,
            WARNING,
            lambda: kept.run(f"UPDATE shops SET {change} WHERE domain = 'one.myshopify.com'"),
            lambda: kept.run("UPDATE shops SET last_sync_at = now(), sync_status = 'done'"),
            "1",
            "sync_shopify_data",
        )
        assert not any("myshopify" in message.text for message in running.told())


@pytest.mark.parametrize("age", [pytest.param("61 minutes", id="ED-25")])
async def test_no_synchronisation(age: str, server: Cluster, authority: Authority) -> None:
    """The newest of all is over an hour old."""
    async with ecomdash(server, authority) as (running, kept):
        await prove_figure(
            running,
            "freshness",
            "no synchronisation",
            WARNING,
            lambda: kept.run(
                f"UPDATE shops SET last_sync_at = now() - interval '{age}'", "DELETE FROM shops WHERE false"
            ),
            lambda: kept.run("UPDATE shops SET last_sync_at = now()"),
            "1 h",
            "job queue",
        )


@pytest.mark.parametrize(
    ("topic", "hours", "severity"),
    [
        pytest.param("customers/data_request", 37, WARNING, id="ED-17 warning"),
        pytest.param("shop/redact", 44, CRITICAL, id="ED-17 critical"),
        pytest.param("customers/redact", 24 * 28, CRITICAL, id="ED-17 thirty days"),
    ],
)
async def test_privacy_requests(
    topic: str, hours: int, severity: Severity, server: Cluster, authority: Authority
) -> None:
    """Of 48 hours or 30 days so much is used; the topic and how many are told, and of nobody."""
    view = "CREATE VIEW privacy AS SELECT topic, received_at, answered_at FROM requests"
    async with ecomdash(server, authority, ECOMDASH_PRIVACY_VIEW_NAME="privacy") as (running, kept):
        await kept.run(
            "CREATE TABLE requests (topic text, customer text, received_at timestamptz, answered_at timestamptz)",
            view,
            "GRANT SELECT ON privacy TO watcher",
        )
        await prove_figure(
            running,
            "privacy",
            "deadline",
            severity,
            lambda: kept.run(
                f"INSERT INTO requests VALUES ('{topic}', 'ada@example.com', now() - interval '{hours} hours', NULL),"
                " ('customers/redact', 'bob@example.com', now(), NULL)"
            ),
            lambda: kept.run("UPDATE requests SET answered_at = now()"),
            topic,
            '"open": ',
            "Answer the oldest",
        )


@pytest.mark.parametrize("name", [pytest.param("buffer hits", id="ED-33")])
async def test_buffer_hits(name: str, server: Cluster, authority: Authority) -> None:
    """A server whose memory is cold reads from the disk: told for information, over once it finds what it needs."""
    read = ("SELECT count(*) FROM orders", "SELECT pg_stat_force_next_flush()", "SELECT 1")
    async with ecomdash(server, authority) as (running, kept):
        await kept.run("CREATE TABLE orders AS SELECT repeat('x', 900) FROM generate_series(1, 9000)", *read)
        await running.run("database")
        await kept.stop()
        await kept.start()
        await kept.run(*read)
        await running.run("database")
        running.assert_told("database", INFO, name, "Look at the slow statements first")
        await kept.run(*[read[0]] * 30, *read)
        await running.run("database", times=62)
        running.assert_resolved("database", INFO)
