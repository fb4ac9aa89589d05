"""The store behind PgBouncer in transaction mode, where each transaction may land on another connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from monitor.model import Change
from monitor.store import StoreUnavailable, open_store
from tests.fakes import START
from tests.pgbouncer import pgbouncer
from tests.postgres import PASSWORD, USER
from tests.store.files import leading, still_whole
from tests.store.values import BEGINNING, HOUR, SECOND, SITE, sample, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Cluster
    from tests.store.databases import Databases

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def port(postgres: Cluster) -> Iterator[int]:
    with pgbouncer(postgres, USER, PASSWORD, size=2) as running:
        yield running


@pytest.fixture
def url(databases: Databases, port: int) -> str:
    """Return the address of an empty store, through PgBouncer."""
    return databases.fresh().replace(f":{databases.cluster.port}/", f":{port}/")


async def test_instances_share_fewer_connections_than_they_have(url: str) -> None:
    """Four stores with up to three connections each take turns on two: nothing of a session is relied on."""
    stores = await asyncio.gather(*(open_store(url) for _ in range(4)))
    for turn in range(8):
        leader = stores[turn % 4]
        assert await leader.lead()
        async with asyncio.TaskGroup() as group:
            group.create_task(leader.write([step(number) for number in range(turn * 4, turn * 4 + 4)]))
            for store in stores:
                group.create_task(store.lead())
                group.create_task(store.owed())
                group.create_task(store.samples(SITE, BEGINNING))
        await leader.resign()
    await still_whole(stores[0], 32)
    assert await stores[1].lead()
    many = tuple(sample(START + number * SECOND, number) for number in range(3_000))
    await stores[1].write([Change(samples=many)])
    await stores[1].tidy(START + 9 * HOUR)
    assert len(await stores[3].hours(SITE, BEGINNING)) == 1
    for store in stores:
        await store.close()


async def test_a_server_that_goes_behind_it_is_come_back_from(url: str, databases: Databases) -> None:
    """Our connection stays, the one behind it does not."""
    store = await leading(url)
    await store.write([step(0)])
    databases.cluster.psql(CUT, url.rpartition("/")[2])
    for _ in range(20):
        try:
            await store.write([step(1)])
        except StoreUnavailable:
            continue
        break
    await still_whole(store, 2)
    await store.close()
