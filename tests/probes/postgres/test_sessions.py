"""Who holds the connections of a real server, how long they have been at what, and what is said when none is left."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest

from monitor.model import Reason, State
from tests.pgbouncer import pgbouncer
from tests.probes.postgres.conftest import SLOTS, by_label, dsn_of, value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AsyncExitStack

    from monitor.model import Sample
    from monitor.probes.base import Resources
    from monitor.probes.postgres import PostgresCheck
    from tests.postgres import Cluster
    from tests.probes.postgres.conftest import Connect

    Look = Callable[[PostgresCheck], Awaitable[Sample]]
    Make = Callable[..., PostgresCheck]
    Crowd = Callable[..., Awaitable[AsyncExitStack]]

SATURATED = (State.DOWN, Reason.SATURATED)


async def settled(server: Cluster) -> None:
    """Return when the connections that were closed are gone, of which a client is not told."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename IN ('app', 'plain')"
    )
    for _ in range(500):
        if server.psql(query) == "0":
            return
        await asyncio.sleep(0.01)
    pytest.fail("connections that were closed stay")


@pytest.fixture(autouse=True)
async def _alone(watched: Cluster) -> None:
    await settled(watched)


async def test_a_pool_that_fills_up_while_we_look_is_down_with_its_holders_and_then_up_again(
    made: Make, look: Look, crowd: Crowd, watched: Cluster
) -> None:
    """The kept connection sees it from the inside: the share is exact, and everything is measured."""
    check = made()
    first = await look(check)
    assert first.state is State.UP
    assert value(first, "connection_share") == 1 / SLOTS
    assert value(first, "connection_limit") == SLOTS

    async with await crowd(api=5, worker=3):
        full = await look(check)
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await asyncpg.connect(dsn_of(watched, "app"))
    assert (full.state, full.reason) == SATURATED
    assert f"{SLOTS} of {SLOTS} slots: api 5, worker 3, runbook-monitor 1" in full.detail
    assert full.remarks["connection_share"] == f"{SLOTS} of {SLOTS} slots: api 5, worker 3, runbook-monitor 1"
    assert value(full, "connection_share") == 1.0
    assert by_label(full, "held") == {"api": 5, "worker": 3, "runbook-monitor": 1}
    assert by_label(full, "connections")["idle"] == 8
    assert value(full, "commits") is not None
    assert value(full, "duration") is None

    await settled(watched)
    again = await look(check)
    assert (again.state, value(again, "connection_share")) == (State.UP, 1 / SLOTS)


@pytest.mark.parametrize("seen", [False, True], ids=["never seen", "seen before"])
async def test_when_even_we_are_refused_it_is_down_and_the_share_whole(
    made: Make, look: Look, crowd: Crowd, watched: Cluster, *, seen: bool
) -> None:
    """The server says itself that no slot is free; whoever was seen to hold them last is named."""
    check = made(keep=False)
    if seen:
        async with await crowd(api=2):
            await look(check)
    await settled(watched)
    async with await crowd(api=6, worker=3):
        full = await look(check)
    assert (full.state, full.reason) == SATURATED
    assert "remaining connection slots are reserved" in full.detail or "too many clients" in full.detail
    assert value(full, "connection_share") == 1.0
    assert value(full, "connection_limit") == (SLOTS if seen else None)
    said = f"no slot is free; when we were last let in, 3 of {SLOTS} slots: api 2, runbook-monitor 1"
    assert full.remarks.get("connection_share") == (said if seen else None)
    await settled(watched)
    assert (await look(check)).state is State.UP


async def test_one_slot_short_of_the_last_is_up(made: Make, look: Look, crowd: Crowd) -> None:
    async with await crowd(api=SLOTS - 2):
        sample = await look(made())
    assert (sample.state, value(sample, "connection_share")) == (State.UP, (SLOTS - 1) / SLOTS)


@pytest.mark.parametrize(
    ("statement", "undo", "said"),
    [
        (
            "ALTER ROLE app CONNECTION LIMIT 2",
            "ALTER ROLE app CONNECTION LIMIT -1",
            "2 of 2 slots of the role app: api 2",
        ),
        (
            "ALTER DATABASE shop CONNECTION LIMIT 3",
            "ALTER DATABASE shop CONNECTION LIMIT -1",
            "3 of 3 slots of the database: api 2, runbook-monitor 1",
        ),
    ],
    ids=["role", "database"],
)
async def test_the_limit_of_a_role_or_of_the_database_counts_where_it_is_nearer(
    statement: str, undo: str, said: str, made: Make, look: Look, crowd: Crowd, watched: Cluster
) -> None:
    """A client is refused by whichever is reached first."""
    watched.psql(statement)
    try:
        async with await crowd(api=2):
            sample = await look(made())
            with pytest.raises(asyncpg.TooManyConnectionsError):
                await asyncpg.connect(dsn_of(watched, "app"))
    finally:
        watched.psql(undo)
    assert (sample.state, sample.reason) == SATURATED
    assert said in sample.detail


async def test_our_own_role_may_have_one_connection_and_no_more(made: Make, look: Look, watched: Cluster) -> None:
    """That we hold the only one it has is how it should be, and not an outage."""
    watched.psql("ALTER ROLE watch CONNECTION LIMIT 1")
    try:
        sample = await look(made())
    finally:
        watched.psql("ALTER ROLE watch CONNECTION LIMIT -1")
    assert sample.state is State.UP
    assert value(sample, "connection_limit") == SLOTS


@pytest.mark.parametrize(("limit", "counts"), [(4, 4), (100, SLOTS)])
async def test_a_plan_that_allows_less_than_the_server_counts(
    limit: int, counts: int, made: Make, look: Look, crowd: Crowd
) -> None:
    """One that allows more does not make more of it."""
    async with await crowd(api=2):
        sample = await look(made(limit=limit))
    assert (value(sample, "connection_limit"), value(sample, "connection_share")) == (counts, 3 / counts)


async def test_sessions_are_counted_by_what_they_do(made: Make, look: Look, connect: Connect) -> None:
    """Also where nobody does it; a client that gives no name has that of its role."""
    async with connect("api") as idle, connect("api") as open_, connect("") as aborted:
        await idle.execute("SELECT 1")
        await open_.execute("BEGIN")
        await aborted.execute("BEGIN")
        with suppress(asyncpg.PostgresError):
            await aborted.execute("SELECT 1 / 0")
        sample = await look(made())
    assert by_label(sample, "connections") == {
        "active": 1,
        "idle": 1,
        "idle in transaction": 1,
        "idle in transaction (aborted)": 1,
    }
    assert by_label(sample, "held") == {"api": 2, "role app": 1, "runbook-monitor": 1}
    assert value(sample, "hidden") == 0


async def test_a_transaction_that_stays_open_is_told_with_its_age_and_whose_it_is(
    made: Make, look: Look, connect: Connect
) -> None:
    """An open transaction elsewhere on the server is another check's affair."""
    check = made()
    assert value(await look(check), "oldest_idle_in_transaction") == 0
    async with connect("elsewhere", "app", "postgres") as elsewhere, connect("worker") as worker:
        await elsewhere.execute("BEGIN")
        await worker.execute("BEGIN")
        pid = worker.get_server_pid()
        await asyncio.sleep(0.05)
        sample = await look(check)
    assert 0.05 <= (value(sample, "oldest_idle_in_transaction") or 0) <= (value(sample, "oldest_transaction") or 0) < 20
    assert f"worker (pid {pid}) has been idle in a transaction for" in sample.remarks["oldest_idle_in_transaction"]
    assert value(sample, "longest_query") == 0
    assert "longest_query" not in sample.remarks


async def test_a_long_query_is_told_without_its_text(
    made: Make, look: Look, connect: Connect, watched: Cluster
) -> None:
    async with connect("report") as report:
        running = asyncio.create_task(report.execute("SELECT pg_sleep(60), 'somebody@example.com'"))
        check = made()
        sample = await look(check)
        while not value(sample, "longest_query"):
            sample = await look(check)
        pid = report.get_server_pid()
        watched.psql(f"SELECT pg_terminate_backend({pid})")
        await asyncio.gather(running, return_exceptions=True)
    assert f"report (pid {pid}) has been in a query for" in sample.remarks["longest_query"]
    assert "somebody" not in repr(sample)


async def test_whoever_waits_for_a_lock_is_told_with_whom_he_waits_for(
    made: Make, look: Look, connect: Connect
) -> None:
    """One who waits may keep others waiting in turn."""
    check = made()
    async with connect("migration") as migration, connect("api") as one, connect("api") as two:
        await migration.execute("CREATE TABLE IF NOT EXISTS locked (i int)")
        await migration.execute("BEGIN; LOCK TABLE locked")
        waiting = [asyncio.create_task(each.execute("SELECT FROM locked")) for each in (one, two)]
        sample = await look(check)
        while value(sample, "waiting") != 2:
            sample = await look(check)
        await migration.execute("COMMIT")
        await asyncio.gather(*waiting)
        pids = ", ".join(map(str, sorted(each.get_server_pid() for each in (one, two))))
        said = f"migration (pid {migration.get_server_pid()}) blocks api (pid {pids})"
    assert by_label(sample, "blocking") == {"migration": 2}
    assert sample.remarks["waiting"] == sample.remarks["blocking"] == said
    after = await look(check)
    assert (value(after, "waiting"), by_label(after, "blocking")) == (0, {})


async def test_a_prepared_transaction_that_was_forgotten_blocks_and_ages(
    made: Make, look: Look, connect: Connect
) -> None:
    """It has no session, and outlives every restart."""
    check = made()
    async with connect("api") as api, connect("worker") as worker:
        await api.execute("CREATE TABLE IF NOT EXISTS locked (i int)")
        await api.execute("BEGIN; LOCK TABLE locked; PREPARE TRANSACTION 'forgotten'")
        waiting = asyncio.create_task(worker.execute("SELECT FROM locked"))
        sample = await look(check)
        while not value(sample, "waiting"):
            sample = await look(check)
        await api.execute("ROLLBACK PREPARED 'forgotten'")
        await waiting
    assert (value(sample, "oldest_prepared") or 0) > 0
    assert "pg_prepared_xacts" in sample.remarks["oldest_prepared"]
    assert sample.remarks["waiting"].startswith("a prepared transaction blocks worker")


async def test_a_role_that_may_not_see_others_reports_no_comfortable_lie(
    made: Make, look: Look, connect: Connect
) -> None:
    """What is counted is counted right; what would be judged by ourselves alone is left out, and said."""
    async with connect("api") as api, connect("worker"):
        await api.execute("BEGIN")
        seeing, blind = await look(made()), await look(made("plain"))
    assert blind.state is State.UP
    assert value(blind, "connection_share") == (value(seeing, "connection_share") or 0) + 1 / SLOTS  # both of us
    assert by_label(blind, "held") == {"api": 1, "worker": 1, "runbook-monitor": 2}
    assert value(blind, "hidden") == 3
    untold = {"connections", "oldest_transaction", "oldest_idle_in_transaction", "longest_query", "waiting", "blocking"}
    assert blind.unmeasured == untold
    assert not untold & {measure.name for measure in blind.measures}
    assert blind.remarks["hidden"].startswith("what 3 of 4 connections do is hidden from the role plain")
    assert "GRANT pg_monitor TO plain" in blind.remarks["hidden"]
    assert blind.remarks["connection_share"].startswith(f"at most 4 of {SLOTS} slots: ")
    assert value(seeing, "oldest_idle_in_transaction") is not None
    assert not seeing.unmeasured


async def test_a_role_that_sees_all_there_is_hides_nothing(made: Make, look: Look, crowd: Crowd) -> None:
    """The sessions of one's own role are seen without any privilege."""
    async with await crowd("plain", api=2):
        sample = await look(made("plain"))
    assert (value(sample, "hidden"), by_label(sample, "connections")["idle"]) == (0, 2)


async def test_a_full_pool_is_seen_by_a_role_that_sees_nothing_else(made: Make, look: Look, crowd: Crowd) -> None:
    check = made("plain")
    await look(check)
    async with await crowd(api=8):
        sample = await look(check)
    assert (sample.state, sample.reason, value(sample, "connection_share")) == (*SATURATED, 1.0)


async def test_through_a_pooler_the_server_behind_it_is_seen(
    made: Make, look: Look, crowd: Crowd, watched: Cluster
) -> None:
    """Its pool is what holds the connections; so both sides of it want watching."""
    with pgbouncer(watched, "watch", "pass-of-watch", 2) as port:
        async with await crowd(api=3):
            check = made(dsn=f"postgresql://watch:pass-of-watch@127.0.0.1:{port}/shop")
            samples = [await look(check) for _ in range(3)]
    assert [sample.state for sample in samples] == [State.UP] * 3
    assert by_label(samples[-1], "held") == {"api": 3, "runbook-monitor": 1}
    assert not samples[-1].unmeasured


async def test_looking_rolls_nothing_back(made: Make, look: Look, watched: Cluster, resources: Resources) -> None:
    """Somebody may watch the count of rollbacks."""
    query = "SELECT xact_rollback FROM pg_stat_database WHERE datname = 'shop'"
    check = made("watch")
    before = int(watched.psql(query))
    commits = value(await look(check), "commits") or 0
    for _ in range(3):
        await look(check)
    resources.databases.close()
    while (value(await look(check), "commits") or 0) <= commits:
        resources.databases.close()
        await asyncio.sleep(0.05)
    assert int(watched.psql(query)) == before
