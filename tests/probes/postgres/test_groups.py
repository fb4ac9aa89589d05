"""What the database does and holds, on a real server: counters, sizes, dead rows, indexes, statements, slots."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.acceptance.process import needed
from tests.probes.postgres.conftest import by_label, value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from monitor.model import Sample
    from monitor.probes.postgres import PostgresCheck
    from tests.postgres import Cluster
    from tests.probes.postgres.conftest import Connect

    Look = Callable[[PostgresCheck], Awaitable[Sample]]
    Make = Callable[..., PostgresCheck]

GROUPS = {"size", "tables", "dead_rows", "indexes", "statements"}
ASKED_FOR = {
    "size": {"size"},
    "tables": {"table_size"},
    "dead_rows": {"dead_share"},
    "indexes": {"unused_indexes", "unused_index_size", "invalid_indexes"},
}


def names(sample: Sample) -> set[str]:
    return {measure.name for measure in sample.measures}


def run(server: Cluster, *statements: str) -> None:
    """Run statements in the database, as its owner would, but from a session that counts what it did when it ends."""
    server.psql("; ".join(statements), "shop")


@pytest.fixture
def preloaded(watched: Cluster) -> None:
    """Ask for pg_stat_statements, which the bundled server lacks."""
    found = watched.psql("SHOW shared_preload_libraries") or None
    needed(found, "pg_stat_statements", "postgresql")


@pytest.fixture
async def filled(watched: Cluster) -> AsyncIterator[None]:
    """Make a table of 3,000 rows, a third of them dead, with an index that nobody reads; and a larger one."""
    run(
        watched,
        "SET ROLE app",
        "CREATE TABLE orders (i int PRIMARY KEY, j int, u int UNIQUE) WITH (autovacuum_enabled = off)",
        "CREATE INDEX nobodys ON orders (j)",
        "CREATE TABLE events AS SELECT i, repeat('x', 900) AS body FROM generate_series(1, 2000) i",
    )
    run(watched, "INSERT INTO orders SELECT i, i, i FROM generate_series(1, 3000) i")
    run(watched, "DELETE FROM orders WHERE i % 3 = 0")
    yield
    run(watched, "DROP TABLE orders, events")


@pytest.fixture
def dead(watched: Cluster) -> Callable[[], Awaitable[None]]:
    """Return what waits until the statistics tell of the dead rows: before PostgreSQL 15 they come a moment later."""

    async def wait() -> None:
        query = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'orders'"
        for _ in range(500):
            if watched.psql(query, "shop") == "1000":
                return
            await asyncio.sleep(0.02)

    return wait


@pytest.mark.usefixtures("filled")
async def test_what_costs_the_server_more_is_taken_when_it_is_asked_for(
    made: Make, look: Look, dead: Callable[[], Awaitable[None]]
) -> None:
    """By name, or by a threshold on it, whatever the function: and nothing else is."""
    await dead()
    all_of_them = set().union(*ASKED_FOR.values())
    assert not names(await look(made())) & all_of_them
    for group, measures in ASKED_FOR.items():
        assert names(await look(made(measure=[group]))) & all_of_them == measures
        for measure in measures:
            threshold = {"watch": f"max({measure}, 10m)", "warning": "> 0"}
            assert names(await look(made(thresholds=[threshold]))) & all_of_them == measures


@pytest.mark.usefixtures("filled")
async def test_the_size_is_told_with_the_largest_tables(made: Make, look: Look, watched: Cluster) -> None:
    """Which is what whoever is paged for it will ask first."""
    sample = await look(made(measure=["size", "tables"], size_limit="20MB"))
    size = int(watched.psql("SELECT pg_database_size('shop')"))
    assert value(sample, "size") == pytest.approx(size, rel=0.02)
    assert value(sample, "size_share") == pytest.approx((value(sample, "size") or 0) / 20_000_000)
    largest = by_label(sample, "table_size")
    assert list(largest)[:2] == ["public.events", "public.orders"]
    assert largest["public.events"] == int(watched.psql("SELECT pg_total_relation_size('events')", "shop"))
    assert " of 20 MB; the largest tables are public.events 2." in sample.remarks["size_share"]
    assert "public.orders" in sample.remarks["table_size"]


@pytest.mark.usefixtures("filled")
async def test_a_table_that_is_being_altered_is_passed_over(made: Make, look: Look, connect: Connect) -> None:
    """To wait for it would make us late, and whoever comes after us."""
    async with connect("migration") as migration:
        await migration.execute("BEGIN; LOCK TABLE events")
        sample = await look(made(measure=["size", "tables", "indexes"]))
    assert not sample.unmeasured
    assert next(iter(by_label(sample, "table_size"))) == "public.orders"
    assert (value(sample, "longest_query"), value(sample, "waiting")) == (0, 0)


@pytest.mark.usefixtures("filled")
async def test_what_cannot_be_measured_in_time_is_no_outage_and_not_unseen(
    made: Make, look: Look, connect: Connect
) -> None:
    """Here a REINDEX holds the lock that measuring a table takes."""
    async with connect("dba") as dba:
        await dba.execute("BEGIN; REINDEX INDEX nobodys")
        sample = await look(made(measure=["tables", "dead_rows", "indexes"], timeout="1s"))
    assert sample.state is State.UP
    assert by_label(sample, "unmeasured") == {"tables": 1, "dead_rows": 1, "indexes": 1}
    assert {"table_size", "unused_indexes"} <= sample.unmeasured
    assert sample.remarks["unmeasured"].startswith(
        "tables: canceling statement due to statement timeout; dead_rows: no t"
    )
    assert value(sample, "connection_share") is not None
    assert value(sample, "duration") is not None


@pytest.mark.usefixtures("filled")
async def test_dead_rows_are_told_as_a_share_of_their_table(
    made: Make, look: Look, dead: Callable[[], Awaitable[None]], watched: Cluster
) -> None:
    """Small tables are not: a third of ten rows is three."""
    run(watched, "CREATE TABLE few AS SELECT generate_series(1, 100) AS i", "DELETE FROM few")
    await dead()
    sample = await look(made(measure=["dead_rows"]))
    assert by_label(sample, "dead_share") == {"public.events": 0, "public.orders": pytest.approx(1 / 3)}
    assert sample.remarks["dead_share"].startswith(
        "dead rows: public.orders 1,000 of 3,000 (vacuumed never), public.ev"
    )
    run(watched, "DROP TABLE few")
    run(watched, "VACUUM orders")
    while by_label(sample, "dead_share")["public.orders"]:
        sample = await look(made(measure=["dead_rows"]))


@pytest.mark.usefixtures("filled")
async def test_an_index_that_nobody_reads_is_told_unless_it_holds_a_rule(
    made: Make, look: Look, dead: Callable[[], Awaitable[None]], watched: Cluster
) -> None:
    """The primary key and the unique column were not read either. One that is broken serves nobody."""
    await dead()
    sample = await look(made(measure=["indexes"]))
    assert (value(sample, "unused_indexes"), value(sample, "invalid_indexes")) == (1, 0)
    assert value(sample, "unused_index_size") == int(watched.psql("SELECT pg_relation_size('nobodys')", "shop"))
    assert "public.nobodys" in sample.remarks["unused_indexes"]

    run(watched, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'nobodys'::regclass")
    sample = await look(made(measure=["indexes"]))
    assert (value(sample, "unused_indexes"), value(sample, "invalid_indexes")) == (0, 1)
    assert sample.remarks["invalid_indexes"] == "public.nobodys"

    run(watched, "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'nobodys'::regclass")
    run(watched, "SET enable_seqscan = off", "SELECT FROM orders WHERE j = 7")
    while value(sample, "unused_indexes") != 0 or value(sample, "invalid_indexes") != 0:
        sample = await look(made(measure=["indexes"]))


@asynccontextmanager
async def extended(server: Cluster) -> AsyncIterator[None]:
    server.psql("CREATE SCHEMA tools", "shop")
    server.psql("CREATE EXTENSION pg_stat_statements SCHEMA tools", "shop")
    server.psql("GRANT USAGE ON SCHEMA tools TO PUBLIC", "shop")
    try:
        yield
    finally:
        server.psql("DROP EXTENSION pg_stat_statements", "shop")
        server.psql("DROP SCHEMA tools", "shop")


@pytest.mark.usefixtures("preloaded")
async def test_the_slowest_statements_are_told_by_their_ids(
    made: Make, look: Look, connect: Connect, watched: Cluster
) -> None:
    """Never by their texts. One that was called too seldom says nothing yet; the extension may be in any schema."""
    async with extended(watched), connect("report") as report:
        watched.psql("SELECT tools.pg_stat_statements_reset()", "shop")
        for _ in range(3):
            await report.execute("SELECT pg_sleep(0.03), 'somebody@example.com'")
        for _ in range(2):
            await report.execute("SELECT pg_sleep(0.06), 'somebody@example.com', 2")
        slow = "SELECT queryid FROM tools.pg_stat_statements WHERE query LIKE '%pg_sleep%' AND calls = 3"
        slowest = watched.psql(slow, "shop")
        sample = await look(made(thresholds=[{"watch": "statement_mean", "warning": "> 1s"}], min_calls=3))
        anything = await look(made(measure=["statements"], min_calls=1))
    assert value(sample, "statement_mean", queryid=slowest) == pytest.approx(0.035, abs=0.02)
    assert value(sample, "statement_calls", queryid=slowest) == 3
    assert max(by_label(sample, "statement_mean"), key=by_label(sample, "statement_mean").__getitem__) == slowest
    assert sample.remarks["statement_mean"].startswith(f"the slowest has queryid {slowest}: 3 calls, 3")
    assert "somebody" not in repr(sample)
    assert "2 calls, 6" in anything.remarks["statement_mean"]
    assert len(by_label(anything, "statement_mean")) <= 10


@pytest.mark.usefixtures("preloaded")
async def test_statements_that_are_hidden_from_us_are_not_told_as_none(
    made: Make, look: Look, connect: Connect, watched: Cluster
) -> None:
    async with extended(watched), connect("report") as report:
        await report.execute("SELECT pg_sleep(0.01)")
        sample = await look(made("plain", measure=["statements"], min_calls=1))
        watched.psql("REVOKE USAGE ON SCHEMA tools FROM PUBLIC", "shop")
        shut_out = await look(made(measure=["statements"]))
    assert sample.state is shut_out.state is State.UP
    assert {"statement_mean", "statement_calls"} <= sample.unmeasured & shut_out.unmeasured
    assert "which needs pg_monitor" in sample.remarks["unmeasured"]
    assert shut_out.remarks["unmeasured"] == "statements: permission denied for schema tools"


async def test_a_database_without_the_extension_says_how_to_get_it(made: Make, look: Look) -> None:
    sample = await look(made(measure=["statements"]))
    assert (sample.state, by_label(sample, "unmeasured")) == (State.UP, {"statements": 1})
    assert sample.remarks["unmeasured"].endswith("CREATE EXTENSION pg_stat_statements")


async def test_an_extension_that_was_not_preloaded_says_so(made: Make, look: Look, postgres: Cluster) -> None:
    """On the server that other tests share; the bundled one has no such extension."""
    if postgres.psql("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'") == "0":
        needed(None, "pg_stat_statements", "postgresql")
    postgres.psql("CREATE DATABASE unloaded")
    postgres.psql("CREATE EXTENSION pg_stat_statements", "unloaded")
    sample = await look(made(dsn=postgres.dsn("unloaded"), measure=["statements"]))
    assert sample.state is State.UP
    assert "must be loaded via" in sample.remarks["unmeasured"]


async def test_counters_are_those_of_the_server(made: Make, look: Look, watched: Cluster) -> None:
    """What a version has no column for is not there, and no error."""
    sample = await look(made())
    assert {"commits", "rollbacks", "deadlocks", "temp_files", "temp_bytes", "conflicts"} <= names(sample)
    modern = int(watched.psql("SHOW server_version_num")) >= 140_000
    assert set(by_label(sample, "sessions_ended")) == ({"abandoned", "fatal", "killed"} if modern else set())
    assert (value(sample, "uptime") or 0) > 0
    assert value(sample, "standby") == 0
    assert 0 < (value(sample, "wraparound_share") or 0) < 0.01
    assert "is the oldest" not in sample.detail


async def test_work_that_does_not_fit_in_memory_is_counted(made: Make, look: Look, watched: Cluster) -> None:
    check = made()
    before = value(await look(check), "temp_bytes") or 0
    run(watched, "SET work_mem = '64kB'", "SELECT count(*) FROM (SELECT generate_series(1, 40000) i ORDER BY i DESC) s")
    while (value(await look(check), "temp_bytes") or 0) <= before:
        watched.psql("SELECT 1")


async def test_the_share_of_hits_is_that_since_the_last_run(made: Make, look: Look, watched: Cluster) -> None:
    """None in the first run, none when nothing was read, and none when the statistics began again meanwhile."""
    check = made()
    assert value(await look(check), "buffer_hit_share") is None
    share = None
    while share is None:
        run(watched, "SELECT count(*) FROM pg_class")
        share = value(await look(check), "buffer_hit_share")
    assert 0 <= share <= 1
    watched.psql("SELECT pg_stat_reset()", "shop")
    hits = [value(await look(check), "buffer_hit_share") for _ in range(20)]
    assert all(hit is None or 0 <= hit <= 1 for hit in hits)


async def test_a_slot_that_nobody_reads_is_told_with_what_it_keeps(made: Make, look: Look, watched: Cluster) -> None:
    """A server whose disk such a slot has filled stops."""
    watched.psql("SELECT pg_create_physical_replication_slot('left_behind', true)")
    try:
        run(watched, "CREATE TABLE work AS SELECT generate_series(1, 5000) i", "DROP TABLE work")
        sample = await look(made())
    finally:
        watched.psql("SELECT pg_drop_replication_slot('left_behind')")
    kept = value(sample, "slot_retained", slot="left_behind")
    assert kept
    assert kept > 100_000
    assert value(sample, "inactive_slots") == 1
    assert "nobody reads left_behind (" in sample.remarks["inactive_slots"]
    assert (value(sample, "replicas"), value(sample, "replay_lag")) == (0, None)
    after = await look(made())
    assert (value(after, "inactive_slots"), by_label(after, "slot_retained")) == (0, {})
