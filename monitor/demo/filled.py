"""The database and the Redis server of the demo's world, where it was given some: really filled, within bounds."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import asyncpg
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from monitor.clock import Clock
    from monitor.demo.world import World

LOOK = timedelta(seconds=1)
AWAY = timedelta(seconds=5)
"""So long after a failure it is tried again."""
LIMIT = 20
"""The connections that the database's role may have (config/postgres/demo.sql)."""
OURS, FREE = 1, 1
"""Of these the monitor has one; and one is left for whoever wants to look."""
PATIENCE = 3.0
QUEUE = "demo:jobs"
PAYLOAD = "x" * 190_000
"""Of a server of 8 MB, `MOST_JOBS` of these take more than 80 % and less than 95 %."""
MOST_JOBS = 30
HANGS = 1.0
"""Jobs that have waited for so many seconds were left lying."""
TABLES = """
CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version SELECT '041_forecasts' WHERE NOT EXISTS (SELECT FROM alembic_version);
CREATE TABLE IF NOT EXISTS webhook_events (received timestamptz NOT NULL DEFAULT now());
"""
DELIVERED = "INSERT INTO webhook_events DEFAULT VALUES"
OLD = "DELETE FROM webhook_events WHERE received < now() - interval '10 minutes'"

GONE = (OSError, TimeoutError, RedisError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What clients raise when a server is away, or refuses."""

log = structlog.get_logger()


class Filled(Protocol):
    """A server that is kept as full as the world says."""

    async def fill(self) -> None:
        """Bring it up to what the world says now. Raises what its client raises when the server is away."""
        ...

    async def close(self) -> None:
        """Take away what was brought, as far as the server is there."""
        ...


async def keep_filled(filled: Filled, clock: Clock) -> None:
    """Keep it as full as the world says, until cancelled; a server that is away is tried again."""
    try:
        while True:
            pause = LOOK
            try:
                await filled.fill()
            except GONE as error:
                log.warning("demo_server_away", which=type(filled).__name__, why=type(error).__name__)
                await filled.close()
                pause = AWAY
            await clock.sleep_until(clock.now() + pause)
    finally:
        await filled.close()


class FilledDatabase:
    """A pool of connections as large as the world says, and a table in which webhooks arrive."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._url = url
        self._pool: list[asyncpg.Connection] = []

    async def fill(self) -> None:
        """Open or close connections, and let a webhook arrive unless they stopped."""
        if not self._pool:
            self._pool.append(await self._connect())
            await self._pool[0].execute(TABLES, timeout=PATIENCE)
        wanted = min(max(round(self._world.now.shop_pool * LIMIT) - OURS, 1), LIMIT - OURS - FREE)
        while len(self._pool) < wanted:
            self._pool.append(await self._connect())
        await self._shrink(wanted)
        if self._world.now.staging_silence <= LOOK.total_seconds():
            await self._pool[0].execute(DELIVERED, timeout=PATIENCE)
            await self._pool[0].execute(OLD, timeout=PATIENCE)

    async def close(self) -> None:
        """Close every connection."""
        await self._shrink(0)

    async def _connect(self) -> asyncpg.Connection:
        named = {"application_name": "demo-shop"}
        return await asyncpg.connect(self._url, timeout=PATIENCE, server_settings=named)

    async def _shrink(self, size: int) -> None:
        while len(self._pool) > size:
            with suppress(*GONE):
                await self._pool.pop().close(timeout=PATIENCE)


class FilledQueue:
    """A list of jobs in Redis that a worker empties, unless it hangs."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._redis = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)

    async def fill(self) -> None:
        """Add a job, after the worker has done what there was unless it hangs."""
        if self._world.now.staging_waiting <= HANGS:
            await self._redis.delete(QUEUE)
        if await self._redis.llen(QUEUE) < MOST_JOBS:
            job = {"at": self._world.clock.wall().timestamp(), "photo": PAYLOAD}
            await self._redis.lpush(QUEUE, json.dumps(job))

    async def close(self) -> None:
        """Take the list away."""
        with suppress(*GONE):
            await self._redis.delete(QUEUE)
        await self._redis.aclose()
