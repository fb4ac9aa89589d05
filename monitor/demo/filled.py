"""The database and the Redis server of the demo's world, where it was given some: really filled, within bounds."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.demo.world import World

LOOK = timedelta(seconds=1)
AWAY = timedelta(seconds=5)
"""So long after a failure it is tried again."""
LIMIT = 20
"""The connections that the database's role may have, one of them the monitor's, one kept free."""
PATIENCE = 3.0
QUEUE = "demo:jobs"
PAYLOAD = "x" * 200_000
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

log = structlog.get_logger()


class FilledDatabase:
    """A pool of connections as large as the world says, and a table in which webhooks arrive."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._url = url
        self._pool: list[asyncpg.Connection] = []

    async def run(self) -> None:
        """Keep it as full as the world says, until cancelled."""
        clock = self._world.clock
        try:
            while True:
                pause = LOOK
                try:
                    await self.fill()
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    log.warning("demo_database_away", why=type(error).__name__)
                    await self._close(self._pool)
                    pause = AWAY
                await clock.sleep_until(clock.now() + pause)
        finally:
            await self._close(self._pool)

    async def fill(self) -> None:
        """Open or close connections, and let a webhook arrive unless they stopped."""
        wanted = min(max(round(self._world.now.shop_pool * LIMIT) - 1, 1), LIMIT - 2)
        if not self._pool:
            self._pool.append(await self._connect())
            await self._pool[0].execute(TABLES)
        while len(self._pool) < wanted:
            self._pool.append(await self._connect())
        await self._close(self._pool[wanted:])
        if self._world.now.staging_silence <= LOOK.total_seconds():
            await self._pool[0].execute(DELIVERED, timeout=PATIENCE)
            await self._pool[0].execute(OLD, timeout=PATIENCE)

    async def _connect(self) -> asyncpg.Connection:
        named = {"application_name": "demo-shop"}
        return await asyncpg.connect(self._url, timeout=PATIENCE, server_settings=named)

    async def _close(self, some: Sequence[asyncpg.Connection]) -> None:
        for connection in list(some):
            self._pool.remove(connection)
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=PATIENCE)


class FilledQueue:
    """A list of jobs in Redis that a worker empties, unless it hangs."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._redis = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)

    async def run(self) -> None:
        """Keep it as full as the world says, until cancelled; then take it away."""
        clock = self._world.clock
        try:
            while True:
                pause = LOOK
                try:
                    await self.fill()
                except (RedisError, OSError, TimeoutError) as error:
                    log.warning("demo_redis_away", why=type(error).__name__)
                    pause = AWAY
                await clock.sleep_until(clock.now() + pause)
        finally:
            with suppress(RedisError, OSError, TimeoutError):
                await self._redis.delete(QUEUE)
            await self._redis.aclose()

    async def fill(self) -> None:
        """Add a job, after the worker has done what there was unless it hangs."""
        now = self._world.now
        if now.staging_waiting <= HANGS:
            await self._redis.delete(QUEUE)
        if await self._redis.llen(QUEUE) < MOST_JOBS:
            at = self._world.clock.wall().timestamp()
            await self._redis.lpush(QUEUE, json.dumps({"at": at, "photo": PAYLOAD}))
