"""The store on a real PostgreSQL server, and what becomes of it when the server is not well."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from monitor.databases import parse
from monitor.model import Change, CheckId
from monitor.store import Retention, StoreUnavailable, StoreUnusable, open_store, schema
from monitor.store.migrations import found_version
from monitor.store.postgres import CONNECTIONS, PostgresDatabase, open_postgres
from tests.fakes import START
from tests.postgres import cluster
from tests.store.files import leading, still_whole
from tests.store.values import BEGINNING, HOUR, SECOND, sample, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store import Store
    from tests.postgres import Cluster

pytestmark = pytest.mark.xdist_group("postgres")

ROLE, PASSWORD = "plain", "hunter2"
CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'runbook-monitor'"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """Run a server that may be disturbed, with a role that has no special rights."""
    with cluster() as running:
        running.psql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        yield running


@pytest.fixture
def name(server: Cluster) -> Iterator[str]:
    """Make an empty database that the plain role owns, for the time of a test."""
    server.psql(f"CREATE DATABASE store OWNER {ROLE} TEMPLATE template0")
    yield "store"
    server.psql("DROP DATABASE store WITH (FORCE)")


@pytest.fixture
def url(server: Cluster, name: str) -> str:
    return server.dsn(name, ROLE, PASSWORD)


@asynccontextmanager
async def opened(url: str, retention: Retention | None = None, *, leads: bool = True) -> AsyncIterator[Store]:
    """Open a store that leads; afterwards no task of it may be left."""
    before = asyncio.all_tasks()
    store = await (leading if leads else open_store)(url, retention)
    try:
        yield store
    finally:
        await store.close()
    assert asyncio.all_tasks() <= before


@asynccontextmanager
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    found = await open_postgres(url)
    try:
        yield found
    finally:
        await found.close()


async def unavailable(store: Store, why: str, number: int = 99) -> None:
    """See a write refused with these words and without the password."""
    with pytest.raises(StoreUnavailable, match=why) as caught:
        await store.write([step(number)])
    assert PASSWORD not in str(caught.value)


async def recovered(store: Store, number: int) -> None:
    """See a change written, at the latest after a few tries."""
    for _ in range(50):
        try:
            await store.write([step(number)])
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return
    await store.write([step(number)])


def restarted(server: Cluster) -> None:
    """Restart the server, in a thread: the loop goes on and sees its connections close."""
    server.stop()
    server.start()


async def number_of(connection: AsyncConnection, query: str = "SELECT count(*) FROM checks") -> int:
    found: int = (await connection.execute(text(query))).scalar_one()
    return found


async def insert(connection: AsyncConnection, name: str = "x") -> None:
    await connection.execute(text("INSERT INTO checks (system, name) VALUES ('s', :name)"), {"name": name})


async def test_it_comes_back_by_itself_after_a_restart_and_a_crash(server: Cluster, url: str) -> None:
    """Promise 5: refused while it is away, then everything is there and goes on."""
    async with opened(url) as store:
        await store.write([step(0)])
        for number, how in enumerate([signal.SIGINT, signal.SIGQUIT], 1):
            server.stop(how)
            await unavailable(store, "PostgreSQL at 127.0.0.1")
            with pytest.raises(StoreUnavailable, match=r"refused|Connect call failed"):
                await store.alerts()
            with pytest.raises(StoreUnavailable):
                await open_store(url)
            server.start()
            await recovered(store, number)
        await still_whole(store, 3)


async def test_a_restart_that_nobody_saw_costs_nothing(server: Cluster, url: str) -> None:
    async with opened(url) as store:
        await store.write([step(0)])
        await asyncio.to_thread(restarted, server)
        await store.write([step(1)])
        await still_whole(store, 2)


async def test_a_silent_server_is_given_up_in_time_and_keeps_nothing_of_ours(
    server: Cluster, url: str, name: str
) -> None:
    """Also while connecting, and while closing."""
    loop = asyncio.get_running_loop()
    async with opened(url) as store, opened(url, leads=False) as other:
        await store.write([step(0)])
        server.pause()
        try:
            begun = loop.time()
            await asyncio.gather(*(unavailable(store, "did not answer within 2 s", number) for number in (7, 8)))
            await unavailable(store, "did not answer within 2 s")
            assert loop.time() - begun < 5
            begun = loop.time()
            await other.close()
            assert loop.time() - begun < 3
        finally:
            server.resume()
        await recovered(store, 1)
        await store.owed()
        for _ in range(100):
            if int(server.psql(CONNECTED, name)) <= CONNECTIONS:
                break
            await asyncio.sleep(0.05)
        assert int(server.psql(CONNECTED, name)) <= CONNECTIONS


async def test_work_that_is_broken_off_leaves_nothing_and_holds_up_nobody(url: str) -> None:
    async with database(url) as found:

        async def slow(name: str, connection: AsyncConnection) -> None:
            await insert(connection, name)
            await connection.execute(text("SELECT pg_sleep(60)"))

        for name in ("a", "b", "c"):
            task = asyncio.create_task(found.write(partial(slow, name)))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
        await found.write(insert)
        assert await found.read(number_of) == 1


async def test_work_that_waits_for_something_else_is_broken_off_too(url: str) -> None:
    async with database(url) as found:

        async def never(connection: AsyncConnection) -> None:
            await insert(connection)
            await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(found.write(never))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await found.read(number_of) == 0


@pytest.mark.parametrize("end", ["SELECT pg_terminate_backend({})", "SELECT pg_cancel_backend({})"])
async def test_what_is_cut_in_mid_transaction_is_not_there(server: Cluster, url: str, end: str) -> None:
    async with database(url) as found:

        async def cut(connection: AsyncConnection) -> None:
            await insert(connection)
            backend = await number_of(connection, "SELECT pg_backend_pid()")
            ending = asyncio.to_thread(server.psql, f"SELECT pg_sleep(0.1); {end.format(backend)}")
            await asyncio.gather(ending, connection.execute(text("SELECT pg_sleep(9)")))

        with pytest.raises(StoreUnavailable, match=r"terminating connection|canceling statement"):
            await found.write(cut)
        await found.write(insert)
        assert await found.read(number_of) == 1


async def test_a_crash_in_mid_transaction_leaves_nothing_of_it(server: Cluster, url: str) -> None:
    async with database(url) as found:

        async def crash(connection: AsyncConnection) -> None:
            await insert(connection)
            await asyncio.to_thread(server.stop, signal.SIGQUIT)
            await insert(connection, "y")

        with pytest.raises(StoreUnavailable):
            await found.write(crash)
        server.start()
        assert await found.read(number_of) == 0


async def test_no_connection_to_spare(server: Cluster, url: str) -> None:
    server.psql(f"ALTER ROLE {ROLE} CONNECTION LIMIT 0")
    try:
        with pytest.raises(StoreUnavailable, match="too many connections"):
            await open_store(url)
    finally:
        server.psql(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")
    async with opened(url) as store:
        await store.write([step(0)])


async def test_a_read_only_database_is_read_and_written_again_when_it_can_be(
    server: Cluster, url: str, name: str
) -> None:
    async with opened(url) as store:
        await store.write([step(0)])
    server.psql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with opened(url, leads=False) as store:
        with pytest.raises(StoreUnavailable, match="read-only transaction"):
            await store.lead()
        await still_whole(store, 1)
    server.psql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    async with opened(url) as store:
        await store.write([step(1)])
        await still_whole(store, 2)


async def test_a_lock_of_somebody_else_is_waited_for_but_not_for_long(url: str) -> None:
    async with database(url) as found, database(url) as other:
        locked, done = asyncio.Event(), asyncio.Event()

        async def lock(connection: AsyncConnection) -> None:
            await connection.execute(text("LOCK TABLE checks IN EXCLUSIVE MODE"))
            locked.set()
            await done.wait()

        holding = asyncio.create_task(other.write(lock))
        await locked.wait()
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await found.write(insert)
        done.set()
        await holding
        await found.write(insert)


async def test_a_process_that_stands_still_in_a_transaction_loses_it(url: str) -> None:
    """Promise 4: nobody waits for a stopped leader's locks for longer than the deadline of its write."""
    async with database(url) as found:
        limits = "SELECT current_setting('idle_in_transaction_session_timeout') || current_setting('statement_timeout')"
        assert (await found.write(lambda connection: connection.execute(text(limits)))).scalar_one() == "1800ms1800ms"
        apart = await found.apart(lambda connection: connection.execute(text("SHOW synchronous_commit")))
        assert apart.scalar_one() == "on"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"password": "hunter3"}, "password authentication failed"),
        ({"database": "nowhere"}, "does not exist"),
        ({"user": "nobody"}, "password authentication failed"),
    ],
)
async def test_whoever_is_not_let_in_is_told_why(server: Cluster, name: str, change: dict[str, str], why: str) -> None:
    address = server.dsn(**{"database": name, "user": ROLE, "password": PASSWORD, **change})
    with pytest.raises(StoreUnusable, match=why) as caught:
        await open_store(address)
    assert "hunter" not in str(caught.value)


async def test_a_name_that_nobody_has_may_be_known_later() -> None:
    with pytest.raises(StoreUnavailable, match=r"PostgreSQL at db\.invalid/store"):
        await open_store(f"postgresql://me:{PASSWORD}@db.invalid/store")


async def test_a_role_without_rights_is_told_so(server: Cluster, name: str) -> None:
    server.psql(f"ALTER DATABASE {name} OWNER TO monitor")
    server.psql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)
    with pytest.raises(StoreUnusable, match="permission denied"):
        await open_store(server.dsn(name, ROLE, PASSWORD))
    assert server.psql("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", name) == "0"


async def test_a_password_that_is_changed_later_does_not_end_the_daemon(server: Cluster, url: str) -> None:
    """It goes on from memory, as when the server is away; the password may come back."""
    async with opened(url) as store:
        await store.write([step(0)])
        server.psql(f"ALTER ROLE {ROLE} PASSWORD 'other'")
        try:
            await asyncio.to_thread(restarted, server)
            await unavailable(store, "password authentication failed")
        finally:
            server.psql(f"ALTER ROLE {ROLE} PASSWORD '{PASSWORD}'")
        await store.write([step(1)])


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (["CREATE TABLE checks (id integer)"], "tables of another program under our names: checks"),
        (["CREATE TABLE alembic_version (version_num text)"], "belongs to another program"),
        (
            ["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('3fa9')"],
            "belongs to another program",
        ),
        (
            [
                "CREATE TABLE alembic_version (version_num text)",
                "INSERT INTO alembic_version VALUES ('0009')",
                "CREATE TABLE facts (name text, value bigint)",
                "INSERT INTO facts VALUES ('oldest_leader', 9)",
            ],
            "only releases from schema 9 on",
        ),
    ],
)
async def test_what_is_not_ours_is_left_as_it_is(
    server: Cluster, name: str, url: str, made: list[str], why: str
) -> None:
    server.psql("; ".join([f"SET ROLE {ROLE}", *made]), name)
    tables = "SELECT array_agg(relname ORDER BY 1) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    before = server.psql(tables, name)
    with pytest.raises(StoreUnusable, match=why):
        await open_store(url)
    assert server.psql(tables, name) == before


async def test_an_encoding_that_cannot_hold_every_text_is_refused(server: Cluster) -> None:
    server.psql(f"CREATE DATABASE latin OWNER {ROLE} TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(StoreUnusable, match="LATIN1, which cannot hold all characters"):
        await open_store(server.dsn("latin", ROLE, PASSWORD))


async def test_instances_that_start_together_all_come_up(url: str) -> None:
    stores = await asyncio.gather(*(open_store(url) for _ in range(4)))
    assert sum(await asyncio.gather(*(store.lead() for store in stores))) == 1
    for number, store in enumerate(stores):
        await asyncio.gather(*(other.resign() for other in stores if other is not store))
        assert await store.lead()
        await store.write([step(number)])
    await still_whole(stores[0], 4)
    for store in stores:
        await store.close()


async def test_the_migrations_lead_to_the_tables_of_the_schema(url: str) -> None:
    async with database(url) as found:

        def difference(connection: Connection) -> Any:  # noqa: ANN401 - Alembic's
            return compare_metadata(MigrationContext.configure(connection), schema.metadata)

        assert await found.read(lambda connection: connection.run_sync(difference)) == []


def known(change: Change) -> Change:
    """Return what the release before writes of `change`: its tables are those of schema 3."""
    return replace(change, keepsakes=(), deploys=(), silences=(), posts=(), done=())


async def test_the_release_before_leads_on_while_this_one_migrates_and_can_come_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 4: a deploy runs both for a minute, and a rollback starts the old one on the new schema."""
    config = Config()
    config.set_main_option("script_location", "monitor/store/migrations")

    def first_schema(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")  # the first that knows leases: no release before had PostgreSQL

    empty = PostgresDatabase(parse(url))
    await empty.write(lambda connection: connection.run_sync(first_schema), rows=100_000)  # it has time
    await empty.close()
    with monkeypatch.context() as old:
        old.setattr(schema, "CURRENT", 3)
        before = await leading(url)
        await before.write([known(step(0))])
    after = await open_store(url)
    assert not await after.lead()
    await before.write([known(step(1))])
    await before.tidy(START + SECOND)
    await still_whole(before, 2)
    await before.close()
    assert await after.lead()
    await after.write([step(2)])
    await after.close()
    with monkeypatch.context() as old:
        old.setattr(schema, "CURRENT", 3)
        async with opened(url) as again:
            await again.write([known(step(3))])
            await still_whole(again, 4)
    async with database(url) as found:
        assert await found.read(lambda connection: connection.run_sync(found_version)) == schema.CURRENT


async def test_a_word_apart_does_not_wait_for_a_write(url: str) -> None:
    async with database(url) as found:

        async def work(connection: AsyncConnection) -> int:
            await insert(connection)
            return await found.apart(number_of)

        assert await found.write(work) == 0


async def test_an_error_that_was_passed_over_is_no_success(url: str) -> None:
    async with database(url) as found:

        async def careless(connection: AsyncConnection) -> None:
            await insert(connection)
            await asyncio.gather(connection.execute(text("SELECT 1/0")), return_exceptions=True)

        with pytest.raises(StoreUnavailable, match="rolled back"):
            await found.write(careless)
        assert await found.read(number_of) == 0


async def test_a_bug_of_ours_is_not_taken_for_a_store_that_is_away(url: str) -> None:
    async with database(url) as found:
        with pytest.raises(Exception, match="syntax error"):
            await found.write(lambda connection: connection.execute(text("SELEKT")))
        await found.write(insert)


async def test_there_are_never_more_than_three_connections(url: str) -> None:
    async with database(url) as found:
        count = partial(number_of, query=CONNECTED)
        counts = await asyncio.gather(*(run(count) for run in [found.write, found.read, found.apart] * 9))
        assert max(counts) == CONNECTIONS


async def test_what_is_too_much_goes_oldest_first_though_the_file_gets_no_smaller(server: Cluster, url: str) -> None:
    now = START + 48 * HOUR
    async with opened(url) as store:
        for hour in range(40):
            made = [sample(START + hour * HOUR + n * SECOND, n, CheckId("s", f"c{n % 9}")) for n in range(500)]
            await store.write([Change(samples=tuple(made))])
    async with database(url) as found:
        full = await found.used()
        on_disk = int(server.psql("SELECT pg_total_relation_size('samples')", url.rpartition("/")[2]))
        assert on_disk * 0.8 < full < on_disk * 1.3
    async with opened(url, Retention(size=full // 2)) as store:
        await store.tidy(now)
        left = [found.at async for found in store.replay(BEGINNING)]
        assert left[-1] == START + 39 * HOUR + 499 * SECOND
        assert 4_000 < len(left) < 14_000
        await store.tidy(now)
        assert [found.at async for found in store.replay(BEGINNING)] == left
