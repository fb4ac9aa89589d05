"""Where the demo has a database and a Redis server, it really fills them, and the checks of its file see that."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from monitor.demo.filled import LIMIT, MOST_JOBS, QUEUE, FilledDatabase, FilledQueue, keep_filled
from monitor.demo.world import World
from monitor.model import CheckId, State
from tests.acceptance.peers import until
from tests.demo.stages import SECOND, watched
from tests.fakes import FakeClock
from tests.peers import free_port
from tests.redis import server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Sample
    from tests.demo.stages import Watched
    from tests.postgres import Cluster
    from tests.redis import Server

MEMORY = {"maxmemory": "8mb", "maxmemory_policy": "noeviction"}
"""The Redis server of docker-compose.yml; tests/test_compose.py compares."""
MADE = (Path(__file__).parents[2] / "config/postgres/demo.sql").read_text()


@pytest.fixture
def database(postgres: Cluster) -> Iterator[str]:
    """Return the address of a database that is made as for docker compose."""
    for statement in MADE.split(";")[:-1]:
        postgres.psql(statement)
    yield postgres.dsn("shop", "shop", "demo")
    postgres.psql("DROP DATABASE shop WITH (FORCE)")
    postgres.psql("DROP ROLE shop")


def value(sample: Sample, name: str) -> float:
    assert sample.state is State.UP, sample
    (found,) = (measure.value for measure in sample.measures if measure.name == name)
    return found


async def test_a_pool_fills_and_drains_and_webhooks_arrive_until_they_stop(database: str) -> None:
    """The share of connections follows the script, ours among them; the schema is as the file expects it."""
    pool, schema, events = CheckId("shop", "database"), CheckId("cashflow", "schema"), CheckId("staging", "events")
    async with watched(DEMO_DATABASE_URL=database) as demo:
        filled = FilledDatabase(demo.world, database)
        try:
            await filled.fill()
            assert value(await demo.look(pool), "connection_share") == pytest.approx(6 / LIMIT)
            demo.world.happen("pool-fills")
            demo.clock.skip(30 * SECOND)
            await filled.fill()
            assert value(await demo.look(pool), "connection_share") == pytest.approx(19 / LIMIT)
            assert (await demo.look(schema)).state is State.UP
            kept = value(await demo.look(events), "kept")
            demo.world.heal()
            demo.world.happen("webhooks-stop")
            demo.clock.skip(30 * SECOND)
            await filled.fill()
            sample = await demo.look(events)
            assert value(sample, "kept") == kept == 2
            assert 0 <= value(sample, "newest") < 60
            await until(lambda: share_below(demo, pool, 0.4), "a pool that drains")
        finally:
            await filled.close()


async def share_below(demo: Watched, pool: CheckId, limit: float) -> bool:
    return value(await demo.look(pool), "connection_share") < limit


async def test_a_queue_grows_while_its_worker_hangs_and_no_further_than_it_may() -> None:
    """The memory of a small server is a warning then, and never full; when the worker is back, one job is there."""
    jobs, memory = CheckId("staging", "jobs"), CheckId("staging", "redis")
    with server(**MEMORY) as redis:
        async with watched(DEMO_REDIS_URL=redis.url()) as demo:
            filled = FilledQueue(demo.world, redis.url())
            for _ in range(3):
                await filled.fill()
            assert value(await demo.look(jobs), "waiting") == 1
            demo.world.happen("queue-grows")
            demo.clock.skip(5 * SECOND)
            for _ in range(MOST_JOBS + 5):
                await filled.fill()
            assert value(await demo.look(jobs), "waiting") == MOST_JOBS
            assert 0.8 < value(await demo.look(memory), "memory_share") < 0.95
            demo.world.heal()
            await filled.fill()
            assert value(await demo.look(jobs), "waiting") == 1
            await filled.close()
            assert redis.client().exists(QUEUE) == 0


@pytest.mark.parametrize(
    ("made", "scheme"), [(FilledDatabase, "postgresql://shop:s3cret@"), (FilledQueue, "redis://:s3cret@")]
)
async def test_a_server_that_is_away_ends_nothing(made: type[FilledDatabase | FilledQueue], scheme: str) -> None:
    """It is tried again, and no line of the log holds the password."""
    clock = FakeClock()
    filled = made(World(clock, by_hand=True), f"{scheme}127.0.0.1:{free_port()}/0")
    with capture_logs() as lines:
        running = asyncio.create_task(keep_filled(filled, clock))
        await until(lambda: lines, "a first try")
        await clock.advance(60 * SECOND)
        await until(lambda: len(lines) > 1, "a second try")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert {(line["event"], line["which"]) for line in lines} == {("demo_server_away", made.__name__)}
    assert "s3cret" not in str(lines)


async def test_with_both_the_stage_fills_them_by_itself(database: str, redis: Server) -> None:
    """And takes away in the end what it has filled."""
    number = redis.own()
    async with watched(fills=True, DEMO_DATABASE_URL=database, DEMO_REDIS_URL=redis.url(number)) as demo:
        client = redis.client(number)
        await until(lambda: client.exists(QUEUE), "a job")
        await until(lambda: share_below(demo, CheckId("shop", "database"), 1), "a pool")
    assert client.exists(QUEUE) == 0
