"""Who leads: one at a time, and whoever was overtaken writes nothing, on every database."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import Change
from monitor.store import LeaseLost, StoreUnavailable, open_store
from monitor.store.flock import FileLock
from monitor.store.rollup import read_facts
from monitor.store.rows import micros
from monitor.store.sql import SqlStore
from tests.fakes import START
from tests.store.files import leading
from tests.store.values import BEGINNING, HOUR, KEY, SECOND, SITE, event, sample, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store import Store
    from monitor.store.lease import RowLease
    from tests.store.databases import Databases

SQLITE = "sqlite:///"
MANY = 1_000 * 10**6
"""Microseconds that part the events of one token from those of the next."""


def lock_file(address: str) -> Path:
    """Return the lock file of an SQLite store."""
    return Path(f"{address.removeprefix(SQLITE)}.lock")


async def expire(address: str) -> None:
    """Let the lease run out: on a server by its row, beside a file as if the lock had been on another file."""
    if address.startswith(SQLITE):
        lock_file(address).unlink(missing_ok=True)
    else:
        connection = await asyncpg.connect(address)
        await connection.execute("UPDATE leases SET expires_at = 0")
        await connection.close()


async def row(address: str) -> tuple[str, int]:
    """Return who holds the row, and its token."""
    query = "SELECT holder, token FROM leases"
    if address.startswith(SQLITE):
        with closing(sqlite3.connect(address.removeprefix(SQLITE))) as file:
            return file.execute(query).fetchone()  # type: ignore[no-any-return]
    connection = await asyncpg.connect(address)
    holder, token = await connection.fetchrow(query)
    await connection.close()
    return holder, token


@pytest.fixture
async def stores(address: str) -> AsyncIterator[list[Store]]:
    """Open three stores on one database; none leads."""
    async with AsyncExitStack() as stack:
        opened = [await open_store(address) for _ in range(3)]
        for store in opened:
            stack.push_async_callback(store.close)
        yield opened


async def owed(store: Store) -> list[str]:
    """Return the ids of what is owed, which each `step` adds to."""
    return [found.notification.id for found in await store.owed()]


async def test_one_leads_and_the_others_read_and_say_who(stores: list[Store], address: str) -> None:
    first, second, third = stores
    assert await first.lead()
    assert not await second.lead()
    assert not await third.lead()
    assert second.owner == third.owner == first.owner == (await row(address))[0]
    assert "process" in second.owner
    await first.write([step(1)])
    for waiting in (second, third):
        with pytest.raises(LeaseLost, match="does not lead"):
            await waiting.write([step(2)])
        with pytest.raises(LeaseLost, match="does not lead"):
            await waiting.tidy(START)
        assert await owed(waiting) == ["note 1"]
    assert await first.lead(), "renewed"
    assert (await row(address))[1] == 1, "a renewal begins no term"


async def test_a_lease_that_was_never_taken_is_not_written_under(address: str) -> None:
    store = await open_store(address)
    with pytest.raises(LeaseLost, match="does not lead"):
        await store.write([step(1)])
    await store.resign()
    assert store.owner == ""
    assert await owed(store) == []
    await store.close()


async def test_a_released_lease_is_taken_at_once(stores: list[Store], address: str) -> None:
    first, second, _ = stores
    for token in range(1, 4):
        assert await first.lead()
        assert not await second.lead()
        await first.resign()
        await first.resign()
        with pytest.raises(LeaseLost):
            await first.write([step(0)])
        assert (await row(address))[0] == ""
        assert await second.lead()
        assert (await row(address))[1] == 2 * token
        await second.resign()


async def test_closing_releases_the_lease(stores: list[Store]) -> None:
    first, second, _ = stores
    assert await first.lead()
    await first.close()
    assert await second.lead()


async def test_a_stale_leader_is_fenced_off_and_may_lead_again_later(stores: list[Store], address: str) -> None:
    """Its first word after that is that it lost: nothing it remembers is true any more."""
    first, second, _ = stores
    assert await first.lead()
    await first.write([step(1)])
    await expire(address)
    assert await second.lead()
    for _ in range(2):
        with pytest.raises(LeaseLost, match="term 2; ours was 1"):
            await first.write([step(2)])
        with pytest.raises(LeaseLost):
            await first.tidy(START)
    with pytest.raises(LeaseLost):
        await first.lead()
    assert not await first.lead()
    await second.write([step(3)])
    await second.resign()
    assert await first.lead()
    await first.write([step(4)])
    assert await owed(first) == ["note 1", "note 3", "note 4"]


async def test_a_stale_leader_hears_of_it_even_when_the_lease_is_free_again(stores: list[Store], address: str) -> None:
    first, second, _ = stores
    assert await first.lead()
    await expire(address)
    assert await second.lead()
    await second.resign()
    with pytest.raises(LeaseLost):
        await first.lead()
    assert await second.lead(), "it took nothing when it heard of it"


async def test_a_lease_that_ran_out_goes_on_if_nobody_took_it(stores: list[Store], address: str) -> None:
    first, second, _ = stores
    assert await first.lead()
    await expire(address)
    await first.write([step(1)])
    assert await first.lead()
    assert not await second.lead()
    assert (await row(address))[1] == 1
    assert await owed(second) == ["note 1"]


async def test_who_takes_over_knows_what_was_done_before(stores: list[Store], address: str) -> None:
    """Hours that another leader has rolled up are counted anew when a sample of theirs comes late."""
    first, second, _ = stores
    assert await first.lead()
    await first.write([Change(samples=(sample(START),))])
    await first.tidy(START + 2 * HOUR)
    await expire(address)
    assert await second.lead()
    await second.write([Change(samples=(sample(START + SECOND),))])
    await second.tidy(START + 2 * HOUR)
    assert [hour.up for hour in await second.hours(SITE, BEGINNING)] == [2]


async def test_what_was_begun_in_one_term_is_not_written_in_the_next(stores: list[Store], address: str) -> None:
    """A write that still waits for its turn when its instance loses the lease, and leads once more."""
    first, second, _ = stores
    assert isinstance(first, SqlStore)
    assert await first.lead()
    old = first._leading()
    await expire(address)
    assert await second.lead()
    await second.resign()
    with pytest.raises(LeaseLost):
        await first.lead()
    assert await first.lead()
    with pytest.raises(LeaseLost):
        await old.database.write(lambda connection: old.database.many(connection, "never reached", [()]))


async def test_a_claim_that_nobody_heard_of_is_ours_at_the_next(stores: list[Store], address: str) -> None:
    """As when the answer was lost on its way."""
    first, second, _ = stores
    assert isinstance(first, SqlStore)
    assert await first.lead()
    first._term = None
    lease: RowLease = getattr(first._lease, "_row", None) or first._lease  # type: ignore[assignment]
    lease._token = None
    assert not await second.lead()
    assert await first.lead()
    await first.write([step(1)])
    assert (await row(address))[1] == 2
    lease._token = None
    await first.resign()
    assert await second.lead(), "it is given back all the same"


STEPS = st.lists(
    st.tuples(st.sampled_from(["lead", "lead", "write", "write", "expire", "resign"]), st.integers(0, 2)),
    max_size=25,
)
OFTEN = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Terms:
    """Who leads, and who only believes so: a model of three instances on one database."""

    def __init__(self, stores: Sequence[Store], address: str) -> None:
        self.stores, self.address = stores, address
        self.believes: dict[int, int] = {}
        self.token = 0
        self.free = True
        self.written: list[int] = []

    async def begin(self) -> None:
        """Let nobody lead."""
        for store in self.stores:
            await store.resign()
        self.token = (await row(self.address))[1]

    async def expire(self, _: int) -> None:
        """Only the lease of whoever leads runs out."""
        await expire(self.address)
        self.free = True

    async def resign(self, who: int) -> None:
        """Hand over only what is still held."""
        await self.stores[who].resign()
        if self.believes.pop(who, None) == self.token:
            self.free = True

    async def lead(self, who: int) -> None:
        """Go on with an unbroken term, hear of a broken one, begin a new one when the lease is free."""
        believed = self.believes.get(who)
        if believed is not None and believed != self.token:
            del self.believes[who]
            with pytest.raises(LeaseLost):
                await self.stores[who].lead()
        elif believed is not None:
            assert await self.stores[who].lead()
            self.free = False
        elif self.free:
            assert await self.stores[who].lead()
            self.token += 1
            self.believes[who] = self.token
            self.free = False
        else:
            assert not await self.stores[who].lead()

    async def write(self, who: int) -> None:
        """Only the newest term writes."""
        believed = self.believes.get(who)
        change = Change(events=(event(START + believed * SECOND if believed else START),))
        if believed is not None and believed == self.token:
            await self.stores[who].write([change])
            self.written.append(believed)
        else:
            with pytest.raises(LeaseLost):
                await self.stores[who].write([change])


@OFTEN
@given(steps=STEPS)
async def test_in_any_order_of_events_only_the_newest_term_writes(
    stores: list[Store], address: str, steps: list[tuple[str, int]]
) -> None:
    terms = Terms(stores, address)
    await terms.begin()
    for verb, who in steps:
        await getattr(terms, verb)(who)
    written = {(found.at - START) // SECOND for found in await stores[0].journal(BEGINNING, KEY, limit=100_000)}
    assert set(terms.written) <= written
    assert terms.written == sorted(terms.written)
    assert (await row(address))[1] == terms.token


async def tokens_written(address: str) -> list[int]:
    """Return the tokens that events tell with their moments, in the order of writing."""
    query = "SELECT at FROM events ORDER BY number"
    if address.startswith(SQLITE):
        with closing(sqlite3.connect(address.removeprefix(SQLITE))) as file:
            moments = [at for (at,) in file.execute(query)]
    else:
        connection = await asyncpg.connect(address)
        moments = [at for (at,) in await connection.fetch(query)]
        await connection.close()
    return [(at - micros(START)) // MANY for at in moments]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(st.lists(st.sampled_from("lwx"), min_size=3, max_size=3), max_size=8))
async def test_at_the_same_time_as_well(stores: list[Store], address: str, groups: list[list[str]]) -> None:
    """Leading, writing and running out at once: the tokens of what is durable grow in the order of writing."""
    base = len(await tokens_written(address))

    async def act(store: Store, verb: str, number: int) -> None:
        try:
            if verb == "x":
                await expire(address)
            elif verb == "l":
                await store.lead()
            else:
                assert isinstance(store, SqlStore)
                token = store._leading().token
                await store.write([Change(events=(event(START + (token * 1_000 + number) * SECOND),))])
        except LeaseLost:
            await asyncio.sleep(0)

    for number, group in enumerate(groups):
        await asyncio.gather(*(act(store, verb, base + number) for store, verb in zip(stores, group, strict=True)))
    tokens = await tokens_written(address)
    assert tokens == sorted(tokens)


@pytest.fixture
def server(databases: Databases) -> Iterator[str]:
    """Return the address of an empty store on a server."""
    yield databases.emptied()
    databases.left(databases.shared)


async def test_a_claim_waits_for_a_write_that_is_under_way(server: str) -> None:
    """On a server: whatever was begun in a term is over, or was broken off, before the next term begins."""
    first, second = await leading(server), await open_store(server)
    assert isinstance(first, SqlStore)
    go, begun = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await first._database.many(connection, "INSERT INTO facts VALUES ($1, $2)", [("slow", 1)])
        begun.set()
        await go.wait()

    writing = asyncio.create_task(first._leading().database.write(slow))
    await begun.wait()
    assert await first.lead(), "a renewal does not wait"
    await expire(server)
    claim = asyncio.create_task(second.lead())
    await asyncio.wait({claim}, timeout=0.3)
    assert not claim.done()
    go.set()
    await writing
    assert await claim
    assert (await read_facts(second._database))["slow"] == 1  # type: ignore[attr-defined]
    with pytest.raises(LeaseLost):
        await first.write([step(1)])
    await first.close()
    await second.close()


async def test_a_lost_connection_costs_a_leader_nothing(databases: Databases, server: str) -> None:
    store = await leading(server)
    await store.write([step(1)])
    for _ in range(2):
        databases.cluster.psql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{server.rpartition('/')[2]}'"
        )
        await again(store.lead)
        await again(lambda: store.write([step(2)]))
    assert await owed(store) == ["note 1", "note 2"]
    assert (await row(server))[1] == 1
    await store.close()


async def again(act: Callable[[], Awaitable[object]]) -> None:
    """Do it, and do it again if the store was away."""
    try:
        await act()
    except StoreUnavailable:
        await act()


async def test_who_waits_holds_one_connection(databases: Databases, server: str) -> None:
    leader = await leading(server)
    await leader.close()
    await asyncio.to_thread(databases.left, server)
    connection = await asyncpg.connect(server)
    await connection.execute("UPDATE leases SET holder = 'somebody', expires_at = 4e18")
    await connection.close()
    store = await open_store(server)
    for _ in range(3):
        assert not await store.lead()
    assert store.owner == "somebody"
    assert await asyncio.to_thread(databases.connections, server) == 1
    await store.close()


def test_a_lock_is_of_the_file_that_stands_there(path: Path) -> None:
    """Also through a link, and when the file was deleted or replaced under it."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    path.touch()
    first, second = FileLock(path), FileLock(link)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    lock = path.with_name(f"{path.name}.lock")
    lock.unlink()
    assert second.acquire()
    assert not first.acquire()
    second.release()
    second.release()
    assert first.acquire()
    first.release()


async def test_a_lock_file_that_cannot_be_opened_is_an_absent_store(tmp_path: Path) -> None:
    address = f"{SQLITE}{tmp_path / 'monitor.db'}"
    store = await open_store(address)
    lock_file(address).mkdir()
    with pytest.raises(StoreUnavailable, match="lock file cannot be used"):
        await store.lead()
    lock_file(address).rmdir()
    assert await store.lead()
    await store.close()
