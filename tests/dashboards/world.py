"""A system that has one of each that dashboards show, on real servers and stand-ins, well and broken at once.

The database has a standby, a slot, a session that waits for another's lock; the pooler a client; the queue a worker
with more jobs than it runs; Stripe has events that nobody took; alerts of each severity fire, and a deploy was told of.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import asyncpg
from arq.connections import RedisSettings

from tests.acceptance import peers
from tests.arq_worker import Worker, pool
from tests.peers import Authority, free_port
from tests.pgbouncer import pgbouncer
from tests.postgres import PASSWORD, USER, cluster
from tests.redis import server
from tests.standby import standby_of
from tests.systems.receiver import Receiver
from tests.systems.shopify_api import TOKEN, ShopifyApi
from tests.systems.site import Answer, Site, says_json
from tests.systems.stripe_api import KEY, StripeApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.acceptance.process import Monitor
    from tests.postgres import Cluster

SECRET = "whsec_battery_staple"
REPORTS = "0123456789abcdef-of-the-job"
DEPLOYS = "0123456789abcdef-of-the-deploy"
PAID = "checkout.session.completed"
FILE = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    deploys: {token: "${DEPLOYS}"}
    defaults: {every: 1s, timeout: 5s, retry: {every: 500ms}, down: {critical: 2}}
    checks:
      front:
        url: ${SITE_URL}/
        thresholds:
          - {watch: duration, name: any, info: "> 0s"}
          - {watch: "avg(duration, 10s)", name: slow, warning: "> 0s", critical: "> 4s"}
          - {watch: "usual(duration, 1h)", name: unusual, warning: "> 3"}
      broken: {url: "${SITE_URL}/gone"}
      database:
        kind: postgres
        dsn: ${DATABASE_URL}
        clients: [{name: web, pool_size: 5, processes: 2}]
        measure: [size, tables]
        thresholds:
          - {watch: connection_share, warning: "> 90%"}
          - {watch: oldest_transaction, warning: "> 1h"}
          - {watch: "max(waiting, 1m)", warning: "> 10"}
      standby: {kind: postgres, dsn: "${STANDBY_URL}"}
      pooler:
        kind: pgbouncer
        dsn: ${POOLER_URL}
        thresholds: [{watch: pool_share, warning: "> 90%"}]
      cache:
        kind: redis
        url: ${CACHE_URL}
        limit: 25MB
        thresholds:
          - {watch: memory_share, warning: "> 80%"}
          - {watch: ping, warning: "> 1s"}
      jobs:
        kind: queue
        url: ${CACHE_URL}
        max_jobs: 2
        health_check_interval: 1s
        thresholds:
          - {watch: waiting, warning: "> 100"}
          - {watch: oldest_waiting, warning: "> 1h"}
      receiver:
        kind: webhook
        url: ${SITE_URL}/hooks
        scheme: stripe
        secret: ${SECRET}
        canary: true
        writes: true
        thresholds: [{watch: duration, warning: "> 3s"}]
      payments:
        kind: stripe
        api_key: ${STRIPE_KEY}
        url: ${STRIPE_URL}
        endpoint: https://shop.example.com/hooks
        events: [checkout.session.completed]
        prices: [price_basic]
        thresholds:
          - {watch: backlog, warning: "> 1000"}
          - {watch: undelivered_age, warning: "> 1d"}
      subscriptions:
        kind: shopify
        shop: my-shop
        token: ${SHOPIFY_TOKEN}
        url: ${SHOPIFY_URL}
        address: https://shop.example.com/hooks
        topics: [app/uninstalled]
      deliveries:
        kind: sql
        dsn: ${DATABASE_URL}
        query: SELECT 3 AS pending
        thresholds:
          - {watch: pending, warning: "> 10"}
          - {watch: duration, warning: "> 3s"}
      backup:
        kind: heartbeat
        token: ${REPORTS}
        period: 1h
        thresholds: [{watch: late, warning: "> 1h"}]
      checkout:
        kind: flow
        url: ${SITE_URL}
        steps: [{name: front, url: /}, {name: again, url: /}]
        thresholds: [{watch: duration, warning: "> 3s"}]
"""


async def quiet(_daemon: Monitor) -> None:
    """Let nothing happen."""


async def reports(daemon: Monitor) -> None:
    """Report a run of the job and a deploy."""
    async with aiohttp.ClientSession() as session:
        for what in ("start?rid=one", "0?rid=one"):
            url = f"{daemon.url}/api/v1/heartbeats/shop/backup/{REPORTS}/{what}"
            async with session.post(url) as answer:
                assert answer.ok, await answer.text()
        headers = {"Authorization": f"Bearer {DEPLOYS}"}
        body = '{"version": "2", "before": "1"}'
        async with session.post(f"{daemon.url}/api/v1/deploys/shop", data=body, headers=headers) as answer:
            assert answer.ok, await answer.text()


@dataclass
class World:
    """What a daemon is started with, and what happens once it runs.

    `twice`: a second instance can be started beside it. `lacks` are parts of names of series that this world does not
    have: what asks for one of them may stay without an answer.
    """

    text: str = FILE
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    twice: bool = True
    lacks: tuple[str, ...] = ()
    happens: Callable[[Monitor], Awaitable[None]] = quiet


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Run all that is watched."""
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(peers.receiver())
        given = {"HOOK_URL": hook.url, "SECRET": SECRET, "REPORTS": REPORTS, "DEPLOYS": DEPLOYS}
        given |= await _hosts(stack, folder)
        given |= await _databases(stack)
        given |= await _queue(stack)
        yield World(variables=given, happens=reports)


async def _hosts(stack: AsyncExitStack, folder: Path) -> dict[str, str]:
    """Run the shop and the two vendors."""
    authority = Authority(folder)
    site, stripe, shopify = Site("localhost", authority), StripeApi("127.0.0.1", None), ShopifyApi("127.0.0.1", None)
    for host in (site, stripe, shopify):
        await host.start(stack)
    site.answers = {("GET", "/"): says_json({"status": "healthy"}), ("POST", "/hooks"): Receiver("stripe", SECRET)}
    site.answers["GET", "/gone"] = Answer(503, "down for good")
    stripe.registers("https://shop.example.com/hooks", PAID)
    stripe.sells("price_basic")
    stripe.happens(PAID, ago=timedelta(minutes=20), pending=1, times=3)
    shopify.subscribes("APP_UNINSTALLED", "https://shop.example.com/hooks")
    return {
        "SSL_CERT_FILE": str(authority.path),
        "SITE_URL": site.url,
        "STRIPE_URL": stripe.url,
        "STRIPE_KEY": KEY,
        "SHOPIFY_URL": shopify.url,
        "SHOPIFY_TOKEN": TOKEN,
    }


async def _databases(stack: AsyncExitStack) -> dict[str, str]:
    """Run a server with a standby and a pooler; somebody waits for somebody's lock."""
    primary = stack.enter_context(cluster())
    standby = stack.enter_context(standby_of(primary))
    port = stack.enter_context(pgbouncer(primary, USER, PASSWORD, 5, stats_users=USER))
    primary.psql("SELECT pg_create_physical_replication_slot('spare', true)")
    primary.psql("CREATE TABLE work AS SELECT 1 AS i")
    primary.psql("CREATE TABLE orders AS SELECT 1 AS i")
    await _waits_for_a_lock(stack, primary)
    client = await asyncpg.connect(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres", statement_cache_size=0)
    stack.push_async_callback(client.close)
    await client.execute("SELECT 1")
    return {
        "DATABASE_URL": primary.dsn(),
        "STANDBY_URL": standby.dsn(),
        "POOLER_URL": f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/pgbouncer",
    }


async def _waits_for_a_lock(stack: AsyncExitStack, primary: Cluster) -> None:
    holder, waiter = [
        await asyncpg.connect(primary.dsn(), server_settings={"application_name": name}) for name in ("web", "worker")
    ]
    await holder.execute("BEGIN; LOCK TABLE work")
    waiting = asyncio.create_task(waiter.execute("TABLE work"))

    async def end() -> None:
        waiting.cancel()
        with suppress(asyncio.CancelledError, asyncpg.PostgresError):
            await waiting
        holder.terminate()
        waiter.terminate()

    stack.push_async_callback(end)


async def _queue(stack: AsyncExitStack) -> dict[str, str]:
    """Run a worker of two jobs at once that has three, and one for later."""
    cache = stack.enter_context(server())
    settings = RedisSettings(host="127.0.0.1", port=cache.port, database=0)
    worker = Worker(settings, max_jobs=2, health_check_interval=1, poll_delay=0.1)
    stack.push_async_callback(worker.kill)
    async with pool(settings) as arq:
        for _ in range(3):
            await arq.enqueue_job("sleeps", 3_600)
        await arq.enqueue_job("sleeps", 0, _defer_by=3_600)
    return {"CACHE_URL": cache.url()}


def listening() -> dict[str, str]:
    """Return what lets a daemon listen where Prometheus has been told to look."""
    return {"MONITOR_LISTEN": f"127.0.0.1:{free_port()}"}
